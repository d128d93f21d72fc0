"""Dense against matrix products in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule import constraints, initializers, regularizers
from chainrule._base.errors import ArgumentError, ShapeError, UnknownNameError
from chainrule._base.spec import batched
from chainrule.core import Context, Input, Variables
from chainrule.core.layer import make_variables
from chainrule.layers import Dense
from chainrule.ops import activations

RNG = np.random.default_rng(3)
KERNEL, BIAS = RNG.normal(size=(3, 4)), RNG.normal(size=4)
PARAMS = {"kernel": jnp.asarray(KERNEL, jnp.float32), "bias": jnp.asarray(BIAS, jnp.float32)}


@pytest.mark.parametrize("shape", [(2, 3), (2, 5, 3), (2, 5, 6, 3)])
def test_dense_maps_the_last_axis(shape):
    """C43 C44: z_i = w_0i + Σ_j x_j w_ji, through the activation, at any rank."""
    x = RNG.normal(size=shape)
    y = Dense(4, activation="tanh").call(PARAMS, jnp.asarray(x, jnp.float32))
    expected = np.tanh(np.einsum("...j,ji->...i", x, KERNEL) + BIAS)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)  # float32 sums of three products


def test_scalar_sum_and_matrix_forms_agree():
    """C12 C18: w·x written out, summed, and as a row times a column; z comes without the activation."""
    w, x = np.array([0.5, -1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    written = w[0] * x[0] + w[1] * x[1] + w[2] * x[2]
    params = {"kernel": jnp.asarray(w, jnp.float32).reshape(3, 1)}
    neuron = Dense(1, activation="relu", use_bias=False)
    z = neuron.pre_activation(params, jnp.asarray(x, jnp.float32).reshape(1, 3))
    assert float(z[0, 0]) == written == np.sum(w * x) == float(w @ x) == 4.5


def test_worked_example_of_a_fully_connected_layer():
    """C58 C59: [[1, 2], [3, 4]] × [5, 6] + [7, 8] = [24, 47]."""
    params = {"kernel": jnp.array([[1.0, 2.0], [3.0, 4.0]]).T, "bias": jnp.array([7.0, 8.0])}
    np.testing.assert_array_equal(Dense(2).call(params, jnp.array([[5.0, 6.0]])), [[24, 47]])


def test_with_all_zero_features_the_output_is_the_activation_of_the_bias():
    """C15: without a bias the output at 0 is g(0); with one it is g(b)."""
    zeros = jnp.zeros((1, 3))
    np.testing.assert_allclose(Dense(4, "sigmoid").call(PARAMS, zeros)[0], 1 / (1 + np.exp(-BIAS)), rtol=1e-6)
    without = Dense(4, "sigmoid", use_bias=False).call({"kernel": PARAMS["kernel"]}, zeros)
    np.testing.assert_array_equal(without, np.full((1, 4), 0.5))


def test_three_inputs_give_three_weights_a_neuron():
    """C11 C62: Dense(k) on 3 inputs has 3·k weights and k biases."""
    declared = Dense(7).weights(batched((3,)))
    assert {name: weight.shape for name, weight in declared.items()} == {"kernel": (3, 7), "bias": (7,)}
    assert list(Dense(7, use_bias=False).weights(batched((3,)))) == ["kernel"]


def test_hidden_layer_and_output_have_the_counted_weights():
    """C48: Input(m), Dense(d), Dense(2) hold m·d + d + 2·d + 2 numbers."""
    inputs = Input(5)
    hidden = Dense(4, activation="relu")
    outputs = Dense(2)
    assert outputs(hidden(inputs)).shape[1:] == (2,)
    counted = sum(
        int(np.prod(weight.shape))
        for layer, spec in ((hidden, inputs.spec), (outputs, hidden(inputs).spec))
        for weight in layer.weights(spec).values()
    )
    assert counted == 5 * 4 + 4 + 2 * 4 + 2


def test_feed_forward_as_written_equals_two_layers_without_bias():
    """C60 C264: relu(relu(x·W_h)·W_o), written with arrays, is two Dense layers."""

    def feed_forward(x, w_hidden, w_out):
        return activations.relu(activations.relu(x @ w_hidden) @ w_out)

    x, w_hidden, w_out = (jnp.asarray(RNG.normal(size=s), jnp.float32) for s in ((5, 3), (3, 4), (4, 2)))
    hidden = Dense(4, "relu", use_bias=False).call({"kernel": w_hidden}, x)
    output = Dense(2, "relu", use_bias=False).call({"kernel": w_out}, hidden)
    expected = np.maximum(np.maximum(np.asarray(x) @ np.asarray(w_hidden), 0) @ np.asarray(w_out), 0)
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(feed_forward(x, w_hidden, w_out), output)
    assert 0 < int((output == 0).sum()) < output.size


def test_with_and_without_activation_differ_by_the_activation_alone():
    """C17 C39: y = Σ w_i x_i + b without, y = σ(Σ w_i x_i + b) with: the sigmoid neuron."""
    x = RNG.normal(size=(6, 3))
    params = {"kernel": PARAMS["kernel"][:, :1], "bias": PARAMS["bias"][:1]}
    z = x @ KERNEL[:, :1] + BIAS[:1]
    np.testing.assert_allclose(Dense(1).call(params, jnp.asarray(x, jnp.float32)), z, rtol=1e-5, atol=1e-6)
    y = Dense(1, "sigmoid").call(params, jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(y, 1 / (1 + np.exp(-z)), rtol=1e-5, atol=1e-6)


def test_one_linear_neuron_learns_the_least_squares_line():
    """C19 C218 C288: Dense(1) without activation, on mean squared error, ends where numpy.linalg.lstsq does."""
    x = RNG.normal(size=(30, 3))
    y = x @ np.array([[1.0], [-2.0], [0.5]]) + 3 + 0.1 * RNG.normal(size=(30, 1))
    solution = np.linalg.lstsq(np.hstack([x, np.ones((30, 1))]), y, rcond=None)[0]
    layer, inputs, targets = Dense(1), jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32)
    start = make_variables(layer.weights(batched((3,))), jax.random.key(0)).params

    @jax.jit
    def train(params):
        def step(params, _):
            slope = jax.grad(lambda p: jnp.mean(jnp.square(layer.call(p, inputs) - targets)))(params)
            return jax.tree.map(lambda p, g: p - 0.1 * g, params, slope), None

        return jax.lax.scan(step, params, length=300)[0]

    found = train(start)
    learned = np.concatenate([np.asarray(found["kernel"]).ravel(), np.asarray(found["bias"])])
    np.testing.assert_allclose(learned, solution.ravel(), atol=1e-3)


def test_identical_hidden_units_stay_identical():
    """C113: with equal weights every unit gets the same gradient, so the kernel's columns stay equal."""
    layers = (Dense(3, "tanh"), Dense(1))
    x = jnp.asarray(RNG.normal(size=(6, 2)), jnp.float32)
    hidden = {"kernel": jnp.full((2, 3), 0.1), "bias": jnp.zeros(3)}
    params = [hidden, {"kernel": jnp.full((3, 1), 0.2), "bias": jnp.zeros(1)}]

    @jax.jit
    def train(params):
        def loss(params):
            return jnp.mean(jnp.square(layers[1].call(params[1], layers[0].call(params[0], x)) - x[:, :1]))

        def step(params, _):
            return jax.tree.map(lambda p, g: p - 0.1 * g, params, jax.grad(loss)(params)), None

        return jax.lax.scan(step, params, length=20)[0]

    kernel = np.asarray(train(params)[0]["kernel"])
    assert np.abs(kernel[:, 0] - 0.1).min() > 1e-3
    np.testing.assert_allclose(kernel, np.broadcast_to(kernel[:, :1], (2, 3)), rtol=1e-6)


