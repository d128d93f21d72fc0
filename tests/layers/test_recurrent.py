"""Recurrent layers against loops over rows and steps in NumPy, float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.core import Context, Input, Variables
from chainrule.layers import GRU, LSTM, RNN, Cell, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell, StackedRNNCells

NONE = Variables({}, {})


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def simple_step(x, state, p):
    (h,) = state
    return (np.tanh(x @ p["kernel"] + h @ p["recurrent_kernel"] + p["bias"]),)


def lstm_step(x, state, p):
    h, c = state
    z = x @ p["kernel"] + h @ p["recurrent_kernel"] + p["bias"]
    i, f, g, o = np.split(z, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_after_step(x, state, p):
    (h,) = state
    (xz, xr, xh), (hz, hr, hh) = (
        np.split(v @ p[name] + p["bias"][row], 3)
        for row, (v, name) in enumerate(((x, "kernel"), (h, "recurrent_kernel")))
    )
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return (z * h + (1 - z) * np.tanh(xh + r * hh),)


def gru_before_step(x, state, p):
    (h,) = state
    units = len(h)
    xz, xr, xh = np.split(x @ p["kernel"] + p["bias"], 3)
    kernel = p["recurrent_kernel"]
    z = sigmoid(xz + h @ kernel[:, :units])
    r = sigmoid(xr + h @ kernel[:, units : 2 * units])
    return (z * h + (1 - z) * np.tanh(xh + (r * h) @ kernel[:, 2 * units :]),)


KINDS = {
    "simple": (SimpleRNN, {}, simple_step, 1),
    "lstm": (LSTM, {}, lstm_step, 2),
    "gru": (GRU, {}, gru_after_step, 1),
    "gru_before": (GRU, {"reset_after": False}, gru_before_step, 1),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def loop(step, x, p, mask, start, *, backwards=False):
    """Outputs in the order of the steps read, and the last states, row by row."""
    outputs, last = [], []
    for row in range(len(x)):
        state, shown, made = tuple(part[row] for part in start), np.zeros(start[0].shape[1]), []
        order = range(x.shape[1])[:: -1 if backwards else 1]
        for t in order:
            if mask is None or mask[row, t]:
                state = step(x[row, t], state, p)
                shown = state[0]
            made.append(shown)
        outputs.append(made)
        last.append(state)
    return np.array(outputs), [np.array(part) for part in zip(*last, strict=True)]


def weights(layer, features, rng):
    specs = layer.weights(Input((2, features)).spec)
    return {name: rng.normal(size=weight.shape) * 0.7 for name, weight in specs.items()}


def pattern(name, batch, steps, rng):
    """Masks: true where a step is real."""
    places = np.arange(steps)[None]
    lengths = rng.integers(0, steps + 1, (batch, 1))
    made = {
        "right": places < lengths,
        "left": places >= steps - lengths,
        "anywhere": rng.uniform(size=(batch, steps)) < 0.5,
        "nothing": np.zeros((batch, steps), bool),
    }
    return made.get(name)


# (batch, time, features, units), mask, initial state given, read backwards
SHAPES = [
    ((3, 5, 2, 4), None, False, False),
    ((2, 7, 3, 5), "right", False, False),
    ((4, 6, 1, 2), "left", True, True),
    ((5, 7, 2, 3), "anywhere", True, False),
    ((3, 4, 5, 1), "anywhere", False, True),
    ((2, 3, 1, 4), "nothing", True, False),
    ((1, 1, 3, 2), None, True, True),
    ((1, 6, 2, 7), "right", True, True),
]


@every_kind
@pytest.mark.parametrize("case", range(len(SHAPES)))
def test_outputs_states_and_slopes_are_those_of_the_loop(kind, case):
    """C187: also the GRU in both forms; C194: with masks at the left, at the right, anywhere and everywhere."""
    (batch, steps, features, units), masked, given, backwards = SHAPES[case]
    rng = np.random.default_rng(case)
    cls, options, step, parts = KINDS[kind]
    layer = cls(units, return_sequences=True, return_state=True, go_backwards=backwards, **options)
    params, x = weights(layer, features, rng), rng.normal(size=(batch, steps, features))
    mask = pattern(masked, batch, steps, rng)
    start = [rng.normal(size=(batch, units)) * (1 if given else 0) for _ in range(parts)]

    def measure(x, params, start):
        outputs, states = loop(step, x, params, mask, start, backwards=backwards)
        return sum(np.sin(part + np.arange(part.size).reshape(part.shape)).sum() for part in (outputs, *states))

    with jax.enable_x64(True):

        def ours(x, params, start):
            found = layer.call(params, x, None if mask is None else jnp.asarray(mask), *(start if given else ()))
            total = sum(jnp.sin(part + jnp.arange(part.size).reshape(part.shape)).sum() for part in found)
            return total, found

        run = jax.jit(jax.value_and_grad(ours, argnums=(0, 1, 2), has_aux=True))
        (total, found), slopes = run(jnp.asarray(x), jax.tree.map(jnp.asarray, params), start)
    outputs, states = loop(step, x, params, mask, start, backwards=backwards)
    for actual, expected in zip(found, (outputs, *states), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)  # both in float64
    np.testing.assert_allclose(total, measure(x, params, start), rtol=1e-12, atol=1e-12)
    point = (x, params, start)
    away = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), point)
    if not given:
        away = (*away[:2], [np.zeros_like(part) for part in start])
    ends = [measure(*jax.tree.map(lambda p, d: p + sign * 1e-6 * d, point, away)) for sign in (1, -1)]  # noqa: B023
    slope = sum(np.sum(np.asarray(g) * d) for g, d in zip(*map(jax.tree.leaves, (slopes, away)), strict=True))
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / 2e-6, rtol=1e-6, atol=1e-7)  # step² and rounding / step


@every_kind
def test_float32_is_as_good_as_float32_can_be(kind):
    rng = np.random.default_rng(3)
    cls, options, step, parts = KINDS[kind]
    layer = cls(6, return_sequences=True, **options)
    params, x = weights(layer, 4, rng), rng.normal(size=(3, 11, 4))
    expected, _ = loop(step, x, params, None, [np.zeros((3, 6))] * parts)
    actual = layer.call({n: jnp.asarray(w, jnp.float32) for n, w in params.items()}, jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)  # eleven steps of some 1e-7 each


@pytest.mark.parametrize("kind", ["lstm", "gru", "gru_before"])
def test_the_fast_and_the_general_form_are_equal(kind):
    """A tanh that is not known by name runs step by step."""
    rng = np.random.default_rng(4)
    cls, options, _, _ = KINDS[kind]
    fast = cls(3, return_sequences=True, return_state=True, **options)
    general = cls(3, jnp.tanh, return_sequences=True, return_state=True, **options)
    params = {n: jnp.asarray(w, jnp.float32) for n, w in weights(fast, 2, rng).items()}
    x, mask = jnp.asarray(rng.normal(size=(4, 5, 2)), jnp.float32), jnp.asarray(rng.uniform(size=(4, 5)) < 0.6)
    states = [jnp.asarray(rng.normal(size=(4, 3)), jnp.float32)] * (2 if kind == "lstm" else 1)
    for given in ((), (mask,), (None, *states), (mask, *states)):
        for one, other in zip(fast.call(params, x, *given), general.call(params, x, *given), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


CELLS = {
    "simple": SimpleRNNCell(3),
    "lstm": LSTMCell(3),
    "gru": GRUCell(3),
    "gru_before": GRUCell(3, reset_after=False),
}


@every_kind
def test_a_cell_alone_in_a_python_loop_is_the_layer(kind):
    rng = np.random.default_rng(5)
    cls, options, _, parts = KINDS[kind]
    layer, cell = cls(3, return_sequences=True, **options), CELLS[kind]
    params = {n: jnp.asarray(w, jnp.float32) for n, w in weights(layer, 2, rng).items()}
    x = jnp.asarray(rng.normal(size=(4, 5, 2)), jnp.float32)
    carry, outputs = [jnp.zeros((4, 3))] * parts, []
    for t in range(5):
        output, *carry = cell.call(params, x[:, t], *carry)
        outputs.append(output)
    expected = layer.call(params, x)
    np.testing.assert_allclose(np.stack(outputs, axis=1), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(RNN(cell, return_sequences=True).call(params, x), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(cell.call(params, x[:, 0])[0], outputs[0])  # without a carry: zeros


def test_stacked_cells_are_stacked_layers():
    rng = np.random.default_rng(6)
    below, above = LSTM(4, return_sequences=True), GRU(3, return_sequences=True, return_state=True)
    params = {"cell_0": weights(below, 2, rng), "cell_1": weights(above, 4, rng)}
    params = jax.tree.map(lambda w: jnp.asarray(w, jnp.float32), params)
    x, mask = jnp.asarray(rng.normal(size=(3, 5, 2)), jnp.float32), jnp.asarray(rng.uniform(size=(3, 5)) < 0.6)
    stack = RNN(StackedRNNCells((LSTMCell(4), GRUCell(3))), return_sequences=True, return_state=True)
    outputs, h, c, top = stack.call(params, x, mask)
    expected, top_expected = above.call(params["cell_1"], below.call(params["cell_0"], x, mask), mask)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(top, top_expected, rtol=1e-5, atol=1e-6)
    assert (h.shape, c.shape) == ((3, 4), (3, 4))
    again = stack.call(params, x, mask, h, c, top)[0]
    assert not np.allclose(again, outputs)  # the states went in


def test_number_of_weights_has_one_bias_a_gate():
    """C186: 4 (n h + h² + h) = 180 numbers for n = 3 and h = 5; the forget gate's bias starts at 1, the others at 0."""
    wanted = LSTM(5).weights(Input((7, 3)).spec)
    assert sum(np.prod(w.shape) for w in wanted.values()) == 4 * (3 * 5 + 5 * 5 + 5) == 180
    bias = wanted["bias"].init(jax.random.key(0), (20,), jnp.float32)
    np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], 5))
    plain = LSTM(5, unit_forget_bias=False, bias_initializer="ones").weights(Input((7, 3)).spec)["bias"]
    np.testing.assert_array_equal(plain.init(jax.random.key(0), (20,), jnp.float32), np.ones(20))
    kernel = np.asarray(wanted["recurrent_kernel"].init(jax.random.key(0), (5, 20), jnp.float32))
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(5), atol=1e-5)  # orthogonal
    assert sum(np.prod(w.shape) for w in GRU(5).weights(Input((7, 3)).spec).values()) == 3 * (15 + 25 + 10)


