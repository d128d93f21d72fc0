"""States in and out, states carried from batch to batch, and recurrent layers inside models."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import chainrule as cr
from chainrule import initializers
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.spec import Weight
from chainrule.core import Layer, Variables
from chainrule.layers import GRU, LSTM, RNN, Bidirectional, Dense, Embedding, Input, LSTMCell, PaddingMask
from chainrule.models import fitting, reset_state
from chainrule.train.events import ChunkEnd

RNG = np.random.default_rng(0)


def stateful(**options):
    x = Input((None, 2))
    return cr.Model(x, Dense(1)(LSTM(3, stateful=True, batch_size=4, name="memory", **options)(x)), seed=1)


def test_two_halves_with_the_state_kept_are_the_whole():
    sequence = RNG.normal(size=(4, 6, 2)).astype("float32")
    model = stateful()
    plain_input = Input((None, 2))
    plain = cr.Model(plain_input, Dense(1)(LSTM(3, name="memory")(plain_input)), seed=1)
    whole, _ = plain.apply(plain.variables, sequence)
    variables = model.variables
    _, state = model.apply(variables, sequence[:, :2])
    second, state = model.apply(Variables(variables.params, state), sequence[:, 2:])
    np.testing.assert_allclose(second, whole, rtol=1e-5, atol=1e-6)
    assert sorted(state["memory"]) == ["carry_0", "carry_1"]


def test_predict_starts_from_the_state_and_leaves_it_and_reset_state_clears_it():
    model = stateful()
    x = RNG.normal(size=(4, 3, 2)).astype("float32")
    fresh = model.predict(x)
    np.testing.assert_array_equal(model.predict(x), fresh)
    kernel = model.get_weights()["memory/kernel"]
    model.set_weights({"memory/carry_0": np.ones((4, 3)), "memory/carry_1": np.ones((4, 3))})
    assert not np.allclose(model.predict(x), fresh)
    reset_state(model)
    np.testing.assert_array_equal(model.predict(x), fresh)
    np.testing.assert_array_equal(model.get_weights()["memory/kernel"], kernel)


def test_predict_carries_the_state_from_batch_to_batch_in_the_order_of_the_rows():
    """Two batches that are the halves of longer sequences give what one pass over the whole gives."""
    sequence = RNG.normal(size=(4, 6, 2)).astype("float32")
    model = stateful()
    plain_input = Input((None, 2))
    plain = cr.Model(plain_input, Dense(1)(LSTM(3, name="memory")(plain_input)), seed=1)
    pieces = np.concatenate([sequence[:, :3], sequence[:, 3:]])
    found = model.predict(pieces)
    assert found.shape == (8, 1)
    np.testing.assert_allclose(found[:4], plain.predict(sequence[:, :3]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[4:], plain.predict(sequence), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.predict(pieces, batch_size=2), found)
    assert np.abs(model.predict(pieces[4:]) - found[4:]).max() > 1e-3  # a call of its own starts from zeros


def gradient_steps(model, batches, rate):
    """Plain gradient steps on the mean squared error, the state carried, in the order of ``batches``."""

    def loss(params, state, x, y):
        outputs, state = model.apply(Variables(params, state), x, training=True)
        return ((outputs - y) ** 2).mean(), state

    params, state = model.variables
    step = jax.jit(jax.grad(loss, has_aux=True))
    for x, y in batches:
        gradient, state = step(params, state, x, y)
        params = jax.tree.map(lambda p, g: p - rate * g, params, gradient)
    return params


def test_fit_goes_through_the_rows_in_order_and_every_pass_starts_from_the_models_state():
    model = stateful()
    model.set_weights({"memory/carry_0": np.full((4, 3), 0.3)})
    model.compile(cr.optimizers.SGD(0.5), "mse", ["mae"])
    x, y = RNG.normal(size=(12, 3, 2)).astype("float32"), RNG.normal(size=(12, 1)).astype("float32")
    batches = [(x[i : i + 4], y[i : i + 4]) for i in (0, 4, 8)] * 2
    halves = gradient_steps(model, batches[:3], 0.5)
    expected = Variables(halves, model.variables.state)  # the second epoch begins as the first
    again = stateful()
    again.restore(expected, None)
    expected = gradient_steps(again, batches[3:], 0.5)
    history = model.fit(x, y, epochs=2, batch_size=4, verbose=0, validation=(x[:8], y[:8]))
    weights = model.get_weights()
    np.testing.assert_allclose(weights["memory/kernel"], expected["memory"]["kernel"], rtol=1e-4, atol=1e-6)
    assert (weights["memory/carry_0"] == np.float32(0.3)).all()
    assert (weights["memory/carry_1"] == 0).all()
    for rows, prefix in ((12, ""), (8, "val_")):
        errors = model.predict(x[:rows]).astype(float) - y[:rows]
        scores = model.evaluate(x[:rows], y[:rows])
        assert scores["loss"] == pytest.approx((errors**2).mean(), rel=1e-5)
        assert scores == pytest.approx({name: history[prefix + name][-1] for name in ("loss", "mae")}, rel=1e-6)


def test_a_fit_that_is_interrupted_leaves_the_models_state_as_it_was():
    model = stateful()
    model.compile("sgd", "mse")
    x, y = np.ones((12, 3, 2), "float32"), np.zeros(12, "float32")
    seen = []

    def interrupt(event, run):
        if isinstance(event, ChunkEnd):
            seen.append(np.abs(run.variables.state["memory"]["carry_0"]).max())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=1, batch_size=4, verbose=0, steps_per_call=1, callbacks=[interrupt])
    assert seen[0] > 0
    assert np.abs(model.get_weights()["memory/carry_0"]).max() == 0


def test_of_many_rows_the_first_whole_batches_are_judged(monkeypatch):
    monkeypatch.setattr(fitting, "_JUDGED_ROWS", 7)
    model = stateful()
    model.compile("sgd", "mse")
    x, y = RNG.normal(size=(12, 3, 2)).astype("float32"), RNG.normal(size=(12, 1)).astype("float32")
    history = model.fit(x, y, epochs=1, batch_size=4, verbose=0)
    assert history["loss"][-1] == pytest.approx(model.evaluate(x[:4], y[:4])["loss"], rel=1e-6)


def test_rows_that_make_no_whole_batches_are_refused_with_what_to_do():
    model = stateful()
    model.compile("sgd", "mse")
    x, y = np.ones((8, 3, 2), "float32"), np.zeros(8, "float32")
    whole = r"x: .*batch_size=4 takes a multiple of 4 examples.*received 7\. Pass the first 4"
    for call in (
        lambda: model.predict(x[:7]),
        lambda: model.evaluate(x[:7], y[:7]),
        lambda: model.fit(x[:7], y[:7], batch_size=4),
    ):
        with pytest.raises(ShapeError, match=whole):
            call()
    with pytest.raises(ShapeError, match=r"received 3\. Pass 4, or build"):
        model.predict(x[:3])
    with pytest.raises(ShapeError, match=r"^validation: .*received 5"):
        model.fit(x, y, batch_size=4, validation=(x[:5], y[:5]))
    with pytest.raises(ArgumentError, match=r"batch_size must be 4.*received 32\. Type fit\(\.\.\., batch_size=4\)"):
        model.fit(x, y)
    with pytest.raises(ArgumentError, match=r"validation: must be \(x, y\) where a model has stateful layers"):
        model.fit(x, y, batch_size=4, validation=0.5)
    other = Input((None, 2))
    two = [GRU(3, stateful=True, batch_size=size, name=f"gru{size}")(other) for size in (2, 4)]
    with pytest.raises(ShapeError, match=r"must have the same batch_size.*gru2: 2, gru4: 4"):
        cr.Model(other, two).predict(x)


def test_a_state_of_nested_layers_is_kept_and_reset_too():
    x = Input((None, 2))
    both = Bidirectional(GRU(3, stateful=True, batch_size=2))
    stack = RNN(LSTMCell(3), stateful=True, batch_size=2)
    model = cr.Model(x, [both(x), stack(x)])
    _, state = model.apply(model.variables, np.ones((2, 4, 2), "float32"))
    assert sorted(state["bidirectional"]) == ["backward_layer", "forward_layer"]
    model.restore(Variables(model.variables.params, state), None)
    assert all(np.abs(w).min() > 0 for path, w in model.get_weights().items() if "carry" in path)
    reset_state(model)
    assert all(np.abs(w).max() == 0 for path, w in model.get_weights().items() if "carry" in path)


def test_another_batch_size_is_refused_and_so_is_none():
    with pytest.raises(ArgumentError, match=r"batch_size must be given with stateful=True.*received None"):
        LSTM(3, stateful=True)
    model = stateful()
    with pytest.raises(ShapeError, match=r"memory \(LSTM\): .*batch_size=4 rows.*received shape \(3, 5, 2\)"):
        model.apply(model.variables, np.zeros((3, 5, 2), "float32"))
    with pytest.raises(ArgumentError, match="must have a stateful layer; received a model without one"):
        reset_state(encoder_decoder())


def encoder_decoder():
    source, target = Input(5, dtype="int32", name="source"), Input((4, 3), name="target")
    encoded = Embedding(6, 3, name="words")(source)
    _, h, c = LSTM(2, return_state=True, name="encoder")(encoded, mask=PaddingMask()(source))
    decoded = LSTM(2, return_sequences=True, name="decoder")(target, initial_state=[h, c])
    return cr.Model([source, target], Dense(1)(decoded), seed=2)


def test_a_decoder_starts_from_the_state_of_an_encoder():
    model = encoder_decoder()
    tokens, target = np.array([[1, 2, 3, 0, 0]]), RNG.normal(size=(1, 4, 3)).astype("float32")
    expected = model.predict([tokens, target])
    weights = model.get_weights()
    x = weights["words/embeddings"][[1, 2, 3]][None]  # the padding left out
    parts = {
        name: {key: jnp.asarray(weights[f"{name}/{key}"]) for key in ("kernel", "recurrent_kernel", "bias")}
        for name in ("encoder", "decoder")
    }
    _, h, c = LSTM(2, return_state=True).call(parts["encoder"], x)
    decoded = LSTM(2, return_sequences=True).call(parts["decoder"], target, None, h, c)
    np.testing.assert_allclose(
        decoded @ weights["dense/kernel"] + weights["dense/bias"], expected, rtol=1e-5, atol=1e-6
    )


def test_models_with_states_are_saved_loaded_and_summed_up(tmp_path, capsys):
    model = encoder_decoder()
    inputs = [np.array([[4, 2, 0, 0, 0], [5, 5, 5, 5, 5]]), RNG.normal(size=(2, 4, 3)).astype("float32")]
    model.save(tmp_path / "model.chainrule")
    np.testing.assert_array_equal(cr.load(tmp_path / "model.chainrule").predict(inputs), model.predict(inputs))
    model.summary()
    stateful().summary()
    assert "decoder" in capsys.readouterr().out


def test_a_sequence_of_no_steps_gives_the_initial_state():
    layer = LSTM(3, return_state=True)
    params = {"kernel": jnp.ones((2, 12)), "recurrent_kernel": jnp.ones((3, 12)), "bias": jnp.ones(12)}
    h, c = jnp.full((4, 3), 0.5), jnp.full((4, 3), 2.0)
    output, *state = layer.call(params, jnp.zeros((4, 0, 2)), None, h, c)
    for found, expected in zip((output, *state), (h, h, c), strict=True):
        np.testing.assert_array_equal(found, expected)


@dataclass(frozen=True)
class Turns(Layer):
    """Counts the batches it has seen, in a state that happens to be called as that of recurrent layers."""

    name: str | None = None

    def weights(self, x):
        return {"carry_0": Weight((3,), initializers.get("zeros"), kind="state")}

    def apply(self, variables, *inputs, context):
        return inputs[0], {"carry_0": variables.state["carry_0"] + jnp.float32(context.training)}


def test_only_the_state_of_the_rows_of_a_batch_is_rewound_not_whatever_has_its_name():
    x = Input((None, 2))
    model = cr.Model(x, Dense(1)(LSTM(3, stateful=True, batch_size=4, name="memory")(Turns(name="turns")(x))), seed=1)
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3, 2), "float32"), np.zeros(8, "float32"), epochs=3, batch_size=4, verbose=0)
    assert model.get_weights()["turns/carry_0"].tolist() == [6, 6, 6]
    assert np.abs(model.get_weights()["memory/carry_0"]).max() == 0
    reset_state(model)
    assert model.get_weights()["turns/carry_0"].tolist() == [6, 6, 6]
