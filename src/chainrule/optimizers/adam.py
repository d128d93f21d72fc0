"""Adam and its form with decoupled weight decay, AdamW."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule._base.checks import check_number
from chainrule._base.spec import Array
from chainrule.optimizers.base import LeafOptimizer, Scalar, Schedule, Slots, bias_correction, register


@register("adam")
@dataclass(frozen=True)
class Adam(LeafOptimizer):
    """``w <- w - rate · m̂ / (√v̂ + ε)``: momentum, divided by the gradient's running size.

    ``m <- β₁·m + (1-β₁)·g``, ``v <- β₂·v + (1-β₂)·g²``; both begin at 0, hence the corrections
    ``m̂ = m / (1-β₁ᵗ)``, ``v̂ = v / (1-β₂ᵗ)``. The first step is ``rate · sign(g)`` for every weight whose gradient
    is well above ``ε``.

    This is the paper's Algorithm 1, as in PyTorch and Optax. Keras (and TensorFlow) put ``ε`` where the paper's
    shorter form has ``ε̂``, outside of the correction, with 1e-7.

    Args:
        learning_rate: a number, or a schedule.
        beta_1: decay of the mean of the gradient, in ``[0, 1)``.
        beta_2: decay of the mean of its square, in ``[0, 1)``.
        epsilon: added to the root; at least 0.
        amsgrad: divide by the largest ``v`` so far (slot ``v_max``), bias-corrected like ``v`` as in PyTorch.

    Example:
        >>> optimizer, weights = Adam(0.1), jnp.array([1.0, 1.0])
        >>> state = optimizer.init(weights)
        >>> increments, state = optimizer.update(jnp.array([3.0, -0.01]), state, weights, step=0)
        >>> [round(float(x), 5) for x in increments]
        [-0.1, 0.1]

    References:
        Kingma and Ba, "Adam: a method for stochastic optimization", 2014, https://arxiv.org/abs/1412.6980.
        Reddi et al., "On the convergence of Adam and beyond", 2018, https://arxiv.org/abs/1904.09237 (AMSGrad).
    """

    learning_rate: float | Schedule = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    amsgrad: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_betas(self, self.beta_1, self.beta_2)
        check_number("epsilon", self.epsilon, self, at_least=0)

    def slots(self, param: Array) -> Slots:
        """The means ``m`` and ``v``, and ``v_max`` for AMSGrad."""
        names = ("m", "v", "v_max") if self.amsgrad else ("m", "v")
        return {name: jnp.zeros_like(param) for name in names}

    def step_leaf(self, grad: Array, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> tuple[Array, Slots]:
        """One step of one weight."""
        kept = moments(grad, slots, self.beta_1, self.beta_2)
        if self.amsgrad:
            kept["v_max"] = jnp.maximum(slots["v_max"], kept["v"])
        mean = kept["m"] / bias_correction(self.beta_1, step, grad.dtype)
        return -self.rate_leaf(param, kept, step, rate) * mean, kept

    def rate_leaf(self, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> Array:
        """``rate / (√v̂ + ε)``, the factor of ``m̂``."""
        second = slots["v_max"] if self.amsgrad else slots["v"]
        return rate / (jnp.sqrt(second / bias_correction(self.beta_2, step, param.dtype)) + self.epsilon)


@register("adamw", "adam_w")
@dataclass(frozen=True)
class AdamW(LeafOptimizer):
    """:class:`Adam` with decoupled decay: ``w <- w - rate · (m̂ / (√v̂ + ε) + λ·w)``.

    An L2 penalty adds its gradient *before* Adam divides by ``√v̂``, so weights with large gradients are hardly
    decayed at all; decoupled decay draws every weight to 0 by the same share, ``rate · λ`` a step. For plain SGD the
    two are the same.

    Every weight is decayed, as in Optax, PyTorch and Keras, unless ``exclude_vectors`` is set. The decay is scaled by
    the learning rate, as there (in the paper it is scaled by the schedule only).

    Args:
        learning_rate: a number, or a schedule.
        weight_decay: ``λ``, at least 0. PyTorch's default is taken; Keras has 0.004, Optax 0.0001.
        beta_1: see :class:`Adam`.
        beta_2: see :class:`Adam`.
        epsilon: see :class:`Adam`.
        exclude_vectors: do not decay biases and the scales of normalisations: weights with less than two axes.

    Example:
        >>> optimizer, weights = AdamW(0.1, weight_decay=0.5), jnp.array([2.0])
        >>> increments, _ = optimizer.update(jnp.array([0.0]), optimizer.init(weights), weights, step=0)
        >>> round(float(increments[0]), 6)
        -0.1

    References:
        Loshchilov and Hutter, "Decoupled weight decay regularization", 2017, https://arxiv.org/abs/1711.05101.
    """

    learning_rate: float | Schedule = 0.001
    weight_decay: float = 0.01
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    exclude_vectors: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_betas(self, self.beta_1, self.beta_2)
        check_number("epsilon", self.epsilon, self, at_least=0)
        check_number("weight_decay", self.weight_decay, self, at_least=0)

    def slots(self, param: Array) -> Slots:
        """The means ``m`` and ``v``."""
        return {"m": jnp.zeros_like(param), "v": jnp.zeros_like(param)}

    def step_leaf(self, grad: Array, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> tuple[Array, Slots]:
        """One step of one weight."""
        kept = moments(grad, slots, self.beta_1, self.beta_2)
        mean = kept["m"] / bias_correction(self.beta_1, step, grad.dtype)
        increment = -self.rate_leaf(param, kept, step, rate) * mean
        if self.weight_decay and not (self.exclude_vectors and param.ndim < 2):
            increment = increment - rate * self.weight_decay * param
        return increment, kept

    def rate_leaf(self, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> Array:
        """``rate / (√v̂ + ε)``, the factor of ``m̂``."""
        return rate / (jnp.sqrt(slots["v"] / bias_correction(self.beta_2, step, param.dtype)) + self.epsilon)


def moments(grad: Array, slots: Slots, beta_1: float, beta_2: float) -> Slots:
    """The moving averages of the gradient and of its square, one step on."""
    return {
        "m": beta_1 * slots["m"] + (1 - beta_1) * grad,
        "v": beta_2 * slots["v"] + (1 - beta_2) * jnp.square(grad),
    }


def check_betas(owner: object, beta_1: float, beta_2: float) -> None:
    """Require both decays in ``[0, 1)``."""
    check_number("beta_1", beta_1, owner, at_least=0, below=1)
    check_number("beta_2", beta_2, owner, at_least=0, below=1)
