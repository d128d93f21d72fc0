"""Adagrad, Adadelta and RMSProp: their first three steps by hand."""

import math

import jax.numpy as jnp
import numpy as np

from chainrule.optimizers import Adadelta, Adagrad, RMSProp


def walk(optimizer, start, gradients):
    weights, path = jnp.array([start]), []
    state = optimizer.init(weights)
    for step, gradient in enumerate(gradients):
        weights, state = optimizer.apply_gradients(jnp.array([gradient]), state, weights, step=step)
        path.append(float(weights[0]))
    return path


def test_adagrad_by_hand():
    """C101: g = 3, 4, 12 gives √G = 3, 5, 13, so rate 1 steps by 1, 4/5, 12/13."""
    expected = [9.0, 8.2, 8.2 - 12 / 13]
    np.testing.assert_allclose(walk(Adagrad(1.0), 10.0, [3.0, 4.0, 12.0]), expected, rtol=1e-6)


def test_adagrad_shrinks_the_rate_of_large_gradients_faster():
    """C101: the weight with ten times the gradient gets a tenth of the rate."""
    optimizer, weights = Adagrad(0.1), jnp.zeros(2)
    _, state = optimizer.update(jnp.array([1.0, 10.0]), optimizer.init(weights), weights, step=0)
    np.testing.assert_allclose(optimizer.effective_rate(state, weights, step=0), [0.1, 0.01], rtol=1e-6)


def test_adadelta_by_hand():
    """C102: ρ = ½, ε = 1, g = 4, 0, 2: v = 8, 4, 4; Δ = -4/3, 0, -2 √(13/9) / √5 with d = 8/9, 4/9 before."""
    path = walk(Adadelta(rho=0.5, epsilon=1.0), 10.0, [4.0, 0.0, 2.0])
    first = 10 - 4 / 3
    np.testing.assert_allclose(path, [first, first, first - 2 * math.sqrt(13 / 9) / math.sqrt(5)], rtol=1e-6)


def test_rmsprop_by_hand():
    """C103: ρ = ¾, g = 2, 1, 5: v = 1, 1, 7, so rate 0.5 steps by 1, ½ and 2.5/√7."""
    path = walk(RMSProp(0.5, rho=0.75), 10.0, [2.0, 1.0, 5.0])
    np.testing.assert_allclose(path, [9.0, 8.5, 8.5 - 2.5 / math.sqrt(7)], rtol=1e-6)


def test_centered_rmsprop_of_a_constant_gradient_stays_finite():
    """C103: the variance of a constant gradient goes to 0; rounding below 0 must not become NaN."""
    path = walk(RMSProp(0.001, rho=0.5, centered=True, epsilon=0.1), 0.0, [1.1] * 40)
    assert np.isfinite(path).all()
    assert np.all(np.diff(path) < 0)
