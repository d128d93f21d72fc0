"""Normalisation layers: batch, layer, group, RMS and unit length."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule import initializers
from chainrule._base.checks import check_number, check_positive_int, owner_name
from chainrule._base.errors import ShapeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, Weight, shape_text
from chainrule._base.tree import Tree
from chainrule.core import Context, Layer, Variables
from chainrule.layers._declare import (
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    along,
    check_rank,
    check_size,
    declare,
    known_size,
    positive_axes,
)
from chainrule.layers._window import ActivationLike, split_activation
from chainrule.ops import activations
from chainrule.ops import normalization as ops
from chainrule.ops.normalization_batch import batch_standardize

Axis = int | tuple[int, ...]


@register_class
@dataclass(frozen=True, eq=False)
class BatchNormalization(Layer):
    """Standardise every channel over the batch, then scale and shift: ``γ (x − μ) / √(σ² + ε) + β``.

    In training μ and σ² are those of the batch, and the running statistics move towards them,
    ``moving ← momentum · moving + (1 − momentum) · batch``; in inference the running statistics are used. Rows of
    weight 0 (the padding of a short last batch) are left out of the statistics. σ² is the biased variance (divided
    by n), also in the running variance, as in Keras; PyTorch's running variance divides by n − 1, and its momentum
    is ours subtracted from 1. A frozen layer runs as in inference.

    Args:
        axis: the channel axis.
        momentum: how much of the old running statistics is kept at each step.
        epsilon: added to the variance; 1e-3 as in Keras (PyTorch: 1e-5).
        center: whether ``beta`` is added.
        scale: whether ``gamma`` multiplies; needless before an affine layer.
        beta_initializer: starting values of ``beta``.
        gamma_initializer: starting values of ``gamma``.
        beta_regularizer: penalty on ``beta``.
        gamma_regularizer: penalty on ``gamma``.
        beta_constraint: projection of ``beta``.
        gamma_constraint: projection of ``gamma``.
        activation: name, function or object, applied to the result; ``"linear"`` for none. ReLU is applied in the same
            pass. Keras has it as a layer of its own.
        name: name in the model.

    Shapes:
        x: [batch, ..., channels] -> the same; gamma, beta, moving_mean, moving_variance: [channels].

    References:
        Ioffe, Szegedy, "Batch Normalization", 2015, https://arxiv.org/abs/1502.03167, algorithms 1 and 2.

    Example:
        >>> from chainrule.core import Input
        >>> layer = BatchNormalization()
        >>> layer(Input(3)).shape, sorted(layer.weights(Input(3).spec))
        ((b, 3), ['beta', 'gamma', 'moving_mean', 'moving_variance'])
    """

    axis: int = -1
    momentum: float = 0.99
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: InitializerLike = "zeros"
    gamma_initializer: InitializerLike = "ones"
    beta_regularizer: RegularizerLike = None
    gamma_regularizer: RegularizerLike = None
    beta_constraint: ConstraintLike = None
    gamma_constraint: ConstraintLike = None
    activation: ActivationLike = "linear"
    name: str | None = None

    def __post_init__(self) -> None:
        activations.get(self.activation)
        check_number("momentum", self.momentum, self, at_least=0, at_most=1)
        check_number("epsilon", self.epsilon, self, above=0)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """``gamma`` and ``beta``, and the running statistics as state."""
        (axis,) = positive_axes(self.axis, x, self)
        shape = (known_size(x, axis, self),)
        wanted = {}
        if self.scale:
            wanted["gamma"] = declare(shape, self.gamma_initializer, self.gamma_regularizer, self.gamma_constraint)
        if self.center:
            wanted["beta"] = declare(shape, self.beta_initializer, self.beta_regularizer, self.beta_constraint)
        # float32 whatever the model's precision: a step of 1 % is about what rounding to bfloat16 loses.
        for statistic, start in (("moving_mean", "zeros"), ("moving_variance", "ones")):
            wanted[statistic] = Weight(shape, initializers.get(start), jnp.float32, kind="state")
        return wanted

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Array, Tree]:
        """Standardise with the batch's statistics in training, with the running ones in inference."""
        (x,) = inputs
        (axis,) = positive_axes(self.axis, x, self)
        params, state = variables
        check_size(x, axis, state["moving_mean"].shape[0], self)
        gamma, beta = (_at(params.get(name), (axis,), x) for name in ("gamma", "beta"))
        if context.training:
            fused, rest = split_activation(self.activation)
            axes = tuple(i for i in range(x.ndim) if i != axis)
            rows = _real_rows(context, x.ndim)
            y, mean, variance = batch_standardize(
                x, gamma, beta, axes=axes, epsilon=self.epsilon, mask=rows, activation=fused
            )
            return rest(y), {
                "moving_mean": self._moved(state["moving_mean"], mean),
                "moving_variance": self._moved(state["moving_variance"], variance),
            }
        mean, variance = (along(state[name], (axis,), x.ndim) for name in ("moving_mean", "moving_variance"))
        y = ops.scale_and_shift(ops.standardize(x, mean, variance, self.epsilon), gamma, beta)
        return activations.get(self.activation)(y), state

    def _moved(self, old: Array, batch: Array) -> Array:
        new = batch.reshape(old.shape).astype(old.dtype)
        return self.momentum * old + (1 - self.momentum) * new


