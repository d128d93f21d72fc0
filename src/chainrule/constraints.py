"""Projections of weights, applied after every update: limits on what a weight may be.

``axis`` names the axes over which a norm is taken. ``None``, the default, means all but the last: the incoming
weights of one unit, for dense kernels ``[in, out]`` and convolution kernels ``[height, width, in, out]`` alike; a
vector is one whole. (Keras's default is 0, which for convolutions is no unit's weights.) Norms are accumulated in at
least float32. No epsilon: a norm that must be 1 is 1, and a weight of norm 0, which has no direction, stays 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from chainrule._base import tree as trees
from chainrule._base.checks import check_int, check_number, describe
from chainrule._base.errors import ArgumentError, ArgumentTypeError, did_you_mean
from chainrule._base.policy import widen
from chainrule._base.registry import Registry, register_class
from chainrule._base.spec import Array, Constraint

__all__ = ["MaxNorm", "MinMaxNorm", "NonNegative", "UnitNorm", "get", "project"]

Axis = int | tuple[int, ...] | None

constraints: Registry[type[Any]] = Registry("constraint")  # Any: each a class of Constraint


def get(constraint: str | Constraint | None) -> Constraint | None:
    """The constraint of that name, with its default arguments; a callable and ``None`` are passed on.

    Raises:
        UnknownNameError: for a name that is not registered; suggests the nearest.

    Example:
        >>> get("max_norm")
        MaxNorm(max_value=2.0, axis=None)
    """
    if constraint is None:
        return None
    if isinstance(constraint, str):
        made: Constraint = constraints[constraint]()
        return made
    if callable(constraint) and not isinstance(constraint, type):
        return constraint
    raise ArgumentTypeError(
        f"constraint must be None, a name, a constraint or a function weight -> weight; received "
        f"{describe(constraint)}. Type MaxNorm(2.0), with its parentheses."
    )


def project(params: Mapping[str, Any], by_path: Mapping[str, Constraint]) -> trees.Tree:
    """``params`` with the weights at the given paths projected; all others are passed on.

    Raises:
        ArgumentError: if there is no weight at a path.

    Example:
        >>> project({"a": {"kernel": jnp.array([[-1.0], [2.0]])}}, {"a/kernel": NonNegative()})["a"]["kernel"].tolist()
        [[0.0], [2.0]]
    """
    leaves = trees.flatten(params)
    for path in by_path:
        if path not in leaves:
            raise ArgumentError(f"constraint: there is no weight at {path!r}.{did_you_mean(path, leaves)}")
    return trees.map_with_path(lambda path, leaf: by_path[path](leaf) if path in by_path else leaf, params)


@register_class
@dataclass(frozen=True)
class MaxNorm:
    """Scale each unit's incoming weights down to norm ``max_value`` where they exceed it.

    Example:
        >>> MaxNorm(5.0)(jnp.array([[6.0, 0.5], [8.0, 1.5]])).tolist()
        [[3.0, 0.5], [4.0, 1.5]]

    References:
        Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014, section 5.1.
    """

    max_value: float = 2.0
    axis: Axis = None

    def __post_init__(self) -> None:
        check_number("max_value", self.max_value, self, above=0)
        _check_axis(self.axis, self)

    def __call__(self, weight: Array) -> Array:
        """The projected weight, of the same shape and dtype."""
        wide = widen(weight)
        norm = _norm(wide, self.axis)
        scale = self.max_value / jnp.maximum(norm, self.max_value)  # exactly 1 up to the limit
        return (wide * scale).astype(weight.dtype)


@register_class
@dataclass(frozen=True)
class NonNegative:
    """Replace negative weights by 0; Keras's ``NonNeg``.

    Example:
        >>> NonNegative()(jnp.array([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def __call__(self, weight: Array) -> Array:
        """The projected weight."""
        return jnp.maximum(weight, 0)


@register_class
@dataclass(frozen=True)
class UnitNorm:
    """Scale each unit's incoming weights to norm 1.

    Example:
        >>> UnitNorm()(jnp.array([[0.0, 2.0], [4.0, 0.0]])).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """

    axis: Axis = None

    def __post_init__(self) -> None:
        _check_axis(self.axis, self)

    def __call__(self, weight: Array) -> Array:
        """The projected weight, of the same shape and dtype."""
        wide = widen(weight)
        return (wide / _nonzero(_norm(wide, self.axis))).astype(weight.dtype)


@register_class
@dataclass(frozen=True)
class MinMaxNorm:
    """Draw the norm of each unit's incoming weights into ``[min_value, max_value]``.

    ``norm' = (1 - rate) · norm + rate · clip(norm, min_value, max_value)``

    Args:
        min_value: lower limit, at least 0.
        max_value: upper limit.
        rate: share of the way that is gone at each update; 1 enforces the limits at once.
        axis: see the module.

    Example:
        >>> MinMaxNorm(2.0, 5.0)(jnp.array([[6.0, 0.0], [8.0, 1.0]])).tolist()
        [[3.0, 0.0], [4.0, 2.0]]
    """

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: Axis = None

    def __post_init__(self) -> None:
        check_number("min_value", self.min_value, self, at_least=0)
        check_number("max_value", self.max_value, self, above=0, at_least=self.min_value)
        check_number("rate", self.rate, self, above=0, at_most=1)
        _check_axis(self.axis, self)

    def __call__(self, weight: Array) -> Array:
        """The projected weight, of the same shape and dtype."""
        wide = widen(weight)
        norm = _norm(wide, self.axis)
        clipped = jnp.clip(norm, self.min_value, self.max_value)
        wanted = (1 - self.rate) * norm + self.rate * clipped
        return (wide * (wanted / _nonzero(norm))).astype(weight.dtype)


constraints.register(MaxNorm, "max_norm")
constraints.register(NonNegative, "non_negative", synonyms=("non_neg", "nonneg"))
constraints.register(UnitNorm, "unit_norm")
constraints.register(MinMaxNorm, "min_max_norm")


def _check_axis(axis: Axis, owner: object) -> None:
    for item in axis if isinstance(axis, tuple) else () if axis is None else (axis,):
        check_int("axis", item, owner)


def _norm(weight: Array, axis: Axis) -> Array:
    if axis is None:
        axis = tuple(range(weight.ndim - 1)) if weight.ndim > 1 else None
    return jnp.sqrt(jnp.sum(jnp.square(weight), axis=axis, keepdims=True))


def _nonzero(norm: Array) -> Array:
    return jnp.where(norm > 0, norm, 1)
