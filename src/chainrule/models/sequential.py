"""Sequential: a stack of layers, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from chainrule._base.checks import describe
from chainrule._base.errors import ArgumentTypeError, ChainruleError, GraphError
from chainrule._base.policy import Policy
from chainrule._base.spec import batched
from chainrule.core import Graph, Layer, Symbol
from chainrule.layers import Embedding
from chainrule.models.arrays import sole_input
from chainrule.models.model import Model


class Sequential(Model):
    """``y = layer3(layer2(layer1(x)))``.

    Args:
        layers: layers, optionally led by an ``Input``; without one the input shape is taken from the first data.
        name: how it is called in messages.
        seed: everything random hangs on it.
        policy: as for :class:`Model`.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Dense, Input
        >>> model = cr.Sequential([Input(13), Dense(32, "relu"), Dense(2)])
        >>> model.summary()
        layer            output shape  parameters  multiply-adds  follows
        -----------------------------------------------------------------------
        dense (Dense)    (b, 32)              448            416  input (b, 13)
        dense_1 (Dense)  (b, 2)                66             64  dense
        -----------------------------------------------------------------------
        514 parameters (2.008 KiB), of which 0 frozen; 0 numbers of state; 480 multiply-adds per example
        >>> model
        <Sequential: (b, 13) → (b, 2), 514 parameters>
    """

    def __init__(
        self,
        layers: Iterable[Layer | Symbol] = (),
        *,
        name: str | None = None,
        seed: int = 0,
        policy: str | Policy = "float32",
    ) -> None:
        self._setup(name, seed, policy)
        self._stack: list[Layer] = []
        self._input: Symbol | None = None
        for layer in layers:
            self.add(layer)

    def add(self, layer: Any) -> None:  # Any: this checks what it is given
        """Put ``layer`` on top; weights that the model already has are kept."""
        if isinstance(layer, Symbol):
            if self._stack or self._input is not None or layer.node is not None:
                raise GraphError(
                    "Sequential: Input comes first and once. For several inputs use Model(inputs, outputs)."
                )
            self._input = layer
            return
        if isinstance(layer, Model):
            layer = layer.graph
        if not isinstance(layer, Layer):
            kind = " (a class: add parentheses)" if isinstance(layer, type) else ""
            raise ArgumentTypeError(f"Sequential: takes layers; received {describe(layer)}{kind}.")
        kept = self.get_weights() if self._graph is not None and self._given_or_trained() else {}
        self._stack.append(layer)
        try:
            self._connect()
        except ChainruleError:  # the model stays as it was
            self._stack.pop()
            raise
        if kept:
            self.set_weights(kept)

    def pop(self) -> Layer:
        """Take the top layer off and return it."""
        if not self._stack:
            raise GraphError("Sequential: has no layer to take off.")
        kept = self.get_weights() if self._graph is not None and self._given_or_trained() else {}
        layer = self._stack.pop()
        self._graph = None
        self._connect()
        if kept and self._stack:
            paths = self.get_weights()
            self.set_weights({path: value for path, value in kept.items() if path in paths})
        return layer

    @property
    def layers(self) -> list[Layer]:
        """The layers, bottom first, also before the input shape is known."""
        return list(self._stack)

    def _given_or_trained(self) -> bool:
        return self._given is not None or self._state is not None

    def _connect(self) -> None:
        """Make the graph, if the input is known; weights are made anew."""
        self._given, self._state, self._engine, self._recipe = None, None, None, None
        if self._input is None or not self._stack:
            return
        symbol: Any = self._input
        for layer in self._stack:
            symbol = layer(symbol)  # a tuple of symbols is taken as several inputs
        outputs = symbol if isinstance(symbol, tuple) else (symbol,)
        self._graph = Graph((self._input,), outputs, self.name, start=self._newest)

    def _build_for(self, x: Any) -> None:  # Any: array-likes
        if self._graph is not None:
            return
        if not self._stack:
            raise GraphError("Sequential: has no layers. Add some: model.add(Dense(1)).")
        array = sole_input(x)
        kind = np.int32 if isinstance(self._stack[0], Embedding) else np.float32
        self._input = Symbol(batched(array.shape[1:], kind))
        self._connect()
