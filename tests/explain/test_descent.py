"""Gradient descent, step by step and in what it is asked to find."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.explain import gradient_descent, random_normal
from chainrule.layers import Dense

# float32: norms of 1e-5 are reached on losses of size 1


def test_quadratic_bowl_reaches_its_minimum():
    """C81 C110: from N(0, σ²), loop until convergence; the minimum solves A w = b."""
    a, b = np.array([[3.0, 1.0], [1.0, 2.0]], np.float32), np.array([1.0, -1.0], np.float32)
    start = random_normal((2,), sigma=2.0, seed=5)
    weights, history = gradient_descent(lambda w: 0.5 * w @ a @ w - b @ w, start, learning_rate=0.3, tolerance=1e-5)
    np.testing.assert_allclose(weights, np.linalg.solve(a, b), atol=1e-5)
    assert history.reason == "converged"
    assert history.gradient_norms[-1] <= 1e-5 < history.gradient_norms[-2]
    np.testing.assert_array_equal(history.weights[0], start)
    assert len(history.losses) == history.steps + 1 == len(history.weights)


def test_steps_follow_the_formula():
    """C260: w ← w − η ∂J/∂w, as random_normal, gradients and assign would write it."""
    start = random_normal((3,), seed=1)

    def loss(w):
        return jnp.sum(jnp.sin(w))

    _, history = gradient_descent(loss, start, learning_rate=0.2, max_steps=3)
    weights = np.asarray(start, np.float64)
    for step in range(4):
        np.testing.assert_allclose(history.weights[step], weights, rtol=1e-5)
        weights = weights - 0.2 * np.cos(weights)
    assert history.reason == "max_steps"
    assert history.steps == 3


def test_normal_start_has_the_deviation_asked_for():
    """C111: N(0, σ²): mean and deviation over 10,000 draws, within five standard errors."""
    draw = np.asarray(random_normal((100, 100), sigma=0.3, seed=2))
    assert abs(draw.mean()) < 5 * 0.3 / 100
    assert abs(draw.std() - 0.3) < 5 * 0.3 / 141


def test_trees_of_weights():
    weights, _ = gradient_descent(
        lambda w: jnp.sum((w["a"] - 1) ** 2) + (w["b"] + 2) ** 2, {"a": np.zeros(2), "b": 0}, learning_rate=0.4
    )
    np.testing.assert_allclose(weights["a"], [1, 1], atol=1e-5)
    assert float(weights["b"]) == pytest.approx(-2, abs=1e-5)


@pytest.mark.parametrize(("rate", "reason"), [(0.49, "converged"), (0.51, "diverged")])
def test_rates_above_two_over_the_curvature_diverge(rate, reason):
    """C94: on a quadratic of curvature L = 4 every rate above 2/L = 0.5 diverges, and that is named."""
    _, history = gradient_descent(lambda w: 2 * w**2, 1.0, learning_rate=rate, tolerance=1e-4)
    assert history.reason == reason
    assert (history.losses[-1] > 1.0) == (reason == "diverged")
    assert ("Take a learning rate below" in history.message) == (reason == "diverged")


def test_loss_that_is_not_finite_is_named():
    """C94: overflow and NaN end the descent at once."""
    _, history = gradient_descent(lambda w: jnp.log(w), 0.5, learning_rate=1.0)
    assert history.reason == "diverged"
    assert "not finite after 1 steps" in history.message


def test_stops_at_an_error_threshold_and_at_a_standstill():
    """C89 C110: repeat until the error is below a threshold, or the loss no longer changes."""
    _, history = gradient_descent(lambda w: w**2, 4.0, loss_below=0.05)
    assert history.losses[-1] < 0.05 <= history.losses[-2]
    assert "below 0.05" in history.message
    _, history = gradient_descent(lambda w: w**2, 4.0, loss_tolerance=0.01)
    assert abs(history.losses[-1] - history.losses[-2]) <= 0.01 < abs(history.losses[-2] - history.losses[-3])


def test_single_linear_neuron_is_linear_regression():
    """C19 C288: Dense(1) with MSE comes to the least-squares solution."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(20, 3)).astype(np.float32)
    y = (x @ [1.0, -2.0, 0.5] + 3 + 0.1 * draw.normal(size=20)).astype(np.float32)
    layer = Dense(1)

    def loss(params):
        return jnp.mean((layer.call(params, x)[:, 0] - y) ** 2)

    start = {"kernel": random_normal((3, 1)), "bias": jnp.zeros(1)}
    weights, history = gradient_descent(loss, start, learning_rate=0.2, tolerance=1e-5)
    solution = np.linalg.lstsq(np.column_stack([x, np.ones(20)]).astype(np.float64), y, rcond=None)[0]
    np.testing.assert_allclose(weights["kernel"][:, 0], solution[:3], atol=1e-3)
    np.testing.assert_allclose(weights["bias"], solution[3:], atol=1e-3)
    assert history.reason == "converged"


