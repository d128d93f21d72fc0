"""Layers of fixed arithmetic: rescaling, standardising with given constants, and a function of your own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from chainrule._base.checks import check_number, describe, owner_name
from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._declare import along, check_size, positive_axes
from chainrule.ops.precision import as_float


@register_class
@dataclass(frozen=True, eq=False)
class Rescaling(Layer):
    """``y = scale · x + offset``; ``Rescaling(1 / 255)`` brings pixels into [0, 1]. Integers become float32.

    Example:
        >>> import jax.numpy as jnp
        >>> Rescaling(2.0, -1.0).call({}, jnp.array([[0.0, 1.0]])).tolist()
        [[-1.0, 1.0]]
    """

    scale: float
    offset: float = 0.0
    name: str | None = None

    def __post_init__(self) -> None:
        check_number("scale", self.scale, self)
        check_number("offset", self.offset, self)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """Scaled and shifted."""
        return as_float(x) * self.scale + self.offset


@register_class
@dataclass(frozen=True, eq=False)
class Normalization(Layer):
    """Standardise with known constants, ``y = (x − mean) / √variance``, so that a model takes raw values.

    A constant feature (variance 0) is only centred. Work the constants out on the training part alone.

    Args:
        mean: one number, or a tuple with one for each entry of ``axis``.
        variance: likewise; at least 0.
        axis: the axis along which tuples run.
        name: name in the model.

    Example:
        >>> import jax.numpy as jnp
        >>> Normalization(mean=(1.0, 10.0), variance=(4.0, 0.0)).call({}, jnp.array([[5.0, 12.0]])).tolist()
        [[2.0, 2.0]]
    """

    mean: float | tuple[float, ...]
    variance: float | tuple[float, ...]
    axis: int = -1
    name: str | None = None

    def __post_init__(self) -> None:
        sizes = {_check_numbers(name, getattr(self, name), self) for name in ("mean", "variance")} - {None}
        if len(sizes) > 1:
            raise ArgumentError(
                f"{owner_name(self)}: mean and variance must have as many entries as each other; received "
                f"{len(self.mean)} and {len(self.variance)}."  # type: ignore[arg-type]  # both are tuples here
                " Give one of each for every feature."
            )
        smallest = min(self.variance) if isinstance(self.variance, tuple | list) else self.variance
        check_number("variance", smallest, self, at_least=0)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """Centred and scaled."""
        x = as_float(x)
        deviation = _constant(self.variance, x, self) ** 0.5
        return (x - _constant(self.mean, x, self)) / jnp.where(deviation > 0, deviation, 1)


@register_class
@dataclass(frozen=True, eq=False)
class Lambda(Layer):
    """Apply a function of your own to the inputs: array(s) to array, written with ``jax.numpy``, without weights.

    Any function runs; to save a model, register it first (``chainrule.register``), because files hold names, never
    code. A layer with weights is a class of its own.

    Example:
        >>> import jax.numpy as jnp
        >>> Lambda(jnp.square).call({}, jnp.array([[3.0]])).tolist()
        [[9.0]]
    """

    function: Callable[..., Any]
    name: str | None = None

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ArgumentTypeError(
                f"{owner_name(self)}: function must be callable; received {describe(self.function)}. "
                "Pass the function itself, without brackets."
            )

    def call(self, params: Tree, *inputs: Array) -> Any:  # noqa: ARG002 - no weights; Any: as the function returns
        """What the function returns."""
        return self.function(*inputs)


def _constant(values: float | tuple[float, ...], x: Array, owner: Normalization) -> Array:
    if not isinstance(values, tuple | list):
        return jnp.asarray(values, x.dtype).reshape((1,) * x.ndim)
    (axis,) = positive_axes(owner.axis, x, owner)
    check_size(x, axis, len(values), owner)
    return along(jnp.asarray(values, x.dtype), (axis,), x.ndim)


def _check_numbers(name: str, value: Any, owner: object) -> int | None:  # Any: of unknown type
    if not isinstance(value, tuple | list):
        check_number(name, value, owner)
        return None
    for item in value:
        check_number(name, item, owner)
    return len(value)
