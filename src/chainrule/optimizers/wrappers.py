"""Optimizers around an optimizer: clip its gradients, gather several of them, average or shrink its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from chainrule._base.checks import check_number, check_positive_int, describe
from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule._base.policy import widen
from chainrule._base.registry import register_class
from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.optimizers.base import Optimizer, Scalar, Weights, add, as_dtype, scaled


def global_norm(tree: Weights) -> Array:
    """``√Σ x²`` over every entry of every leaf, without overflow of the squares.

    Example:
        >>> float(global_norm({"a": jnp.array([3.0]), "b": jnp.array([4e30])})) == float(jnp.float32(4e30))
        True
    """
    leaves = [widen(leaf) for leaf in jax.tree.leaves(tree)]
    largest = jnp.max(jnp.stack([jnp.max(jnp.abs(leaf)).astype(jnp.float32) for leaf in leaves]))
    unit = jnp.where(largest > 0, largest, 1)  # squares of x/unit are at most 1
    squares = [jnp.sum(jnp.square(leaf / unit.astype(leaf.dtype))).astype(jnp.float32) for leaf in leaves]
    return unit * jnp.sqrt(jnp.sum(jnp.stack(squares)))


@register_class
@dataclass(frozen=True)
class Clip(Optimizer):
    """Limit the gradients before the optimizer sees them: the remedy for exploding gradients.

    Exactly one limit is given (Keras: ``clipvalue``, ``clipnorm``, ``global_clipnorm``):

    - ``value``: every entry into ``[-value, value]``; this turns the gradient.
    - ``norm``: each weight's gradient is scaled down to this norm where it is longer.
    - ``global_norm``: all gradients are scaled by one factor so that their common norm is at most this; keeps the
      direction.

    A NaN stays a NaN and is not hidden; with ``global_norm`` it reaches every weight.

    Example:
        >>> from chainrule.optimizers import SGD
        >>> Clip(SGD(1.0), global_norm=5.0).update_weights([0.0, 0.0], [6.0, 8.0]).tolist()
        [-3.0, -4.0]

    References:
        Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013,
        https://arxiv.org/abs/1211.5063, algorithm 1.
    """

    optimizer: Optimizer
    value: float | None = None
    norm: float | None = None
    global_norm: float | None = None

    def __post_init__(self) -> None:
        _check_optimizer(self.optimizer, self)
        given = {name: getattr(self, name) for name in ("value", "norm", "global_norm")}
        given = {name: limit for name, limit in given.items() if limit is not None}
        if len(given) != 1:
            raise ArgumentError(
                f"Clip: exactly one of value, norm and global_norm must be given; received "
                f"{', '.join(given) or 'none'}. Type Clip(optimizer, global_norm=1.0)."
            )
        for name, limit in given.items():
            check_number(name, limit, self, above=0)

    def init(self, params: Weights) -> Tree:
        """The optimizer's own state."""
        return self.optimizer.init(params)

    def update(
        self, grads: Weights, state: Tree, params: Weights, *, step: Scalar, rate_scale: Scalar = 1.0
    ) -> tuple[Weights, Tree]:
        """The optimizer's update of the clipped gradients."""
        return self.optimizer.update(self.clip(grads), state, params, step=step, rate_scale=rate_scale)

    def clip(self, grads: Weights) -> Weights:
        """The clipped gradients."""
        if self.value is not None:
            return _clip_entries(grads, self.value)
        if self.norm is not None:
            limit = self.norm
            return jax.tree.map(lambda grad: grad * _factor(grad, limit).astype(grad.dtype), grads)
        factor = _factor(grads, self.global_norm or 0.0)  # one of the three limits is given
        return jax.tree.map(lambda grad: grad * factor.astype(grad.dtype), grads)

    def rate(self, step: Scalar) -> Scalar | None:
        """The optimizer's own rate."""
        return self.optimizer.rate(step)