@register_class
@dataclass(frozen=True, eq=False)
class LayerNormalization(Layer):
    """Standardise each example over its own features, then scale and shift: ``γ (x − μ) / √(σ² + ε) + β``.

    The same in training and inference, and independent of the batch.

    Args:
        axis: the axis or axes to average over, which also carry ``gamma`` and ``beta``.
        epsilon: added to the variance; 1e-3 as in Keras (PyTorch: 1e-5).
        center: whether ``beta`` is added.
        scale: whether ``gamma`` multiplies.
        beta_initializer: starting values of ``beta``.
        gamma_initializer: starting values of ``gamma``.
        name: name in the model.

    References:
        Ba, Kiros, Hinton, "Layer Normalization", 2016, https://arxiv.org/abs/1607.06450, eq. 3.

    Example:
        >>> import jax.numpy as jnp
        >>> plain = LayerNormalization(center=False, scale=False, epsilon=1e-9)
        >>> [round(v, 4) for v in plain.call({}, jnp.array([[1.0, 3.0]]))[0].tolist()]
        [-1.0, 1.0]
    """

    axis: Axis = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: InitializerLike = "zeros"
    gamma_initializer: InitializerLike = "ones"
    name: str | None = None

    def __post_init__(self) -> None:
        check_number("epsilon", self.epsilon, self, above=0)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """``gamma`` and ``beta``, of the shape of the axes averaged over."""
        shape = tuple(known_size(x, axis, self) for axis in positive_axes(self.axis, x, self))
        wanted = {"gamma": declare(shape, self.gamma_initializer)} if self.scale else {}
        return wanted | ({"beta": declare(shape, self.beta_initializer)} if self.center else {})

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """Standardised over ``axis``, scaled and shifted."""
        axes = positive_axes(self.axis, x, self)
        mean, variance = ops.moments(x, axes)
        gamma, beta = (_at(params.get(name), axes, x) for name in ("gamma", "beta"))
        return ops.scale_and_shift(ops.standardize(x, mean, variance, self.epsilon), gamma, beta)


