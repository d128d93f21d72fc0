"""Batch normalisation in training: standardised by the batch's own statistics, with its gradients by hand.

On a CPU float32 with its channels last runs in compiled kernels, which read the input twice and write the result once,
with the ReLU in the same pass.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from chainrule._base.policy import widen
from chainrule._base.spec import Array, has_symbolic
from chainrule.ops import native
from chainrule.ops.normalization import moments

Activation = Literal["linear", "relu"]
Result = tuple[Array, Array, Array]  # the result, mean and variance


class _Form(NamedTuple):
    axes: tuple[int, ...]
    epsilon: float
    relu: bool


class _Given(NamedTuple):
    """The input, ``γ`` and ``β`` in its rank, and 1 or 0 for each row that counts or not."""

    x: Array
    gamma: Array
    beta: Array
    weight: Array | None


def batch_standardize(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    *,
    axes: Sequence[int],
    epsilon: float,
    mask: Array | None = None,
    activation: Activation = "linear",
) -> Result:
    """``γ (x − μ) / √(σ² + ε) + β`` with the statistics of ``x`` itself over ``axes``: batch normalisation in training.

    Forward and backward pass read ``x`` twice each: all that depends on channels alone is formed first, and the rest is
    ``y = (x − μ)·s + β`` and ``dx = dy·s + (x − μ)·c₁ + c₂``. Differentiating the formula step by step takes four times
    as long.

    Args:
        x: array of any shape.
        gamma: scale, with the rank of ``x``.
        beta: shift, with the rank of ``x``.
        axes: axes to average over.
        epsilon: added to the variance.
        mask: booleans ``[batch, 1, ...]`` with the rank of ``x``; rows where it is false are left out of the
            statistics, and normalised all the same.
        activation: ``"relu"`` is applied in the same pass; its slope at 0 is 0.

    Returns:
        The result in the dtype of ``x``; mean and biased variance in float32 at least, with the rank of ``x``.

    References:
        Ioffe, Szegedy, "Batch Normalization", 2015, https://arxiv.org/abs/1502.03167, algorithm 1 and section 3.

    Example:
        >>> import jax.numpy as jnp
        >>> y, mean, variance = batch_standardize(jnp.array([[1.0], [3.0]]), None, None, axes=(0,), epsilon=0.0)
        >>> y.tolist(), mean.tolist(), variance.tolist()
        ([[-1.0], [1.0]], [[2.0]], [[1.0]])
    """
    channels = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
    wide = widen(jnp.zeros((), x.dtype)).dtype
    scale = jnp.ones(channels, wide) if gamma is None else gamma.astype(wide)
    shift = jnp.zeros(channels, wide) if beta is None else beta.astype(wide)
    weight = None if mask is None else mask.astype(wide)
    return _standardized(_Form(tuple(axes), epsilon, activation == "relu"), _Given(x, scale, shift, weight))


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _standardized(form: _Form, given: _Given) -> Result:
    def compiled(given: _Given) -> Result:
        x, channels = given.x, given.gamma.shape
        results = (native.result(x.shape, x), *(native.result((x.shape[-1],), x),) * 2)
        y, *statistics = native.call("batch_norm_forward", results, *_flat(given), **_attributes(form))
        mean, variance = (statistic.reshape(channels) for statistic in statistics)
        return y, mean, variance

    def plain(given: _Given) -> Result:
        weight = given.weight
        mean, variance = moments(given.x, form.axes, mask=None if weight is None else weight > 0)
        y = _affine(form, given, mean, variance)
        return (jnp.maximum(y, 0) if form.relu else y).astype(given.x.dtype), mean, variance

    result: Result = native.on_cpu(compiled, plain, given) if _has_kernel(form, given) else plain(given)  # type: ignore[arg-type]
    return result


def _forward(form: _Form, given: _Given) -> tuple[Result, tuple[_Given, Array, Array]]:
    y, mean, variance = _standardized(form, given)
    return (y, mean, variance), (given, mean, variance)


def _backward(form: _Form, kept: tuple[_Given, Array, Array], slopes: Result) -> tuple[_Given]:
    return (_gradient(form, *kept, slopes),)


_standardized.defvjp(_forward, _backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _gradient(form: _Form, given: _Given, mean: Array, variance: Array, slopes: Result) -> _Given:
    """The gradients of what was given; that of the weights is ``None``."""
    plain = functools.partial(_plain_gradient, form)

    def compiled(given: _Given, mean: Array, variance: Array, slopes: Result) -> _Given:
        x, channels = given.x, given.gamma.shape
        results = (native.result(x.shape, x), *(native.result((x.shape[-1],), x),) * 2)
        vectors = (array.reshape(-1) for array in (mean, variance, *slopes[1:]))
        found = native.call("batch_norm_backward", results, slopes[0], *_flat(given), *vectors, **_attributes(form))
        return _Given(found[0], found[1].reshape(channels), found[2].reshape(channels), None)

    arguments: Any = (given, mean, variance, slopes)
    gradient: _Given = native.on_cpu(compiled, plain, *arguments) if _has_kernel(form, given) else plain(*arguments)
    return gradient


def _gradient_forward(form: _Form, *arguments: Any) -> tuple[_Given, tuple[Any, ...]]:  # Any: as of _gradient
    return _gradient(form, *arguments), arguments


def _gradient_backward(form: _Form, kept: tuple[Any, ...], slopes: _Given) -> tuple[Any, ...]:  # Any: as of _gradient
    given, *rest = kept

    def of(x: Array, gamma: Array, beta: Array, *rest: Any) -> _Given:  # Any: as of _gradient
        return _plain_gradient(form, _Given(x, gamma, beta, given.weight), *rest)

    dx, dgamma, dbeta, *others = jax.vjp(of, *given[:3], *rest)[1](slopes)
    return _Given(dx, dgamma, dbeta, None), *others


_gradient.defvjp(_gradient_forward, _gradient_backward)


def _plain_gradient(form: _Form, given: _Given, mean: Array, variance: Array, slopes: Result) -> _Given:
    x, gamma, beta, weight = given
    wide = variance.dtype
    dy, dmean, dvariance = (slope.astype(wide) for slope in slopes)
    if form.relu:
        dy = jnp.where(_affine(form, given, mean, variance) > 0, dy, 0)
    rstd = jax.lax.rsqrt(variance + form.epsilon)
    centred = x.astype(wide) - mean
    by_shift = jnp.sum(dy, form.axes, keepdims=True)
    by_scale = jnp.sum(dy * centred, form.axes, keepdims=True) * rstd
    rows = 1 if weight is None else weight
    count: Any = math.prod(x.shape[axis] for axis in form.axes if weight is None or weight.shape[axis] == 1)
    if weight is not None:
        count = jnp.maximum(jnp.sum(weight) * count, 1)
    # through y itself, through σ² (linear in x − μ) and through μ (constant); left-out rows move neither of these two
    linear = 2 * dvariance / count - gamma * rstd**2 * by_scale / count
    constant = dmean / count - gamma * rstd * by_shift / count
    dx = dy * (gamma * rstd) + (centred * linear + constant) * rows
    return _Given(dx.astype(x.dtype), by_scale, by_shift.astype(beta.dtype), None)


def _affine(form: _Form, given: _Given, mean: Array, variance: Array) -> Array:
    """The result before its ReLU, in the dtype of the statistics."""
    slope = given.gamma * jax.lax.rsqrt(variance + form.epsilon)
    return (given.x.astype(slope.dtype) - mean) * slope + given.beta


def _has_kernel(form: _Form, given: _Given) -> bool:
    x, weight = given.x, given.weight
    is_last = x.ndim > 1 and sorted(form.axes) == list(range(x.ndim - 1))
    is_of_rows = weight is None or all(size == 1 for size in weight.shape[1:])
    return native.enabled() and is_last and is_of_rows and x.dtype == jnp.float32 and not has_symbolic(x.shape[1:])


def _flat(given: _Given) -> tuple[Array, ...]:
    """As the kernels take them: an array of no elements for no weights."""
    weight = jnp.zeros(0, given.x.dtype) if given.weight is None else given.weight.reshape(-1)
    return given.x, weight, given.gamma.reshape(-1), given.beta.reshape(-1)


def _attributes(form: _Form) -> dict[str, Any]:  # Any: a number, a truth value
    return {"epsilon": float(form.epsilon), "relu": form.relu}
