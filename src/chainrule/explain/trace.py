"""One forward pass taken apart: every call of a layer with what went in, its weighted input and what came out.

Blocks and nested graphs are opened, so that only layers that compute something remain.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from chainrule._base.spec import Array, Spec
from chainrule._base.tree import Tree
from chainrule.core import Context, Graph, Layer, Symbol, Variables
from chainrule.ops import activations
from chainrule.ops.activations import Activation


class Source(NamedTuple):
    """Where a value comes from: output ``output`` of call number ``call``, or that input (``call`` = -1)."""

    call: int
    output: int


@dataclass(frozen=True)
class Call:
    """One call of a layer.

    Args:
        path: as in ``Context.record``: ``block/dense``, and ``dense#1`` for the second call of a shared layer.
        weights_path: where its weights are: the same without call numbers.
        layer: the layer.
        variables: its weights and state.
        sources: where each input comes from; ``None`` for an optional input left out.
        inputs: the input arrays.
        z: the weighted input, for layers that end in an activation other than the identity; else ``None``.
        activation: that activation; else ``None``.
        outputs: the output arrays.
    """

    path: str
    weights_path: str
    layer: Layer
    variables: Variables
    sources: tuple[Source | None, ...]
    inputs: tuple[Any, ...]  # Any: an array, or None for an optional input left out
    z: Array | None
    activation: Activation | None
    outputs: tuple[Array, ...]

    def before_activation(self, params: Tree, inputs: Sequence[Any]) -> tuple[Array, ...]:
        """The weighted input of these inputs where the call has one, else its outputs."""
        if self.activation is not None:
            return (self.layer.pre_activation(params, *inputs),)
        return _outputs(self.layer, Variables(params, self.variables.state), inputs)

    @property
    def activation_name(self) -> str:
        """The name of the activation, or ``linear``."""
        if self.activation is None:
            return "linear"
        return str(getattr(self.activation, "__name__", self.activation))


@dataclass(frozen=True)
class Trace:
    """All calls of one forward pass in order, and where the model's outputs come from."""

    inputs: tuple[Array, ...]
    calls: list[Call] = field(default_factory=list)
    outputs: tuple[Source, ...] = ()

    def value(self, source: Source) -> Array:
        """The array that ``source`` stands for."""
        return self.inputs[source.output] if source.call < 0 else self.calls[source.call].outputs[source.output]


def trace(graph: Graph, variables: Variables, inputs: Sequence[Array]) -> Trace:
    """Run ``graph`` in inference mode and keep everything.

    Example:
        >>> import jax
        >>> from chainrule.layers import Dense, Input
        >>> x = Input(2)
        >>> graph = Graph((x,), (Dense(1)(Dense(3, "tanh")(x)),))
        >>> [call.path for call in trace(graph, graph.init(jax.random.key(0)), [np.ones((1, 2))]).calls]
        ['dense', 'dense_1']
    """
    kept = Trace(tuple(inputs))
    outputs = _walk(kept, graph, variables, [Source(-1, i) for i in range(len(inputs))], ("", ""))
    return dataclasses.replace(kept, outputs=tuple(outputs))


def _walk(
    kept: Trace, graph: Graph, variables: Variables, given: Sequence[Source | None], prefix: tuple[str, str]
) -> list[Source]:
    known: dict[tuple[int, int], Source | None] = {
        (id(symbol), 0): source for symbol, source in zip(graph.inputs, given, strict=True)
    }
    counts: dict[str, int] = {}

    def source_of(symbol: Symbol | None) -> Source | None:
        if symbol is None:
            return None
        return known[(id(symbol), 0) if symbol.node is None else (id(symbol.node), symbol.index)]

    for node in graph.nodes:
        name = graph.layer_name(node.layer)
        count = counts.get(name, 0)
        counts[name] = count + 1
        paths = (prefix[0] + name + (f"#{count}" if count else ""), prefix[1] + name)
        own = Variables(variables.params.get(name, {}), variables.state.get(name, {}))
        sources = [source_of(symbol) for symbol in node.inputs]
        made = _visit(kept, node.layer, own, sources, paths)
        known.update({(id(node), i): source for i, source in enumerate(made)})
    return [source for source in map(source_of, graph.outputs) if source is not None]


def _visit(
    kept: Trace, layer: Layer, own: Variables, sources: Sequence[Source | None], paths: tuple[str, str]
) -> list[Source]:
    """Trace one call: open it if there is a graph inside, else run it."""
    inputs = tuple(None if source is None else kept.value(source) for source in sources)
    inside = getattr(layer, "graph_for", None)
    if inside is not None:
        graph: Graph = inside(*(Spec(array.shape, array.dtype) for array in inputs if array is not None))
        return _walk(kept, graph, own, sources, (paths[0] + "/", paths[1] + "/"))
    outputs = _outputs(layer, own, inputs)
    z, activation = _split(layer, own.params, inputs, outputs)
    kept.calls.append(Call(*paths, layer, own, tuple(sources), inputs, z, activation, outputs))
    return [Source(len(kept.calls) - 1, i) for i in range(len(outputs))]


def _outputs(layer: Layer, own: Variables, inputs: Sequence[Any]) -> tuple[Array, ...]:
    output, _ = layer.apply(own, *inputs, context=Context())
    return tuple(output) if isinstance(output, tuple | list) else (output,)


def _split(
    layer: Layer, params: Mapping[str, Any], inputs: Sequence[Any], outputs: Sequence[Array]
) -> tuple[Array | None, Activation | None]:
    """Weighted input and activation, if the layer's output really is ``activation(z)`` (a recurrent layer's is not)."""
    given = getattr(layer, "activation", None)
    if given is None or not params or type(layer).call is Layer.call or len(outputs) != 1:
        return None, None
    activation = activations.get(given)
    if activation is activations.linear:
        return None, None
    z = layer.pre_activation(dict(params), *inputs)
    if z.shape != outputs[0].shape or not np.allclose(activation(z), outputs[0], equal_nan=True):
        return None, None
    return z, activation
