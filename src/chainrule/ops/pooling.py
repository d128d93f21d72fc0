"""Pooling: the largest or the mean value of each window, over one, two or three axes, channels last."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jax import lax

from chainrule._base.spec import Array
from chainrule.ops.window import Padding, explicit_padding, per_axis


def max_pool(
    x: Array, window: int | Sequence[int], *, strides: int | Sequence[int] | None = None, padding: Padding = "valid"
) -> Array:
    """The largest value of each window; cells of padding never win.

    Args:
        x: input, with one to three axes of space.
        window: cells of the window, for each axis of space.
        strides: step of the window; the window itself if not given.
        padding: ``"valid"``, ``"same"``, or cells per axis.

    Shapes:
        ``x: [batch, *space, channels] -> [batch, *positions, channels]``

    Example:
        >>> import jax.numpy as jnp
        >>> x = jnp.array([[0, 0, 5, 1], [0, 2, 4, 0], [1, 0, 1, 0], [0, 0, 0, 3.0]])
        >>> max_pool(x[None, :, :, None], 2)[0, :, :, 0].tolist()
        [[2.0, 5.0], [1.0, 3.0]]
    """
    cells, steps, pads = _window(x, window, strides, padding)
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, *cells, 1), (1, *steps, 1), ((0, 0), *pads, (0, 0)))


def avg_pool(
    x: Array,
    window: int | Sequence[int],
    *,
    strides: int | Sequence[int] | None = None,
    padding: Padding = "valid",
    count_padding: bool = False,
) -> Array:
    """The mean of each window; cells of padding are not counted, unless ``count_padding``.

    Shapes:
        ``x: [batch, *space, channels] -> [batch, *positions, channels]``

    Example:
        >>> import jax.numpy as jnp
        >>> avg_pool(jnp.arange(4.0).reshape(1, 4, 1), 2)[0, :, 0].tolist()
        [0.5, 2.5]
    """
    cells, steps, pads = _window(x, window, strides, padding)
    shape = (1, *cells, 1), (1, *steps, 1), ((0, 0), *pads, (0, 0))
    total = lax.reduce_window(x, 0.0, lax.add, *shape)
    if count_padding or not any(low or high for low, high in pads):
        size = 1
        for one in cells:
            size *= one
        return total / size
    ones = jnp.ones((1, *x.shape[1:-1], 1), x.dtype)
    return total / lax.reduce_window(ones, 0.0, lax.add, *shape)


def adaptive_avg_pool(x: Array, output_size: int | Sequence[int]) -> Array:
    """The mean over ``output_size`` windows that cover each axis: window ``i`` is ``[⌊i·n/m⌋, ⌈(i + 1)·n/m⌉)``.

    Shapes:
        ``x: [batch, *space, channels] -> [batch, *output_size, channels]``

    Example:
        >>> import jax.numpy as jnp
        >>> adaptive_avg_pool(jnp.arange(5.0).reshape(1, 5, 1), 2)[0, :, 0].tolist()
        [1.0, 3.0]
    """
    return _adaptive(x, output_size, jnp.mean)


def adaptive_max_pool(x: Array, output_size: int | Sequence[int]) -> Array:
    """The largest value of ``output_size`` windows that cover each axis, as in :func:`adaptive_avg_pool`.

    Example:
        >>> import jax.numpy as jnp
        >>> adaptive_max_pool(jnp.arange(5.0).reshape(1, 5, 1), 2)[0, :, 0].tolist()
        [2.0, 4.0]
    """
    return _adaptive(x, output_size, jnp.max)


def _adaptive(x: Array, output_size: int | Sequence[int], reduce: Callable[..., Array]) -> Array:
    sizes = per_axis("output_size", output_size, x.ndim - 2, "adaptive pooling")
    for axis, wanted in enumerate(sizes, start=1):
        n = x.shape[axis]
        parts = [
            reduce(lax.slice_in_dim(x, i * n // wanted, -(-(i + 1) * n // wanted), axis=axis), axis=axis)
            for i in range(wanted)
        ]
        x = jnp.stack(parts, axis=axis)
    return x


def _window(
    x: Array, window: int | Sequence[int], strides: int | Sequence[int] | None, padding: Padding
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, int], ...]]:
    rank = x.ndim - 2
    cells = per_axis("window", window, rank, "pooling")
    steps = cells if strides is None else per_axis("strides", strides, rank, "pooling")
    return cells, steps, explicit_padding(padding, x.shape[1:-1], cells, steps, (1,) * rank, owner="pooling")