def xor_net(activation):
    hidden, last = Dense(4, activation), Dense(1)

    def logits(params, x):
        return last.call(params["out"], hidden.call(params["hidden"], x))[:, 0]

    return logits


def zeros_or(draw):
    return {
        "hidden": {"kernel": draw((2, 4), seed=1), "bias": jnp.zeros(4)},
        "out": {"kernel": draw((4, 1), seed=2), "bias": jnp.zeros(1)},
    }


XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
LABELS = np.array([0, 1, 1, 0], np.float32)


def accuracy(activation, start):
    logits = xor_net(activation)

    def loss(params):
        z = logits(params, XOR)
        return jnp.mean(jax.nn.softplus(z) - LABELS * z)

    weights, _ = gradient_descent(loss, start, learning_rate=1.0, max_steps=400)
    return float(np.mean((logits(weights, XOR) > 0) == (LABELS > 0))), weights


def test_a_linear_net_cannot_do_xor_and_a_nonlinear_one_can():
    """C35: the same net on the same data; only the activation differs (a line gets 3 of 4 at best)."""
    start = zeros_or(random_normal)
    assert accuracy("linear", start)[0] <= 0.75
    assert accuracy("tanh", start)[0] == 1.0


def test_equal_initial_weights_stay_equal():
    """C113: started alike, all hidden units get the same updates and stay alike; random starts break the symmetry."""
    _, alike = accuracy("tanh", zeros_or(lambda shape, seed: jnp.full(shape, 0.1 * seed)))
    kernel = np.asarray(alike["hidden"]["kernel"])
    np.testing.assert_array_equal(kernel, np.tile(kernel[:, :1], (1, 4)))
    assert not np.allclose(kernel, 0.1)  # it did learn something
    _, random = accuracy("tanh", zeros_or(random_normal))
    assert not np.allclose(random["hidden"]["kernel"][:, 0], random["hidden"]["kernel"][:, 1])
    _, zero = accuracy("tanh", zeros_or(lambda shape, seed: jnp.zeros(shape)))
    np.testing.assert_array_equal(zero["hidden"]["kernel"], np.zeros((2, 4)))


@pytest.mark.parametrize("arguments", [{"learning_rate": 0.0}, {"max_steps": 0}, {"tolerance": -1.0}])
def test_senseless_settings_are_refused(arguments):
    with pytest.raises(ArgumentError, match=f"gradient_descent: {next(iter(arguments))}"):
        gradient_descent(lambda w: w**2, 1.0, **arguments)


def test_losses_that_are_not_one_number_are_refused():
    with pytest.raises(ShapeError, match=r"must be one number; received shape \(2,\).*jnp\.mean"):
        gradient_descent(lambda w: w**2, np.ones(2))
    with pytest.raises(ArgumentTypeError, match="start must hold numbers"):
        gradient_descent(lambda w: w, np.array([True]))
