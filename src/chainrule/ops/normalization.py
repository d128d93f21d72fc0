"""Mean and variance over axes, and the normalisations made of them.

Statistics are formed in float32 at least, the variance as the mean squared deviation from the mean (never as
E[x²] − E[x]², which cancels), and results come back in the dtype of ``x``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from chainrule._base.policy import widen
from chainrule._base.spec import Array


def moments(x: Array, axes: Sequence[int], *, mask: Array | None = None) -> tuple[Array, Array]:
    """Mean and biased variance over ``axes``, which stay as axes of size 1.

    Args:
        x: array of any shape.
        axes: axes to average over.
        mask: booleans that broadcast against ``x`` at equal rank; entries where it is false are left out.

    Returns:
        Mean and variance, in float32 at least. If nothing is left in, both are 0.

    Example:
        >>> import jax.numpy as jnp
        >>> mean, variance = moments(jnp.array([[1.0, 3.0, 99.0]]), (1,), mask=jnp.array([[True, True, False]]))
        >>> mean.tolist(), variance.tolist()
        ([[2.0]], [[1.0]])
    """
    x = widen(x)
    axes = tuple(axes)
    if mask is None:
        mean = jnp.mean(x, axes, keepdims=True)
        return mean, jnp.mean(jnp.square(x - mean), axes, keepdims=True)
    # counted on the mask's own shape: a mask of rows is small, and x is not
    repeats = math.prod(x.shape[axis] for axis in axes if mask.shape[axis] == 1)
    count = jnp.maximum(jnp.sum(mask.astype(x.dtype), axes, keepdims=True) * repeats, 1)
    mean = jnp.sum(jnp.where(mask, x, 0), axes, keepdims=True) / count
    deviation = jnp.where(mask, x - mean, 0)
    return mean, jnp.sum(jnp.square(deviation), axes, keepdims=True) / count


def standardize(x: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """``(x − mean) / √(variance + ε)``; ``mean`` and ``variance`` have the rank of ``x``.

    Example:
        >>> import jax.numpy as jnp
        >>> standardize(jnp.array([1.0, 3.0]), jnp.array([2.0]), jnp.array([4.0]), 0.0).tolist()
        [-0.5, 0.5]
    """
    wide = widen(x)
    scale = jax.lax.rsqrt(variance.astype(wide.dtype) + epsilon)
    return ((wide - mean.astype(wide.dtype)) * scale).astype(x.dtype)


def scale_and_shift(x: Array, gamma: Array | None, beta: Array | None) -> Array:
    """``γ x + β``, each left out when ``None``; they have the rank of ``x``.

    Example:
        >>> import jax.numpy as jnp
        >>> scale_and_shift(jnp.array([1.0, 2.0]), jnp.array([3.0]), None).tolist()
        [3.0, 6.0]
    """
    if gamma is not None:
        x = x * gamma
    return x if beta is None else x + beta


def group_standardize(x: Array, groups: int, epsilon: float) -> Array:
    """Standardise each example over its positions and the channels of each group.

    Shapes:
        x: [batch, ..., channels] -> the same; channels are a multiple of ``groups``.

    Example:
        >>> import jax.numpy as jnp
        >>> group_standardize(jnp.array([[1.0, 3.0, 10.0, 10.0]]), 2, 0.0)[0, :2].tolist()
        [-1.0, 1.0]
    """
    split = x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)  # [batch, ..., groups, channels / groups]
    axes = (*range(1, x.ndim - 1), x.ndim)
    mean, variance = moments(split, axes)
    return standardize(split, mean, variance, epsilon).reshape(x.shape)


def rms_standardize(x: Array, axes: Sequence[int], epsilon: float) -> Array:
    """``x / √(mean(x²) + ε)`` over ``axes``: layer normalisation without subtracting the mean.

    Example:
        >>> import jax.numpy as jnp
        >>> rms_standardize(jnp.array([3.0, -3.0]), (0,), 0.0).tolist()
        [1.0, -1.0]
    """
    wide = widen(x)
    scale = jax.lax.rsqrt(jnp.mean(jnp.square(wide), tuple(axes), keepdims=True) + epsilon)
    return (wide * scale).astype(x.dtype)


def unit_length(x: Array, axes: Sequence[int], epsilon: float = 1e-12) -> Array:
    """``x / max(‖x‖₂, √ε)`` over ``axes``; a vector of zeros stays zero and has a finite gradient.

    Example:
        >>> import jax.numpy as jnp
        >>> print(unit_length(jnp.array([3.0, 4.0]), (0,)).round(3))
        [0.6 0.8]
    """
    wide = widen(x)
    square = jnp.sum(jnp.square(wide), tuple(axes), keepdims=True)
    return (wide * jax.lax.rsqrt(jnp.maximum(square, epsilon))).astype(x.dtype)
