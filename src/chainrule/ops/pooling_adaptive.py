"""Pooling to a fixed size, over windows that fit themselves to the input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jax import lax

from chainrule._base.errors import ShapeError
from chainrule._base.spec import Array
from chainrule.ops.pooling import space_rank, widened
from chainrule.ops.window import as_array, per_axis


def adaptive_avg_pool(x: Array, output_size: int | Sequence[int]) -> Array:
    """The mean over ``output_size`` windows that cover each axis: window ``i`` is ``[⌊i·n/m⌋, ⌈(i + 1)·n/m⌉)``.

    Shapes:
        ``x: [batch, *space, channels] -> [batch, *output_size, channels]``

    Example:
        >>> import jax.numpy as jnp
        >>> adaptive_avg_pool(jnp.arange(5.0).reshape(1, 5, 1), 2)[0, :, 0].tolist()
        [1.0, 3.0]
    """
    wide, dtype = widened(x)
    return _adaptive(wide, output_size, jnp.mean).astype(dtype)


def adaptive_max_pool(x: Array, output_size: int | Sequence[int]) -> Array:
    """The largest value of ``output_size`` windows that cover each axis, as in :func:`adaptive_avg_pool`.

    Example:
        >>> import jax.numpy as jnp
        >>> adaptive_max_pool(jnp.arange(5.0).reshape(1, 5, 1), 2)[0, :, 0].tolist()
        [2.0, 4.0]
    """
    return _adaptive(as_array("x", x, "adaptive pooling"), output_size, largest)


def largest(x: Array, axis: int | tuple[int, ...], *, keepdims: bool = False) -> Array:
    """``jnp.max`` that takes axes of varying size too, which are known when it runs.

    Example:
        >>> import jax.numpy as jnp
        >>> largest(jnp.array([[1, 5], [3, 2]]), 0).tolist()
        [3, 5]
    """
    axes = (axis,) if isinstance(axis, int) else axis
    if any(isinstance(x.shape[one], int) and x.shape[one] < 1 for one in axes):
        raise ShapeError(
            f"pooling: the axes of space must hold at least one cell; received shape {x.shape}. Feed larger inputs."
        )
    y = lax.reduce_max(x, axes)
    return jnp.expand_dims(y, axes) if keepdims else y


def _adaptive(x: Array, output_size: int | Sequence[int], reduce: Callable[..., Array]) -> Array:
    sizes = per_axis("output_size", output_size, space_rank(x), "adaptive pooling")
    for axis, wanted in enumerate(sizes, start=1):
        n = x.shape[axis]
        parts = [
            reduce(lax.slice_in_dim(x, i * n // wanted, -(-(i + 1) * n // wanted), axis=axis), axis=axis)
            for i in range(wanted)
        ]
        x = jnp.stack(parts, axis=axis)
    return x
