"""Layers that change the size of space: zeros around it, edges off it, enlarged or resized."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp

from chainrule._base.checks import check_choice, check_positive_int, describe, owner_name
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, shape_text
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._window import Reach, Sizes, check_axes, check_sizes, per_axis

Edges = int | tuple[int | tuple[int, int], ...]
Interpolation = Literal["nearest", "bilinear"]


@dataclass(frozen=True, eq=False)
class ZeroPadding(Layer):
    """Zeros around space; use :class:`ZeroPadding1D`, :class:`ZeroPadding2D` or :class:`ZeroPadding3D`.

    Args:
        padding: cells on every side, or for each axis a number or a pair ``(before, after)``; in one dimension
            ``(before, after)``.
        name: name in the model.

    Shapes:
        x: [batch, *space, channels] -> [batch, *larger, channels].
    """

    padding: Edges = 1
    name: str | None = None
    rank: ClassVar[int]

    def __post_init__(self) -> None:
        _check_edges("padding", self.padding, self.rank, self)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """``x`` with zeros around it."""
        check_axes(x, self.rank, self)
        return jnp.pad(x, ((0, 0), *_edges(self.padding, self.rank), (0, 0)))

    def reach(self, x: Spec) -> tuple[Reach, ...]:  # noqa: ARG002 - the same for every size
        """What each output position sees of the input."""
        return tuple(Reach(1, Fraction(1), -before) for before, _ in _edges(self.padding, self.rank))


@register_class
@dataclass(frozen=True, eq=False)
class ZeroPadding1D(ZeroPadding):
    """Zeros before and after a sequence; see :class:`ZeroPadding`.

    Example:
        >>> import jax.numpy as jnp
        >>> ZeroPadding1D((2, 1)).call({}, jnp.array([3.0, 4.0]).reshape(1, 2, 1)).ravel().tolist()
        [0.0, 0.0, 3.0, 4.0, 0.0]
    """

    rank: ClassVar[int] = 1


@register_class
@dataclass(frozen=True, eq=False)
class ZeroPadding2D(ZeroPadding):
    """Zeros around images; see :class:`ZeroPadding`.

    Example:
        >>> from chainrule.core import Input
        >>> ZeroPadding2D(((1, 0), 2))(Input((5, 6, 3))).shape
        (b, 6, 10, 3)
    """

    rank: ClassVar[int] = 2


@register_class
@dataclass(frozen=True, eq=False)
class ZeroPadding3D(ZeroPadding):
    """Zeros around volumes; see :class:`ZeroPadding`.

    Example:
        >>> from chainrule.core import Input
        >>> ZeroPadding3D((0, 1, 2))(Input((3, 4, 5, 6))).shape
        (b, 3, 6, 9, 6)
    """

    rank: ClassVar[int] = 3


@dataclass(frozen=True, eq=False)
class Cropping(Layer):
    """The inner part of space; use :class:`Cropping1D`, :class:`Cropping2D` or :class:`Cropping3D`.

    Args:
        cropping: cells cut off every side, or for each axis a number or a pair ``(before, after)``; in one dimension
            ``(before, after)``.
        name: name in the model.

    Shapes:
        x: [batch, *space, channels] -> [batch, *smaller, channels].

    Raises:
        ShapeError: nothing would be left.
    """

    cropping: Edges = 1
    name: str | None = None
    rank: ClassVar[int]

    def __post_init__(self) -> None:
        _check_edges("cropping", self.cropping, self.rank, self)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """``x`` without its edges."""
        check_axes(x, self.rank, self)
        for axis, (before, after) in enumerate(_edges(self.cropping, self.rank), start=1):
            size = x.shape[axis]
            if isinstance(size, int) and size <= before + after:
                raise ShapeError(
                    f"{owner_name(self)}: axis {axis} of the input must be longer than the {before + after} cells cut "
                    f"off; received shape {shape_text(Spec(x.shape, x.dtype))}. Crop less, or use larger inputs."
                )
            x = jax.lax.slice_in_dim(x, before, size - after, axis=axis)
        return x

    def reach(self, x: Spec) -> tuple[Reach, ...]:  # noqa: ARG002 - the same for every size
        """What each output position sees of the input."""
        return tuple(Reach(1, Fraction(1), before) for before, _ in _edges(self.cropping, self.rank))


@register_class
@dataclass(frozen=True, eq=False)
class Cropping1D(Cropping):
    """A sequence without its ends; see :class:`Cropping`.

    Example:
        >>> import jax.numpy as jnp
        >>> Cropping1D((2, 1)).call({}, jnp.arange(5.0).reshape(1, 5, 1)).ravel().tolist()
        [2.0, 3.0]
    """

    rank: ClassVar[int] = 1


@register_class
@dataclass(frozen=True, eq=False)
class Cropping2D(Cropping):
    """Images without their edges; see :class:`Cropping`.

    Example:
        >>> from chainrule.core import Input
        >>> Cropping2D(((1, 0), 2))(Input((5, 6, 3))).shape
        (b, 4, 2, 3)
    """

    rank: ClassVar[int] = 2


@register_class
@dataclass(frozen=True, eq=False)
class Cropping3D(Cropping):
    """Volumes without their edges; see :class:`Cropping`.

    Example:
        >>> from chainrule.core import Input
        >>> Cropping3D((0, 1, 2))(Input((3, 4, 5, 6))).shape
        (b, 3, 2, 1, 6)
    """

    rank: ClassVar[int] = 3


@dataclass(frozen=True, eq=False)
class UpSampling(Layer):
    """Every cell repeated along each axis of space; use :class:`UpSampling1D`, :class:`UpSampling2D` or ``3D``.

    Args:
        size: how many times as large each axis becomes; an integer, or one for each axis.
        name: name in the model.

    Shapes:
        x: [batch, *space, channels] -> [batch, *(size · space), channels].
    """

    size: Sizes = 2
    name: str | None = None
    rank: ClassVar[int]

    def __post_init__(self) -> None:
        check_sizes("size", self.size, self.rank, self)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """Each cell, ``size`` times."""
        check_axes(x, self.rank, self)
        return _repeated(x, per_axis(self.size, self.rank))

    def reach(self, x: Spec) -> tuple[Reach, ...]:  # noqa: ARG002 - the same for every size
        """What each output position sees of the input."""
        return tuple(Reach(1, Fraction(1, size), 0) for size in per_axis(self.size, self.rank))


@register_class
@dataclass(frozen=True, eq=False)
class UpSampling1D(UpSampling):
    """Every step of a sequence repeated; see :class:`UpSampling`.

    Example:
        >>> import jax.numpy as jnp
        >>> UpSampling1D(3).call({}, jnp.array([1.0, 2.0]).reshape(1, 2, 1)).ravel().tolist()
        [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]
    """

    rank: ClassVar[int] = 1


@register_class
@dataclass(frozen=True, eq=False)
class UpSampling2D(UpSampling):
    """Images enlarged by whole factors, by repeating pixels or by interpolating between their centres.

    ``"bilinear"`` takes pixels as squares whose centres lie at half-integers and repeats the edge, as Keras does and
    PyTorch with ``align_corners=False``.

    Args:
        size: how many times as large each axis becomes; an integer, or one for each axis.
        name: name in the model.
        interpolation: ``"nearest"`` or ``"bilinear"``.

    Shapes:
        x: [batch, height, width, channels] -> [batch, size · height, size · width, channels].

    Example:
        >>> import jax.numpy as jnp
        >>> x = jnp.array([0.0, 4.0]).reshape(1, 1, 2, 1)
        >>> UpSampling2D((1, 2)).call({}, x).ravel().tolist()
        [0.0, 0.0, 4.0, 4.0]
        >>> UpSampling2D((1, 2), interpolation="bilinear").call({}, x).ravel().tolist()
        [0.0, 1.0, 3.0, 4.0]
    """

    interpolation: Interpolation = "nearest"
    rank: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("interpolation", self.interpolation, ("nearest", "bilinear"), self)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """The enlarged images."""
        if self.interpolation == "nearest":
            return super().call(params, x)
        check_axes(x, 2, self)
        rows, columns = per_axis(self.size, 2)
        batch, height, width, channels = x.shape
        shape = (batch, height * rows, width * columns, channels)
        larger: Array = jax.image.resize(x, shape, "bilinear")
        return larger

    def reach(self, x: Spec) -> tuple[Reach, ...]:
        """What each output position sees of the input."""
        if self.interpolation == "nearest":
            return super().reach(x)
        sizes = per_axis(self.size, 2)
        return tuple(Reach(2, Fraction(1, n), -1) if n > 1 else Reach(1, Fraction(1), 0) for n in sizes)


@register_class
@dataclass(frozen=True, eq=False)
class UpSampling3D(UpSampling):
    """Every cell of a volume repeated; see :class:`UpSampling`.

    Example:
        >>> from chainrule.core import Input
        >>> UpSampling3D((1, 2, 3))(Input((3, 4, 5, 6))).shape
        (b, 3, 8, 15, 6)
    """

    rank: ClassVar[int] = 3


@register_class
@dataclass(frozen=True, eq=False)
class Resizing(Layer):
    """Images of any size to one size, without regard to their proportions.

    Pixels are squares whose centres lie at half-integers (as in Keras, in Pillow, and in PyTorch with
    ``align_corners=False``).

    Args:
        height: rows of the output.
        width: columns of the output.
        interpolation: ``"bilinear"``, or ``"nearest"`` for the pixel whose square holds the output's centre.
        antialias: whether shrinking averages over all pixels that an output pixel covers, as Pillow does; without it
            (as in Keras) bilinear shrinking looks at two by two of them and may miss fine lines.
        name: name in the model.

    Shapes:
        x: [batch, any height, any width, channels] -> [batch, height, width, channels].

    Example:
        >>> import jax.numpy as jnp
        >>> from chainrule.core import Input
        >>> Resizing(4, 6)(Input((None, None, 3))).shape
        (b, 4, 6, 3)
        >>> Resizing(1, 2).call({}, jnp.array([0.0, 2.0, 4.0, 6.0]).reshape(1, 1, 4, 1)).ravel().tolist()
        [1.0, 5.0]
    """

    height: int
    width: int
    interpolation: Interpolation = "bilinear"
    antialias: bool = False
    name: str | None = None
    rank: ClassVar[int] = 2

    def __post_init__(self) -> None:
        check_positive_int("height", self.height, self)
        check_positive_int("width", self.width, self)
        check_choice("interpolation", self.interpolation, ("bilinear", "nearest"), self)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """The resized images."""
        check_axes(x, 2, self)
        shape = (x.shape[0], self.height, self.width, x.shape[3])
        resized: Array = jax.image.resize(x, shape, self.interpolation, antialias=self.antialias)
        return resized


def _repeated(x: Array, sizes: tuple[int, ...]) -> Array:
    batch, *space, channels = x.shape
    spread = x
    for axis in range(len(sizes)):
        spread = jnp.expand_dims(spread, 2 * axis + 2)  # [batch, height, 1, width, 1, channels]
    between = [number for pair in zip(space, sizes, strict=True) for number in pair]
    spread = jnp.broadcast_to(spread, (batch, *between, channels))
    return spread.reshape(batch, *(n * size for n, size in zip(space, sizes, strict=True)), channels)


def _edges(given: Edges, rank: int) -> tuple[tuple[int, int], ...]:
    if isinstance(given, int):
        return ((given, given),) * rank
    if rank == 1 and len(given) == 2:
        before, after = given
        return ((before, after),) if isinstance(before, int) and isinstance(after, int) else ()
    return tuple((one, one) if isinstance(one, int) else (one[0], one[1]) for one in given)


def _check_edges(name: str, value: Any, rank: int, owner: object) -> None:  # Any: this looks at values of unknown type
    def is_count(one: Any) -> bool:
        return isinstance(one, int) and not isinstance(one, bool) and one >= 0

    def is_pair(one: Any) -> bool:
        return isinstance(one, tuple | list) and len(one) == 2 and all(map(is_count, one))

    is_one = rank == 1 and is_pair(value)
    each = isinstance(value, tuple | list) and len(value) == rank and all(is_count(v) or is_pair(v) for v in value)
    if not (is_count(value) or is_one or each):
        example = (1, 2) if rank == 1 else ((1, 1),) * rank
        raise ArgumentError(
            f"{owner_name(owner)}: {name} must be a number of cells, or for each of {rank} axes a number or a pair "
            f"(before, after), none negative; received {describe(value)}. Write for example {name}={example}."
        )
