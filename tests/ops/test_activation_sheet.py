"""Property sheets, value tables, slopes and advice."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule import activations
from chainrule._base.errors import ArgumentError
from chainrule.ops.activation_sheet import FORMULAS

INF = math.inf
# name: low, high, nonlinear, monotone, continuous, differentiable, bounded, saturates, zero-centred; minima by calculus
KNOWN = {
    "linear": (-INF, INF, False, True, True, True, False, "no", True),
    "sigmoid": (0, 1, True, True, True, True, True, "both", False),
    "tanh": (-1, 1, True, True, True, True, True, "both", True),
    "relu": (0, INF, True, True, True, False, False, "left", False),
    "swish": (-0.2785, INF, True, False, True, True, False, "left", False),
    "leaky_relu": (-INF, INF, True, True, True, False, False, "no", False),
    "elu": (-1, INF, True, True, True, True, False, "left", False),
    "selu": (-1.7581, INF, True, True, True, False, False, "left", False),
    "gelu": (-0.1700, INF, True, False, True, True, False, "left", False),
    "gelu_tanh": (-0.1700, INF, True, False, True, True, False, "left", False),
    "softplus": (0, INF, True, True, True, True, False, "left", False),
    "softsign": (-1, 1, True, True, True, True, True, "both", True),
    "hard_sigmoid": (0, 1, True, True, True, False, True, "both", False),
    "mish": (-0.3088, INF, True, False, True, True, False, "left", False),
    "exponential": (0, INF, True, True, True, True, False, "left", False),
    "step": (0, 1, True, True, False, False, True, "both", False),
}


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_property_sheet_says_what_calculus_says(name):
    """C40: non-linear, continuously differentiable, fixed range, and more, measured numerically."""
    sheet = activations.properties(name)
    measured = (
        sheet.low,
        sheet.high,
        sheet.is_nonlinear,
        sheet.is_monotone,
        sheet.is_continuous,
        sheet.is_differentiable,
        sheet.is_bounded,
        sheet.saturates,
        sheet.is_zero_centred,
    )
    assert measured[2:] == KNOWN[name][2:]
    np.testing.assert_allclose(measured[:2], KNOWN[name][:2], atol=2e-4)  # minima are rounded to 4 digits
    assert sheet.formula
    assert sheet.derivative


def test_every_elementwise_activation_has_a_sheet_and_formulas():
    elementwise = set(activations.names()) - {"softmax", "log_softmax"}
    assert elementwise == set(KNOWN) == set(FORMULAS)


def test_sheet_of_a_function_of_your_own():
    """C40: a kink away from 0, a range found from the values."""
    sheet = activations.properties(lambda z: jnp.minimum(jnp.abs(z - 1), 3))
    assert (sheet.low, sheet.high, sheet.is_monotone, sheet.is_differentiable) == (0, 3, False, False)
    assert (sheet.saturates, sheet.max_slope, sheet.formula) == ("both", 1, "")


def test_value_table_holds_values_and_slopes():
    rows = activations.value_table("tanh", (-1.0, 0.5))
    assert [row.z for row in rows] == [-1.0, 0.5]
    np.testing.assert_allclose([row.value for row in rows], np.tanh([-1, 0.5]), rtol=1e-6)
    np.testing.assert_allclose([row.slope for row in rows], 1 - np.tanh([-1, 0.5]) ** 2, rtol=1e-5)
    assert [row.z for row in activations.value_table("relu")] == [-2, -1, 0, 1, 2]


def test_slope_keeps_the_shape_and_takes_integers():
    """C91: the derivative of an activation is a function of z."""
    assert activations.derivative("relu")(jnp.ones((2, 3))).shape == (2, 3)
    np.testing.assert_array_equal(activations.derivative("relu")(np.array([-2, 2])), [0, 1])


@pytest.mark.parametrize("call", [activations.derivative, activations.properties, activations.value_table])
def test_softmax_has_no_single_slope(call):
    with pytest.raises(ArgumentError, match="softmax: expected an elementwise activation"):
        call("softmax")


@pytest.mark.parametrize(
    ("task", "output"),
    [("binary", "sigmoid"), ("multi_class", "softmax"), ("multi_label", "sigmoid"), ("regression", "linear")],
)
def test_advice_is_relu_inside_and_the_output_by_task(task, output):
    """C41: ReLU for hidden layers, sigmoid, softmax or linear for the output."""
    advice = activations.suggest(task)
    assert (advice.hidden, advice.output) == ("relu", output)
    assert output in advice.reason


def test_advice_for_an_unknown_task_names_the_nearest():
    with pytest.raises(ArgumentError, match="Did you mean 'regression'"):
        activations.suggest("regresion")
