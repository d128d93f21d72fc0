"""Convolution in one, two and three dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from chainrule._base.checks import check_positive_int, owner_name
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, Weight, shape_text
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._declare import (
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    check_size,
    kernel_and_bias,
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
    check_reflection,
    check_room,
    check_sizes,
    per_axis,
    split_activation,
    warn_channels_first,
    window_reach,
)
from chainrule.ops import activations
from chainrule.ops.convolution import conv


@dataclass(frozen=True, eq=False)
class Conv(Layer):
    """What the convolutions of all dimensions share; use :class:`Conv1D`, :class:`Conv2D` or :class:`Conv3D`.

    A small window of weights, the same at every place, slides over the input: at position ``p`` filter ``f`` gives
    ``y[p, f] = activation(Σ_k Σ_c x[s·p + d·k − pad, c] · kernel[k, c, f] + bias[f])``. That is a cross-correlation,
    as in every framework; with the kernel flipped along its window it is the convolution of mathematics. There are
    ``window · in / groups · filters`` weights, however large the input is. An axis of ``n`` cells gives
    ``⌊(n + pads − d·(k − 1) − 1) / s⌋ + 1`` positions (:func:`chainrule.explain.output_size` prints it with numbers).

    Args:
        filters: number of output channels.
        kernel_size: ``k``, cells of the window; an integer, or one for each axis.
        strides: ``s``, step of the window; 2 halves the output.
        padding: ``"valid"`` for none; ``"same"`` for ``⌈n / s⌉`` positions, with a surplus zero at the end as in Keras
            (in PyTorch a number puts as many on both sides); ``"causal"`` (one dimension) for ``d·(k − 1)`` zeros in
            front, so that no position sees a later one; ``"reflect"`` for the sizes of ``"same"`` filled by
            reflection; or a number of zeros, or for each axis a number or a pair ``(before, after)``.
        dilation_rate: ``d``, distance of the window's cells, which then reach over ``d·(k − 1) + 1``.
        groups: channels and filters are dealt to so many separate convolutions.
        activation: name, function or object; ``"linear"`` for none. ReLU is applied in the same pass.
        use_bias: whether ``bias`` is added.
        kernel_initializer: starting values of ``kernel``.
        bias_initializer: starting values of ``bias``.
        kernel_regularizer: penalty on ``kernel``, added to the loss in training.
        bias_regularizer: penalty on ``bias``.
        kernel_constraint: projection of ``kernel`` after every update.
        bias_constraint: projection of ``bias`` after every update.
        name: name in the model; weights are saved under it.

    Shapes:
        x: [batch, *space, in] -> [batch, *positions, filters]; kernel: [*window, in / groups, filters];
        bias: [filters].

    Raises:
        ArgumentError: a size is not positive, ``filters`` is no multiple of ``groups``, or the padding is unknown.
        ShapeError: another number of axes or channels, or the window does not fit into the input.

    References:
        LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998. Dumoulin, Visin, "A guide to
        convolution arithmetic for deep learning", 2016, https://arxiv.org/abs/1603.07285.
    """

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: Padding = "valid"
    dilation_rate: Sizes = 1
    groups: int = 1
    activation: ActivationLike = "linear"
    use_bias: bool = True
    kernel_initializer: InitializerLike = "glorot_uniform"
    bias_initializer: InitializerLike = "zeros"
    kernel_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    kernel_constraint: ConstraintLike = None
    bias_constraint: ConstraintLike = None
    name: str | None = None
    rank: ClassVar[int]

    def __post_init__(self) -> None:
        check_positive_int("filters", self.filters, self)
        check_positive_int("groups", self.groups, self)
        for name in ("kernel_size", "strides", "dilation_rate"):
            check_sizes(name, getattr(self, name), self.rank, self)
        names = ("valid", "same", "causal", "reflect") if self.rank == 1 else ("valid", "same", "reflect")
        check_padding(self.padding, self.rank, self, names)
        activations.get(self.activation)
        if self.filters % self.groups:
            raise ArgumentError(
                f"{owner_name(self)}: filters must be a multiple of groups={self.groups}; received filters="
                f"{self.filters}. Choose groups among the divisors of filters and of the input's channels."
            )

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Record a call on a symbol (``Any``: as of every layer); a hint where the channels seem to come first."""
        warn_channels_first(inputs[0] if inputs else None, self.rank, self)
        return super().__call__(*inputs, **named)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """``kernel`` and, with ``use_bias``, ``bias``."""
        check_axes(x, self.rank, self)
        channels = known_size(x, -1, self)
        if channels % self.groups:
            raise ShapeError(
                f"{owner_name(self)}: the number of channels must be a multiple of groups={self.groups}; received "
                f"shape {shape_text(x)}. Choose groups among the divisors of {channels}."
            )
        window = per_axis(self.kernel_size, self.rank)
        shape = (*window, channels // self.groups, self.filters)
        return kernel_and_bias(self, shape, (None,) * self.rank + ("in", "out"))

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """The kernel slid over ``x``, plus bias, through the activation."""
        check_axes(x, self.rank, self)
        kernel = params["kernel"]
        check_size(x, -1, kernel.shape[-2] * self.groups, self)
        window, strides, dilation = self._window()
        check_room(x, window, dilation, self.padding, self)
        if self.padding == "reflect":
            check_reflection(x, window, strides, dilation, self)
        fused, rest = split_activation(self.activation)
        y = conv(
            x,
            kernel,
            params["bias"] if self.use_bias else None,
            strides=strides,
            padding=cells(self.padding, self.rank),
            dilation=dilation,
            groups=self.groups,
            activation=fused,
        )
        return rest(y)

    def reach(self, x: Spec) -> tuple[Reach, ...]:
        """What each output position sees of an input of known size."""
        return window_reach(x, self.padding, *self._window())

    def multiply_adds(self, x: Spec) -> int:
        """Multiplications for an input of known size: every weight of the kernel once at each output position."""
        return math.prod(map(int, self.infer(x).shape[:-1])) * math.prod(self.weights(x)["kernel"].shape)

    def _window(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Cells, strides and dilation, axis by axis."""
        return (
            per_axis(self.kernel_size, self.rank),
            per_axis(self.strides, self.rank),
            per_axis(self.dilation_rate, self.rank),
        )


@register_class
@dataclass(frozen=True, eq=False)
class Conv1D(Conv):
    """Convolution along one axis: sequences of features; its arguments are those of :class:`Conv`.

    Shapes:
        x: [batch, time, in] -> [batch, positions, filters]; kernel: [width, in / groups, filters].

    Example:
        >>> import jax.numpy as jnp
        >>> from chainrule.core import Input
        >>> Conv1D(8, 3, padding="causal")(Input((10, 4))).shape
        (b, 10, 8)
        >>> difference = {"kernel": jnp.array([-1.0, 1.0]).reshape(2, 1, 1), "bias": jnp.zeros(1)}
        >>> Conv1D(1, 2).call(difference, jnp.array([1.0, 4.0, 9.0]).reshape(1, 3, 1)).ravel().tolist()
        [3.0, 5.0]
    """

    rank: ClassVar[int] = 1


@register_class
@dataclass(frozen=True, eq=False)
class Conv2D(Conv):
    """Convolution over images; its arguments are those of :class:`Conv`.

    A kernel of 1 × 1 is a dense layer at every pixel.

    Shapes:
        x: [batch, height, width, in] -> [batch, rows, columns, filters]; kernel: [height, width, in / groups, filters].

    Example:
        >>> from chainrule.core import Input
        >>> Conv2D(16, 3, strides=2, padding="same", activation="relu")(Input((28, 28, 1))).shape
        (b, 14, 14, 16)
        >>> Conv2D(4, (3, 5)).weights(Input((9, 9, 3)).spec)["kernel"].shape
        (3, 5, 3, 4)
    """

    rank: ClassVar[int] = 2


@register_class
@dataclass(frozen=True, eq=False)
class Conv3D(Conv):
    """Convolution over volumes, or over video (time as the first axis); its arguments are those of :class:`Conv`.

    Shapes:
        x: [batch, depth, height, width, in] -> [batch, *positions, filters].

    Example:
        >>> from chainrule.core import Input
        >>> Conv3D(2, 3)(Input((5, 8, 8, 1))).shape
        (b, 3, 6, 6, 2)
    """

    rank: ClassVar[int] = 3
