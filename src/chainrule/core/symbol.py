"""Symbols and nodes: what functional model code passes around before any array exists.

A :class:`Node` is one *call* of a layer, not the layer: a shared layer has several nodes and one set of weights.
A :class:`Symbol` is one output of a node (or an input of the model); it knows its node, so edges are found by
walking back from the outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from chainrule._base.arguments import check_function
from chainrule._base.checks import check_positive_int, describe
from chainrule._base.errors import ArgumentTypeError, GraphError
from chainrule._base.registry import serializable
from chainrule._base.spec import Spec, batched, shape_text

if TYPE_CHECKING:
    from chainrule.core.layer import Layer


@dataclass(frozen=True, eq=False)
class Node:
    """One call of ``layer`` on ``inputs``; ``specs`` are those of its outputs."""

    layer: Layer
    inputs: tuple[Symbol | None, ...]
    specs: tuple[Spec, ...]


@dataclass(frozen=True, eq=False)
class Symbol:
    """A value that will exist when the model runs: output ``index`` of ``node``, or an input (no node)."""

    spec: Spec
    node: Node | None = None
    index: int = 0
    name: str | None = None

    @property
    def shape(self) -> tuple[Any, ...]:  # Any: integers, and JAX's symbolic sizes
        """Shape with the symbolic batch ``b`` first."""
        return tuple(self.spec.shape)

    @property
    def dtype(self) -> Any:  # Any: JAX types dtypes so
        """Element type."""
        return self.spec.dtype

    def __repr__(self) -> str:
        made_by = f" from {type(self.node.layer).__name__}" if self.node else ""
        return f"<Symbol {shape_text(self.spec)} {self.spec.dtype}{made_by}>"

    def __add__(self, other: Symbol) -> Symbol:
        """The sum of two symbols, as ``Add()(a, b)``."""
        return _merged("Add", self, other)

    def __mul__(self, other: Symbol) -> Symbol:
        """The elementwise product of two symbols, as ``Multiply()(a, b)``."""
        return _merged("Multiply", self, other)

    __radd__ = __add__
    __rmul__ = __mul__

    def __bool__(self) -> bool:
        """Refused: a symbol has no value yet."""
        raise GraphError(
            f"{self!r}: has no value while a graph is made, so Python cannot decide by it. Write a Layer with "
            "jnp.where or jax.lax.cond in its call()."
        )

    def __gt__(self, other: object) -> bool:
        """Refused, as :meth:`__bool__`."""
        return bool(self)

    __lt__ = __ge__ = __le__ = __gt__

    def __sub__(self, other: Symbol) -> Symbol:
        """The difference of two symbols, as ``Subtract()(a, b)``."""
        return _merged("Subtract", self, other)


def _merged(layer: str, left: Symbol, right: object) -> Symbol:
    if not isinstance(right, Symbol):
        raise ArgumentTypeError(
            f"arithmetic on a symbol: the other side must be a symbol too; received {describe(right)}. "
            "For a constant write a Layer, or use Rescaling(scale, offset)."
        )
    merged: Symbol = serializable[layer]()(left, right)
    return merged


@check_function
def Input(shape: int | Sequence[int | None], *, name: str | None = None, dtype: Any = jnp.float32) -> Symbol:
    """An input of a model, for examples of ``shape`` (the batch axis is not named).

    Args:
        shape: number of features, or a shape such as ``(28, 28, 1)``; ``None`` is a length that may vary.
        name: how the input is called when several are passed by name.
        dtype: element type (``Any``: JAX types dtypes so); integers for embeddings.

    Returns:
        A symbol of shape ``(b, *shape)``.

    Example:
        >>> Input(13).shape
        (b, 13)
        >>> Input((28, 28, 1)).shape
        (b, 28, 28, 1)
    """
    sizes = (shape,) if not isinstance(shape, Sequence) else tuple(shape)
    for size in sizes:
        if size is not None:
            check_positive_int("shape", size, "Input")
    try:
        return Symbol(batched(sizes, dtype), name=name)
    except TypeError:
        raise ArgumentTypeError(
            f"Input: dtype must be an element type such as 'float32' or 'int32'; received {describe(dtype)}."
        ) from None


def as_symbols(what: str, given: Any) -> tuple[Symbol, ...]:  # Any: this checks what it is given
    """A tuple of symbols from one symbol or a list; ``what`` they are for goes into the message."""
    symbols = tuple(given) if isinstance(given, list | tuple) else (given,)
    for symbol in symbols:
        if not isinstance(symbol, Symbol):
            raise ArgumentTypeError(
                f"Model: {what} must be symbols (Input(...), or what a layer returns when called on one); "
                f"received {describe(symbol)}."
            )
    return symbols