def test_go_backwards_gives_outputs_in_the_order_they_are_made():
    rng = np.random.default_rng(7)
    forward, backward = SimpleRNN(2, return_sequences=True), SimpleRNN(2, return_sequences=True, go_backwards=True)
    params = {n: jnp.asarray(w, jnp.float32) for n, w in weights(forward, 3, rng).items()}
    x = jnp.asarray(rng.normal(size=(2, 4, 3)), jnp.float32)
    np.testing.assert_allclose(backward.call(params, x), forward.call(params, x[:, ::-1]), rtol=1e-6)


def dropped_once(layer, x, key):
    params = {"kernel": jnp.eye(3), "recurrent_kernel": jnp.eye(3), "bias": jnp.zeros(3)}
    training = Context(training=True, key=jax.random.key(key))
    output, _ = layer.apply(Variables(params, {}), x, context=training)
    rest, _ = layer.apply(Variables(params, {}), x, context=Context())
    return output, rest


def test_input_dropout_drops_the_same_features_at_every_step():
    layer = SimpleRNN(3, "linear", dropout=0.5, return_sequences=True)
    x = jnp.ones((40, 4, 3))
    output, rest = dropped_once(layer, x, 1)
    np.testing.assert_array_equal(rest, np.arange(1, 5)[None, :, None] * np.ones((40, 1, 3)))
    assert {tuple(row) for row in np.asarray(output).transpose(0, 2, 1).reshape(-1, 4)} == {(0, 0, 0, 0), (2, 4, 6, 8)}


