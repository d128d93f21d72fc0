"""Depthwise and depthwise separable convolution, in one and two dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from chainrule._base.checks import check_positive_int
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, Weight
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._declare import (
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    check_size,
    declare,
    known_size,
)
from chainrule.layers._window import (
    ActivationLike,
    Padding,
    Reach,
    Sizes,
    cells,
    check_axes,
    check_padding,
    check_room,
    check_sizes,
    per_axis,
    split_activation,
    window_reach,
)
from chainrule.ops import activations
from chainrule.ops.convolution import conv
from chainrule.ops.depthwise import depthwise_conv


@dataclass(frozen=True, eq=False)
class DepthwiseConv(Layer):
    """What the depthwise convolutions share; use :class:`DepthwiseConv1D` or :class:`DepthwiseConv2D`.

    Every channel has ``depth_multiplier`` filters of its own and no channel sees another:
    ``y[p, c·m + j] = activation(Σ_k x[s·p + d·k − pad, c] · kernel[k, c, j] + bias[c·m + j])``. It costs
    ``window · in · m`` multiplications a position where a convolution to as many channels costs ``in`` times that.

    Args:
        kernel_size: cells of the window; an integer, or one for each axis.
        strides: step of the window; unlike in Keras it may differ between the axes, and go with dilation.
        padding: ``"valid"``, ``"same"``, ``"causal"`` (one dimension), or cells, as in :class:`Conv2D`.
        depth_multiplier: ``m``, filters for each channel.
        dilation_rate: distance of the window's cells.
        activation: name, function or object; ``"linear"`` for none.
        use_bias: whether ``bias`` is added.
        depthwise_initializer: starting values of ``kernel``. Those that scale with a unit's inputs count
            ``window · in`` of them, as in Keras, though a filter has ``window``.
        bias_initializer: starting values of ``bias``.
        depthwise_regularizer: penalty on ``kernel``, added to the loss in training.
        bias_regularizer: penalty on ``bias``.
        depthwise_constraint: projection of ``kernel`` after every update.
        bias_constraint: projection of ``bias`` after every update.
        name: name in the model; weights are saved under it.

    Shapes:
        x: [batch, *space, in] -> [batch, *positions, in · m]; kernel: [*window, in, m]; bias: [in · m].

    Raises:
        ArgumentError: a size is not positive, or the padding is unknown.
        ShapeError: another number of axes or channels, or the window does not fit into the input.

    References:
        Howard et al., "MobileNets", 2017, https://arxiv.org/abs/1704.04861, section 3.1.
    """

    kernel_size: Sizes
    strides: Sizes = 1
    padding: Padding = "valid"
    depth_multiplier: int = 1
    dilation_rate: Sizes = 1
    activation: ActivationLike = "linear"
    use_bias: bool = True
    depthwise_initializer: InitializerLike = "glorot_uniform"
    bias_initializer: InitializerLike = "zeros"
    depthwise_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    depthwise_constraint: ConstraintLike = None
    bias_constraint: ConstraintLike = None
    name: str | None = None
    rank: ClassVar[int]

    def __post_init__(self) -> None:
        _check(self)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """``kernel`` and, with ``use_bias``, ``bias``."""
        kernel = _depthwise_kernel(self, x)
        wanted = {"kernel": kernel}
        if self.use_bias:
            size = (kernel.shape[-2] * kernel.shape[-1],)
            wanted["bias"] = declare(
                size, self.bias_initializer, self.bias_regularizer, self.bias_constraint, axes=("out",)
            )
        return wanted

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """Each channel's kernel slid over that channel, plus bias, through the activation."""
        y = _depthwise(self, params["kernel"], params["bias"] if self.use_bias else None, x)
        return activations.get(self.activation)(y)

    def reach(self, x: Spec) -> tuple[Reach, ...]:
        """What each output position sees of an input of known size."""
        return _reach(self, x)

    def multiply_adds(self, x: Spec) -> int:
        """Multiplications for an input of known size: every weight of the kernel once at each output position."""
        return _positions(self, x) * math.prod(self.weights(x)["kernel"].shape)


