"""The one stable formulation of each function that overflows, cancels or divides by zero when written naively.

Everything here is differentiable, works under ``jit`` and ``vmap``, and keeps float64 when it is switched on.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from chainrule._base.policy import widen
from chainrule._base.spec import Array

# Up to here a label is picked by comparing with every class: on a CPU that fuses with its neighbours, while a gather
# and the scatter of its gradient are two kernels of their own, in a small network's step of about 25.
_SELECTED_CLASSES = 256


def at_least_float32(x: Array) -> Array:
    """``x`` as a floating-point array of at least 32 bits: bfloat16, float16, integers and booleans are widened.

    Example:
        >>> import jax.numpy as jnp
        >>> at_least_float32(jnp.ones(3, jnp.bfloat16)).dtype
        dtype('float32')
    """
    return widen(x)


def epsilon(x: Array) -> float:
    """The rounding unit of ``x``'s dtype: 1.2e-7 in float32, 2.2e-16 in float64.

    Example:
        >>> import jax.numpy as jnp
        >>> epsilon(jnp.float32(1.0)) == 2.0**-23
        True
    """
    return float(jnp.finfo(x.dtype).eps)  # type: ignore[no-untyped-call]  # JAX leaves finfo unannotated


def log_sum_exp(x: Array, axis: int = -1, *, keepdims: bool = False) -> Array:
    """``log Σ exp(x)`` along ``axis``, without overflow.

    Example:
        >>> import jax.numpy as jnp
        >>> float(log_sum_exp(jnp.array([1000.0, 1000.0]))) - 1000.0 > 0.69
        True
    """
    # log Σ exp(x) = m + log Σ exp(x − m) for every m; with m = max x the largest term is exp(0) = 1.
    # The identity holds for every m, so m carries no gradient. A row of −inf has no finite maximum: m = 0 there.
    top = _top(x, axis)
    top = jnp.where(jnp.isfinite(top), top, 0)
    total = jnp.log(jnp.sum(jnp.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else jnp.squeeze(total, axis=axis)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """``log softmax(x)_i = x_i − log Σ_j exp(x_j)``; never the logarithm of a softmax that rounded to 0.

    Example:
        >>> import jax.numpy as jnp
        >>> log_softmax(jnp.array([0.0, 200.0])).tolist()
        [-200.0, 0.0]
    """
    # Shift first: x_i − m is exact for the entries near the maximum, the only ones whose result is near 0.
    top = _top(x, axis)
    shifted = x - jnp.where(jnp.isfinite(top), top, 0)
    return shifted - jnp.log(jnp.sum(jnp.exp(shifted), axis=axis, keepdims=True))


def softmax(x: Array, axis: int = -1) -> Array:
    """``softmax(x)_i = exp(x_i) / Σ_j exp(x_j)``: ``i`` is the class asked for, ``j`` runs over all classes.

    (Some slides write one index for both, which reads as if each term were divided by itself.)

    Example:
        >>> import jax.numpy as jnp
        >>> softmax(jnp.array([1000.0, 1000.0])).tolist()
        [0.5, 0.5]
    """
    return jnp.exp(log_softmax(x, axis))


def softplus(x: Array) -> Array:
    """``log(1 + exp(x))``, without overflow.

    Example:
        >>> import jax.numpy as jnp
        >>> softplus(jnp.array([-1000.0, 1000.0])).tolist()
        [0.0, 1000.0]
    """
    # log(1 + e^x) = max(x, 0) + log1p(exp(−|x|)). JAX's logaddexp is that formula with a derivative that is also
    # right to every order at x = 0, where the derivatives of max and |x| written out would not be.
    return jnp.logaddexp(x, jnp.zeros_like(x))


def log_sigmoid(x: Array) -> Array:
    """``log σ(x) = −softplus(−x)``: linear for very negative ``x``, where σ(x) rounds to 0.

    Example:
        >>> import jax.numpy as jnp
        >>> log_sigmoid(jnp.array([-1000.0, 1000.0])).tolist()
        [-1000.0, -0.0]
    """
    # log(1 / (1 + e^−x)) = −log(1 + e^−x)
    return -softplus(-x)


def log_cosh(x: Array) -> Array:
    """``log cosh(x)``: about x²/2 near 0, about |x| − log 2 far away.

    Example:
        >>> import jax.numpy as jnp
        >>> log_cosh(jnp.array([0.0, 1000.0])).tolist()
        [0.0, 999.3068237304688]
    """
    # cosh x = 1 + 2 sinh²(x/2), so log cosh x = log1p(2 sinh²(x/2)): no cancellation near 0. Beyond |x| = 20,
    # where sinh² would go on to overflow, log cosh x = |x| − log 2 + log1p(e^−2|x|) and the last term is < 5e-18.
    is_far = jnp.abs(x) > 20
    near = jnp.where(is_far, 0, x)
    return jnp.where(is_far, jnp.abs(x) - math.log(2), jnp.log1p(2 * jnp.sinh(near / 2) ** 2))


def xlogy(x: Array, y: Array) -> Array:
    """``x · log y``, and 0 where ``x`` is 0 whatever ``y``: the limit that entropy needs (0 · log 0 = 0).

    Where ``x`` is 0 the derivatives are taken as 0.

    Example:
        >>> import jax.numpy as jnp
        >>> xlogy(jnp.array([0.0, 2.0]), jnp.array([0.0, 1.0])).tolist()
        [0.0, 0.0]
    """
    # the inner `where` keeps log 0 out of the derivative too: 0 · inf would be NaN.
    is_zero = x == 0
    return jnp.where(is_zero, 0, x * jnp.log(jnp.where(is_zero, 1, y)))


def safe_divide(numerator: Array, denominator: Array, *, otherwise: float = 0.0) -> Array:
    """``numerator / denominator``, and ``otherwise`` where the denominator is 0; the derivative is finite too.

    Example:
        >>> import jax.numpy as jnp
        >>> safe_divide(jnp.array([1.0, 0.0]), jnp.array([4.0, 0.0])).tolist()
        [0.25, 0.0]
    """
    is_zero = denominator == 0
    return jnp.where(is_zero, otherwise, numerator / jnp.where(is_zero, 1, denominator))


def log_probability(p: Array) -> Array:
    """``log p`` of a probability, finite at 0: values below ε count as ε, values above 1 as 1.

    ε is the rounding unit of the dtype (1.2e-7 in float32, 2.2e-16 in float64), so the result is at least -15.9 in
    float32; below ε the derivative is 0. Keras clips at 1e-7.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in log_probability(jnp.array([0.0, 0.5, 1.0])).tolist()]
        [-15.9424, -0.6931, 0.0]
    """
    least = epsilon(p)
    # `where`, not `clip`: a NaN stays a NaN, and the derivative at p = 1 is the whole 1/p instead of half of it
    return jnp.log(jnp.where(p < least, least, jnp.where(p > 1, 1, p)))


def log_complement(p: Array) -> Array:
    """``log(1 − p)`` of a probability, finite at 1; clipped as :func:`log_probability` is.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in log_complement(jnp.array([0.0, 0.5, 1.0])).tolist()]
        [-0.0, -0.6931, -15.9424]
    """
    least = epsilon(p)
    return jnp.log1p(-jnp.where(p > 1 - least, 1 - least, jnp.where(p < 0, 0, p)))


def binary_log_probabilities(predictions: Array, *, from_logits: bool) -> tuple[Array, Array]:
    """``log p`` and ``log(1 − p)``, where ``p = σ(x)`` of logits ``x``, or the predictions themselves.

    Example:
        >>> import jax.numpy as jnp
        >>> binary_log_probabilities(jnp.array([-1000.0]), from_logits=True)
        (Array([-1000.], dtype=float32), Array([-0.], dtype=float32))
    """
    # 1 − σ(x) = σ(−x). Each logarithm on its own keeps all digits; the shorter −log p = softplus(x) − x
    # subtracts two large numbers when x is large.
    if from_logits:
        return log_sigmoid(predictions), log_sigmoid(-predictions)
    return log_probability(predictions), log_complement(predictions)


def class_log_probabilities(predictions: Array, *, from_logits: bool) -> Array:
    """``log p`` of every class along the last axis, from logits or from probabilities (taken as they are).

    Example:
        >>> import jax.numpy as jnp
        >>> class_log_probabilities(jnp.array([[0.0, 1000.0]]), from_logits=True).tolist()
        [[-1000.0, 0.0]]
    """
    return log_softmax(predictions) if from_logits else log_probability(predictions)


def weighted_logs(weights: Array, logs: Array) -> Array:
    """``weights · logs``, and 0 where a weight is 0: a class with probability 0 that nobody asks for costs nothing.

    Example:
        >>> import jax.numpy as jnp
        >>> weighted_logs(jnp.array([0.0, 1.0]), jnp.array([-jnp.inf, 0.0])).tolist()
        [0.0, 0.0]
    """
    is_zero = weights == 0
    return jnp.where(is_zero, 0, weights * jnp.where(is_zero, 0, logs))


def pick_class(values: Array, labels: Array) -> Array:
    """``values[..., label]`` for integer labels; NaN where a label is outside 0..classes − 1, never a clamped one.

    Shapes:
        values: ``[..., classes]``; labels: ``[...]`` -> ``[...]``

    Example:
        >>> import jax.numpy as jnp
        >>> pick_class(jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([1, 7])).tolist()
        [2.0, nan]
    """
    is_known = (labels >= 0) & (labels < values.shape[-1])
    if values.shape[-1] <= _SELECTED_CLASSES:
        classes = jnp.arange(values.shape[-1], dtype=labels.dtype)
        picked = jnp.sum(jnp.where(labels[..., None] == classes, values, 0), axis=-1)
    else:
        index = jnp.where(is_known, labels, 0)[..., None]
        picked = jnp.take_along_axis(values, index, axis=-1)[..., 0]
    return jnp.where(is_known, picked, jnp.nan)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """``a + b`` as a rounded sum and the exact error of that rounding.

    Carrying the error along makes a running float32 sum about as good as a float64 one, on devices without float64.

    Example:
        >>> import jax.numpy as jnp
        >>> total, error = two_sum(jnp.float32(2.0**24), jnp.float32(1.0))
        >>> float(total) - 2.0**24, float(error)
        (0.0, 1.0)

    References:
        Knuth, The Art of Computer Programming 2, section 4.2.2, theorem B.
    """
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _top(x: Array, axis: int) -> Array:
    """The largest value along ``axis``, a constant of the derivative; an axis of varying size will do."""
    # jnp.max refuses an axis of which it cannot prove that it is not empty
    return jnp.expand_dims(jax.lax.stop_gradient(jax.lax.reduce_max(x, (axis % jnp.ndim(x),))), axis)
