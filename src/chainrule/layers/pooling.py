"""Pooling over windows: the largest or the mean value of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from chainrule._base.checks import owner_name
from chainrule._base.errors import ArgumentError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._window import (
    Padding,
    Reach,
    Sizes,
    cells,
    check_axes,
    check_padding,
    check_room,
    check_sizes,
    per_axis,
    window_reach,
)
from chainrule.ops.pooling import avg_pool, max_pool


@dataclass(frozen=True, eq=False)
class _Pooling(Layer):
    """What max and average pooling share: the window, its checks and its reach."""

    pool_size: Sizes = 2
    strides: Sizes | None = None
    padding: Padding = "valid"
    name: str | None = None
    rank: ClassVar[int]

    def __post_init__(self) -> None:
        check_sizes("pool_size", self.pool_size, self.rank, self)
        if self.strides is not None:
            check_sizes("strides", self.strides, self.rank, self)
        check_padding(self.padding, self.rank, self, ("valid", "same"))
        if not isinstance(self.padding, str):
            self._check_no_window_of_padding()

    def _check_no_window_of_padding(self) -> None:
        window = per_axis(self.pool_size, self.rank)
        for size, pair in zip(window, cells(self.padding, self.rank), strict=True):
            if max(pair) >= size:
                raise ArgumentError(
                    f"{owner_name(self)}: padding must be smaller than pool_size={self.pool_size}, or a window would "
                    f"hold nothing but padding; received {self.padding!r}. Use less padding, or ZeroPadding before."
                )

    def reach(self, x: Spec) -> tuple[Reach, ...]:
        """What each output position sees of an input of known size."""
        return window_reach(x, self.padding, *self._window(), (1,) * self.rank)

    def _window(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        window = per_axis(self.pool_size, self.rank)
        return window, window if self.strides is None else per_axis(self.strides, self.rank)

    def _check(self, x: Array) -> None:
        check_axes(x, self.rank, self)
        check_room(x, per_axis(self.pool_size, self.rank), (1,) * self.rank, self.padding, self)


@dataclass(frozen=True, eq=False)
class MaxPooling(_Pooling):
    """What the max-poolings share; use :class:`MaxPooling1D`, :class:`MaxPooling2D` or :class:`MaxPooling3D`.

    The largest value of each window, channel by channel: ``y[p, c] = max_k x[s·p + k − pad, c]``. Cells of padding
    never win. The gradient goes to the largest value; where several are equally large, how it is dealt among them is
    left open.

    Args:
        pool_size: cells of the window; an integer, or one for each axis.
        strides: step of the window; ``pool_size`` if not given, so that windows do not overlap.
        padding: ``"valid"`` (what does not fill a window at the end is dropped), ``"same"`` for ``⌈n / s⌉`` positions,
            or cells: a number, or for each axis a number or a pair ``(before, after)``, smaller than the window.
        name: name in the model.

    Shapes:
        x: [batch, *space, channels] -> [batch, *positions, channels].

    Raises:
        ArgumentError: a size is not positive, or the padding is unknown or as large as the window.
        ShapeError: another number of axes, or the window does not fit into the input.
    """

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """The largest value of each window."""
        self._check(x)
        window, strides = self._window()
        return max_pool(x, window, strides=strides, padding=cells(self.padding, self.rank))


@register_class
@dataclass(frozen=True, eq=False)
class MaxPooling1D(MaxPooling):
    """Max-pooling along one axis; its arguments are those of :class:`MaxPooling`.

    Example:
        >>> import jax.numpy as jnp
        >>> MaxPooling1D(2).call({}, jnp.array([1.0, 5.0, 2.0, 3.0]).reshape(1, 4, 1)).ravel().tolist()
        [5.0, 3.0]
    """

    rank: ClassVar[int] = 1


@register_class
@dataclass(frozen=True, eq=False)
class MaxPooling2D(MaxPooling):
    """Max-pooling of images; its arguments are those of :class:`MaxPooling`.

    Example:
        >>> import jax.numpy as jnp
        >>> x = jnp.array([[0, 0, 5, 1], [0, 2, 4, 0], [1, 0, 1, 0], [0, 0, 0, 3.0]])
        >>> MaxPooling2D().call({}, x[None, :, :, None])[0, :, :, 0].tolist()
        [[2.0, 5.0], [1.0, 3.0]]
    """

    rank: ClassVar[int] = 2


@register_class
@dataclass(frozen=True, eq=False)
class MaxPooling3D(MaxPooling):
    """Max-pooling of volumes; its arguments are those of :class:`MaxPooling`.

    Example:
        >>> from chainrule.core import Input
        >>> MaxPooling3D((1, 2, 2))(Input((5, 8, 6, 3))).shape
        (b, 5, 4, 3, 3)
    """

    rank: ClassVar[int] = 3


@dataclass(frozen=True, eq=False)
class AveragePooling(_Pooling):
    """What the average poolings share; use :class:`AveragePooling1D`, :class:`AveragePooling2D` or ``3D``.

    The mean value of each window, channel by channel. Cells of padding are left out of the mean, as in Keras;
    ``count_padding=True`` counts them as zeros, as PyTorch does by default.

    Args:
        pool_size: cells of the window; an integer, or one for each axis.
        strides: step of the window; ``pool_size`` if not given.
        padding: ``"valid"``, ``"same"`` or cells, as in :class:`MaxPooling2D`.
        name: name in the model.
        count_padding: whether cells of padding count as zeros.

    Shapes:
        x: [batch, *space, channels] -> [batch, *positions, channels].

    Raises:
        ArgumentError: a size is not positive, or the padding is unknown or as large as the window.
        ShapeError: another number of axes, or the window does not fit into the input.
    """

    count_padding: bool = False

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """The mean of each window."""
        self._check(x)
        window, strides = self._window()
        padding = cells(self.padding, self.rank)
        return avg_pool(x, window, strides=strides, padding=padding, count_padding=self.count_padding)


@register_class
@dataclass(frozen=True, eq=False)
class AveragePooling1D(AveragePooling):
    """Average pooling along one axis; its arguments are those of :class:`AveragePooling`.

    Example:
        >>> import jax.numpy as jnp
        >>> AveragePooling1D(2, padding="same").call({}, jnp.array([1.0, 5.0, 2.0]).reshape(1, 3, 1)).ravel().tolist()
        [3.0, 2.0]
    """

    rank: ClassVar[int] = 1


@register_class
@dataclass(frozen=True, eq=False)
class AveragePooling2D(AveragePooling):
    """Average pooling of images; its arguments are those of :class:`AveragePooling`.

    Example:
        >>> import jax.numpy as jnp
        >>> x = jnp.array([[0, 0, 5, 1], [0, 2, 4, 0], [1, 0, 1, 0], [0, 0, 0, 3.0]])
        >>> AveragePooling2D().call({}, x[None, :, :, None])[0, :, :, 0].tolist()
        [[0.5, 2.5], [0.25, 1.0]]
    """

    rank: ClassVar[int] = 2


@register_class
@dataclass(frozen=True, eq=False)
class AveragePooling3D(AveragePooling):
    """Average pooling of volumes; its arguments are those of :class:`AveragePooling`.

    Example:
        >>> from chainrule.core import Input
        >>> AveragePooling3D(2)(Input((4, 6, 8, 3))).shape
        (b, 2, 3, 4, 3)
    """

    rank: ClassVar[int] = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
