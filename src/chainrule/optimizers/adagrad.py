"""Adagrad: every weight's rate shrinks with the gradients it has seen."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule._base.checks import check_number
from chainrule._base.spec import Array
from chainrule.optimizers.base import LeafOptimizer, Scalar, Schedule, Slots, register


@register("adagrad")
@dataclass(frozen=True)
class Adagrad(LeafOptimizer):
    """``G <- G + g²``, ``w <- w - rate · g / (√G + ε)``: large gradients shrink the rate faster.

    Suits sparse inputs, whose rare weights keep a large rate. The rate never grows again.

    As in PyTorch, ``G`` begins at 0 and ``ε`` stands outside of the root; Keras and Optax begin at 0.1 with ``ε``
    inside.

    Args:
        learning_rate: a number, or a schedule.
        initial_accumulator_value: ``G`` before the first step, at least 0.
        epsilon: added to the root; at least 0.

    Example:
        >>> optimizer, weights = Adagrad(0.1), jnp.array([1.0, 1.0])
        >>> increments, _ = optimizer.update(jnp.array([3.0, -5.0]), optimizer.init(weights), weights, step=0)
        >>> [round(float(x), 5) for x in increments]
        [-0.1, 0.1]

    References:
        Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011.
    """

    learning_rate: float | Schedule = 0.01
    initial_accumulator_value: float = 0.0
    epsilon: float = 1e-10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("initial_accumulator_value", self.initial_accumulator_value, self, at_least=0)
        check_number("epsilon", self.epsilon, self, at_least=0)

    def slots(self, param: Array) -> Slots:
        """The sum of squares ``accumulator``."""
        return {"accumulator": jnp.full_like(param, self.initial_accumulator_value)}

    def step_leaf(self, grad: Array, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> tuple[Array, Slots]:
        """One step of one weight."""
        kept = {"accumulator": slots["accumulator"] + jnp.square(grad)}
        return -self.rate_leaf(param, kept, step, rate) * grad, kept

    def rate_leaf(self, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> Array:  # noqa: ARG002
        """``rate / (√G + ε)``."""
        return rate / (jnp.sqrt(slots["accumulator"]) + self.epsilon)