def test_regularizers_and_constraints_reach_the_declared_weights():
    layer = Dense(2, kernel_regularizer="l2", bias_regularizer="l1", kernel_constraint="max_norm", bias_constraint=None)
    declared = layer.weights(batched((3,)))
    assert declared["kernel"].regularizer == regularizers.get("l2")
    assert declared["bias"].regularizer == regularizers.get("l1")
    assert declared["kernel"].constraint == constraints.get("max_norm")
    assert declared["bias"].constraint is None


def test_initializers_are_taken_by_name_and_by_object():
    layer = Dense(2, kernel_initializer=initializers.Constant(3.0), bias_initializer="ones")
    params = make_variables(layer.weights(batched((4,))), jax.random.key(0)).params
    np.testing.assert_array_equal(params["kernel"], np.full((4, 2), 3.0))
    np.testing.assert_array_equal(params["bias"], np.ones(2))


def test_activation_may_be_a_function_an_object_or_none():
    x = jnp.asarray(RNG.normal(size=(2, 3)), jnp.float32)
    by_name = Dense(4, "relu").call(PARAMS, x)
    np.testing.assert_array_equal(Dense(4, activations.relu).call(PARAMS, x), by_name)
    np.testing.assert_array_equal(Dense(4, activations.LeakyRelu(0.0)).call(PARAMS, x), by_name)
    np.testing.assert_array_equal(Dense(4, None).call(PARAMS, x), Dense(4).call(PARAMS, x))


def test_wrong_arguments_and_shapes_say_what_to_do():
    with pytest.raises(ArgumentError, match="Dense: units must be an integer of at least 1; received 0"):
        Dense(0)
    with pytest.raises(UnknownNameError, match="Did you mean 'relu'"):
        Dense(2, "rleu")
    with pytest.raises(ShapeError, match=r"at least 2 axes.*received shape \(b,\)"):
        Dense(2)(Input(()))
    with pytest.raises(ShapeError, match=r"known size.*received shape \(b, t\).*Input instead of None"):
        Dense(2)(Input((None,)))
    variables = Variables(PARAMS, {})
    message = r"head \(Dense\): last axis of the input must be 3, as when it was built; received shape \(2, 5\)"
    with pytest.raises(ShapeError, match=message):
        Dense(4, name="head").apply(variables, jnp.ones((2, 5)), context=Context())
