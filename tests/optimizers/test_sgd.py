"""Plain descent and momentum by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.optimizers import SGD


def walk(optimizer, start, gradients):
    weights, path = jnp.array([start]), []
    state = optimizer.init(weights)
    for step, gradient in enumerate(gradients):
        weights, state = optimizer.apply_gradients(jnp.array([gradient]), state, weights, step=step)
        path.append(float(weights[0]))
    return path


def test_momentum_by_hand():
    """C100: a <- μ·a + g, w <- w - rate·a with μ = 0.5, rate 0.1, g = 1, 2, -1: a = 1, 2.5, 0.25."""
    np.testing.assert_allclose(walk(SGD(0.1, momentum=0.5), 1.0, [1.0, 2.0, -1.0]), [0.9, 0.65, 0.625], rtol=1e-6)


def test_nesterov_by_hand():
    """C100: Nesterov steps by g + μ·a: 1 + 0.5, 2 + 1.25, -1 + 0.125."""
    path = walk(SGD(0.1, momentum=0.5, nesterov=True), 1.0, [1.0, 2.0, -1.0])
    np.testing.assert_allclose(path, [0.85, 0.525, 0.6125], rtol=1e-6)


def test_weight_decay_is_added_to_the_gradient():
    """C123: plain SGD with decay 0.5 and rate 0.1, g = 0: w shrinks by 1 - 0.05 a step."""
    np.testing.assert_allclose(walk(SGD(0.1, weight_decay=0.5), 1.0, [0.0, 0.0]), [0.95, 0.9025], rtol=1e-6)


@pytest.mark.parametrize(("factor", "diverges"), [(0.9, False), (1.1, True)])
def test_rates_above_two_over_the_curvature_diverge(factor, diverges):
    """C94: on ½ L w² each step multiplies w by 1 - rate·L, so descent diverges exactly for rates above 2/L."""
    curvature = 8.0
    optimizer, weights = SGD(factor * 2 / curvature), jnp.array([1.0])
    for step in range(30):
        weights, _ = optimizer.apply_gradients(curvature * weights, {}, weights, step=step)
    np.testing.assert_allclose(weights, [(1 - 2 * factor) ** 30], rtol=1e-4)  # 30 products of rounded factors
    assert (abs(float(weights[0])) > 100) == diverges
