"""Layers that join several inputs: branches of a graph come together here."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from chainrule._base.checks import check_int, owner_name
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, shape_text
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._declare import positive_axes
from chainrule.ops.normalization import unit_length


@dataclass(frozen=True, eq=False)
class _Elementwise(Layer):
    """What the elementwise merges share: two or more inputs of one rank, whose sizes are equal or 1."""

    name: str | None = None
    most: ClassVar[int | None] = None  # how many inputs at most

    def call(self, params: Tree, *inputs: Array) -> Array:  # noqa: ARG002 - no weights
        """The inputs, joined element by element."""
        _check_number(inputs, self, self.most)
        for other in inputs[1:]:
            same_rank = other.ndim == inputs[0].ndim
            if not same_rank or any(
                a != b and a != 1 and b != 1 for a, b in zip(inputs[0].shape, other.shape, strict=True)
            ):
                raise ShapeError(
                    f"{owner_name(self)}: the inputs must have as many axes as each other, of equal size or size 1; "
                    f"received shapes {_shapes(inputs)}. Reshape one of them, or project it with Dense."
                )
        return self.join(*inputs)

    def join(self, *inputs: Array) -> Array:
        """The elementwise function of all inputs."""
        raise NotImplementedError(f"{type(self).__name__}: define join(self, *inputs).")


@register_class
@dataclass(frozen=True, eq=False)
class Add(_Elementwise):
    """Sum of the inputs: skip connections.

    Example:
        >>> import jax.numpy as jnp
        >>> Add().call({}, jnp.array([[1.0]]), jnp.array([[2.0]]), jnp.array([[4.0]])).tolist()
        [[7.0]]
    """

    def join(self, *inputs: Array) -> Array:
        """Their sum."""
        return _fold(jnp.add, inputs)


@register_class
@dataclass(frozen=True, eq=False)
class Subtract(_Elementwise):
    """First input minus the second.

    Example:
        >>> import jax.numpy as jnp
        >>> Subtract().call({}, jnp.array([[1.0]]), jnp.array([[3.0]])).tolist()
        [[-2.0]]
    """

    most = 2

    def join(self, *inputs: Array) -> Array:
        """Their difference."""
        return inputs[0] - inputs[1]


@register_class
@dataclass(frozen=True, eq=False)
class Multiply(_Elementwise):
    """Product of the inputs: gates and attention weights.

    Example:
        >>> import jax.numpy as jnp
        >>> Multiply().call({}, jnp.array([[2.0, 3.0]]), jnp.array([[10.0]])).tolist()
        [[20.0, 30.0]]
    """

    def join(self, *inputs: Array) -> Array:
        """Their product."""
        return _fold(jnp.multiply, inputs)


@register_class
@dataclass(frozen=True, eq=False)
class Average(_Elementwise):
    """Mean of the inputs.

    Example:
        >>> import jax.numpy as jnp
        >>> Average().call({}, jnp.array([[1.0]]), jnp.array([[3.0]])).tolist()
        [[2.0]]
    """

    def join(self, *inputs: Array) -> Array:
        """Their mean."""
        return _fold(jnp.add, inputs) / len(inputs)


@register_class
@dataclass(frozen=True, eq=False)
class Maximum(_Elementwise):
    """Largest of the inputs, element by element; at a tie the gradient is shared equally.

    Example:
        >>> import jax.numpy as jnp
        >>> Maximum().call({}, jnp.array([[1.0, 5.0]]), jnp.array([[3.0, 2.0]])).tolist()
        [[3.0, 5.0]]
    """

    def join(self, *inputs: Array) -> Array:
        """Their maximum."""
        return _fold(jnp.maximum, inputs)


@register_class
@dataclass(frozen=True, eq=False)
class Minimum(_Elementwise):
    """Smallest of the inputs, element by element; at a tie the gradient is shared equally.

    Example:
        >>> import jax.numpy as jnp
        >>> Minimum().call({}, jnp.array([[1.0, 5.0]]), jnp.array([[3.0, 2.0]])).tolist()
        [[1.0, 2.0]]
    """

    def join(self, *inputs: Array) -> Array:
        """Their minimum."""
        return _fold(jnp.minimum, inputs)


@register_class
@dataclass(frozen=True, eq=False)
class Concatenate(Layer):
    """Put the inputs one after another along ``axis``.

    Args:
        axis: an axis of one example; all others must be equal.
        name: name in the model.

    Raises:
        ShapeError: fewer than two inputs, or sizes that differ off the axis.

    Example:
        >>> from chainrule.core import Input
        >>> Concatenate()(Input(3), Input(4)).shape
        (b, 7)
    """

    axis: int = -1
    name: str | None = None

    def __post_init__(self) -> None:
        check_int("axis", self.axis, self)

    def call(self, params: Tree, *inputs: Array) -> Array:  # noqa: ARG002 - no weights
        """All inputs along ``axis``."""
        _check_number(inputs, self, None)
        (axis,) = positive_axes(self.axis, inputs[0], self)
        first = inputs[0].shape
        if any(
            other.ndim != len(first)
            or any(a != b for i, (a, b) in enumerate(zip(first, other.shape, strict=True)) if i != axis)
            for other in inputs[1:]
        ):
            raise ShapeError(
                f"{owner_name(self)}: the inputs must have equal sizes on every axis but axis {axis}; received "
                f"shapes {_shapes(inputs)}. Reshape one of them, or choose another axis."
            )
        return jnp.concatenate(inputs, axis=axis)


@register_class
@dataclass(frozen=True, eq=False)
class Dot(Layer):
    """Inner product of two inputs over one axis of each, example by example.

    Args:
        axes: the axis summed over, or a pair of them, one for each input.
        normalize: whether vectors are brought to length 1 first, which gives the cosine similarity.
        name: name in the model.

    Shapes:
        [batch, n] and [batch, n] -> [batch, 1]; in general the remaining axes of the first input, then of the second.

    Example:
        >>> import jax.numpy as jnp
        >>> Dot().call({}, jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 4.0]])).tolist()
        [[11.0]]
    """

    axes: int | tuple[int, int] = -1
    normalize: bool = False
    name: str | None = None

    def __post_init__(self) -> None:
        pair = (self.axes, self.axes) if isinstance(self.axes, int) else tuple(self.axes)
        if len(pair) != 2:
            raise ArgumentError(
                f"{owner_name(self)}: axes must be one axis or a pair; received {self.axes!r}. Write axes=(1, 2)."
            )
        for axis in pair:
            check_int("axes", axis, self)

    def call(self, params: Tree, *inputs: Array) -> Array:  # noqa: ARG002 - no weights
        """Sums of products over the chosen axes."""
        if len(inputs) != 2:
            _check_number(inputs, self, 2)
        left, right = inputs
        wanted = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        (i,), (j,) = positive_axes(wanted[0], left, self), positive_axes(wanted[1], right, self)
        if left.shape[i] != right.shape[j]:
            raise ShapeError(
                f"{owner_name(self)}: the axes summed over must have equal sizes; received shapes "
                f"{_shapes(inputs)} and axes ({i}, {j}). Choose other axes, or project one input with Dense."
            )
        if self.normalize:
            left, right = unit_length(left, (i,)), unit_length(right, (j,))
        product = jax.lax.dot_general(left, right, (((i,), (j,)), ((0,), (0,))))
        return product[:, None] if product.ndim == 1 else product  # [batch] -> [batch, 1]


def _fold(function: Callable[[Array, Array], Array], inputs: tuple[Array, ...]) -> Array:
    return functools.reduce(function, inputs)


def _check_number(inputs: tuple[Array, ...], owner: object, most: int | None) -> None:
    if len(inputs) < 2 or (most is not None and len(inputs) > most):
        kind = "two inputs" if most == 2 else "at least two inputs"
        raise ShapeError(
            f"{owner_name(owner)}: must be called on {kind}; received {len(inputs)}. "
            f"Write {type(owner).__name__}()(a, b)."
        )


def _shapes(inputs: tuple[Array, ...]) -> str:
    return " and ".join(shape_text(Spec(x.shape, x.dtype)) for x in inputs)
