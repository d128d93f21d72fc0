"""The five shapes of sequence problems, each a tiny network trained until it works, and the loops that generate."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import chainrule as cr
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.layers import (
    GRU,
    LSTM,
    Attention,
    Bidirectional,
    Concatenate,
    Dense,
    Embedding,
    GRUCell,
    Input,
    MultiHeadAttention,
    PaddingMask,
    PositionEmbedding,
    RepeatVector,
)
from chainrule.models import decode, generate

RNG = np.random.default_rng(0)
RATE = 0.02


def trained(model, x, y, *, epochs=40, until="accuracy>0.995", rate=RATE, batch_size=64):
    model.compile(cr.optimizers.Adam(rate), "cross_entropy", ["accuracy"])
    model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0, until=until)
    return model


def test_one_to_one():
    """C189: one step in, one step out: a number to its square's last digit."""
    x = Input(1, dtype="int32")
    model = cr.Model(x, Dense(10)(GRU(16)(Embedding(10, 8)(x))), seed=1)
    numbers = np.arange(10)[:, None]
    trained(model, numbers, numbers[:, 0] ** 2 % 10, epochs=150, batch_size="full")
    np.testing.assert_array_equal(model.predict(numbers).argmax(-1), numbers[:, 0] ** 2 % 10)


def test_one_to_many():
    """C190: one number in, a sequence out: counting on from a seed, generated token by token."""
    starts = RNG.integers(0, 8, (64, 1))
    counted = (starts + np.arange(7)) % 8
    x = Input(None, dtype="int32")
    model = cr.Model(x, Dense(8)(GRU(16, return_sequences=True)(Embedding(8, 8)(x))), seed=1)
    trained(model, counted[:, :-1], counted[:, 1:])
    np.testing.assert_array_equal(generate(model, [[3], [6]], 9), [(s + np.arange(1, 10)) % 8 for s in (3, 6)])


def test_one_to_many_from_a_vector():
    """C190: a point in, its binary digits out, one after the other."""
    numbers = np.arange(16)
    digits = numbers[:, None] >> np.arange(3, -1, -1) & 1
    x = Input(1)
    model = cr.Model(x, Dense(2)(LSTM(24, return_sequences=True)(RepeatVector(4)(Dense(16, "tanh")(x)))), seed=1)
    trained(model, numbers[:, None] / 8 - 1, digits, epochs=800, batch_size="full", rate=0.01)
    assert (model.predict(numbers[:, None] / 8 - 1).argmax(-1) == digits).mean() > 0.95


def tokens(number, lengths, high, steps):
    made = RNG.integers(1, high, (number, steps))
    return made * (np.arange(steps) < RNG.choice(lengths, (number, 1)))


def test_many_to_one():
    """C191: a padded sequence in, one class out: whether token 1 stands anywhere in it."""
    x, y = (made := tokens(512, [3, 5, 8], 9, 8)), (made == 1).any(1).astype(int)
    source = Input(8, dtype="int32")
    model = cr.Model(source, Dense(2)(LSTM(12)(Embedding(9, 6)(source), mask=PaddingMask()(source))), seed=1)
    trained(model, x, y)
    fresh = tokens(200, [2, 4, 7], 9, 8)
    assert (model.predict(fresh).argmax(-1) == (fresh == 1).any(1)).mean() > 0.97


def test_many_to_many_aligned():
    """C192: one output for each step: whether a token is followed by a larger one, which only both readings tell."""
    x = RNG.integers(0, 6, (512, 7))
    y = np.concatenate([x[:, 1:] > x[:, :-1], np.zeros((512, 1), bool)], axis=1).astype(int)
    source = Input(7, dtype="int32")
    both = Bidirectional(GRU(10, return_sequences=True))(Embedding(6, 6)(source))
    model = trained(cr.Model(source, Dense(2)(both), seed=1), x, y)
    assert model.evaluate(x, y)["accuracy"] > 0.99


STEPS, WORDS = 5, 7  # tokens 1..5 are words, 6 begins a sequence


def reversing(number):
    """Padded sequences, and what a decoder sees and must give to write them the other way round, ended by 0."""
    source = tokens(number, [2, 3, 4], 6, STEPS)
    target = np.zeros((number, STEPS), int)
    for row, wanted in zip(source, target, strict=True):
        real = row[row > 0]
        wanted[: len(real)] = real[::-1]
    seen = np.concatenate([np.full((number, 1), 6), target[:, :-1]], axis=1)
    return source, seen, target


