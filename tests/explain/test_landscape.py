"""Curves and planes of the loss, and decision regions."""

import numpy as np
import pytest

from chainrule import explain
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule.core import Input
from chainrule.layers import Dense
from chainrule.models import Sequential

X = np.array([[0.5, -1.0], [1.0, 2.0], [-0.7, 0.3]])


def test_slice_is_the_parabola_of_a_linear_neuron_with_its_tangent():
    """C76: the loss over one weight, and a tangent whose slope is the gradient."""
    model = Sequential([Input(1), Dense(1, use_bias=False)])
    model.set_weights({"dense/kernel": [[0.5]]})
    model.compile(loss="mse")
    curve = explain.loss_slice(model, [[1.0], [2.0]], [3.0, 4.0], weight="dense/kernel[0,0]", span=2.0, points=9)
    w = np.linspace(-1.5, 2.5, 9)
    np.testing.assert_allclose(curve.values, w)
    np.testing.assert_allclose(curve.losses, ((w - 3) ** 2 + (2 * w - 4) ** 2) / 2, rtol=1e-12)
    slope = (2 * (0.5 - 3) + 4 * (1 - 4)) / 2
    assert curve.slope == pytest.approx(slope, rel=1e-12)
    np.testing.assert_allclose(curve.tangent, curve.loss + slope * (w - 0.5), rtol=1e-12)


def test_landscape_is_centred_on_the_model_and_filter_normalised():
    """C93: the middle is the model's own loss; with one kernel scaled up the picture stays as it is."""
    model = Sequential([Input(2), Dense(4, "relu"), Dense(1)], seed=2)
    model.compile(loss="mse")
    y = [1.0, 0.0, 2.0]
    plane = explain.landscape(model, X, y, resolution=5, seed=1)
    assert plane.losses.shape == (5, 5)
    assert plane.losses[2, 2] == pytest.approx(model.evaluate(X, y)["loss"], rel=1e-5)
    assert plane.steps[2] == 0
    w = model.get_weights()
    model.set_weights({"dense/kernel": 4 * w["dense/kernel"], "dense_1/kernel": w["dense_1/kernel"] / 4})
    np.testing.assert_allclose(explain.landscape(model, X, y, resolution=5, seed=1).losses, plane.losses, rtol=1e-6)


def line_model(loss, activation):
    model = Sequential([Input(2), Dense(1, activation)])
    model.set_weights({"dense/kernel": [[-5.0], [3.0]], "dense/bias": [1.0]})
    model.compile(loss=loss)
    return model


@pytest.mark.parametrize(
    ("loss", "activation"),
    [("binary_cross_entropy", "linear"), ("binary_cross_entropy", "sigmoid"), ("mse", "sigmoid")],
)
def test_boundary_of_the_worked_example(loss, activation):
    """C21: the half-planes z < 0 and z > 0 of 1 − 5x1 + 3x2, by logits or by probabilities."""
    grid = explain.boundary(line_model(loss, activation), (-1, 1), (-2, 2.9), resolution=7)  # no point on the line
    x1, x2 = np.meshgrid(np.linspace(-1, 1, 7), np.linspace(-2, 2.9, 7))
    z = 1 - 5 * x1 + 3 * x2
    np.testing.assert_array_equal(grid.classes, z > 0)
    np.testing.assert_allclose(grid.probabilities[..., 0], 1 / (1 + np.exp(-z)), rtol=1e-4, atol=1e-6)  # float32 model


def test_boundary_of_three_classes_takes_the_largest():
    model = Sequential([Input(2), Dense(3)], seed=3)
    model.compile(loss="cross_entropy")
    grid = explain.boundary(model, (-1, 1), (-1, 2), resolution=4)
    np.testing.assert_allclose(grid.probabilities.sum(-1), 1, rtol=1e-5)
    np.testing.assert_array_equal(grid.classes, grid.scores.argmax(-1))


def test_senseless_grids_are_refused():
    with pytest.raises(ArgumentError, match=r"xlim must be \(least, greatest\); received \(1, 0\)"):
        explain.boundary(line_model("mse", "linear"), (1, 0), (0, 1))
    model = Sequential([Input(3), Dense(1)])
    with pytest.raises(ShapeError, match=r"must take two features; received a model of inputs \(3,\)"):
        explain.boundary(model, (0, 1), (0, 1))