@register_class
@dataclass(frozen=True, eq=False)
class GroupNormalization(Layer):
    """Standardise each example over all positions and the channels of each group, then scale and shift.

    One group is layer normalisation over all but the batch; as many groups as channels is instance normalisation.

    Args:
        groups: number of groups; must divide the number of channels.
        epsilon: added to the variance; 1e-3 as in Keras (PyTorch: 1e-5).
        center: whether ``beta`` is added.
        scale: whether ``gamma`` multiplies.
        beta_initializer: starting values of ``beta``.
        gamma_initializer: starting values of ``gamma``.
        name: name in the model.

    Shapes:
        x: [batch, ..., channels] -> the same; gamma, beta: [channels].

    References:
        Wu, He, "Group Normalization", 2018, https://arxiv.org/abs/1803.08494, eq. 7.

    Example:
        >>> from chainrule.core import Input
        >>> GroupNormalization(2)(Input((4, 4, 6))).shape
        (b, 4, 4, 6)
    """

    groups: int = 32
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: InitializerLike = "zeros"
    gamma_initializer: InitializerLike = "ones"
    name: str | None = None

    def __post_init__(self) -> None:
        check_positive_int("groups", self.groups, self)
        check_number("epsilon", self.epsilon, self, above=0)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """``gamma`` and ``beta``, one number a channel."""
        check_rank(x, 2, self)
        shape = (known_size(x, -1, self),)
        if shape[0] % self.groups:
            raise ShapeError(
                f"{owner_name(self)}: the number of channels must be a multiple of groups={self.groups}; received "
                f"shape {shape_text(x)}. Choose groups among the divisors of {shape[0]}."
            )
        wanted = {"gamma": declare(shape, self.gamma_initializer)} if self.scale else {}
        return wanted | ({"beta": declare(shape, self.beta_initializer)} if self.center else {})

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """Standardised over positions and groups, scaled and shifted."""
        gamma, beta = (_at(params.get(name), (x.ndim - 1,), x) for name in ("gamma", "beta"))
        return ops.scale_and_shift(ops.group_standardize(x, self.groups, self.epsilon), gamma, beta)


@register_class
@dataclass(frozen=True, eq=False)
class RMSNormalization(Layer):
    """Divide by the root mean square, ``scale · x / √(mean(x²) + ε)``: layer normalisation without the mean.

    Args:
        axis: the axis or axes to average over, which also carry ``scale``.
        epsilon: added to the mean square; 1e-6 as in Keras.
        name: name in the model.

    References:
        Zhang, Sennrich, "Root Mean Square Layer Normalization", 2019, https://arxiv.org/abs/1910.07467, eq. 4.

    Example:
        >>> import jax.numpy as jnp
        >>> RMSNormalization(epsilon=1e-9).call({"scale": jnp.ones(2)}, jnp.array([[3.0, -3.0]])).tolist()
        [[1.0, -1.0]]
    """

    axis: Axis = -1
    epsilon: float = 1e-6
    name: str | None = None

    def __post_init__(self) -> None:
        check_number("epsilon", self.epsilon, self, above=0)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """``scale``, of the shape of the axes averaged over."""
        shape = tuple(known_size(x, axis, self) for axis in positive_axes(self.axis, x, self))
        return {"scale": declare(shape, "ones")}

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """Divided by the root mean square, and scaled."""
        axes = positive_axes(self.axis, x, self)
        return ops.rms_standardize(x, axes, self.epsilon) * along(params["scale"], axes, x.ndim)


@register_class
@dataclass(frozen=True, eq=False)
class UnitNormalization(Layer):
    """Divide by the Euclidean norm, ``x / ‖x‖₂``, so that every vector has length 1; zeros stay zeros.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in UnitNormalization().call({}, jnp.array([[3.0, 4.0]]))[0].tolist()]
        [0.6, 0.8]
    """

    axis: Axis = -1
    name: str | None = None

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """Vectors of length 1 along ``axis``."""
        return ops.unit_length(x, positive_axes(self.axis, x, self))


def _at(vector: Array | None, axes: tuple[int, ...], x: Array) -> Array | None:
    return None if vector is None else along(vector, axes, x.ndim)


def _real_rows(context: Context, rank: int) -> Array | None:
    if context.weight is None:
        return None
    return along(context.weight > 0, (0,), rank)
