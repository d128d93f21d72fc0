"""Masks, and that results do not depend on padding: not on where it is, how much there is, or what stands in it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentTypeError, ShapeError
from chainrule.core import Input
from chainrule.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    ConvLSTM1D,
    GRUCell,
    LSTMCell,
    MultiHeadAttention,
    PaddingMask,
    SequenceMask,
    SimpleRNN,
    StackedRNNCells,
)


def test_tokens_and_vectors_make_masks():
    tokens = jnp.array([[3, 0, 5, 0], [0, 0, 0, 7]])
    np.testing.assert_array_equal(PaddingMask().call({}, tokens), np.asarray(tokens) != 0)
    np.testing.assert_array_equal(PaddingMask(5).call({}, tokens), np.asarray(tokens) != 5)
    vectors = jnp.array([[[0.0, 1.0], [0.0, 0.0], [2.0, 0.0]]])
    np.testing.assert_array_equal(PaddingMask().call({}, vectors), [[True, False, True]])


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_lengths_make_masks(shape):
    lengths = jnp.array([2, 0, 9]).reshape(shape)
    found = SequenceMask().call({}, lengths, jnp.zeros((3, 4, 5)))
    np.testing.assert_array_equal(found, [[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]])


def test_lengths_that_are_none_are_refused():
    with pytest.raises(ShapeError, match=r"one integer for each example; received shape \(b, 2\)"):
        SequenceMask()(Input(2, dtype="int32"), Input((4, 5)))
    with pytest.raises(ShapeError, match=r"one integer for each example.*dtype float32"):
        SequenceMask()(Input(1), Input((4, 5)))


def test_sequence_and_lengths_swapped_or_forgotten():
    lengths, x = Input(1, dtype="int32"), Input((None, 5))
    order = r"the lengths first: SequenceMask\(\)\(lengths, x\)"
    for sequence in (x, Input((4, 5)), Input((None,), dtype="int32"), Input(4, dtype="int32")):
        with pytest.raises(ShapeError, match=f"lengths, the first input, .* received shape .* {order}"):
            SequenceMask()(sequence, lengths)
        assert SequenceMask()(lengths, sequence).shape == sequence.shape[:2]
    said = r"SequenceMask: must be called on 2 input\(s\) \(lengths, x\); received 1, without "
    with pytest.raises(ArgumentTypeError, match=said + r"x\. Type SequenceMask\(\.\.\.\)\(lengths, x\)"):
        SequenceMask()(lengths)
    with pytest.raises(ArgumentTypeError, match=f"{said}lengths"):
        SequenceMask()(x=x)


STACK = StackedRNNCells((LSTMCell(2), GRUCell(3)))
LAYERS = {
    "simple": SimpleRNN(4),
    "lstm": LSTM(4, return_state=True),
    "lstm_general": LSTM(4, jnp.tanh, return_state=True),
    "gru": GRU(4, go_backwards=True),
    "gru_before": GRU(4, reset_after=False),
    "stack": RNN(STACK, return_state=True),
    "both_ways": Bidirectional(LSTM(3, return_state=True)),
    "conv": ConvLSTM1D(2, 3, padding="same"),
}
LENGTHS = (3, 5, 1, 0)


def padded(row, where, rng):
    """A sequence of 8 steps that holds ``row``; NaN and infinity stand in the padding."""
    made = rng.choice([np.nan, np.inf, 1e30], size=(8, *row.shape[1:])).astype(np.float32)
    places = {"right": np.arange(len(row)), "left": np.arange(8 - len(row), 8)}.get(where)
    if places is None:
        places = np.sort(rng.choice(8, len(row), replace=False))
    made[places] = row
    mask = np.zeros(8, bool)
    mask[places] = True
    return made, mask, places


@pytest.mark.parametrize("where", ["right", "left", "middle"])
@pytest.mark.parametrize("name", LAYERS)
def test_results_and_slopes_do_not_depend_on_padding(name, where):
    """C194: every sequence alone and unpadded gives what it gives padded beside longer ones, gradients too."""
    layer, rng = LAYERS[name], np.random.default_rng(2)
    shape = (5, 2) if name == "conv" else (2,)
    wanted = layer.weights(Input((None, *shape)).spec)
    params = jax.tree.map(
        lambda w: jnp.asarray(rng.normal(size=w.shape), jnp.float32), wanted, is_leaf=lambda w: hasattr(w, "init")
    )
    rows = [rng.normal(size=(length, *shape)).astype(np.float32) for length in LENGTHS]
    x, mask, _ = map(np.stack, zip(*[(*padded(row, where, rng)[:2], 0) for row in rows], strict=True))

    def total(params, x, mask=None):
        found = layer.call(params, x, mask)
        found = found if isinstance(found, tuple) else (found,)
        return sum(jnp.sin(part * (1 + i)).sum() for i, part in enumerate(found)), found

    (_, together), slope = jax.value_and_grad(total, has_aux=True)(params, jnp.asarray(x), jnp.asarray(mask))
    expected = jax.tree.map(jnp.zeros_like, params)
    for row, array in enumerate(rows):
        (_, alone), more = jax.value_and_grad(total, has_aux=True)(params, jnp.asarray(array[None]))
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(one[row], other[0], rtol=1e-5, atol=1e-6)
        expected = jax.tree.map(jnp.add, expected, more)
    for one, other in zip(*map(jax.tree.leaves, (slope, expected)), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)  # float32 sums over rows and steps


@pytest.mark.parametrize("where", ["right", "left", "middle"])
def test_outputs_of_real_steps_do_not_depend_on_padding(where):
    """C194: step by step, reading both ways."""
    layer, rng = Bidirectional(GRU(3, return_sequences=True)), np.random.default_rng(3)
    wanted = layer.weights(Input((None, 2)).spec)
    params = jax.tree.map(
        lambda w: jnp.asarray(rng.normal(size=w.shape), jnp.float32), wanted, is_leaf=lambda w: hasattr(w, "init")
    )
    row = rng.normal(size=(5, 2)).astype(np.float32)
    x, mask, places = padded(row, where, rng)
    found = layer.call(params, jnp.asarray(x[None]), jnp.asarray(mask[None]))
    np.testing.assert_allclose(found[0, places], layer.call(params, jnp.asarray(row[None]))[0], rtol=1e-5, atol=1e-6)


def test_attention_does_not_depend_on_padding():
    """C194: self-attention over padded sequences, values and slopes."""
    layer, rng = MultiHeadAttention(2, 3), np.random.default_rng(4)
    wanted = layer.weights(Input((None, 4)).spec)
    params = jax.tree.map(
        lambda w: jnp.asarray(rng.normal(size=w.shape), jnp.float32), wanted, is_leaf=lambda w: hasattr(w, "init")
    )
    row = rng.normal(size=(5, 4)).astype(np.float32)
    x, mask, places = padded(row, "middle", rng)

    def total(params, x, mask, places):
        found = layer.call(params, x[None], None, None, None if mask is None else mask[None])[0, places]
        return jnp.sin(found).sum(), found

    (_, padded_one), slope = jax.value_and_grad(total, has_aux=True)(params, jnp.asarray(x), jnp.asarray(mask), places)
    (_, alone), expected = jax.value_and_grad(total, has_aux=True)(params, jnp.asarray(row), None, np.arange(5))
    np.testing.assert_allclose(padded_one, alone, rtol=1e-5, atol=1e-5)
    for one, other in zip(*map(jax.tree.leaves, (slope, expected)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
