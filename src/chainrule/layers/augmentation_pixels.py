"""Random changes of images that keep their meaning, where pixels stay in place: brightness, contrast, erased parts.

See :mod:`chainrule.layers.augmentation` for what all of them share.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from chainrule._base.checks import check_number, owner_name
from chainrule._base.errors import ArgumentError
from chainrule._base.registry import register_class
from chainrule._base.rng import Key
from chainrule._base.spec import Array
from chainrule.layers.augmentation import Factor, RandomImageLayer, between, factor_range
from chainrule.ops.stateless_random import hash_uniform


@register_class
@dataclass(frozen=True, eq=False)
class RandomBrightness(RandomImageLayer):
    """Add one number to all pixels of an image, drawn uniformly, and keep them within the range of values.

    Args:
        factor: as a share of the range of values: ``f`` stands for ``(−f, f)``.
        value_range: lowest and highest value of a pixel; write ``(0, 1)`` behind a ``Rescaling(1 / 255)``.
        name: name in the model.

    Shapes:
        x: [batch, height, width, channels] -> the same.

    Example:
        >>> from chainrule.core import Input
        >>> RandomBrightness(0.2)(Input((4, 5, 3))).shape
        (b, 4, 5, 3)
    """

    factor: Factor
    value_range: tuple[float, float] = (0.0, 255.0)
    name: str | None = None

    def __post_init__(self) -> None:
        factor_range("factor", self.factor, self)
        _check_range(self.value_range, self)

    def changed(self, x: Array, key: Key) -> Array:
        """Brighter or darker."""
        low, high = self.value_range
        drawn = hash_uniform(key, (x.shape[0], 1, 1, 1)).astype(x.dtype)
        return jnp.clip(x + between(factor_range("factor", self.factor, self), drawn) * (high - low), low, high)


@register_class
@dataclass(frozen=True, eq=False)
class RandomContrast(RandomImageLayer):
    """Stretch the pixels of each channel about their mean: ``y = (x − mean) · c + mean``, ``c`` drawn uniformly.

    Args:
        factor: ``f`` draws ``c`` from ``(1 − f, 1 + f)``; a pair ``(a, b)`` from ``(1 − a, 1 + b)``, as in Keras.
        value_range: lowest and highest value of a pixel; the result is kept within it.
        name: name in the model.

    Shapes:
        x: [batch, height, width, channels] -> the same.

    Example:
        >>> from chainrule.core import Input
        >>> RandomContrast(0.2)(Input((4, 5, 3))).shape
        (b, 4, 5, 3)
    """

    factor: Factor
    value_range: tuple[float, float] = (0.0, 255.0)
    name: str | None = None

    def __post_init__(self) -> None:
        for end in self._ends():
            check_number("factor", end, self, at_least=0)
        _check_range(self.value_range, self)

    def changed(self, x: Array, key: Key) -> Array:
        """More or less contrast."""
        below, above = self._ends()
        drawn = hash_uniform(key, (x.shape[0], 1, 1, 1)).astype(x.dtype)
        mean = x.mean(axis=(1, 2), keepdims=True)
        return jnp.clip((x - mean) * between((1 - below, 1 + above), drawn) + mean, *self.value_range)

    def _ends(self) -> tuple[float, float]:
        pair = tuple(self.factor) if isinstance(self.factor, tuple | list) else (self.factor, self.factor)
        if len(pair) != 2:
            raise ArgumentError(
                f"{owner_name(self)}: factor must be a number or a pair (below, above); received {self.factor!r}."
            )
        return pair


@register_class
@dataclass(frozen=True, eq=False)
class RandomErasing(RandomImageLayer):
    """Blot out one rectangle of an image, so that no single part decides (cutout).

    Each side of the rectangle is ``√s`` of the image's, with ``s`` drawn for each side, so that its area is about ``s``
    of the image.

    Args:
        factor: the probability of erasing. A number ``f`` draws it from ``(0, f)`` for each image, as in Keras; write
            ``(1, 1)`` to erase always.
        scale: lowest and highest ``s``.
        fill_value: what the rectangle is filled with; ``None`` fills with normal noise, kept within the range.
        value_range: lowest and highest value of a pixel.
        name: name in the model.

    Shapes:
        x: [batch, height, width, channels] -> the same.

    References:
        Zhong et al., "Random Erasing Data Augmentation", 2017, https://arxiv.org/abs/1708.04896;
        DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017,
        https://arxiv.org/abs/1708.04552.

    Example:
        >>> from chainrule.core import Input
        >>> RandomErasing((1, 1), fill_value=0)(Input((4, 5, 3))).shape
        (b, 4, 5, 3)
    """

    factor: Factor = 1.0
    scale: tuple[float, float] = (0.02, 0.33)
    fill_value: float | None = None
    value_range: tuple[float, float] = (0.0, 255.0)
    name: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("factor", self.factor), ("scale", self.scale)):
            check_number(name, factor_range(name, value, self, low=0.0)[1], self, at_most=1)
        _check_range(self.value_range, self)

    def changed(self, x: Array, key: Key) -> Array:
        """With or without a blot."""
        drawn = hash_uniform(key, (6, x.shape[0], 1, 1, 1))
        inside = self._inside(x.shape[1], 1, drawn[0], drawn[1]) & self._inside(x.shape[2], 2, drawn[2], drawn[3])
        chance = between(factor_range("factor", self.factor, self, low=0.0), drawn[4])
        if self.fill_value is None:
            fill = jax.random.normal(key, x.shape, x.dtype) * self.value_range[1]
        else:
            fill = jnp.full((), self.fill_value, x.dtype)
        return jnp.where(inside & (drawn[5] < chance), jnp.clip(fill, *self.value_range), x)

    def _inside(self, size: int, axis: int, scale: Array, place: Array) -> Array:
        """Which of ``size`` rows or columns lie within the rectangle: [batch, ..., size, ...]."""
        length = jnp.sqrt(between(factor_range("scale", self.scale, self, low=0.0), scale)) * size
        start = place * (size - length)
        positions = jnp.arange(size, dtype=jnp.float32).reshape([size if i == axis else 1 for i in range(4)])
        return (positions >= start) & (positions < start + length)


def _check_range(value_range: tuple[float, float], owner: object) -> None:
    if not isinstance(value_range, tuple | list) or len(value_range) != 2 or not value_range[0] < value_range[1]:
        raise ArgumentError(
            f"{owner_name(owner)}: value_range must be (lowest, highest); received {value_range!r}. Write (0, 255) or "
            "(0, 1)."
        )