@register_class
@dataclass(frozen=True, eq=False)
class DepthwiseConv1D(DepthwiseConv):
    """Depthwise convolution along one axis; its arguments are those of :class:`DepthwiseConv`.

    Example:
        >>> from chainrule.core import Input
        >>> DepthwiseConv1D(3, padding="causal")(Input((10, 4))).shape
        (b, 10, 4)
    """

    rank: ClassVar[int] = 1


@register_class
@dataclass(frozen=True, eq=False)
class DepthwiseConv2D(DepthwiseConv):
    """Depthwise convolution over images; its arguments are those of :class:`DepthwiseConv`.

    Example:
        >>> from chainrule.core import Input
        >>> layer = DepthwiseConv2D(3, depth_multiplier=2)
        >>> layer(Input((8, 8, 5))).shape, layer.weights(Input((8, 8, 5)).spec)["kernel"].shape
        ((b, 6, 6, 10), (3, 3, 5, 2))
    """

    rank: ClassVar[int] = 2


@dataclass(frozen=True, eq=False)
class SeparableConv(Layer):
    """What the separable convolutions share; use :class:`SeparableConv1D` or :class:`SeparableConv2D`.

    A depthwise convolution followed by a pointwise one (kernel 1): first each channel by itself over space, then all
    channels at each position. Against a convolution of the same window it needs
    ``1/filters + 1/window`` of the multiplications: about a ninth for 3 × 3.

    Args:
        filters: number of output channels.
        kernel_size: cells of the window; an integer, or one for each axis.
        strides: step of the window.
        padding: ``"valid"``, ``"same"``, ``"causal"`` (one dimension), or cells, as in :class:`Conv2D`.
        dilation_rate: distance of the window's cells.
        depth_multiplier: filters for each channel in the depthwise half.
        activation: name, function or object, after both halves; ``"linear"`` for none.
        use_bias: whether ``bias`` is added at the end.
        depthwise_initializer: starting values of ``depthwise_kernel``.
        pointwise_initializer: starting values of ``pointwise_kernel``.
        bias_initializer: starting values of ``bias``.
        depthwise_regularizer: penalty on ``depthwise_kernel``, added to the loss in training.
        pointwise_regularizer: penalty on ``pointwise_kernel``.
        bias_regularizer: penalty on ``bias``.
        depthwise_constraint: projection of ``depthwise_kernel`` after every update.
        pointwise_constraint: projection of ``pointwise_kernel``.
        bias_constraint: projection of ``bias``.
        name: name in the model; weights are saved under it.

    Shapes:
        x: [batch, *space, in] -> [batch, *positions, filters]; depthwise_kernel: [*window, in, m]; pointwise_kernel:
        [1, ..., in · m, filters]; bias: [filters].

    Raises:
        ArgumentError: a size is not positive, or the padding is unknown.
        ShapeError: another number of axes or channels, or the window does not fit into the input.

    References:
        Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2017,
        https://arxiv.org/abs/1610.02357.
    """

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: Padding = "valid"
    dilation_rate: Sizes = 1
    depth_multiplier: int = 1
    activation: ActivationLike = "linear"
    use_bias: bool = True
    depthwise_initializer: InitializerLike = "glorot_uniform"
    pointwise_initializer: InitializerLike = "glorot_uniform"
    bias_initializer: InitializerLike = "zeros"
    depthwise_regularizer: RegularizerLike = None
    pointwise_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    depthwise_constraint: ConstraintLike = None
    pointwise_constraint: ConstraintLike = None
    bias_constraint: ConstraintLike = None
    name: str | None = None
    rank: ClassVar[int]

    def __post_init__(self) -> None:
        check_positive_int("filters", self.filters, self)
        _check(self)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """``depthwise_kernel``, ``pointwise_kernel`` and, with ``use_bias``, ``bias``."""
        depthwise = _depthwise_kernel(self, x)
        between = depthwise.shape[-2] * depthwise.shape[-1]
        wanted = {
            "depthwise_kernel": depthwise,
            "pointwise_kernel": declare(
                (1,) * self.rank + (between, self.filters),
                self.pointwise_initializer,
                self.pointwise_regularizer,
                self.pointwise_constraint,
                axes=(None,) * self.rank + ("in", "out"),
            ),
        }
        if self.use_bias:
            wanted["bias"] = declare(
                (self.filters,), self.bias_initializer, self.bias_regularizer, self.bias_constraint, axes=("out",)
            )
        return wanted

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """Depthwise, then pointwise, plus bias, through the activation."""
        between = _depthwise(self, params["depthwise_kernel"], None, x)  # [batch, *positions, in · m]
        fused, rest = split_activation(self.activation)
        bias = params["bias"] if self.use_bias else None
        return rest(conv(between, params["pointwise_kernel"], bias, activation=fused))

    def reach(self, x: Spec) -> tuple[Reach, ...]:
        """What each output position sees of an input of known size."""
        return _reach(self, x)

    def multiply_adds(self, x: Spec) -> int:
        """Multiplications for an input of known size: every weight of both kernels once at each output position."""
        kernels = (weight.shape for name, weight in self.weights(x).items() if name != "bias")
        return _positions(self, x) * sum(map(math.prod, kernels))


