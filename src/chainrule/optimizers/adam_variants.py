"""Adamax and Nadam: Adam with another norm, and Adam that looks one step ahead."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule._base.checks import check_number
from chainrule._base.spec import Array
from chainrule.optimizers.adam import check_betas, moments
from chainrule.optimizers.base import LeafOptimizer, Scalar, Schedule, Slots, bias_correction, register


@register("adamax")
@dataclass(frozen=True)
class Adamax(LeafOptimizer):
    """Adam by the largest gradient: ``u <- max(β₂·u, |g|)``, ``w <- w - rate · m̂ / (u + ε)``.

    The paper has no ``ε``; here it is added to ``u``, so that a weight which never had a gradient stays. Optax and
    PyTorch add it to ``|g|``.

    Args:
        learning_rate: a number, or a schedule.
        beta_1: decay of the mean of the gradient, in ``[0, 1)``.
        beta_2: decay of the largest gradient, in ``[0, 1)``.
        epsilon: added to ``u``; above 0.

    Example:
        >>> optimizer, weights = Adamax(0.5), jnp.array([1.0])
        >>> increments, _ = optimizer.update(jnp.array([3.0]), optimizer.init(weights), weights, step=0)
        >>> round(float(increments[0]), 5)
        -0.5

    References:
        Kingma and Ba, "Adam: a method for stochastic optimization", 2014, https://arxiv.org/abs/1412.6980, algorithm 2.
    """

    learning_rate: float | Schedule = 0.002
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_betas(self, self.beta_1, self.beta_2)
        check_number("epsilon", self.epsilon, self, above=0)

    def slots(self, param: Array) -> Slots:
        """The mean ``m`` and the largest gradient ``u``."""
        return {"m": jnp.zeros_like(param), "u": jnp.zeros_like(param)}

    def step_leaf(self, grad: Array, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> tuple[Array, Slots]:
        """One step of one weight."""
        kept = {
            "m": self.beta_1 * slots["m"] + (1 - self.beta_1) * grad,
            "u": jnp.maximum(self.beta_2 * slots["u"], jnp.abs(grad)),
        }
        mean = kept["m"] / bias_correction(self.beta_1, step, grad.dtype)
        return -self.rate_leaf(param, kept, step, rate) * mean, kept

    def rate_leaf(self, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> Array:  # noqa: ARG002
        """``rate / (u + ε)``, the factor of ``m̂``."""
        return rate / (slots["u"] + self.epsilon)


@register("nadam")
@dataclass(frozen=True)
class Nadam(LeafOptimizer):
    """Adam with Nesterov's look ahead: ``w <- w - rate · (β₁·m / (1-β₁ᵗ⁺¹) + (1-β₁)·g / (1-β₁ᵗ)) / (√v̂ + ε)``.

    With a constant ``β₁``, as in Optax; Keras and PyTorch let it rise slowly with the step.

    Args:
        learning_rate: a number, or a schedule.
        beta_1: see :class:`~chainrule.optimizers.Adam`.
        beta_2: see :class:`~chainrule.optimizers.Adam`.
        epsilon: see :class:`~chainrule.optimizers.Adam`.

    Example:
        >>> optimizer, weights = Nadam(0.1, beta_1=0.0), jnp.array([1.0])
        >>> increments, _ = optimizer.update(jnp.array([3.0]), optimizer.init(weights), weights, step=0)
        >>> round(float(increments[0]), 5)
        -0.1

    References:
        Dozat, "Incorporating Nesterov momentum into Adam", 2016, algorithm 2.
    """

    learning_rate: float | Schedule = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_betas(self, self.beta_1, self.beta_2)
        check_number("epsilon", self.epsilon, self, at_least=0)

    def slots(self, param: Array) -> Slots:
        """The means ``m`` and ``v``."""
        return {"m": jnp.zeros_like(param), "v": jnp.zeros_like(param)}

    def step_leaf(self, grad: Array, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> tuple[Array, Slots]:
        """One step of one weight."""
        kept = moments(grad, slots, self.beta_1, self.beta_2)
        ahead = kept["m"] * (self.beta_1 / bias_correction(self.beta_1, step + 1, grad.dtype))
        ahead = ahead + grad * ((1 - self.beta_1) / bias_correction(self.beta_1, step, grad.dtype))
        return -self.rate_leaf(param, kept, step, rate) * ahead, kept

    def rate_leaf(self, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> Array:
        """``rate / (√v̂ + ε)``."""
        return rate / (jnp.sqrt(slots["v"] / bias_correction(self.beta_2, step, param.dtype)) + self.epsilon)