def test_recurrent_dropout_drops_the_same_units_at_every_step():
    layer = SimpleRNN(3, "linear", recurrent_dropout=0.5, return_sequences=True)
    x = jnp.ones((40, 4, 3)).at[:, 1:].set(0)
    output, rest = dropped_once(layer, x, 2)
    np.testing.assert_array_equal(rest, np.ones((40, 4, 3)))
    assert {tuple(row) for row in np.asarray(output).transpose(0, 2, 1).reshape(-1, 4)} == {(1, 0, 0, 0), (1, 2, 4, 8)}


@pytest.mark.parametrize(
    "layer", [LSTM(3, jnp.tanh, dropout=0.4, recurrent_dropout=0.3), RNN(StackedRNNCells((GRUCell(3, dropout=0.4),)))]
)
def test_the_general_form_drops_in_training_alone(layer):
    made = layer.weights(Input((4, 2)).spec)
    params = jax.tree.map(lambda w: jnp.full(w.shape, 0.3), made, is_leaf=lambda w: hasattr(w, "init"))
    x = jnp.ones((6, 4, 2))
    found = [
        layer.apply(Variables(params, {}), x, context=Context(training=training, key=jax.random.key(8)))[0]
        for training in (True, False)
    ]
    np.testing.assert_array_equal(found[1], np.broadcast_to(found[1][:1], found[1].shape))
    assert len(np.unique(np.asarray(found[0])[:, 0])) > 1


