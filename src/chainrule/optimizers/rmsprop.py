"""RMSProp: gradients divided by their running root mean square."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule._base.checks import check_number
from chainrule._base.spec import Array
from chainrule.optimizers.base import LeafOptimizer, Scalar, Schedule, Slots, register


@register("rmsprop", "rms_prop")
@dataclass(frozen=True)
class RMSProp(LeafOptimizer):
    """``v <- ρ·v + (1-ρ)·g²``, ``w <- w - rate · g / (√v + ε)``.

    ``v`` begins at 0 and is not corrected, so the first step is ``rate / √(1-ρ)``, 3.2 rates long.

    With momentum ``μ``: ``a <- μ·a + g / (√v + ε)``, ``w <- w - rate · a``. Centred, ``v`` is replaced by the running
    variance ``v - m²``, with ``m`` the running mean of the gradient.

    ``ε`` stands outside of the root, as in PyTorch (where ``ρ`` is 0.99) and in Adam; Keras (1e-7) and Optax have it
    inside. Keras's momentum accumulates whole steps, rate included.

    Args:
        learning_rate: a number, or a schedule.
        rho: decay ``ρ`` of the mean square, in ``[0, 1)``.
        momentum: ``μ`` in ``[0, 1)``; 0 keeps no accumulator.
        epsilon: added to the root; at least 0.
        centered: divide by the standard deviation instead.

    Example:
        >>> optimizer, weights = RMSProp(0.1, rho=0.75), jnp.array([1.0])
        >>> increments, _ = optimizer.update(jnp.array([7.0]), optimizer.init(weights), weights, step=0)
        >>> round(float(increments[0]), 5)
        -0.2

    References:
        Tieleman and Hinton, "Lecture 6.5, RMSProp", Neural Networks for Machine Learning, 2012.
        Graves, "Generating sequences with recurrent neural networks", 2013, https://arxiv.org/abs/1308.0850, eq. 38-45
        (the centred form, with momentum).
    """

    learning_rate: float | Schedule = 0.001
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-8
    centered: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("rho", self.rho, self, at_least=0, below=1)
        check_number("momentum", self.momentum, self, at_least=0, below=1)
        check_number("epsilon", self.epsilon, self, at_least=0)

    def slots(self, param: Array) -> Slots:
        """The mean square ``v``; ``m`` if centred; the accumulator ``momentum``."""
        names = ["v", *(["m"] if self.centered else []), *(["momentum"] if self.momentum else [])]
        return {name: jnp.zeros_like(param) for name in names}

    def step_leaf(self, grad: Array, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> tuple[Array, Slots]:
        """One step of one weight."""
        kept = {"v": self.rho * slots["v"] + (1 - self.rho) * jnp.square(grad)}
        if self.centered:
            kept["m"] = self.rho * slots["m"] + (1 - self.rho) * grad
        if not self.momentum:
            return -self.rate_leaf(param, kept, step, rate) * grad, kept
        kept["momentum"] = self.momentum * slots["momentum"] + grad / self._root(kept)
        return -rate * kept["momentum"], kept

    def rate_leaf(self, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> Array:  # noqa: ARG002
        """``rate / (√v + ε)``."""
        return rate / self._root(slots)

    def _root(self, slots: Slots) -> Array:
        second = slots["v"]
        if self.centered:
            second = jnp.maximum(second - jnp.square(slots["m"]), 0)  # rounding may leave a variance below 0
        return jnp.sqrt(second) + self.epsilon
