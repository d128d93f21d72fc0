"""Adadelta: step sizes from the sizes of past steps."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule._base.checks import check_number
from chainrule._base.spec import Array
from chainrule.optimizers.base import LeafOptimizer, Scalar, Schedule, Slots, register


@register("adadelta")
@dataclass(frozen=True)
class Adadelta(LeafOptimizer):
    """``Δ = -√(d + ε) / √(v + ε) · g``, ``w <- w + rate · Δ``: a ratio of root mean squares, free of units.

    ``v <- ρ·v + (1-ρ)·g²`` before, ``d <- ρ·d + (1-ρ)·Δ²`` after the step. Both begin at 0, so the first steps are
    about ``√ε`` long and grow from there; ``ε`` decides how fast.

    Args:
        learning_rate: a number, or a schedule. The paper has none, so 1 is the paper. (Keras's default is 0.001,
            with which hardly anything moves.)
        rho: decay ``ρ``, in ``[0, 1)``.
        epsilon: added to both mean squares; above 0.

    Example:
        >>> optimizer, weights = Adadelta(rho=0.75, epsilon=1e-4), jnp.array([1.0])
        >>> increments, _ = optimizer.update(jnp.array([2.0]), optimizer.init(weights), weights, step=0)
        >>> round(float(increments[0]), 5)
        -0.02

    References:
        Zeiler, "ADADELTA: an adaptive learning rate method", 2012, https://arxiv.org/abs/1212.5701, algorithm 1.
    """

    learning_rate: float | Schedule = 1.0
    rho: float = 0.95
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("rho", self.rho, self, at_least=0, below=1)
        check_number("epsilon", self.epsilon, self, above=0)

    def slots(self, param: Array) -> Slots:
        """The mean squares ``v`` of gradients and ``d`` of steps."""
        return {"v": jnp.zeros_like(param), "d": jnp.zeros_like(param)}

    def step_leaf(self, grad: Array, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> tuple[Array, Slots]:
        """One step of one weight."""
        v = self.rho * slots["v"] + (1 - self.rho) * jnp.square(grad)
        size = self.rate_leaf(param, {"v": v, "d": slots["d"]}, step, 1.0)
        d = self.rho * slots["d"] + (1 - self.rho) * jnp.square(size * grad)
        return -rate * size * grad, {"v": v, "d": d}

    def rate_leaf(self, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> Array:  # noqa: ARG002
        """``rate · √(d + ε) / √(v + ε)``."""
        return rate * jnp.sqrt((slots["d"] + self.epsilon) / (slots["v"] + self.epsilon))