@register_class
@dataclass(frozen=True, eq=False)
class SeparableConv1D(SeparableConv):
    """Depthwise separable convolution along one axis; its arguments are those of :class:`SeparableConv`.

    Example:
        >>> from chainrule.core import Input
        >>> SeparableConv1D(6, 3, padding="same")(Input((10, 4))).shape
        (b, 10, 6)
    """

    rank: ClassVar[int] = 1


@register_class
@dataclass(frozen=True, eq=False)
class SeparableConv2D(SeparableConv):
    """Depthwise separable convolution over images; its arguments are those of :class:`SeparableConv`.

    Example:
        >>> from chainrule.core import Input
        >>> layer = SeparableConv2D(256, 3, padding="same", use_bias=False)
        >>> {name: weight.shape for name, weight in layer.weights(Input((32, 32, 128)).spec).items()}
        {'depthwise_kernel': (3, 3, 128, 1), 'pointwise_kernel': (1, 1, 128, 256)}
    """

    rank: ClassVar[int] = 2


# `Any` below: a DepthwiseConv or a SeparableConv, whose window has the same fields.


def _check(layer: Any) -> None:
    for name in ("kernel_size", "strides", "dilation_rate"):
        check_sizes(name, getattr(layer, name), layer.rank, layer)
    check_positive_int("depth_multiplier", layer.depth_multiplier, layer)
    check_padding(
        layer.padding, layer.rank, layer, ("valid", "same", "causal") if layer.rank == 1 else ("valid", "same")
    )
    activations.get(layer.activation)


def _depthwise_kernel(layer: Any, x: Spec) -> Weight:
    check_axes(x, layer.rank, layer)
    return declare(
        (*per_axis(layer.kernel_size, layer.rank), known_size(x, -1, layer), layer.depth_multiplier),
        layer.depthwise_initializer,
        layer.depthwise_regularizer,
        layer.depthwise_constraint,
        axes=(None,) * layer.rank + ("in", None),
    )


def _depthwise(layer: Any, kernel: Array, bias: Array | None, x: Array) -> Array:
    check_axes(x, layer.rank, layer)
    check_size(x, -1, kernel.shape[-2], layer)
    window, strides, dilation = _sizes(layer)
    check_room(x, window, dilation, layer.padding, layer)
    padding = cells(layer.padding, layer.rank)
    return depthwise_conv(x, kernel, bias, strides=strides, padding=padding, dilation=dilation)


def _sizes(layer: Any) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Cells, strides and dilation, axis by axis."""
    return (
        per_axis(layer.kernel_size, layer.rank),
        per_axis(layer.strides, layer.rank),
        per_axis(layer.dilation_rate, layer.rank),
    )


def _reach(layer: Any, x: Spec) -> tuple[Reach, ...]:
    return window_reach(x, layer.padding, *_sizes(layer))


def _positions(layer: Any, x: Spec) -> int:
    return math.prod(map(int, layer.infer(x).shape[:-1]))
