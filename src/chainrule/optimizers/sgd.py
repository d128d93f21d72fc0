"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule._base.checks import check_number
from chainrule._base.errors import ArgumentError
from chainrule._base.spec import Array
from chainrule.optimizers.base import LeafOptimizer, Scalar, Schedule, Slots, register


@register("sgd", "gradient_descent")
@dataclass(frozen=True)
class SGD(LeafOptimizer):
    """``w <- w - rate · g``; with momentum ``μ``: ``a <- μ·a + g``, ``w <- w - rate · a``.

    Nesterov's form looks one step ahead: ``w <- w - rate · (g + μ·a)`` with the new ``a``. The accumulator holds
    gradients, as in PyTorch and Optax; Keras's holds steps (``a <- μ·a - rate·g``), which is the same as long as the
    rate stays, and keeps old rates in it when the rate changes.

    On a quadratic whose largest curvature is ``L``, plain descent diverges for every rate above ``2 / L``.

    Args:
        learning_rate: a number, or a schedule.
        momentum: ``μ`` in ``[0, 1)``; 0 keeps no accumulator.
        nesterov: look ahead; needs momentum.
        weight_decay: ``λ``; adds ``λ·w`` to the gradient before the momentum, as in PyTorch. It equals the penalty
            ``λ/2 · Σ w²`` (Keras decays apart from the gradient).

    Example:
        >>> SGD(0.5).update_weights([1.0, 2.0], [2.0, -2.0]).tolist()
        [0.0, 3.0]

    References:
        Qian, "On the momentum term in gradient descent learning algorithms", 1999.
        Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
    """

    learning_rate: float | Schedule = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("momentum", self.momentum, self, at_least=0, below=1)
        check_number("weight_decay", self.weight_decay, self, at_least=0)
        if self.nesterov and self.momentum == 0:
            raise ArgumentError("SGD: nesterov needs a momentum above 0; received 0. Type SGD(momentum=0.9, ...).")

    def slots(self, param: Array) -> Slots:
        """The accumulator ``momentum``, if there is momentum."""
        return {"momentum": jnp.zeros_like(param)} if self.momentum else {}

    def step_leaf(
        self,
        grad: Array,
        param: Array,
        slots: Slots,
        step: Scalar,  # noqa: ARG002 - the rule is the same at every step
        rate: Scalar,
    ) -> tuple[Array, Slots]:
        """One step of one weight."""
        if self.weight_decay:
            grad = grad + self.weight_decay * param
        if not self.momentum:
            return -rate * grad, {}
        momentum = self.momentum * slots["momentum"] + grad
        direction = grad + self.momentum * momentum if self.nesterov else momentum
        return -rate * direction, {"momentum": momentum}
