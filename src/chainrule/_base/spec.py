"""What an array is before it exists: shape with a symbolic batch, dtype, and the declaration of a weight."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.export
import jax.numpy as jnp

from chainrule._base.errors import ShapeError

Array = jax.Array
Spec = jax.ShapeDtypeStruct
DType = Any  # jnp dtypes, numpy dtypes and their names: JAX itself types them as Any
Initializer = Callable[[Any, tuple[int, ...], Any], Array]  # (key, shape, dtype) -> Array
Regularizer = Callable[[Array], Array]  # weight -> scalar penalty
Constraint = Callable[[Array], Array]  # weight -> weight


@dataclass(frozen=True)
class Weight:
    """A weight that a layer wants: a declaration, not an array.

    Args:
        shape: its shape; known sizes only.
        init: ``(key, shape, dtype) -> Array``.
        dtype: ``None`` takes the policy's.
        kind: ``"param"`` is trained; ``"state"`` is carried along (running means, recurrent state).
        axes: logical names of the axes, for sharding and the summary. State whose first axis is ``"batch"`` belongs to
            the rows of a batch: every pass over the examples begins with it as it was before the first.
        regularizer: penalty on this weight, added to the loss in training.
        constraint: projection applied after every update.
    """

    shape: tuple[int, ...]
    init: Initializer
    dtype: DType | None = None
    kind: Literal["param", "state"] = "param"
    axes: tuple[str | None, ...] | None = None
    regularizer: Regularizer | None = None
    constraint: Constraint | None = None


@functools.cache
def symbolic_size(name: str) -> Any:  # Any: JAX's symbolic dimension has no public type
    """The one symbolic size called ``name`` (``"b"`` is the batch)."""
    return jax.export.symbolic_shape(name, scope=_scope())[0]


@functools.cache
def _scope() -> Any:  # Any: see symbolic_size
    return jax.export.SymbolicScope()


def batched(shape: Sequence[int | None], dtype: DType = jnp.float32) -> Spec:
    """The spec of a batch of examples of ``shape``; ``None`` is a size that may vary.

    Example:
        >>> batched((28, 28, 1)).shape
        (b, 28, 28, 1)
        >>> batched((None, 8)).shape
        (b, t, 8)
    """
    names = iter(["t", "u", "v", "w"])
    sizes = [symbolic_size(next(names)) if size is None else int(size) for size in shape]
    return Spec((symbolic_size("b"), *sizes), jnp.dtype(dtype))


def spec_of(array: Any) -> Spec:  # Any: NumPy or JAX array
    """The spec of one batch, its first axis made symbolic."""
    if not getattr(array, "shape", ()):
        raise ShapeError("an input must have a batch axis first; received a scalar. Pass an array of examples.")
    return batched(array.shape[1:], jax.dtypes.canonicalize_dtype(array.dtype))


def has_symbolic(shape: Sequence[Any]) -> bool:
    """Whether some size of ``shape`` is not a plain integer."""
    return any(not isinstance(size, int) for size in shape)


def concrete(spec: Spec, size: int) -> Spec:
    """``spec`` with every symbolic size replaced by ``size``."""
    return Spec(tuple(n if isinstance(n, int) else size for n in spec.shape), spec.dtype)


def shape_text(spec: Spec) -> str:
    """``(b, 7, 7, 16)`` as the user should read it."""
    return "(" + ", ".join(str(size) for size in spec.shape) + ("," if len(spec.shape) == 1 else "") + ")"