@register_class
@dataclass(frozen=True)
class Accumulate(Optimizer):
    """Average the gradients of ``every`` calls, with the weights at rest, then make one step.

    Equals one step on the ``every`` batches together when they are of equal size and mean losses are used. Steps that
    have not filled a group stay in the state (``total``). The optimizer counts its own steps: ``step // every``, so
    schedules count real updates. For groups of unequal size use :func:`accumulate_gradients`.

    Example:
        >>> from chainrule.optimizers import SGD
        >>> optimizer, weights = Accumulate(SGD(1.0), every=2), jnp.array([0.0])
        >>> state = optimizer.init(weights)
        >>> for step, grad in enumerate([1.0, 3.0]):
        ...     weights, state = optimizer.apply_gradients(jnp.array([grad]), state, weights, step=step)
        ...     print(weights.tolist())
        [0.0]
        [-2.0]
    """

    optimizer: Optimizer
    every: int

    def __post_init__(self) -> None:
        _check_optimizer(self.optimizer, self)
        check_positive_int("every", self.every, self)

    def init(self, params: Weights) -> Tree:
        """The optimizer's state, and the sum of gradients."""
        return _with_own(self.optimizer.init(params), total=jax.tree.map(_zeros, params))

    def update(
        self, grads: Weights, state: Tree, params: Weights, *, step: Scalar, rate_scale: Scalar = 1.0
    ) -> tuple[Weights, Tree]:
        """Zero increments, but at every ``every``-th call the optimizer's."""
        total = jax.tree.map(lambda summed, grad: summed + grad.astype(summed.dtype), state["total"], grads)
        step = jnp.asarray(step)

        def move(total: Weights, inner: Tree) -> tuple[Weights, Tree, Weights]:
            mean = jax.tree.map(lambda summed: summed / self.every, total)
            own = self.optimizer.update(mean, inner, params, step=step // self.every, rate_scale=rate_scale)
            return *own, jax.tree.map(jnp.zeros_like, total)

        def wait(total: Weights, inner: Tree) -> tuple[Weights, Tree, Weights]:
            return jax.tree.map(jnp.zeros_like, params), inner, total

        is_full = step % self.every == self.every - 1
        increments, inner, total = jax.lax.cond(is_full, move, wait, total, state.get("optimizer", {}))
        return increments, _with_own(inner, total=total)

    def rate(self, step: Scalar) -> Scalar | None:
        """The optimizer's own rate."""
        return self.optimizer.rate(jnp.asarray(step) // self.every)


def accumulate_gradients(
    grad_fn: Callable[[Weights, Any], Weights],  # Any: a batch of whatever kind
    params: Weights,
    micro_batches: Iterable[Any],
    weights: Iterable[Scalar],
) -> Weights:
    """``Σ_k n_k g_k / Σ_k n_k``: the gradient of one big batch, from micro-batches that fit in memory.

    All micro-batches see the same weights. With their numbers of examples as ``weights`` the result is the big
    batch's gradient also when the last group is shorter.

    Args:
        grad_fn: ``(params, batch) -> gradients`` of the *mean* loss of the batch.
        params: the weights, unchanged throughout.
        micro_batches: the parts of the batch.
        weights: number (or total sample weight) of the examples of each part.

    Example:
        >>> grad = jax.grad(lambda w, x: jnp.mean((w - x) ** 2))
        >>> x = jnp.array([1.0, 2.0, 6.0])
        >>> parts = accumulate_gradients(grad, jnp.array(0.0), [x[:2], x[2:]], [2, 1])
        >>> float(parts), float(grad(jnp.array(0.0), x))
        (-6.0, -6.0)
    """
    total, count = jax.tree.map(_zeros, params), jnp.zeros((), jnp.float32)
    for batch, weight in zip(micro_batches, weights, strict=True):
        count = count + jnp.asarray(weight, jnp.float32)
        share = [jnp.asarray(weight, jnp.float32)]
        total = jax.tree.map(
            lambda summed, grad, share=share: summed + share[0].astype(summed.dtype) * grad.astype(summed.dtype),
            total,
            grad_fn(params, batch),
        )
    return jax.tree.map(lambda summed, param: (summed / count.astype(summed.dtype)).astype(param.dtype), total, params)


@register_class
@dataclass(frozen=True)
class AverageWeights(Optimizer):
    """Keep a running average of the weights beside them, which often predicts better than the last weights.

    With ``decay`` γ the average is exponential, ``a <- γ·a + (1-γ)·w``, begun at the initial weights; with
    ``decay=None`` it is the plain mean of the weights after every step (Polyak). Training itself is not changed.

    Example:
        >>> from chainrule.optimizers import SGD
        >>> optimizer, weights = AverageWeights(SGD(1.0), decay=0.75), jnp.array([0.0])
        >>> weights, state = optimizer.apply_gradients(jnp.array([-4.0]), optimizer.init(weights), weights, step=0)
        >>> weights.tolist(), optimizer.averaged(state).tolist()
        ([4.0], [1.0])

    References:
        Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
    """

    optimizer: Optimizer
    decay: float | None = 0.999

    def __post_init__(self) -> None:
        _check_optimizer(self.optimizer, self)
        if self.decay is not None:
            check_number("decay", self.decay, self, at_least=0, below=1)

    def init(self, params: Weights) -> Tree:
        """The optimizer's state, and a copy of the weights as ``average``."""
        copies = jax.tree.map(lambda param: jnp.array(widen(param), copy=True), params)
        return _with_own(self.optimizer.init(params), average=copies)

    def update(
        self, grads: Weights, state: Tree, params: Weights, *, step: Scalar, rate_scale: Scalar = 1.0
    ) -> tuple[Weights, Tree]:
        """The optimizer's own update; the average moves on."""
        inner = state.get("optimizer", {})
        increments, inner = self.optimizer.update(grads, inner, params, step=step, rate_scale=rate_scale)

        def move(average: Array, weight: Array) -> Array:
            new = 1 / (jnp.asarray(step, average.dtype) + 1) if self.decay is None else 1 - self.decay
            return average + new * (weight.astype(average.dtype) - average)

        average = jax.tree.map(move, state["average"], add(params, increments))
        return increments, _with_own(inner, average=average)

    def averaged(self, state: Tree) -> Weights:
        """The averaged weights, in at least float32."""
        return state["average"]

    def rate(self, step: Scalar) -> Scalar | None:
        """The optimizer's own rate."""
        return self.optimizer.rate(step)


@register_class
@dataclass(frozen=True)
class Proximal(Optimizer):
    """Lasso with weights that are exactly 0: ``l1 · Σ |w|`` is minimised by its proximal map, not by its gradient.

    After every step of the optimizer, ``w <- sign(w) · max(|w| - rate · l1, 0)``. Use it in the place of the
    regularizer ``L1``, not besides. Around SGD this is ISTA; around optimizers that scale each weight the threshold
    still goes by the common rate.

    Args:
        optimizer: one whose learning rate is known.
        l1: strength, at least 0.
        exclude_vectors: leave biases and scales, weights with less than two axes, alone.

    Example:
        >>> from chainrule.optimizers import SGD
        >>> Proximal(SGD(1.0), l1=0.5).update_weights([0.25, -2.0], [0.0, 0.0]).tolist()
        [0.0, -1.5]

    References:
        Daubechies, Defrise and De Mol, "An iterative thresholding algorithm for linear inverse problems", 2004.
    """

    optimizer: Optimizer
    l1: float = 0.01
    exclude_vectors: bool = False

    def __post_init__(self) -> None:
        _check_optimizer(self.optimizer, self)
        check_number("l1", self.l1, self, at_least=0)
        if self.optimizer.rate(0) is None:
            raise ArgumentError(
                "Proximal: the optimizer's learning rate must be known; received an Optax transformation, which hides "
                "it. Use an optimizer of chainrule.optimizers."
            )

    def init(self, params: Weights) -> Tree:
        """The optimizer's own state."""
        return self.optimizer.init(params)

    def update(
        self, grads: Weights, state: Tree, params: Weights, *, step: Scalar, rate_scale: Scalar = 1.0
    ) -> tuple[Weights, Tree]:
        """The optimizer's update, followed by the soft threshold."""
        increments, state = self.optimizer.update(grads, state, params, step=step, rate_scale=rate_scale)
        rate = self.rate(step)
        threshold = scaled(0.0 if rate is None else rate, rate_scale)

        def shrink(param: Array, increment: Array) -> Array:
            if self.exclude_vectors and param.ndim < 2:
                return increment
            moved = param + increment
            size = jnp.maximum(jnp.abs(moved) - as_dtype(threshold, param.dtype) * self.l1, 0)
            return jnp.sign(moved) * size - param

        return jax.tree.map(shrink, params, increments), state

    def rate(self, step: Scalar) -> Scalar | None:
        """The optimizer's own rate."""
        return self.optimizer.rate(step)


def _clip_entries(grads: Weights, limit: float) -> Weights:
    return jax.tree.map(lambda grad: jnp.clip(grad, -limit, limit), grads)


def _factor(grads: Weights, limit: float) -> Array:
    """What brings the norm of ``grads`` down to ``limit``; exactly 1 where it is not above."""
    return limit / jnp.maximum(global_norm(grads), limit)


def _zeros(param: Array) -> Array:
    return jnp.zeros_like(widen(param))


def _with_own(inner: Tree, **own: Weights) -> Tree:
    """The wrapper's state; an optimizer without memory leaves no entry."""
    return {"optimizer": inner, **own} if inner else own


def _check_optimizer(optimizer: object, owner: object) -> None:
    if not isinstance(optimizer, Optimizer):
        raise ArgumentTypeError(
            f"{type(owner).__name__}: optimizer must be an optimizer object; received {describe(optimizer)}. "
            "Type SGD(0.01), or optimizers.get(...) for names and Optax transformations."
        )
