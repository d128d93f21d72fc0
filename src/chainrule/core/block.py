"""Block: a named sub-graph written as ordinary functional code."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field
from typing import Any

from chainrule._base.errors import GraphError
from chainrule._base.spec import Array, Spec
from chainrule._base.tree import Tree
from chainrule.core.graph import Graph
from chainrule.core.layer import Context, Layer, Variables, Weights
from chainrule.core.symbol import Symbol


@dataclass(frozen=True, eq=False)
class Block(Layer):
    """A layer made of layers: define :meth:`build` on symbols, as functional model code.

    Weights are named ``block/dense/kernel``. A block is stored as its own fields, so ``ResidualBlock(units=4)``
    saves as ``{"type": "ResidualBlock", "units": 4}`` (register the class with ``chainrule.register``). Values
    are not known in ``build``: for an ``if`` on values write a Layer with ``jax.lax.cond``.

    Example:
        >>> from dataclasses import dataclass
        >>> from chainrule.core import Block, Input
        >>> from chainrule.layers import Add, Dense
        >>> @dataclass(frozen=True, eq=False)
        ... class Residual(Block):
        ...     units: int
        ...     name: str | None = None
        ...     def build(self, x):
        ...         return Add()(x, Dense(self.units, "relu")(x))
        >>> Residual(3)(Input(3)).shape
        (b, 3)
    """

    _graphs: dict[Any, Graph] = field(init=False, repr=False, default_factory=dict)

    @abc.abstractmethod
    def build(self, *inputs: Symbol) -> Any:
        """Functional code from symbols to a symbol, or a tuple of symbols (hence ``Any``)."""

    def graph_for(self, *inputs: Spec) -> Graph:
        """The graph that :meth:`build` makes for inputs of these specs; made once for each."""
        key = tuple((tuple(spec.shape), str(spec.dtype)) for spec in inputs)
        if key not in self._graphs:
            symbols = tuple(Symbol(spec) for spec in inputs)
            outputs = self.build(*symbols)
            if not isinstance(outputs, Symbol | tuple | list):
                raise GraphError(
                    f"{type(self).__name__}: build must return a symbol or a tuple of symbols; "
                    f"received {type(outputs).__name__}. Return the output of the last layer."
                )
            several = outputs if isinstance(outputs, tuple | list) else (outputs,)
            self._graphs[key] = Graph(symbols, tuple(several), self.name)
        return self._graphs[key]

    def weights(self, *inputs: Spec) -> Weights:
        """The weights of the layers inside, nested by name."""
        return self.graph_for(*inputs).weights()

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Any, Tree]:
        """Run the graph inside."""
        specs = tuple(Spec(array.shape, array.dtype) for array in inputs)
        return self.graph_for(*specs).apply(variables, *inputs, context=context)
