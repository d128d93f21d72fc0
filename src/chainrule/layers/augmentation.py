"""Random changes of images that keep their meaning, where pixels move: flips, shifts, turns, zooms, crops.

Active in training only; in inference every layer here passes its input on (:class:`RandomCrop` takes the middle).
Each image of a batch gets its own draw from the step's key, on the device, so that no image is seen twice alike and
the same seed gives the same training. Class and argument names are Keras's; there is no ``seed`` argument, because
everything random hangs on the model's.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_choice, check_int, check_number, check_positive_int, owner_name
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.registry import register_class
from chainrule._base.rng import Key
from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.core import Context, Layer, Variables
from chainrule.layers._declare import check_rank, known_size
from chainrule.ops.precision import as_float
from chainrule.ops.stateless_random import hash_bits, hash_uniform
from chainrule.ops.warping import FILL_MODES, INTERPOLATIONS, FillMode, Interpolation, warp_axes, warp_points

Factor = float | tuple[float, float]
_NUMPY_MODES = {"constant": "constant", "reflect": "symmetric", "nearest": "edge", "wrap": "wrap"}


@dataclass(frozen=True, eq=False)
class RandomImageLayer(Layer):
    """Base of the layers that change images at random in training; a subclass defines :meth:`changed`."""

    def changed(self, x: Array, key: Key) -> Array:
        """The images ``[batch, height, width, channels]``, each changed by its own draw."""
        raise NotImplementedError(f"{type(self).__name__}: define changed(self, x, key).")

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Array, Tree]:
        """Changed in training, passed on in inference; integers become float32 in both."""
        (x,) = inputs
        check_rank(x, 4, self, exactly=True)
        x = as_float(x)
        return (self.changed(x, context.need_key(self)) if context.training else x), variables.state


def factor_range(name: str, factor: Factor, owner: object, *, low: float = -np.inf) -> tuple[float, float]:
    """``(−f, f)`` of a number ``f``, or the pair itself; neither end below ``low``."""
    pair = tuple(factor) if isinstance(factor, tuple | list) else (max(-factor, low), factor)
    if len(pair) != 2:
        raise ArgumentError(
            f"{owner_name(owner)}: {name} must be a number or a pair (lowest, highest); received {factor!r}."
        )
    for end in pair:
        check_number(name, end, owner, at_least=None if low == -np.inf else low)
    if pair[0] > pair[1]:
        raise ArgumentError(f"{owner_name(owner)}: {name} must give the lower end first; received {factor!r}.")
    return float(pair[0]), float(pair[1])


def between(ends: tuple[float, float], uniform: Array) -> Array:
    """Numbers in [0, 1) stretched to ``ends``."""
    return ends[0] + (ends[1] - ends[0]) * uniform


@register_class
@dataclass(frozen=True, eq=False)
class RandomFlip(RandomImageLayer):
    """Mirror each image with probability ½, left to right and top to bottom.

    Leave it out where mirroring changes the meaning (digits, letters, left and right hands).

    Args:
        mode: ``"horizontal"``, ``"vertical"`` or ``"horizontal_and_vertical"`` (both, independently).
        name: name in the model.

    Shapes:
        x: [batch, height, width, channels] -> the same.

    Example:
        >>> from chainrule.core import Input
        >>> RandomFlip("horizontal")(Input((4, 5, 3))).shape
        (b, 4, 5, 3)
    """

    mode: str = "horizontal_and_vertical"
    name: str | None = None

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, ("horizontal", "vertical", "horizontal_and_vertical"), self)

    def changed(self, x: Array, key: Key) -> Array:
        """Mirrored or not."""
        bits = hash_bits(key, (2, x.shape[0], 1, 1, 1)) < 1 << 23  # of 24 bits: half of them
        if "horizontal" in self.mode:
            x = jnp.where(bits[0], x[:, :, ::-1], x)
        return jnp.where(bits[1], x[:, ::-1], x) if "vertical" in self.mode else x


@dataclass(frozen=True, eq=False)
class _Warp(RandomImageLayer):
    """What the layers that draw an image anew share."""

    def _check(self, fill_mode: str, interpolation: str, fill_value: float) -> None:
        check_choice("fill_mode", fill_mode, FILL_MODES, self)
        check_choice("interpolation", interpolation, INTERPOLATIONS, self)
        check_number("fill_value", fill_value, self)


@register_class
@dataclass(frozen=True, eq=False)
class RandomTranslation(_Warp):
    """Shift each image down by a share of its height and right by a share of its width, each drawn uniformly.

    Args:
        height_factor: the share ``f`` stands for ``(−f, f)``; a pair gives both ends. Positive is down.
        width_factor: likewise; positive is to the right.
        fill_mode: what comes in over the edge: ``"reflect"``, ``"nearest"``, ``"wrap"`` or ``"constant"``.
        interpolation: ``"bilinear"`` or ``"nearest"`` (whole pixels, which keeps them sharp).
        fill_value: for ``fill_mode="constant"``.
        name: name in the model.

    Shapes:
        x: [batch, height, width, channels] -> the same.

    Example:
        >>> from chainrule.core import Input
        >>> RandomTranslation(0.1, 0.1)(Input((4, 5, 3))).shape
        (b, 4, 5, 3)
    """

    height_factor: Factor
    width_factor: Factor
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: float = 0.0
    name: str | None = None

    def __post_init__(self) -> None:
        self._check(self.fill_mode, self.interpolation, self.fill_value)
        factor_range("height_factor", self.height_factor, self)
        factor_range("width_factor", self.width_factor, self)

    def changed(self, x: Array, key: Key) -> Array:
        """Shifted."""
        drawn = hash_uniform(key, (2, x.shape[0], 1))
        down = between(factor_range("height_factor", self.height_factor, self), drawn[0]) * x.shape[1]
        right = between(factor_range("width_factor", self.width_factor, self), drawn[1]) * x.shape[2]
        return warp_axes(
            x,
            jnp.arange(x.shape[1], dtype=jnp.float32)[None] - down,
            jnp.arange(x.shape[2], dtype=jnp.float32)[None] - right,
            fill_mode=self.fill_mode,
            interpolation=self.interpolation,
            fill_value=self.fill_value,
        )


@register_class
@dataclass(frozen=True, eq=False)
class RandomZoom(_Warp):
    """Scale each image about its middle: the side becomes ``1 / (1 + z)`` of what it was, ``z`` drawn uniformly.

    Args:
        height_factor: ``z`` of the height: ``f`` stands for ``(−f, f)``. Positive shrinks (zooms out), negative
            enlarges, as in Keras.
        width_factor: ``z`` of the width; ``None`` takes that of the height, which keeps proportions.
        fill_mode: what comes in over the edge.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_value: for ``fill_mode="constant"``.
        name: name in the model.

    Shapes:
        x: [batch, height, width, channels] -> the same.

    Example:
        >>> from chainrule.core import Input
        >>> RandomZoom(0.2)(Input((4, 5, 3))).shape
        (b, 4, 5, 3)
    """

    height_factor: Factor
    width_factor: Factor | None = None
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: float = 0.0
    name: str | None = None

    def __post_init__(self) -> None:
        self._check(self.fill_mode, self.interpolation, self.fill_value)
        for name, factor in (("height_factor", self.height_factor), ("width_factor", self.width_factor)):
            if factor is not None:
                check_number(name, factor_range(name, factor, self)[0], self, above=-1)

    def changed(self, x: Array, key: Key) -> Array:
        """Scaled."""
        drawn = hash_uniform(key, (2, x.shape[0], 1))
        tall = 1 + between(factor_range("height_factor", self.height_factor, self), drawn[0])
        wide = tall
        if self.width_factor is not None:
            wide = 1 + between(factor_range("width_factor", self.width_factor, self), drawn[1])
        return warp_axes(
            x,
            _centred(x.shape[1])[None] * tall + (x.shape[1] - 1) / 2,
            _centred(x.shape[2])[None] * wide + (x.shape[2] - 1) / 2,
            fill_mode=self.fill_mode,
            interpolation=self.interpolation,
            fill_value=self.fill_value,
        )


@register_class
@dataclass(frozen=True, eq=False)
class RandomRotation(_Warp):
    """Turn each image about its middle by an angle drawn uniformly.

    Args:
        factor: in whole turns: ``f`` stands for ``(−f, f)``, so 0.1 turns by up to 36 degrees. Positive is
            counter-clockwise, as in Keras.
        fill_mode: what comes in over the edge.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_value: for ``fill_mode="constant"``.
        name: name in the model.

    Shapes:
        x: [batch, height, width, channels] -> the same.

    Example:
        >>> from chainrule.core import Input
        >>> RandomRotation(0.05)(Input((4, 5, 3))).shape
        (b, 4, 5, 3)
    """

    factor: Factor
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: float = 0.0
    name: str | None = None

    def __post_init__(self) -> None:
        self._check(self.fill_mode, self.interpolation, self.fill_value)
        factor_range("factor", self.factor, self)

    def changed(self, x: Array, key: Key) -> Array:
        """Turned."""
        drawn = hash_uniform(key, (x.shape[0], 1, 1))
        angle = 2 * np.pi * between(factor_range("factor", self.factor, self), drawn)
        cosine, sine = jnp.cos(angle), jnp.sin(angle)
        down, right = _centred(x.shape[1])[None, :, None], _centred(x.shape[2])[None, None, :]
        return warp_points(  # row numbers grow downwards, so this turns what is seen counter-clockwise
            x,
            cosine * down + sine * right + (x.shape[1] - 1) / 2,
            cosine * right - sine * down + (x.shape[2] - 1) / 2,
            fill_mode=self.fill_mode,
            interpolation=self.interpolation,
            fill_value=self.fill_value,
        )


@register_class
@dataclass(frozen=True, eq=False)
class RandomCrop(Layer):
    """Cut a window of ``height × width`` out of each image, at a place of its own; in inference out of the middle.

    With ``padding``, the image is enlarged first: ``RandomCrop(32, 32, padding=4)`` is the shift that residual networks
    are trained with on CIFAR-10. Keras has no padding here, and resizes images that are too small, which are an error
    here.

    Args:
        height: of the window.
        width: of the window.
        padding: rows and columns put on each side, at least 0.
        fill_mode: what they hold: ``"constant"`` zeros, or the image ``"reflect"``-ed, its ``"nearest"`` edge, or
            ``"wrap"``-ped around.
        name: name in the model.

    Shapes:
        x: [batch, height, width, channels] -> [batch, self.height, self.width, channels].

    References:
        He et al., "Deep Residual Learning for Image Recognition", 2015, https://arxiv.org/abs/1512.03385, section 4.2.

    Example:
        >>> from chainrule.core import Input
        >>> RandomCrop(3, 4)(Input((5, 5, 2))).shape
        (b, 3, 4, 2)
    """

    height: int
    width: int
    padding: int = 0
    fill_mode: FillMode = "constant"
    name: str | None = None

    def __post_init__(self) -> None:
        check_choice("fill_mode", self.fill_mode, FILL_MODES, self)
        check_positive_int("height", self.height, self)
        check_positive_int("width", self.width, self)
        check_int("padding", self.padding, self, minimum=0)

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Array, Tree]:
        """A window anywhere in training, in the middle in inference."""
        (x,) = inputs
        check_rank(x, 4, self, exactly=True)
        x = as_float(x)
        room = self._room(known_size(x, 1, self), self.height), self._room(known_size(x, 2, self), self.width)
        if not context.training:
            return self._middle(x, room), variables.state
        drawn = hash_uniform(context.need_key(self), (2, x.shape[0], 1))
        tops = jnp.floor(drawn[0] * (room[0] + 1)) - self.padding
        lefts = jnp.floor(drawn[1] * (room[1] + 1)) - self.padding
        y = warp_axes(  # a vmapped dynamic_slice is a gather, which takes ten times as long on a CPU
            x,
            jnp.arange(self.height, dtype=jnp.float32)[None] + tops,
            jnp.arange(self.width, dtype=jnp.float32)[None] + lefts,
            fill_mode=self.fill_mode,
        )
        return y, variables.state

    def _middle(self, x: Array, room: tuple[int, int]) -> Array:
        pad, (top, left) = self.padding, (room[0] // 2, room[1] // 2)
        x = jnp.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)), _NUMPY_MODES[self.fill_mode]) if pad else x
        return x[:, top : top + self.height, left : left + self.width]

    def _room(self, size: int, window: int) -> int:
        room = size + 2 * self.padding - window
        if room < 0:
            raise ShapeError(
                f"{owner_name(self)}: the window must fit the padded image; received a side of "
                f"{size + 2 * self.padding} for a window of {window}. Choose a smaller window, or more padding."
            )
        return room


def _centred(size: int) -> Array:
    """Positions of ``size`` pixels from their middle."""
    return jnp.arange(size, dtype=jnp.float32) - (size - 1) / 2
