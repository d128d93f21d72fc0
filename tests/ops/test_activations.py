"""Activations against their formulas in NumPy float64, and the slopes against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from chainrule import activations
from chainrule._base.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from chainrule._base.registry import from_config, to_config

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
C = np.sqrt(2 / np.pi)


def sigma(z):
    return 1 / (1 + np.exp(-z))


def gelu_tanh_slope(z):
    t = np.tanh(C * (z + 0.044715 * z**3))
    return 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * C * (1 + 3 * 0.044715 * z**2)


def mish_slope(z):
    t = np.tanh(np.log1p(np.exp(z)))
    return t + z * (1 - t**2) * sigma(z)


# name: (value, slope), each written out from the formula
CLOSED = {
    "linear": (lambda z: z, np.ones_like),
    "sigmoid": (sigma, lambda z: sigma(z) * (1 - sigma(z))),
    "tanh": (
        lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
        lambda z: 1 - np.tanh(z) ** 2,
    ),
    "relu": (lambda z: z * (z > 0), lambda z: 1.0 * (z > 0)),
    "swish": (lambda z: z * sigma(z), lambda z: sigma(z) + z * sigma(z) * (1 - sigma(z))),
    "leaky_relu": (lambda z: np.maximum(0.1 * z, z), lambda z: np.where(z >= 0, 1, 0.1)),
    "elu": (lambda z: np.where(z >= 0, z, np.exp(z) - 1), lambda z: np.where(z >= 0, 1, np.exp(z))),
    "selu": (
        lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * (np.exp(z) - 1)),
        lambda z: SELU_SCALE * np.where(z > 0, 1, SELU_ALPHA * np.exp(z)),
    ),
    "gelu": (lambda z: z * special.ndtr(z), lambda z: special.ndtr(z) + z * stats.norm.pdf(z)),
    "gelu_tanh": (lambda z: z / 2 * (1 + np.tanh(C * (z + 0.044715 * z**3))), gelu_tanh_slope),
    "softplus": (lambda z: np.log1p(np.exp(z)), sigma),
    "softsign": (lambda z: z / (1 + np.abs(z)), lambda z: 1 / (1 + np.abs(z)) ** 2),
    "hard_sigmoid": (lambda z: np.clip(z / 6 + 0.5, 0, 1), lambda z: (np.abs(z) < 3) / 6),
    "mish": (lambda z: z * np.tanh(np.log1p(np.exp(z))), mish_slope),
    "exponential": (np.exp, np.exp),
    "step": (lambda z: 1.0 * (z > 0), np.zeros_like),
}
POINTS = np.array([-7.3, -3.1, -2.0, -1.0, -0.4, 0.0, 0.3, 1.0, 2.0, 2.9, 6.7])


def at(name, points=(-2, -1, 0, 1, 2)):
    return np.asarray(activations.get(name)(jnp.array(points, jnp.float32)))


def test_every_elementwise_activation_has_a_closed_form_here():
    assert set(CLOSED) | {"softmax", "log_softmax"} == set(activations.names())


@pytest.mark.parametrize("name", sorted(CLOSED))
def test_value_and_slope_equal_the_closed_forms(name):
    """C91 C34: each activation and its derivative, in float64."""
    value, slope = CLOSED[name]
    with jax.enable_x64(True):
        both = jax.jit(lambda z: (activations.get(name)(z), activations.derivative(name)(z)))
        got_value, got_slope = both(jnp.asarray(POINTS))
    # the functions' own constants have 16 digits; erf and tanh differ in the last two or three
    np.testing.assert_allclose(got_value, value(POINTS), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(got_slope, slope(POINTS), rtol=1e-12, atol=1e-13)


def test_sigmoid_golden_values():
    """C24: the sigmoid at −2 … 2; its slope is largest at 0, where it is 1/4."""
    np.testing.assert_allclose(at("sigmoid"), [0.119203, 0.268941, 0.5, 0.731059, 0.880797], atol=5e-7)
    slopes = activations.derivative("sigmoid")(jnp.linspace(-6, 6, 121))
    assert int(jnp.argmax(slopes)) == 60
    assert float(slopes[60]) == 0.25


def test_tanh_golden_values():
    """C25: tanh at −2 … 2, odd; not the sigmoid (erratum E1), but 2σ(2z) − 1."""
    np.testing.assert_allclose(at("tanh"), [-0.964028, -0.761594, 0, 0.761594, 0.964028], atol=5e-7)
    np.testing.assert_allclose(at("tanh"), 2 * at("sigmoid", (-4, -2, 0, 2, 4)) - 1, atol=1e-6)


def test_relu_golden_values_and_its_slope_at_zero():
    """C26: ReLU at −2 … 2; the slope at 0 is 0."""
    np.testing.assert_array_equal(at("relu"), [0, 0, 0, 1, 2])
    np.testing.assert_array_equal(activations.derivative("relu")(jnp.array([-1.0, 0.0, 1.0])), [0, 0, 1])


def test_swish_golden_values():
    """C27: swish at −2 … 2; SiLU is the same function."""
    np.testing.assert_allclose(at("swish"), [-0.238406, -0.268941, 0, 0.731059, 1.761594], atol=5e-7)
    assert activations.get("silu") is activations.swish


def test_leaky_relu_golden_values_and_slope_parameter():
    """C28: leaky ReLU at −2 … 2 with slope 0.1; the slope is a parameter."""
    np.testing.assert_allclose(at("leaky_relu"), [-0.2, -0.1, 0, 1, 2], atol=1e-7)
    np.testing.assert_allclose(activations.LeakyRelu(0.3)(jnp.array([-2.0, 2.0])), [-0.6, 2], atol=1e-7)


def test_elu_golden_values():
    """C30: ELU at −2 … 2 with α = 1; α is a parameter."""
    np.testing.assert_allclose(at("elu"), [-0.864665, -0.632121, 0, 1, 2], atol=5e-7)
    np.testing.assert_allclose(activations.Elu(2.0)(jnp.array([-1.0])), [-1.264241], atol=1e-6)


def test_softmax_golden_values_and_laws():
    """C32: softmax of [1, 2, 3]; sums to 1, ignores a shift, and stands values of 1e4 (erratum E7)."""
    z = jnp.array([[1.0, 2.0, 3.0], [1e4, 0.0, -1e4]])
    p = activations.softmax(z)
    np.testing.assert_allclose(p[0], [0.0900, 0.2447, 0.6652], atol=5e-5)
    np.testing.assert_allclose(p, special.softmax(np.asarray(z, np.float64), axis=-1), rtol=1e-6)
    np.testing.assert_allclose(p.sum(-1), [1, 1], rtol=1e-6)
    np.testing.assert_allclose(activations.softmax(z[0] + 100), p[0], rtol=1e-5)  # 103 has 5 digits after the point
    np.testing.assert_allclose(activations.softmax(z, axis=0).sum(0), [1, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(activations.log_softmax(z)[1], [0, -1e4, -2e4])


def test_step_is_strict_at_its_threshold():
    """C16 C33: 1 above the threshold, 0 at it and below; a threshold is a negative bias (erratum E11)."""
    z = jnp.array([0.2, 0.7, 0.9])
    np.testing.assert_array_equal(activations.Threshold(0.7)(z), [0, 0, 1])
    np.testing.assert_array_equal(activations.step(jnp.array([-1.0, 0.0, 1e-30])), [0, 0, 1])
    np.testing.assert_array_equal(activations.step(z - z[1]), activations.Threshold(float(z[1]))(z))


@pytest.mark.parametrize(("inputs", "expected"), [((0, 0), 0), ((0, 1), 0), ((1, 0), 0), ((1, 1), 1)])
def test_step_makes_the_and_table(inputs, expected):
    """C16: binary inputs of weight 1 and threshold 1.5 give AND."""
    assert float(activations.Threshold(1.5)(jnp.sum(jnp.array(inputs, jnp.float32)))) == expected


@pytest.mark.parametrize("name", sorted(activations.names()))
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_dtype_is_kept_without_implicit_promotion(name, dtype):
    function = activations.get(name)
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        output = jax.eval_shape(function, jax.ShapeDtypeStruct((2, 3), jnp.dtype(dtype)))
    assert (output.shape, output.dtype) == ((2, 3), jnp.dtype(dtype))


@pytest.mark.parametrize("name", sorted(activations.names()))
def test_integers_are_taken_as_floats_and_nan_stays_nan(name):
    function = jax.jit(activations.get(name))
    output = function(np.array([0, 1]))
    np.testing.assert_array_equal(output, function(jnp.array([0.0, 1.0])))
    assert output.dtype == jnp.float32
    assert np.isnan(function(jnp.array([jnp.nan, jnp.nan]))).all()


@pytest.mark.parametrize("name", sorted(set(CLOSED) - {"exponential"}))
def test_extreme_inputs_give_finite_values_and_slopes(name):
    both = jax.jit(lambda z: (activations.get(name)(z), activations.derivative(name)(z)))
    assert np.isfinite(both(jnp.array([-1e4, 1e4]))).all()


def test_the_forward_example_of_one_neuron():
    """C22: z = 0.3·0.8 + 0.5·0.1 + 0.6·0.3 + 0.1 = 0.57 (with 0.3·0.3 in place of it, 0.42: erratum E5)."""
    weights = np.array([0.3, 0.5, 0.6])
    z, misprint = (float(weights @ np.array(x) + 0.1) for x in ((0.8, 0.1, 0.3), (0.3, 0.1, 0.3)))
    assert (round(z, 12), round(misprint, 12)) == (0.57, 0.42)
    got = [float(activations.get(name)(jnp.float32(z))) for name in ("sigmoid", "tanh", "relu")]
    np.testing.assert_allclose(got, [0.638763, 0.515359, 0.57], atol=5e-7)
    assert round(float(activations.sigmoid(jnp.float32(misprint))), 6) == 0.603483


def test_keras_calls_run_as_written():
    """C257: activations.sigmoid(x), relu(x), swish(x), tanh(x)."""
    x = jnp.array([-1.0, 1.0])
    called = [getattr(activations, name)(x)[1] for name in ("sigmoid", "relu", "swish", "tanh")]
    np.testing.assert_allclose(called, [0.731059, 1, 0.731059, 0.761594], atol=5e-7)


def test_get_by_name_function_object_and_none():
    slope = activations.LeakyRelu(0.2)
    assert activations.get("ReLU") is activations.relu
    assert activations.get(activations.tanh) is activations.tanh
    assert activations.get(slope) is slope
    assert activations.get(None) is activations.linear


def test_unknown_names_and_wrong_types_say_what_to_do():
    with pytest.raises(UnknownNameError, match=r"'rellu' is not a known activation\. Did you mean 'relu'"):
        activations.get("rellu")
    with pytest.raises(ArgumentTypeError, match="received 3"):
        activations.get(3)
    with pytest.raises(ArgumentError, match="slope must be a finite number at least 0; received -1"):
        activations.LeakyRelu(-1)


@pytest.mark.parametrize(
    "activation", [activations.relu, activations.LeakyRelu(0.3), activations.Elu(), activations.Threshold(2.0)]
)
def test_functions_and_objects_can_stand_in_a_file(activation):
    assert from_config(to_config(activation)) == activation
