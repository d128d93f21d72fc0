"""Pooling to a fixed size, whatever the size of the input: global and adaptive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp

from chainrule._base.checks import owner_name
from chainrule._base.errors import ShapeError
from chainrule._base.policy import wide_dtype
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, shape_text
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._window import Sizes, check_axes, check_sizes, per_axis
from chainrule.ops.pooling import lowest
from chainrule.ops.pooling_adaptive import adaptive_avg_pool, adaptive_max_pool, largest


@dataclass(frozen=True, eq=False)
class GlobalAveragePooling(Layer):
    """The mean over all of space, channel by channel, so that a network accepts inputs of any size.

    Args:
        keepdims: whether the axes of space stay, with size 1.
        name: name in the model.

    Shapes:
        x: [batch, *space, channels] -> [batch, channels], or [batch, 1, ..., channels] with ``keepdims``.

    References:
        Lin, Chen, Yan, "Network In Network", 2014, https://arxiv.org/abs/1312.4400, section 3.2.
    """

    keepdims: bool = False
    name: str | None = None
    rank: ClassVar[int]

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """The mean of each channel."""
        return jnp.mean(x, _space(x, self.rank, self), keepdims=self.keepdims)


@register_class
@dataclass(frozen=True, eq=False)
class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean over time; with a mask, over the real steps only.

    Args:
        keepdims: whether the axis of time stays, with size 1.
        name: name in the model.

    Shapes:
        x: [batch, time, channels], mask: [batch, time] (true at real steps; optional) -> [batch, channels]. A row
        without a real step gives 0 (Keras: NaN).

    Example:
        >>> import jax.numpy as jnp
        >>> x = jnp.array([1.0, 3.0, 50.0]).reshape(1, 3, 1)
        >>> layer = GlobalAveragePooling1D()
        >>> layer.call({}, x).tolist(), layer.call({}, x, jnp.array([[True, True, False]])).tolist()
        ([[18.0]], [[2.0]])
    """

    rank: ClassVar[int] = 1

    def call(self, params: Tree, x: Array, mask: Array | None = None) -> Array:  # type: ignore[override]
        """The mean of each channel over the real steps."""
        if mask is None:
            return super().call(params, x)
        real = _real(x, mask, self)
        wide = wide_dtype(x.dtype)
        count = jnp.maximum(jnp.sum(real, 1, keepdims=self.keepdims, dtype=wide), 1)
        total = jnp.sum(jnp.where(real, x, jnp.zeros((), x.dtype)), 1, keepdims=self.keepdims, dtype=wide)
        mean = total / count
        return mean.astype(x.dtype) if jnp.issubdtype(x.dtype, jnp.floating) else mean


@register_class
@dataclass(frozen=True, eq=False)
class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean over all pixels, channel by channel, for images of any size; see :class:`GlobalAveragePooling`.

    Example:
        >>> import jax.numpy as jnp
        >>> from chainrule.core import Input
        >>> GlobalAveragePooling2D().call({}, jnp.arange(4.0).reshape(1, 2, 2, 1)).tolist()
        [[1.5]]
        >>> GlobalAveragePooling2D()(Input((None, None, 3))).shape
        (b, 3)
    """

    rank: ClassVar[int] = 2


@register_class
@dataclass(frozen=True, eq=False)
class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean over a volume; see :class:`GlobalAveragePooling`.

    Example:
        >>> from chainrule.core import Input
        >>> GlobalAveragePooling3D(keepdims=True)(Input((4, 5, 6, 3))).shape
        (b, 1, 1, 1, 3)
    """

    rank: ClassVar[int] = 3


@dataclass(frozen=True, eq=False)
class GlobalMaxPooling(Layer):
    """The largest value over all of space, channel by channel.

    Args:
        keepdims: whether the axes of space stay, with size 1.
        name: name in the model.

    Shapes:
        x: [batch, *space, channels] -> [batch, channels], or [batch, 1, ..., channels] with ``keepdims``.
    """

    keepdims: bool = False
    name: str | None = None
    rank: ClassVar[int]

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """The largest value of each channel."""
        return largest(x, _space(x, self.rank, self), keepdims=self.keepdims)


@register_class
@dataclass(frozen=True, eq=False)
class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest value over time; with a mask, over the real steps only.

    Args:
        keepdims: whether the axis of time stays, with size 1.
        name: name in the model.

    Shapes:
        x: [batch, time, channels], mask: [batch, time] (true at real steps; optional) -> [batch, channels]. A row
        without a real step gives 0.

    Example:
        >>> import jax.numpy as jnp
        >>> x = jnp.array([1.0, 3.0, 50.0]).reshape(1, 3, 1)
        >>> GlobalMaxPooling1D().call({}, x, jnp.array([[True, True, False]])).tolist()
        [[3.0]]
    """

    rank: ClassVar[int] = 1

    def call(self, params: Tree, x: Array, mask: Array | None = None) -> Array:  # type: ignore[override]
        """The largest value of each channel over the real steps."""
        if mask is None:
            return super().call(params, x)
        real = _real(x, mask, self)
        most = largest(jnp.where(real, x, jnp.array(lowest(x.dtype), x.dtype)), 1, keepdims=self.keepdims)
        return jnp.where(jnp.any(real, 1, keepdims=self.keepdims), most, jnp.zeros((), x.dtype))


@register_class
@dataclass(frozen=True, eq=False)
class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest value over all pixels, channel by channel; see :class:`GlobalMaxPooling`.

    Example:
        >>> import jax.numpy as jnp
        >>> GlobalMaxPooling2D().call({}, jnp.arange(4.0).reshape(1, 2, 2, 1)).tolist()
        [[3.0]]
    """

    rank: ClassVar[int] = 2


