"""Precision of a model: in which dtype weights are kept, mathematics is done, and results come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from chainrule._base.checks import describe
from chainrule._base.errors import ArgumentError, did_you_mean
from chainrule._base.registry import register_class

_NAMED = {
    "float32": ("float32", "float32", "float32"),
    "mixed_bfloat16": ("float32", "bfloat16", "float32"),
    "bfloat16": ("bfloat16", "bfloat16", "float32"),
    "float64": ("float64", "float64", "float64"),
}


@register_class
@dataclass(frozen=True)
class Policy:
    """Dtypes of a model.

    Args:
        param: dtype in which weights are stored and updated.
        compute: dtype to which weights and inputs are cast for the layers' mathematics.
        output: dtype in which predictions leave the model; losses are computed in it.

    Example:
        >>> Policy.named("mixed_bfloat16")
        Policy(param='float32', compute='bfloat16', output='float32')
    """

    param: str = "float32"
    compute: str = "float32"
    output: str = "float32"

    def __post_init__(self) -> None:
        for dtype in (self.param, self.compute, self.output):
            try:
                is_float = isinstance(dtype, str) and jnp.issubdtype(jnp.dtype(dtype), jnp.floating)
            except TypeError:
                is_float = False
            if not is_float:
                raise ArgumentError(f"Policy: dtypes must be floating, such as 'float32'; received {describe(dtype)}.")

    @staticmethod
    def named(policy: str | Policy) -> Policy:
        """The policy called ``"float32"``, ``"mixed_bfloat16"``, ``"bfloat16"`` or ``"float64"``.

        Raises:
            ArgumentError: there is no such policy, or it asks for float64 while JAX keeps to 32 bits.
        """
        if isinstance(policy, Policy):
            return _available(policy)
        if not isinstance(policy, str) or policy not in _NAMED:
            listed = ", ".join(repr(name) for name in _NAMED)
            raise ArgumentError(
                f"policy must be one of {listed} or a Policy; received {policy!r}.{did_you_mean(str(policy), _NAMED)}"
            )
        return _available(Policy(*_NAMED[policy]))

    def cast_compute(self, tree: Any) -> Any:  # Any: any pytree
        """Cast the floating leaves of ``tree`` to the compute dtype; integers stay."""
        return cast_floats(tree, self.compute)

    def cast_output(self, tree: Any) -> Any:  # Any: any pytree
        """Cast the floating leaves of ``tree`` to the output dtype."""
        return cast_floats(tree, self.output)


def _available(policy: Policy) -> Policy:
    for dtype in (policy.param, policy.compute, policy.output):
        if jax.dtypes.canonicalize_dtype(dtype) != jnp.dtype(dtype):
            raise ArgumentError(
                f"policy: {dtype} needs JAX's 64-bit numbers, which are off, so float32 would be used silently. "
                'Type jax.config.update("jax_enable_x64", True) before making the model.'
            )
    return policy


def cast_floats(tree: Any, dtype: str) -> Any:  # Any: any pytree
    """Cast every floating leaf to ``dtype``; leaves that have it already are passed on untouched."""
    target = jnp.dtype(dtype)

    def cast(leaf: Any) -> Any:
        if jnp.issubdtype(leaf.dtype, jnp.floating) and leaf.dtype != target:
            return leaf.astype(target)
        return leaf

    return jax.tree.map(cast, tree)


def wide_dtype(dtype: Any) -> Any:  # Any: dtypes and their names, as JAX types them
    """``dtype``, or float32 if it is narrower or no floating-point dtype: what sums are accumulated in.

    Unlike ``jnp.promote_types`` it also works where JAX is told to refuse implicit promotion.

    Example:
        >>> [wide_dtype(name).name for name in ("bfloat16", "int32", "float32", "float64")]
        ['float32', 'float32', 'float32', 'float64']
    """
    dtype = jnp.dtype(dtype)
    return dtype if jnp.issubdtype(dtype, jnp.floating) and dtype.itemsize >= 4 else jnp.dtype("float32")


def widen(array: Any) -> jax.Array:  # Any: NumPy or JAX array
    """``array`` as a JAX array of at least float32; see :func:`wide_dtype`.

    Example:
        >>> widen(jnp.ones(2, jnp.bfloat16)).dtype
        dtype('float32')
    """
    made: jax.Array = jnp.asarray(array)
    return made.astype(wide_dtype(made.dtype))