def encoder_decoder(kind):
    source, seen = Input(STEPS, dtype="int32", name="source"), Input(None, dtype="int32", name="seen")
    mask, words = PaddingMask()(source), Embedding(WORDS, 12, name="words")
    if kind == "transformer":
        positions, heads = PositionEmbedding(STEPS), {"num_heads": 2, "key_dim": 12}
        read, written = positions(words(source)), PositionEmbedding(STEPS)(words(seen))
        written = written + MultiHeadAttention(**heads, use_causal_mask=True)(written)
        written = written + MultiHeadAttention(**heads)(written, read, mask=mask)
        decoded = written + Dense(12)(Dense(24, "relu")(written))
    else:
        options = {"return_sequences": True, "return_state": True}
        encoded, h = GRU(24, name="encoder", **options)(words(source), mask=mask)
        decoded, _ = GRU(24, name="decoder", **options)(words(seen), initial_state=h)
        if kind == "attention":
            decoded = Concatenate()(decoded, Attention()(decoded, encoded, mask=mask))
    return cr.Model([source, seen], Dense(WORDS, name="next")(decoded), seed=1)


@pytest.mark.parametrize("kind", ["plain", "attention", "transformer"])
def test_many_to_many_by_encoder_and_decoder(kind):
    """C192: padded sequences written the other way round, token by token until the end."""
    source, seen, target = reversing(1024)
    model = encoder_decoder(kind)
    trained(model, [source, seen], target, epochs=60, rate=0.01)
    fresh, _, wanted = reversing(100)
    made = generate(model, np.full((100, 1), 6), STEPS - 1, context=[fresh], end=0)
    assert (made == wanted[:, : STEPS - 1]).all(1).mean() > 0.9


def test_a_loop_that_carries_its_state_makes_what_generate_makes():
    """C190: greedy decoding by single steps of the cell, compiled as one scan."""
    model = encoder_decoder("plain")
    source, _, _ = reversing(6)
    expected = generate(model, np.full((6, 1), 6), STEPS, context=[source], end=0)
    params, cell = model.variables.params, GRUCell(24)
    read = jnp.asarray(params["words"]["embeddings"])[source]
    encoder = GRU(24)
    h = encoder.call(params["encoder"], read, jnp.asarray(source != 0))

    def step(h, tokens):
        output, h = cell.call(params["decoder"], params["words"]["embeddings"][tokens], h)
        return output @ params["next"]["kernel"] + params["next"]["bias"], h

    made = jax.jit(lambda h: decode(step, h, jnp.full(6, 6), STEPS, end=0))(h)
    np.testing.assert_array_equal(made, expected)


def fixed_logits(values):
    x = Input(None, dtype="int32")
    model = cr.Model(x, Embedding(len(values), len(values), name="table")(x))
    model.set_weights({"table/embeddings": np.tile(values, (len(values), 1))})
    return model


def test_draws_follow_the_logits_and_the_temperature():
    model = fixed_logits(np.log([0.2, 0.3, 0.5]))
    for temperature, expected in ((1.0, [0.2, 0.3, 0.5]), (0.5, np.array([4, 9, 25]) / 38)):
        made = generate(model, np.zeros((200, 1), int), 20, temperature=temperature, seed=3)
        share = np.bincount(made.ravel(), minlength=3) / made.size
        np.testing.assert_allclose(share, expected, atol=4 * np.sqrt(0.25 / made.size))
    again = generate(model, np.zeros((200, 1), int), 20, temperature=0.5, seed=3)
    np.testing.assert_array_equal(made, again)
    assert not np.array_equal(generate(model, np.zeros((200, 1), int), 20, temperature=0.5, seed=4), again)


def test_nothing_follows_the_end():
    made = generate(fixed_logits(np.zeros(4)), np.full((50, 1), 2), 12, temperature=1.0, end=2)
    over = np.cumsum(made == 2, axis=1) > 0
    assert (made[over] == 2).all()
    assert 0 < over[:, 0].sum() < 50  # an end in the prompt ends nothing
    logits = jnp.log(jnp.array([[0.25] * 4] * 50))
    made = np.asarray(decode(lambda carry, _: (logits, carry), 0, jnp.full(50, 2), 12, temperature=1.0, end=2))
    over = np.cumsum(made == 2, axis=1) > 0
    assert (made[over] == 2).all()
    assert 0 < over[:, 0].sum() < 50


def test_what_cannot_be_generated_is_refused():
    model = fixed_logits(np.zeros(3))
    with pytest.raises(ArgumentTypeError, match=r"prompt must hold integers.*dtype float64"):
        generate(model, [[0.5]], 3)
    with pytest.raises(ShapeError, match=r"at least one step; received shape \(2, 0\)"):
        generate(model, np.zeros((2, 0), int), 3)
    with pytest.raises(ArgumentError, match="length must be an integer of at least 1"):
        generate(model, [[1]], 0)
    x = Input(None, dtype="int32")
    last = cr.Model(x, GRU(3)(Embedding(3, 3)(x)))
    with pytest.raises(ShapeError, match=r"logits \[batch, time, vocabulary\].*has shape \(1, 3\)"):
        generate(last, [[1]], 3)
