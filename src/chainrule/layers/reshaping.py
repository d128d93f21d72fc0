"""Layers that rearrange one example and compute nothing; the batch axis always stays first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from chainrule._base.checks import check_positive_int, owner_name
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, shape_text
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._declare import check_rank, check_sizes


@register_class
@dataclass(frozen=True, eq=False)
class Flatten(Layer):
    """Lay out each example as one vector, the last axis running fastest.

    Shapes:
        x: [batch, ...] -> [batch, product of the rest]; [batch] -> [batch, 1].

    Example:
        >>> from chainrule.core import Input
        >>> Flatten()(Input((7, 7, 16))).shape
        (b, 784)
    """

    name: str | None = None

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """One vector an example."""
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))  # [batch, ...] -> [batch, features]


@register_class
@dataclass(frozen=True, eq=False)
class Reshape(Layer):
    """Give each example another shape with as many entries.

    Args:
        target_shape: shape of one example; one entry may be -1 and is worked out.
        name: name in the model.

    Shapes:
        x: [batch, ...] -> [batch, *target_shape].

    Raises:
        ShapeError: the number of entries differs.

    Example:
        >>> from chainrule.core import Input
        >>> Reshape((3, -1))(Input(12)).shape
        (b, 3, 4)
    """

    target_shape: tuple[int, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        check_sizes("target_shape", self.target_shape, self)
        if any(size < 1 and size != -1 for size in self.target_shape) or self.target_shape.count(-1) > 1:
            raise ArgumentError(
                f"{owner_name(self)}: target_shape must hold positive sizes and at most one -1; received "
                f"{tuple(self.target_shape)}. Name the shape of one example, without the batch."
            )

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """The same entries in the target shape."""
        entries = math.prod(x.shape[1:])
        known = math.prod(size for size in self.target_shape if size != -1)
        rest = entries // known
        target: tuple[Any, ...] = tuple(rest if size == -1 else size for size in self.target_shape)
        if math.prod(target) != entries:
            raise ShapeError(
                f"{owner_name(self)}: target_shape {tuple(self.target_shape)} must hold as many entries as one "
                f"example; received shape {shape_text(Spec(x.shape, x.dtype))} with {entries} entries an example. "
                "Change target_shape."
            )
        return x.reshape(x.shape[0], *target)


@register_class
@dataclass(frozen=True, eq=False)
class Permute(Layer):
    """Reorder the axes of each example.

    Args:
        dims: the axes, counted from 1, in their new order: ``(2, 1)`` swaps time and features.
        name: name in the model.

    Example:
        >>> from chainrule.core import Input
        >>> Permute((2, 1))(Input((5, 3))).shape
        (b, 3, 5)
    """

    dims: tuple[int, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        check_sizes("dims", self.dims, self)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(
                f"{owner_name(self)}: dims must name each axis from 1 to {len(self.dims)} once; received "
                f"{tuple(self.dims)}. Write for example dims=(2, 1)."
            )

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """The same entries with the axes in another order."""
        check_rank(x, len(self.dims) + 1, self, exactly=True)
        return jnp.transpose(x, (0, *self.dims))


@register_class
@dataclass(frozen=True, eq=False)
class RepeatVector(Layer):
    """Repeat a vector n times along a new time axis.

    Shapes:
        x: [batch, features] -> [batch, n, features].

    Example:
        >>> from chainrule.core import Input
        >>> RepeatVector(4)(Input(3)).shape
        (b, 4, 3)
    """

    n: int
    name: str | None = None

    def __post_init__(self) -> None:
        check_positive_int("n", self.n, self)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """The vector, ``n`` times."""
        check_rank(x, 2, self, exactly=True)
        return jnp.broadcast_to(x[:, None, :], (x.shape[0], self.n, x.shape[1]))  # [batch, n, features]
