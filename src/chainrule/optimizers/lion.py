"""Lion: steps of one length, from the sign of a mixed momentum."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule._base.checks import check_number
from chainrule._base.spec import Array
from chainrule.optimizers.adam import check_betas
from chainrule.optimizers.base import LeafOptimizer, Scalar, Schedule, Slots, register


@register("lion")
@dataclass(frozen=True)
class Lion(LeafOptimizer):
    """``w <- w - rate · (sign(β₁·m + (1-β₁)·g) + λ·w)``, then ``m <- β₂·m + (1-β₂)·g``.

    Half of Adam's memory. Every entry moves by ``rate``, so rates are 3 to 10 times smaller than Adam's and decays as
    much larger. The decay is decoupled and applies to every weight.

    Args:
        learning_rate: a number, or a schedule.
        weight_decay: ``λ``, at least 0.
        beta_1: mixing of the step, in ``[0, 1)``.
        beta_2: decay of the momentum, in ``[0, 1)``.

    Example:
        >>> optimizer, weights = Lion(0.5), jnp.array([1.0, 1.0])
        >>> increments, _ = optimizer.update(jnp.array([3.0, -0.1]), optimizer.init(weights), weights, step=0)
        >>> increments.tolist()
        [-0.5, 0.5]

    References:
        Chen et al., "Symbolic discovery of optimization algorithms", 2023, https://arxiv.org/abs/2302.06675.
    """

    learning_rate: float | Schedule = 0.0001
    weight_decay: float = 0.0
    beta_1: float = 0.9
    beta_2: float = 0.99

    def __post_init__(self) -> None:
        super().__post_init__()
        check_betas(self, self.beta_1, self.beta_2)
        check_number("weight_decay", self.weight_decay, self, at_least=0)

    def slots(self, param: Array) -> Slots:
        """The momentum ``m``."""
        return {"m": jnp.zeros_like(param)}

    def step_leaf(
        self,
        grad: Array,
        param: Array,
        slots: Slots,
        step: Scalar,  # noqa: ARG002 - the rule is the same at every step
        rate: Scalar,
    ) -> tuple[Array, Slots]:
        """One step of one weight."""
        direction = jnp.sign(self.beta_1 * slots["m"] + (1 - self.beta_1) * grad) + self.weight_decay * param
        return -rate * direction, {"m": self.beta_2 * slots["m"] + (1 - self.beta_2) * grad}
