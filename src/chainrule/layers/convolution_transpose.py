"""Transposed convolution in one, two and three dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from chainrule._base.checks import check_positive_int, owner_name
from chainrule._base.errors import ArgumentTypeError, ShapeError
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
    check_sizes,
    per_axis,
)
from chainrule.ops import activations
from chainrule.ops.convolution import check_output_padding, conv_transpose, transposed_sizes
from chainrule.ops.window import extent


@dataclass(frozen=True, eq=False)
class ConvTranspose(Layer):
    """What the transposed convolutions share; use :class:`Conv1DTranspose`, :class:`Conv2DTranspose` or ``3D``.

    The linear map of a convolution turned round: every input position adds its kernel, ``x[i] · kernel``, to the output
    from cell ``s·i − pad`` on, so that stride ``s`` makes maps ``s`` times as large (a "fractional stride" ``1/s``;
    also called deconvolution, which it is not). Along each axis ``n`` cells become

    - ``padding="valid"``: ``(n − 1)·s + max(d·(k − 1) + 1, s)``;
    - ``padding="same"``: ``n·s``;
    - cells ``(p_low, p_high)``: ``(n − 1)·s − p_low − p_high + d·(k − 1) + 1 + output_padding``, as PyTorch counts.

    A kernel that is no multiple of the stride adds more often to some cells than to others (a chequered pattern).

    Args:
        filters: number of output channels.
        kernel_size: cells of the window; an integer, or one for each axis.
        strides: how many times as large the output is.
        padding: ``"valid"``, ``"same"``, or the cells cut off at both ends: a number, or for each axis a number or a
            pair ``(before, after)``.
        output_padding: cells added at the end, fewer than stride or dilation; chooses among the input sizes that a
            strided convolution maps to one. With ``"valid"`` the sum is taken without padding, with ``"same"``
            with twice ``⌊k / 2⌋``, of which ``⌊(2·⌊k / 2⌋ − output_padding) / 2⌋`` in front (as Keras has it).
        dilation_rate: distance of the window's cells.
        activation: name, function or object; ``"linear"`` for none.
        use_bias: whether ``bias`` is added.
        kernel_initializer: starting values of ``kernel``.
        bias_initializer: starting values of ``bias``.
        kernel_regularizer: penalty on ``kernel``, added to the loss in training.
        bias_regularizer: penalty on ``bias``.
        kernel_constraint: projection of ``kernel`` after every update.
        bias_constraint: projection of ``bias`` after every update.
        name: name in the model; weights are saved under it.

    Shapes:
        x: [batch, *space, in] -> [batch, *larger, filters]; kernel: [*window, filters, in]; bias: [filters].

    Raises:
        ArgumentError: a size is not positive, ``output_padding`` is too large, the padding is unknown.
        ShapeError: another number of axes or channels, or the padding cuts everything off.

    References:
        Zeiler et al., "Deconvolutional Networks", 2010. Dumoulin, Visin, "A guide to convolution arithmetic for deep
        learning", 2016, https://arxiv.org/abs/1603.07285, chapter 4.
    """

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: Padding = "valid"
    output_padding: Sizes | None = None
    dilation_rate: Sizes = 1
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
        for name in ("kernel_size", "strides", "dilation_rate"):
            check_sizes(name, getattr(self, name), self.rank, self)
        check_padding(self.padding, self.rank, self, ("valid", "same"))
        activations.get(self.activation)
        if self.output_padding is not None:
            self._check_output_padding()

    def _check_output_padding(self) -> None:
        given, strides = self.output_padding, per_axis(self.strides, self.rank)
        if not isinstance(given, int | tuple | list) or (not isinstance(given, int) and len(given) != self.rank):
            raise ArgumentTypeError(
                f"{owner_name(self)}: output_padding must be an integer or a tuple of {self.rank}; received {given!r}. "
                "Write for example output_padding=1."
            )
        check_output_padding(per_axis(given, self.rank), strides, per_axis(self.dilation_rate, self.rank), self)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """``kernel`` and, with ``use_bias``, ``bias``."""
        check_axes(x, self.rank, self)
        window = per_axis(self.kernel_size, self.rank)
        shape = (*window, self.filters, known_size(x, -1, self))
        return kernel_and_bias(self, shape, (None,) * self.rank + ("out", "in"))

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """The kernel added to the output once for every input position, plus bias, through the activation."""
        check_axes(x, self.rank, self)
        kernel = params["kernel"]
        check_size(x, -1, kernel.shape[-1], self)
        self._check_output(x)
        y = conv_transpose(
            x,
            kernel,
            params["bias"] if self.use_bias else None,
            strides=per_axis(self.strides, self.rank),
            padding=cells(self.padding, self.rank),
            output_padding=None if self.output_padding is None else per_axis(self.output_padding, self.rank),
            dilation=per_axis(self.dilation_rate, self.rank),
        )
        return activations.get(self.activation)(y)

    def reach(self, x: Spec) -> tuple[Reach, ...]:
        """What each output position sees of an input of known size; the largest of the stride's phases."""
        _, pads = self._sizes(x)
        found = []
        window, strides, dilation = (
            per_axis(one, self.rank) for one in (self.kernel_size, self.strides, self.dilation_rate)
        )
        for k, s, d, (low, _) in zip(window, strides, dilation, pads, strict=True):
            first = -((extent(k, d) - 1 - low) // s)  # cell 0 gathers inputs i with 0 ≤ low − s·i ≤ d·(k − 1)
            found.append(Reach(-(-extent(k, d) // s), Fraction(1, s), first))
        return tuple(found)

    def multiply_adds(self, x: Spec) -> int:
        """Multiplications for an input of known size: every weight of the kernel once at each input position."""
        return math.prod(map(int, x.shape[:-1])) * math.prod(self.weights(x)["kernel"].shape)

    def _check_output(self, x: Array) -> None:
        sizes, _ = self._sizes(x)
        if any(isinstance(size, int) and size < 1 for size in sizes):
            raise ShapeError(
                f"{owner_name(self)}: padding must leave at least one cell of the output; received padding="
                f"{self.padding!r} and shape {shape_text(Spec(x.shape, x.dtype))}, which leave {sizes}. "
                "Use less padding or larger inputs."
            )

    def _sizes(self, x: Spec | Array) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
        return transposed_sizes(
            tuple(x.shape[1:-1]),
            *(per_axis(one, self.rank) for one in (self.kernel_size, self.strides, self.dilation_rate)),
            padding=cells(self.padding, self.rank),
            output_padding=None if self.output_padding is None else per_axis(self.output_padding, self.rank),
        )


@register_class
@dataclass(frozen=True, eq=False)
class Conv1DTranspose(ConvTranspose):
    """Transposed convolution along one axis; its arguments are those of :class:`ConvTranspose`.

    Shapes:
        x: [batch, time, in] -> [batch, longer, filters]; kernel: [width, filters, in].

    Example:
        >>> import jax.numpy as jnp
        >>> layer = Conv1DTranspose(1, 3, strides=2, use_bias=False)
        >>> layer.call({"kernel": jnp.array([1.0, 2.0, 3.0]).reshape(3, 1, 1)}, jnp.ones((1, 2, 1))).ravel().tolist()
        [1.0, 2.0, 4.0, 2.0, 3.0]
    """

    rank: ClassVar[int] = 1


@register_class
@dataclass(frozen=True, eq=False)
class Conv2DTranspose(ConvTranspose):
    """Transposed convolution over images, as decoders use it; its arguments are those of :class:`ConvTranspose`.

    Shapes:
        x: [batch, height, width, in] -> [batch, rows, columns, filters]; kernel: [height, width, filters, in].

    Example:
        >>> from chainrule.core import Input
        >>> Conv2DTranspose(8, 3, strides=2, padding="same")(Input((7, 9, 16))).shape
        (b, 14, 18, 8)
    """

    rank: ClassVar[int] = 2


@register_class
@dataclass(frozen=True, eq=False)
class Conv3DTranspose(ConvTranspose):
    """Transposed convolution over volumes; its arguments are those of :class:`ConvTranspose`.

    Example:
        >>> from chainrule.core import Input
        >>> Conv3DTranspose(2, 2, strides=2)(Input((3, 4, 5, 6))).shape
        (b, 6, 8, 10, 2)
    """

    rank: ClassVar[int] = 3