@register_class
@dataclass(frozen=True, eq=False)
class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest value over a volume; see :class:`GlobalMaxPooling`.

    Example:
        >>> from chainrule.core import Input
        >>> GlobalMaxPooling3D()(Input((4, 5, 6, 3))).shape
        (b, 3)
    """

    rank: ClassVar[int] = 3


@dataclass(frozen=True, eq=False)
class AdaptiveAveragePooling(Layer):
    """The mean over ``output_size`` windows that cover each axis, so that inputs of any size give one size.

    Along an axis of ``n`` cells window ``i`` of ``m`` is ``[⌊i·n/m⌋, ⌈(i + 1)·n/m⌉)``, as in PyTorch and Keras: windows
    overlap where ``n`` is no multiple of ``m``, and repeat where it is smaller.

    Args:
        output_size: positions along each axis; an integer, or one for each axis.
        name: name in the model.

    Shapes:
        x: [batch, *space, channels] -> [batch, *output_size, channels].
    """

    output_size: Sizes
    name: str | None = None
    rank: ClassVar[int]

    def __post_init__(self) -> None:
        check_sizes("output_size", self.output_size, self.rank, self)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """The mean of each window."""
        check_axes(x, self.rank, self)
        return adaptive_avg_pool(x, per_axis(self.output_size, self.rank))


@register_class
@dataclass(frozen=True, eq=False)
class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """Adaptive average pooling along one axis; see :class:`AdaptiveAveragePooling`.

    Example:
        >>> import jax.numpy as jnp
        >>> AdaptiveAveragePooling1D(2).call({}, jnp.arange(5.0).reshape(1, 5, 1)).ravel().tolist()
        [1.0, 3.0]
    """

    rank: ClassVar[int] = 1


@register_class
@dataclass(frozen=True, eq=False)
class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """Adaptive average pooling of images; see :class:`AdaptiveAveragePooling`.

    Example:
        >>> from chainrule.core import Input
        >>> AdaptiveAveragePooling2D((7, 5))(Input((None, None, 3))).shape
        (b, 7, 5, 3)
    """

    rank: ClassVar[int] = 2


@dataclass(frozen=True, eq=False)
class AdaptiveMaxPooling(Layer):
    """The largest value of ``output_size`` windows that cover each axis, as in :class:`AdaptiveAveragePooling`.

    Args:
        output_size: positions along each axis; an integer, or one for each axis.
        name: name in the model.

    Shapes:
        x: [batch, *space, channels] -> [batch, *output_size, channels].
    """

    output_size: Sizes
    name: str | None = None
    rank: ClassVar[int]

    def __post_init__(self) -> None:
        check_sizes("output_size", self.output_size, self.rank, self)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """The largest value of each window."""
        check_axes(x, self.rank, self)
        return adaptive_max_pool(x, per_axis(self.output_size, self.rank))


@register_class
@dataclass(frozen=True, eq=False)
class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """Adaptive max-pooling along one axis; see :class:`AdaptiveMaxPooling`.

    Example:
        >>> import jax.numpy as jnp
        >>> AdaptiveMaxPooling1D(2).call({}, jnp.arange(5.0).reshape(1, 5, 1)).ravel().tolist()
        [2.0, 4.0]
    """

    rank: ClassVar[int] = 1


@register_class
@dataclass(frozen=True, eq=False)
class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """Adaptive max-pooling of images; see :class:`AdaptiveMaxPooling`.

    Example:
        >>> from chainrule.core import Input
        >>> AdaptiveMaxPooling2D(2)(Input((9, 7, 3))).shape
        (b, 2, 2, 3)
    """

    rank: ClassVar[int] = 2


GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D


def _space(x: Array, rank: int, owner: Layer) -> tuple[int, ...]:
    check_axes(x, rank, owner)
    return tuple(range(1, rank + 1))


def _real(x: Array, mask: Array, owner: Layer) -> Array:
    """The mask as ``[batch, time, 1]``."""
    check_axes(x, 1, owner)
    if mask.ndim != 2 or mask.shape != x.shape[:2]:
        raise ShapeError(
            f"{owner_name(owner)}: mask must be [batch, time] as the input, {shape_text(Spec(x.shape[:2], x.dtype))}; "
            f"received shape {shape_text(Spec(mask.shape, mask.dtype))}. Make it by PaddingMask()(tokens)."
        )
    return mask.astype(bool)[:, :, None]
