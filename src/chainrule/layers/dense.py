"""Dense: the fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule._base.checks import check_positive_int
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, Weight
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._declare import (
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    along,
    check_rank,
    check_size,
    kernel_and_bias,
    known_size,
)
from chainrule.ops import activations
from chainrule.ops.activations import Activation
from chainrule.ops.linear import kernel_product


@register_class
@dataclass(frozen=True, eq=False)
class Dense(Layer):
    """Affine map of the last axis, ``y = activation(x @ kernel + bias)``: a fully connected layer.

    Each of the ``units`` outputs is a neuron: a weighted sum of all inputs, plus a bias, through an activation.
    On n inputs it has ``units · n`` weights and ``units`` biases. ``pre_activation`` gives ``z = x @ kernel + bias``.

    Args:
        units: number of outputs.
        activation: name, function or object; ``"linear"`` for none.
        use_bias: whether ``bias`` is added; without it all-zero inputs always give ``activation(0)``.
        kernel_initializer: starting values of ``kernel``.
        bias_initializer: starting values of ``bias``.
        kernel_regularizer: penalty on ``kernel``, added to the loss in training.
        bias_regularizer: penalty on ``bias``.
        kernel_constraint: projection of ``kernel`` after every update.
        bias_constraint: projection of ``bias`` after every update.
        name: name in the model; weights are saved under it.

    Shapes:
        x: [batch, ..., in] -> [batch, ..., units]; kernel: [in, units]; bias: [units].

    Raises:
        ShapeError: the input has no feature axis, or another number of features than when it was built.

    Example:
        >>> import jax.numpy as jnp
        >>> from chainrule.core import Input
        >>> from chainrule.layers import Dense
        >>> Dense(2)(Input(13)).shape
        (b, 2)
        >>> weights = {"kernel": jnp.array([[1.0, 3.0], [2.0, 4.0]]), "bias": jnp.array([7.0, 8.0])}
        >>> Dense(2).call(weights, jnp.array([[5.0, 6.0]])).tolist()
        [[24.0, 47.0]]
    """

    units: int
    activation: str | Activation | None = "linear"
    use_bias: bool = True
    kernel_initializer: InitializerLike = "glorot_uniform"
    bias_initializer: InitializerLike = "zeros"
    kernel_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    kernel_constraint: ConstraintLike = None
    bias_constraint: ConstraintLike = None
    name: str | None = None

    def __post_init__(self) -> None:
        check_positive_int("units", self.units, self)
        activations.get(self.activation)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """``kernel`` and, with ``use_bias``, ``bias``."""
        check_rank(x, 2, self)
        return kernel_and_bias(self, (known_size(x, -1, self), self.units), ("in", "out"))

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """``activation(x @ kernel + bias)``."""
        check_size(x, -1, params["kernel"].shape[0], self)
        y = kernel_product(x, params["kernel"])  # [..., in] @ [in, units] -> [..., units]
        if self.use_bias:
            y = y + along(params["bias"], (y.ndim - 1,), y.ndim)
        return activations.get(self.activation)(y)
