"""Pooling to a fixed size: the windows, the numbers that they hold, and sizes that are not known yet."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.ops import adaptive_avg_pool, adaptive_max_pool
from chainrule.ops.pooling_adaptive import largest


def draw(shape):
    return np.random.default_rng(3).permutation(np.prod(shape, dtype=int)).reshape(shape).astype(np.float32) / 7


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_adaptive_windows_cover_the_axis_as_defined(size):
    x = draw((2, 7, 3))
    for pool, reduce in ((adaptive_avg_pool, np.mean), (adaptive_max_pool, np.max)):
        parts = [x[:, i * 7 // size : -(-(i + 1) * 7 // size)] for i in range(size)]
        wanted = np.stack([reduce(part.astype(np.float64), axis=1) for part in parts], axis=1)
        np.testing.assert_allclose(pool(x, size), wanted, rtol=1e-6)


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 250), ("int8", -100), ("float16", 60000)])
def test_means_of_narrow_numbers_do_not_overflow(dtype, value):
    found = adaptive_avg_pool(np.full((1, 5, 4, 2), value, dtype), (2, 3))
    np.testing.assert_array_equal(np.asarray(found, np.float64), np.full((1, 2, 3, 2), np.float64(value)))


@pytest.mark.parametrize(("axes", "keepdims"), [((1,), False), ((1, 2), True)])
def test_the_largest_of_axes_that_vary(axes, keepdims):
    """Of axes that might be empty as far as is known, as after a convolution: ``max(t - 2, 0)``."""
    (t,) = jax.export.symbolic_shape("t")
    spec = jax.ShapeDtypeStruct((2, jax.core.max_dim(t - 2, 0), 5, 3), jnp.float32)
    shape = jax.eval_shape(lambda x: largest(x, axes, keepdims=keepdims), spec).shape
    x = draw((2, 4, 5, 3))
    assert shape == x.max(axes, keepdims=keepdims).shape
    np.testing.assert_array_equal(largest(jnp.asarray(x), axes, keepdims=keepdims), x.max(axes, keepdims=keepdims))


def test_mistakes_are_named():
    x = np.ones((2, 7, 3), np.float32)
    for pool in (adaptive_avg_pool, adaptive_max_pool):
        with pytest.raises(
            ArgumentError, match=r"adaptive pooling: output_size must be a positive integer; received 1.5"
        ):
            pool(x, 1.5)
        with pytest.raises(ShapeError, match="one to three axes of space; received 2 axes"):
            pool(x[0], 2)
        with pytest.raises(ArgumentTypeError, match="x must be an array of numbers"):
            pool("image", 2)
        assert pool(x.tolist(), 2).shape == (2, 2, 3)
    with pytest.raises(ShapeError, match=r"must hold at least one cell; received shape \(2, 0, 3\)"):
        largest(jnp.ones((2, 0, 3)), 1)
