"""How layers declare weights and refuse inputs of the wrong shape: one phrasing for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import jax.numpy as jnp

from chainrule import constraints, initializers, regularizers
from chainrule._base.checks import owner_name
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.spec import Array, Constraint, Initializer, Regularizer, Spec, Weight, shape_text

InitializerLike = str | Initializer
RegularizerLike = str | Regularizer | None
ConstraintLike = str | Constraint | None


def declare(
    shape: tuple[int, ...],
    initializer: InitializerLike,
    regularizer: RegularizerLike = None,
    constraint: ConstraintLike = None,
    *,
    axes: tuple[str | None, ...] | None = None,
) -> Weight:
    """A trained weight whose initializer, regularizer and constraint are given by name or object."""
    return Weight(
        shape,
        initializers.get(initializer),
        axes=axes,
        regularizer=regularizers.get(regularizer),
        constraint=constraints.get(constraint),
    )


class WithKernel(Protocol):
    """A layer whose weights are a kernel and, if asked for, a bias."""

    @property
    def use_bias(self) -> bool: ...
    @property
    def kernel_initializer(self) -> InitializerLike: ...
    @property
    def bias_initializer(self) -> InitializerLike: ...
    @property
    def kernel_regularizer(self) -> RegularizerLike: ...
    @property
    def bias_regularizer(self) -> RegularizerLike: ...
    @property
    def kernel_constraint(self) -> ConstraintLike: ...
    @property
    def bias_constraint(self) -> ConstraintLike: ...


def kernel_and_bias(layer: WithKernel, shape: tuple[int, ...], axes: tuple[str | None, ...]) -> dict[str, Weight]:
    """``kernel`` of ``shape`` and, with ``use_bias``, ``bias`` along the kernel's axis called ``"out"``."""
    kernel = declare(shape, layer.kernel_initializer, layer.kernel_regularizer, layer.kernel_constraint, axes=axes)
    if not layer.use_bias:
        return {"kernel": kernel}
    outputs = (shape[axes.index("out")],)
    bias = declare(outputs, layer.bias_initializer, layer.bias_regularizer, layer.bias_constraint, axes=("out",))
    return {"kernel": kernel, "bias": bias}


def check_rank(
    x: Spec | Array,
    minimum: int,
    owner: object,
    *,
    exactly: bool = False,
    advice: str = "Reshape it, or check the layer before.",
) -> None:
    """Require at least ``minimum`` axes, or ``exactly`` so many; the batch axis counts."""
    if x.ndim < minimum or (exactly and x.ndim != minimum):
        kind = f"{minimum} axes" if exactly else f"at least {minimum} axes"
        raise ShapeError(
            f"{owner_name(owner)}: the input must have {kind}, the batch axis among them; received shape "
            f"{shape_text(_spec(x))}. {advice}"
        )


def known_size(x: Spec | Array, axis: int, owner: object) -> int:
    """The size of ``axis``, which must be a plain integer because weights hang on it."""
    size = x.shape[axis]
    if not isinstance(size, int):
        raise ShapeError(
            f"{owner_name(owner)}: axis {axis} of the input must have a known size, because weights hang on it; "
            f"received shape {shape_text(_spec(x))}. Give that size to Input instead of None."
        )
    return size


def check_size(x: Spec | Array, axis: int, size: int, owner: object) -> None:
    """Require ``size`` along ``axis``, as when the weights were made."""
    if x.shape[axis] != size:
        which = "last axis" if axis == -1 else f"axis {axis}"
        raise ShapeError(
            f"{owner_name(owner)}: {which} of the input must be {size}, as when it was built; received shape "
            f"{shape_text(_spec(x))}. Feed {size} features or build a new model."
        )


def positive_axes(axis: int | Sequence[int], x: Spec | Array, owner: object) -> tuple[int, ...]:
    """``axis`` counted from the front, in order; the batch axis and axes that are not there are refused."""
    wanted = (axis,) if isinstance(axis, int) else tuple(axis)
    positive = tuple(sorted({one + x.ndim if one < 0 else one for one in wanted}))
    if not positive or positive[0] < 1 or positive[-1] >= x.ndim:
        raise ShapeError(
            f"{owner_name(owner)}: axis must lie between 1 and {x.ndim - 1} (or count from the end: -1), "
            f"because axis 0 is the batch; received axis={axis} for shape {shape_text(_spec(x))}. "
            "Choose an axis of one example."
        )
    return positive


def along(vector: Array, axes: Sequence[int], rank: int) -> Array:
    """``vector`` with axes of size 1 put in, so that its own axes stand at ``axes`` of an array of ``rank``."""
    return jnp.expand_dims(vector, tuple(i for i in range(rank) if i not in axes))


def check_sizes(name: str, value: Any, owner: object) -> None:  # Any: this looks at values of unknown type
    """Require a tuple of integers."""
    if not isinstance(value, tuple | list) or not all(
        isinstance(size, int) and not isinstance(size, bool) for size in value
    ):
        raise ArgumentError(
            f"{owner_name(owner)}: {name} must be a tuple of integers; received {value!r}. "
            f"Write for example {name}=(2, 3)."
        )


def _spec(x: Spec | Array) -> Spec:
    return Spec(x.shape, x.dtype)