def test_arguments_and_inputs_that_do_not_fit_are_refused():
    x = Input((5, 3))
    with pytest.raises(ArgumentError, match="units must be an integer of at least 1; received 0"):
        LSTM(0)
    with pytest.raises(ArgumentError, match="recurrent_dropout must be a finite number at least 0 and below 1"):
        GRU(2, recurrent_dropout=1.0)
    with pytest.raises(ArgumentError, match="'tahn' is not a known activation"):
        LSTM(2, recurrent_activation="tahn")
    with pytest.raises(ArgumentTypeError, match="cell must be a recurrent cell, such as LSTMCell"):
        RNN(LSTM(3))
    with pytest.raises(ArgumentError, match="cells must hold at least one cell"):
        StackedRNNCells(())
    with pytest.raises(ShapeError, match=r"at least 3 axes.*received shape \(b, 3\).*put Embedding"):
        LSTM(2)(Input(3))
    with pytest.raises(ArgumentTypeError, match=r"mask must hold booleans.*received dtype float32.*PaddingMask"):
        LSTM(2)(x, mask=Input(5))
    with pytest.raises(
        ShapeError, match=r"mask must have shape \[batch, time\], with the 5 steps.*received shape \(b, 4\)"
    ):
        LSTM(2)(x, mask=Input(4, dtype="bool"))
    with pytest.raises(ShapeError, match=r"initial state of 2 array\(s\) is needed; received 1"):
        LSTM(2)(x, initial_state=Input(2))
    with pytest.raises(ShapeError, match=r"initial state must have shape \(b, 2\); received shape \(b, 3\)"):
        GRU(2)(x, initial_state=Input(3))
    with pytest.raises(
        ShapeError, match=r"last axis of the input must be 4, as when it was built; received shape \(2, 5, 3\)"
    ):
        GRU(2).call({"kernel": jnp.zeros((4, 6)), "recurrent_kernel": jnp.zeros((2, 6))}, jnp.zeros((2, 5, 3)))


def test_a_cell_without_its_methods_says_which():
    with pytest.raises(NotImplementedError, match=r"Cell: define initial\(self, x\)"):
        Cell().initial(jnp.zeros((1, 2)))
    with pytest.raises(NotImplementedError, match=r"Cell: define step\(self, params, carry, x\)"):
        Cell().step({}, jnp.zeros((1, 2)), jnp.zeros((1, 2)))
