"""Attention: masks, a softmax that masks cannot break, and the weighted mean of values."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from chainrule._base.policy import widen
from chainrule._base.spec import Array


def sequence_mask(lengths: Array, steps: Any) -> Array:  # Any: an integer, or a symbolic size in shape inference
    """Which steps are real: true for the first ``lengths[i]`` of ``steps`` steps.

    Shapes:
        ``lengths: [...] -> booleans [..., steps]``

    Example:
        >>> import jax.numpy as jnp
        >>> sequence_mask(jnp.array([2, 0]), 3).tolist()
        [[True, True, False], [False, False, False]]
    """
    numbers = jnp.arange(steps).astype(lengths.dtype)
    return jnp.expand_dims(numbers, tuple(range(lengths.ndim))) < jnp.expand_dims(lengths, -1)


def causal_mask(queries: Any, keys: Any) -> Array:  # Any: integers, or symbolic sizes in shape inference
    """Which keys a query may see: those at its own step and before.

    Shapes:
        ``-> booleans [queries, keys]``

    Example:
        >>> causal_mask(2, 3).tolist()
        [[True, False, False], [True, True, False]]
    """
    return jnp.arange(keys)[None, :] <= jnp.arange(queries)[:, None]


def masked_softmax(scores: Array, mask: Array | None = None, *, axis: int = -1) -> Array:
    """``softmax`` over the entries where ``mask`` is true, 0 elsewhere; all 0, not NaN, where nothing is left.

    What stands in masked entries has no effect, be it NaN or infinite, neither on values nor on gradients. Adding a
    large negative number instead, as is often seen, gives a fully masked row the mean of all its padding.

    Shapes:
        ``scores: [...]``, ``mask``: booleans that broadcast to it ``-> [...]``

    Example:
        >>> import jax.numpy as jnp
        >>> scores, mask = jnp.array([[1.0, 1.0, 9.0]] * 2), jnp.array([[True, True, False], [False] * 3])
        >>> masked_softmax(scores, mask).tolist()
        [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    scores = widen(scores)
    if mask is None:
        return jax.nn.softmax(scores, axis=axis)
    # exp(s − m) / Σ exp(s − m) for any m; m is the largest score left, and 0 where none is. The inner `where` keeps
    # what stands in masked entries out of the derivatives.
    mask = jnp.broadcast_to(mask, scores.shape)
    top = jax.lax.stop_gradient(jnp.max(scores, axis=axis, keepdims=True, where=mask, initial=-jnp.inf))
    shifted = jnp.where(mask, scores, 0) - jnp.where(jnp.isfinite(top), top, 0)
    weights = jnp.where(mask, jnp.exp(jnp.where(mask, shifted, 0)), 0)
    total = jnp.sum(weights, axis=axis, keepdims=True)
    return weights / jnp.where(total == 0, 1, total)


def attend(weights: Array, values: Array) -> Array:
    """The weighted means of the values.

    Shapes:
        ``weights: [batch, ..., queries, keys]``, ``values: [batch, ..., keys, features]``
        ``-> [batch, ..., queries, features]``

    Example:
        >>> import jax.numpy as jnp
        >>> attend(jnp.array([[[0.25, 0.75]]]), jnp.array([[[4.0], [8.0]]])).tolist()
        [[[7.0]]]
    """
    return weights.astype(values.dtype) @ values
