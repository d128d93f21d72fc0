"""Batch normalisation against the formula in NumPy's and JAX's float64, in kernels and in plain JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.ops import native
from chainrule.ops import normalization as ops
from chainrule.ops.normalization_batch import batch_standardize

EPSILON = 1e-3


def formula(x, gamma, beta, mask, activation):
    """Every row normalised by the mean and variance of those that count, in the dtype of what is given."""
    axes = tuple(range(x.ndim - 1))
    mean, variance = ops.moments(x, axes, mask=mask)
    y = gamma * (x - mean) / jnp.sqrt(variance + EPSILON) + beta
    return jnp.maximum(y, 0) if activation == "relu" else y, mean, variance


def total(function, slopes):
    """A number that hangs on every result, and in different ways."""

    def of(x, gamma, beta, mask):
        y, mean, variance = function(x, gamma, beta, mask)
        return jnp.sum(y * slopes) + jnp.sum(jnp.sin(mean)) + jnp.sum(jnp.cos(variance))

    return of


def problem(shape, rows):
    rng = np.random.default_rng(sum(shape))
    x, gamma, beta, slopes = (rng.normal(size=size) for size in (shape, shape[-1:], shape[-1:], shape))
    channels = (1,) * (len(shape) - 1) + shape[-1:]
    mask = None if rows is None else np.asarray(rows, bool).reshape(-1, *(1,) * (len(shape) - 1))
    return (x + 3, gamma.reshape(channels), beta.reshape(channels)), slopes, mask


@pytest.mark.parametrize("activation", ["linear", "relu"])
@pytest.mark.parametrize(
    ("shape", "rows"), [((5, 3), None), ((6, 10), [1, 0, 0, 1, 1, 0]), ((4, 3, 2, 17), None), ((3, 5, 9), [0, 1, 1])]
)
def test_kernels_and_plain_form_equal_float64(shape, rows, activation, monkeypatch):
    """Values, statistics and gradients; a relative error of 1e-5, of 5e-5 for gradients."""
    arrays, slopes, mask = problem(shape, rows)

    def fast(x, gamma, beta, mask):
        axes = range(x.ndim - 1)
        return batch_standardize(x, gamma, beta, axes=axes, epsilon=EPSILON, mask=mask, activation=activation)

    def slow(x, gamma, beta, mask):
        return formula(x, gamma, beta, mask, activation)

    with jax.enable_x64(True):
        wide = tuple(jnp.asarray(a, jnp.float64) for a in arrays)
        wanted = [*slow(*wide, mask), *jax.grad(total(slow, slopes), (0, 1, 2))(*wide, mask)]
    narrow = tuple(jnp.asarray(a, jnp.float32) for a in arrays)
    slopes = jnp.asarray(slopes, jnp.float32)
    for usable in (True, False):
        if not usable:
            monkeypatch.setattr(native, "enabled", lambda: False)
        found = [*fast(*narrow, mask), *jax.grad(total(fast, slopes), (0, 1, 2))(*narrow, mask)]
        for number, (a, b) in enumerate(zip(found, wanted, strict=True)):
            bound = (1e-5 if number < 3 else 5e-5) * np.abs(b).max()
            np.testing.assert_allclose(np.asarray(a, np.float64), np.asarray(b), rtol=0, atol=bound)


def test_relu_is_closed_at_zero():
    """All rows equal: the result before the ReLU is β, here exactly 0."""
    zero = jnp.zeros((1, 8))

    def summed(beta):
        return batch_standardize(jnp.ones((3, 8)), None, beta, axes=(0,), epsilon=EPSILON, activation="relu")[0].sum()

    np.testing.assert_array_equal(jax.grad(summed)(zero), zero)
    np.testing.assert_array_equal(jax.grad(summed)(zero + 1e-6), zero + 3)


def test_rows_left_out_may_hold_anything():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(4, 2, 11)), jnp.float32)
    mask = jnp.array([True, True, False, True]).reshape(4, 1, 1)

    def clean(x):
        y, mean, variance = batch_standardize(x, None, None, axes=(0, 1), epsilon=EPSILON, mask=mask)
        return jnp.where(mask, y, 0), mean, variance

    poisoned = x.at[2].set(jnp.inf)
    jax.tree.map(np.testing.assert_array_equal, clean(x), clean(poisoned))


def test_same_values_under_jit_vmap_and_scan():
    x = jnp.asarray(np.random.default_rng(1).normal(size=(3, 4, 2, 9)), jnp.float32)

    def one(x):
        return batch_standardize(x, None, None, axes=(0, 1), epsilon=EPSILON, activation="relu")[0]

    gradient = jax.grad(lambda x: jnp.sum(one(x) ** 2))
    for function in (one, gradient):
        wanted = jnp.stack([function(part) for part in x])
        scanned = jax.lax.scan(lambda carry, part, f=function: (carry, f(part)), 0, x)[1]
        # XLA contracts products and sums differently from one program to the next where the plain form runs
        for found in (jax.jit(jax.vmap(function))(x), scanned):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 9), (4, 0)])
def test_empty_axes(shape):
    axes = range(len(shape) - 1)
    y, mean, variance = batch_standardize(jnp.ones(shape), None, None, axes=axes, epsilon=EPSILON)
    assert y.shape == shape
    assert mean.shape == variance.shape == (1,) * (len(shape) - 1) + shape[-1:]
    assert jax.grad(lambda x: batch_standardize(x, None, None, axes=axes, epsilon=1.0)[0].sum())(y).shape == shape


@pytest.mark.parametrize(
    ("shape", "axes", "rows"),
    [
        ((5, 3), (0,), None),
        ((4, 3, 2, 7), (0, 1, 2), None),
        ((5, 2, 3), (0, 2), [1, 1, 0, 1, 0]),
        ((3, 2), (0,), [0] * 3),
    ],
)
def test_batch_standardize_equals_the_formula_with_its_derivatives(shape, axes, rows):
    """Value and gradients, those of the statistics too, against the formula differentiated step by step in float64."""
    rng = np.random.default_rng(3)
    channels = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    x, gamma, beta, slopes = (rng.normal(size=size) + 2 for size in (shape, channels, channels, shape))
    mask = None if rows is None else np.asarray(rows, bool).reshape(-1, *(1,) * (len(shape) - 1))

    def fast(x, gamma, beta):
        y, mean, variance = batch_standardize(x, gamma, beta, axes=axes, epsilon=1e-3, mask=mask)
        return jnp.sum(y * slopes) + jnp.sum(jnp.sin(mean)) + jnp.sum(jnp.cos(variance))

    def slow(x, gamma, beta):
        mean, variance = ops.moments(x, axes, mask=mask)
        y = ops.standardize(x, mean, variance, 1e-3) * gamma + beta
        return jnp.sum(y * slopes) + jnp.sum(jnp.sin(mean)) + jnp.sum(jnp.cos(variance))

    with jax.enable_x64(True):
        wide = tuple(jnp.asarray(a, jnp.float64) for a in (x, gamma, beta))
        wanted = jax.value_and_grad(slow, (0, 1, 2))(*wide)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, atol=1e-10),
            jax.value_and_grad(fast, (0, 1, 2))(*wide),
            wanted,
        )
        second = [jax.grad(lambda x, f=f: jnp.sum(jax.grad(f)(x, *wide[1:]) ** 2))(wide[0]) for f in (fast, slow)]
        np.testing.assert_allclose(*second, atol=1e-8)
    narrow = jax.value_and_grad(fast, (0, 1, 2))(*(jnp.asarray(a, jnp.float32) for a in (x, gamma, beta)))
    # float32: sums of at most 168 terms
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), narrow, wanted)


def test_batch_standardize_with_everything_left_out():
    x = jnp.ones((2, 3), jnp.bfloat16)
    y, mean, variance = batch_standardize(x, None, None, axes=(0,), epsilon=1.0)
    assert y.dtype == jnp.bfloat16
    assert mean.dtype == variance.dtype == jnp.float32
    assert not np.asarray(y, np.float32).any()
