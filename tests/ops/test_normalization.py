"""Moments and normalisations against NumPy float64."""

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.ops import normalization as ops

X = np.random.default_rng(0).normal(3, 2, (4, 5, 6))


def test_moments_equal_numpy():
    mean, variance = ops.moments(jnp.asarray(X, jnp.float32), (0, 2))
    np.testing.assert_allclose(mean, X.mean((0, 2), keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(variance, X.var((0, 2), keepdims=True), rtol=1e-5)


def test_masked_moments_are_those_of_what_is_left():
    mask = np.array([True, False, True, True])
    poisoned = X.copy()
    poisoned[1] = np.nan
    mean, variance = ops.moments(jnp.asarray(poisoned, jnp.float32), (0, 1), mask=mask.reshape(4, 1, 1))
    np.testing.assert_allclose(mean[0, 0], X[mask].mean((0, 1)), rtol=1e-6)
    np.testing.assert_allclose(variance[0, 0], X[mask].var((0, 1)), rtol=1e-5)


def test_nothing_left_gives_zeros_not_nan():
    mean, variance = ops.moments(jnp.ones((2, 3)), (0,), mask=jnp.zeros((2, 1), bool))
    np.testing.assert_array_equal(mean, np.zeros((1, 3)))
    np.testing.assert_array_equal(variance, np.zeros((1, 3)))


def test_variance_does_not_cancel_far_from_zero():
    """E[x²] − E[x]² would be off by 100 % here in float32: 1e8 has a spacing of 8."""
    x = jnp.asarray(1e4 + np.array([[-1.0], [0.0], [1.0]]), jnp.float32)
    np.testing.assert_allclose(ops.moments(x, (0,))[1], [[2 / 3]], rtol=1e-5)


def test_sums_of_bfloat16_are_formed_in_float32():
    x = jnp.full((1000, 1), 1.0078125, jnp.bfloat16)  # summed in bfloat16 it would stop growing at 256
    mean, variance = ops.moments(x, (0,))
    assert mean.dtype == jnp.float32
    np.testing.assert_allclose(mean, [[1.0078125]], rtol=1e-6)
    np.testing.assert_allclose(variance, [[0]], atol=1e-9)


def test_unit_length_has_a_finite_gradient_at_zero():
    slope = jax.grad(lambda x: ops.unit_length(x, (0,)).sum())(jnp.zeros(3))
    assert bool(jnp.isfinite(slope).all())
