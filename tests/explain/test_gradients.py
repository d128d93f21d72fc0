"""Nudge, gradient check and gradient norms."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule import explain
from chainrule._base.errors import ArgumentError
from chainrule.core import Input, Layer
from chainrule.layers import Dense
from chainrule.models import Sequential

X = np.array([[0.5, -1.0], [1.0, 2.0], [-0.7, 0.3]])


def small(seed=3):
    model = Sequential([Input(2), Dense(3, "tanh"), Dense(1, "sigmoid")], seed=seed)
    model.compile(loss="binary_cross_entropy")
    return model


def test_nudge_agrees_with_the_slope_to_second_order():
    """C84: ΔJ and ∂J/∂w·ε agree to O(ε²): a tenth of the change is a hundredth of the difference."""
    model = small()
    far, near = (explain.nudge(model, X, [1, 0, 1], weight="dense/kernel[1,2]", epsilon=e) for e in (1e-3, 1e-4))
    errors = [abs(n.change - n.predicted) for n in (far, near)]
    assert errors[0] > 0
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.05)  # ε³ terms are some 1 % at 1e-3
    assert far.loss_before == pytest.approx(model.evaluate(X, [1, 0, 1])["loss"], rel=1e-5)
    np.testing.assert_array_equal(model.get_weights()["dense/kernel"], small().get_weights()["dense/kernel"])


def test_nudge_of_nothing_is_refused():
    with pytest.raises(ArgumentError, match="epsilon"):
        explain.nudge(small(), X, [1, 0, 1], weight="dense/bias[0]", epsilon=0.0)


def test_gradient_check_finds_right_gradients_right():
    """C92: numeric and automatic gradients agree in float64, weight by weight."""
    result = explain.check_gradients(small(), X, [1, 0, 1])
    assert set(result.errors) == {"dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"}
    assert result.checked["dense/kernel"] == 6
    assert result.max_error < 1e-7
    assert "gradients are right" in str(result)


@jax.custom_vjp
def doubled(x):
    return 2 * x


doubled.defvjp(lambda x: (2 * x, None), lambda _, cotangent: (3 * cotangent,))  # wrong on purpose


@dataclass(frozen=True, eq=False)
class WrongGradient(Layer):
    name: str | None = None

    def call(self, params, x):
        return doubled(x)


def test_gradient_check_finds_a_wrong_gradient():
    """C92: a layer whose backward pass is wrong by half is found, and only below it."""
    model = Sequential([Input(2), Dense(3, name="below"), WrongGradient(), Dense(1, name="above")], seed=1)
    model.compile(loss="mse")
    result = explain.check_gradients(model, X, [1.0, 0.0, 1.0], max_per_weight=2)
    assert not result.passed
    assert result.errors["below/kernel"] == pytest.approx(1 / 3, rel=1e-4)  # |3 − 2| / 3
    assert result.errors["above/kernel"] < 1e-7
    assert result.checked["below/kernel"] == 2
    assert "DIFFER" in str(result)


def stack(activation, depth, weight):
    model = Sequential([Input(1)] + [Dense(1, activation, use_bias=False) for _ in range(depth)])
    model.set_weights({path: np.full_like(w, weight) for path, w in model.get_weights().items()})
    model.compile(loss="mse")
    return model


def test_gradient_norms_of_a_sigmoid_stack_by_hand():
    """C87: with weights 1 the gradient at the first output is that at the last times the slopes in between."""
    result = explain.gradient_norms(stack("sigmoid", 5, 1.0), [[0.3]], [0.0])
    h = [0.3]
    for _ in range(5):
        h.append(1 / (1 + np.exp(-h[-1])))
    slopes = [a * (1 - a) for a in h[2:]]  # four slopes lie between the first output and the last
    assert result.ratio == pytest.approx(np.prod(slopes), rel=1e-10)
    assert result.ratio <= 0.00390625
    assert list(result.outputs) == ["dense", "dense_1", "dense_2", "dense_3", "dense_4"]
    assert result.outputs["dense_4"] == pytest.approx(2 * h[5], rel=1e-10)
    assert result.weights["dense_4/kernel"] == pytest.approx(2 * h[5] * slopes[-1] * h[4], rel=1e-10)


def test_vanishing_exploding_and_steady_are_named():
    """C87: a sigmoid stack vanishes, a stack of weights 3 explodes, a ReLU stack of weights 1 is steady."""
    diagnoses = [
        explain.gradient_norms(stack(*case), [[0.3]], [0.0]).diagnosis
        for case in (("sigmoid", 7, 1.0), ("linear", 8, 3.0), ("relu", 7, 1.0))
    ]
    assert diagnoses == ["vanishing", "exploding", "steady"]


def test_gradient_norms_over_a_batch_are_means():
    model = small()
    result = explain.gradient_norms(model, X, [1, 0, 1])
    weights = {path: jnp.asarray(w) for path, w in model.get_weights().items()}

    def objective(kernel):
        h = jnp.tanh(X.astype(np.float32) @ kernel + weights["dense/bias"])
        z = (h @ weights["dense_1/kernel"] + weights["dense_1/bias"])[:, 0]
        return jnp.mean(jnp.logaddexp(0, z) - jnp.array([1.0, 0.0, 1.0]) * z)

    by_hand = jnp.linalg.norm(jax.grad(objective)(weights["dense/kernel"]))
    assert result.weights["dense/kernel"] == pytest.approx(float(by_hand), rel=1e-4)  # the reference is float32
    assert "first/last" in str(result)
