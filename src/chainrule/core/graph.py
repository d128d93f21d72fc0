"""The graph of layer calls: the one executor behind Sequential, the functional style and Block.

Summary, shape check, freezing, probing and checkpoint names all read this one structure.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from chainrule._base import tree as trees
from chainrule._base.checks import describe
from chainrule._base.errors import (
    ArgumentTypeError,
    ChainruleError,
    FormatError,
    GraphError,
    ShapeError,
    did_you_mean,
    with_note,
)
from chainrule._base.registry import from_config, register_class, snake_case, to_config
from chainrule._base.rng import Key, key_for
from chainrule._base.spec import Array, Spec, has_symbolic, shape_text
from chainrule._base.tree import Tree
from chainrule.core.layer import Context, Layer, Variables, Weights, make_variables, shape_error
from chainrule.core.symbol import Input, Node, Symbol


@register_class
@dataclass(frozen=True, eq=False)
class Graph(Layer):
    """A directed acyclic graph of layer calls from ``inputs`` to ``outputs``; itself a layer.

    Args:
        inputs: the symbols made by ``Input``.
        outputs: the symbols to compute.
        name: how it is called inside another graph.
        start: gives the weights that a model around this graph starts with; ``None`` for fresh ones.

    Raises:
        GraphError: an input is not used, an output hangs on an input that is not listed, or two different
            layers bear one name.

    Example:
        >>> from chainrule.layers import Dense, Input
        >>> x = Input(13)
        >>> graph = Graph((x,), (Dense(2)(Dense(32, "relu")(x)),))
        >>> [graph.layer_name(node.layer) for node in graph.nodes]
        ['dense', 'dense_1']
    """

    inputs: tuple[Symbol, ...]
    outputs: tuple[Symbol, ...]
    name: str | None = None
    start: Callable[[], Variables] | None = field(default=None, repr=False)
    nodes: tuple[Node, ...] = field(init=False, repr=False)
    _names: dict[int, str] = field(init=False, repr=False)
    _memo: dict[Any, Any] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        _check_symbols(self.inputs, self.outputs)
        nodes = _topological(self.inputs, self.outputs)
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "_names", _layer_names(node.layer for node in nodes))

    @property
    def layers(self) -> dict[str, Layer]:
        """The layers by name, in the order of their first call."""
        return {self._names[id(node.layer)]: node.layer for node in self.nodes}

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs: those given, else ``input``, ``input_1``, ..."""
        return unique(symbol.name or "input" for symbol in self.inputs)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs: the names of the layers that make them."""
        return unique(
            self._names[id(symbol.node.layer)] if symbol.node else symbol.name or "input" for symbol in self.outputs
        )

    def layer_name(self, layer: Layer) -> str:
        """The name of ``layer`` in this graph."""
        return self._names[id(layer)]

    def layer(self, path: str) -> Layer:
        """The layer at ``path`` (``block/dense``), or an error with the nearest name."""
        first, _, rest = path.partition("/")
        if first not in self.layers:
            raise GraphError(
                f"{self.name or 'graph'}: has no layer called {first!r}.{did_you_mean(first, self.layers)} "
                f"Its layers: {', '.join(self.layers)}."
            )
        found = self.layers[first]
        if not rest:
            return found
        inner = getattr(found, "graph_for", None)
        if inner is None:
            raise GraphError(f"{first}: is a single layer; it has no part {rest!r}.")
        node = next(node for node in self.nodes if node.layer is found)
        graph: Graph = inner(*(symbol.spec for symbol in node.inputs if symbol is not None))
        return graph.layer(rest)

    def graph_for(self, *_inputs: Spec) -> Graph:
        """The graph inside this layer: itself."""
        return self

    def specs(self, *inputs: Spec) -> dict[int, tuple[Any, ...]]:
        """Output specs of every node (by ``id``) for inputs of these specs.

        ``Any``: :class:`Spec`. Stored specs serve unless the graph is called with others; those are memoised.
        """
        own = tuple(symbol.spec for symbol in self.inputs)
        if not inputs or _same_specs(inputs, own):
            return {id(node): node.specs for node in self.nodes}
        key = tuple((spec.shape, str(spec.dtype)) for spec in inputs)
        if key not in self._memo:
            self.check_inputs(inputs)
            self._memo[key] = self._infer_again(inputs)
        memoised: dict[int, tuple[Any, ...]] = self._memo[key]
        return memoised

    def _infer_again(self, inputs: Sequence[Spec]) -> dict[int, tuple[Any, ...]]:
        values: dict[tuple[int, int], Any] = {(id(s), 0): spec for s, spec in zip(self.inputs, inputs, strict=True)}
        found = {}
        for node in self.nodes:
            output = node.layer.infer(*(_value(values, symbol) for symbol in node.inputs))
            found[id(node)] = output if isinstance(output, tuple) else (output,)
            values.update({(id(node), i): spec for i, spec in enumerate(found[id(node)])})
        return found

    def weights(self, *inputs: Spec) -> Weights:
        """Weights of all layers, nested by layer name; a shared layer appears once."""
        specs = self.specs(*inputs)
        given = inputs or tuple(symbol.spec for symbol in self.inputs)
        values: dict[tuple[int, int], Any] = {(id(s), 0): spec for s, spec in zip(self.inputs, given, strict=True)}
        wanted: dict[str, Any] = {}
        for node in self.nodes:
            name = self._names[id(node.layer)]
            own = node.layer.weights(*(_value(values, symbol) for symbol in node.inputs))
            if name in wanted:
                _check_shared(name, node.layer, wanted[name], own)
            elif own:
                wanted[name] = own
            values.update({(id(node), i): spec for i, spec in enumerate(specs[id(node)])})
        return wanted

    def init(self, key: Key, dtype: Any = jnp.float32) -> Variables:  # Any: a dtype
        """Initial variables; ``key`` is folded with each weight's path."""
        return make_variables(self.weights(), key_for(key, "init"), dtype)

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Any, Tree]:
        """Run every node in order; returns the output (a tuple if there are several) and the new state."""
        self.check_inputs(inputs)
        values: dict[tuple[int, int], Any] = {(id(s), 0): array for s, array in zip(self.inputs, inputs, strict=True)}
        state = dict(variables.state)
        calls: dict[str, int] = {}
        for node in self.nodes:
            name = self._names[id(node.layer)]
            call = calls.get(name, 0)
            calls[name] = call + 1
            own = Variables(variables.params.get(name, {}), state.get(name, {}))
            arguments = tuple(_value(values, symbol) for symbol in node.inputs)
            output, new = _run(node.layer, own, arguments, context.child(name, call), name)
            if new:
                state[name] = new
            several = isinstance(output, tuple | list)
            values.update({(id(node), i): array for i, array in enumerate(output if several else (output,))})
        outputs = tuple(_value(values, symbol) for symbol in self.outputs)
        return (outputs if len(outputs) > 1 else outputs[0]), state

    def check_inputs(self, inputs: Sequence[Any]) -> None:  # Any: arrays or specs
        """Refuse inputs of another number or shape than the graph was made for."""
        if len(inputs) != len(self.inputs):
            raise ShapeError(
                f"{self.name or 'model'}: expects {len(self.inputs)} input(s) ({', '.join(self.input_names)}); "
                f"received {len(inputs)}. Pass one array for each."
            )
        for name, symbol, array in zip(self.input_names, self.inputs, inputs, strict=True):
            _check_shape(f"{self.name or 'model'}: {name}", symbol.spec, array)

    def __config__(self) -> dict[str, Any]:  # Any: plain JSON values
        """Plain values from which :meth:`__from_config__` builds the same graph."""
        place = {id(node): number for number, node in enumerate(self.nodes)}

        def reference(symbol: Symbol | None) -> list[int] | None:
            if symbol is None:
                return None
            if symbol.node is None:
                return [-1, next(i for i, s in enumerate(self.inputs) if s is symbol)]
            return [place[id(symbol.node)], symbol.index]

        return {
            "name": self.name,
            "inputs": [_input_config(symbol) for symbol in self.inputs],
            "layers": {name: to_config(layer) for name, layer in self.layers.items()},
            "nodes": [
                {
                    "layer": self._names[id(node.layer)],
                    "inputs": [reference(symbol) for symbol in node.inputs],
                }
                for node in self.nodes
            ],
            "outputs": [reference(symbol) for symbol in self.outputs],
        }

    @classmethod
    def __from_config__(cls, config: dict[str, Any]) -> Graph:
        """Build the graph that :meth:`__config__` described; layers get the same names, for those hang on the graph."""
        try:
            inputs = tuple(Input(**{**i, "shape": tuple(i["shape"])}) for i in config["inputs"])
            layers = {name: from_config(layer) for name, layer in config["layers"].items()}
            outputs = _replay(config, inputs, layers)
            graph = cls(inputs, outputs, config.get("name"))
        except ChainruleError as error:
            raise with_note(error, "while building the graph that the file describes") from None
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise FormatError(f"graph: the file's description of the graph is damaged ({error!r}).") from error
        built = graph.layers
        if any(built.get(name) is not layer for name, layer in layers.items()):
            raise FormatError("graph: the layers' names in the file do not fit the graph. The file is damaged.")
        return graph


def _check_shared(name: str, layer: Layer, first: Weights, later: Weights) -> None:
    shapes = [{path: weight.shape for path, weight in trees.flatten(own).items()} for own in (first, later)]
    if shapes[0] != shapes[1]:
        path = next(path for path in shapes[0] if shapes[0][path] != shapes[1].get(path))
        raise ShapeError(
            f"{name} ({type(layer).__name__}): a shared layer must need the same weights at every call; its {path} is "
            f"{shapes[0][path]} at the first call, received inputs that need {shapes[1].get(path)}. "
            "Use a second layer for inputs of another shape."
        )


def _replay(config: dict[str, Any], inputs: tuple[Symbol, ...], layers: dict[str, Layer]) -> tuple[Any, ...]:
    """Call the layers again in the file's order; returns the output symbols (``Any``: never ``None`` there)."""
    made: list[tuple[Symbol, ...]] = []

    def symbol(reference: list[int] | None) -> Symbol | None:
        if reference is None:
            return None
        node, index = reference
        if index < 0:
            raise IndexError(index)
        if not -1 <= node < len(made):
            raise FormatError(
                f"graph: call {len(made)} needs the output of call {node}, which comes later: a cycle. "
                "The file is damaged."
            )
        return inputs[index] if node == -1 else made[node][index]

    for node in config["nodes"]:
        output = layers[node["layer"]](*(symbol(reference) for reference in node["inputs"]))
        made.append(output if isinstance(output, tuple) else (output,))
    return tuple(symbol(reference) for reference in config["outputs"])


def _input_config(symbol: Symbol) -> dict[str, Any]:  # Any: plain JSON values
    shape = [size if isinstance(size, int) else None for size in symbol.shape[1:]]
    return {"shape": shape, "name": symbol.name, "dtype": str(symbol.dtype)}


def _value(values: dict[tuple[int, int], Any], symbol: Symbol | None) -> Any:  # Any: arrays or specs
    if symbol is None:
        return None
    return values[(id(symbol), 0) if symbol.node is None else (id(symbol.node), symbol.index)]


def _run(
    layer: Layer, own: Variables, inputs: tuple[Any, ...], context: Context, name: str
) -> tuple[Any, Tree]:  # Any: arrays in, an array or a tuple of arrays out
    try:
        with jax.named_scope(name):
            output, state = layer.apply(own, *inputs, context=context)
    except ChainruleError as error:
        raise with_note(error, f"in layer {context.path}") from None
    except KeyError as error:
        raise GraphError(
            f"{context.path} ({type(layer).__name__}): the weight {error} is missing from the variables; received "
            f"{', '.join(own.params) or 'none'}. Pass the variables that this graph's init() made."
        ) from error
    except (TypeError, ValueError) as error:
        raise with_note(shape_error(layer, inputs, error), f"in layer {context.path}") from error
    if context.perturb is not None and context.path in context.perturb:
        output = jax.tree.map(jnp.add, output, context.perturb[context.path])  # a tuple if it has several outputs
    if context.record is not None:
        context.record[context.path] = output
    return output, state


def _check_shape(name: str, spec: Spec, array: Any) -> None:  # Any: an array or a spec
    expected, received = tuple(spec.shape), tuple(array.shape)
    fits = len(expected) == len(received) and all(
        has_symbolic((want,)) or want == got for want, got in zip(expected[1:], received[1:], strict=True)
    )
    if not fits:
        raise ShapeError(
            f"{name} must have shape {shape_text(spec)}; received {shape_text(array)}. "
            "Pass examples of that shape, batch axis first, or change the shape given to Input."
        )


def _same_specs(left: Sequence[Spec], right: Sequence[Spec]) -> bool:
    return len(left) == len(right) and all(
        a.shape == b.shape and a.dtype == b.dtype for a, b in zip(left, right, strict=True)
    )


def _topological(inputs: tuple[Symbol, ...], outputs: tuple[Symbol, ...]) -> tuple[Node, ...]:
    """Nodes needed for ``outputs``, each after those it needs (iterative: graphs may be thousands deep)."""
    known = {id(symbol) for symbol in inputs}
    used: set[int] = set()
    done: dict[int, Node] = {}
    for output in outputs:
        stack: list[tuple[Symbol, bool]] = [(output, False)]
        while stack:
            symbol, expanded = stack.pop()
            if symbol.node is None:
                _check_listed(symbol, known)
                used.add(id(symbol))
            elif expanded:
                done.setdefault(id(symbol.node), symbol.node)
            elif id(symbol.node) not in done:
                stack.append((symbol, True))
                stack += [(parent, False) for parent in reversed(symbol.node.inputs) if parent is not None]
    unused = [symbol for symbol in inputs if id(symbol) not in used]
    if unused:
        raise GraphError(
            f"model: the input {unused[0].name or 'of shape ' + shape_text(unused[0].spec)!r} does not reach any "
            "output. Connect it, or leave it out of the inputs."
        )
    return tuple(done.values())


def _check_symbols(inputs: tuple[Symbol, ...], outputs: tuple[Symbol, ...]) -> None:
    for kind, symbols in (("inputs", inputs), ("outputs", outputs)):
        for symbol in symbols:
            if not isinstance(symbol, Symbol):
                raise ArgumentTypeError(
                    f"model: {kind} must be symbols; received {describe(symbol)}. Begin with Input."
                )
        if not symbols:
            raise GraphError(f"model: {kind} must hold at least one symbol; received none. Begin with Input.")
    if len({id(symbol) for symbol in inputs}) < len(inputs) or any(symbol.node for symbol in inputs):
        raise GraphError(
            "model: inputs must be different symbols made by Input; received one twice, or the output of a layer. "
            "To start from the middle of a model, make a new Input of that shape."
        )


def _check_listed(symbol: Symbol, known: set[int]) -> None:
    if id(symbol) not in known:
        raise GraphError(
            f"model: an output depends on an input ({symbol.name or shape_text(symbol.spec)}) that is not among "
            "the model's inputs. Add it: Model([..., that input], outputs)."
        )


def _layer_names(layers: Iterable[Layer]) -> dict[int, str]:
    distinct = list({id(layer): layer for layer in layers}.values())
    taken: dict[str, Layer] = {}
    for layer in distinct:
        if layer.name is not None:
            if layer.name in taken or "/" in layer.name or "#" in layer.name or not layer.name:
                raise GraphError(
                    f"model: two layers are called {layer.name!r}, or the name is empty or holds '/' or '#'. "
                    "Give each layer a name of its own."
                )
            taken[layer.name] = layer
    numbers: dict[str, int] = {}  # the first number to try for each base; counting from 0 each time is quadratic
    for layer in distinct:
        if layer.name is None:
            base = snake_case(type(layer).__name__)
            number = numbers.get(base, 0)
            while (name := base if number == 0 else f"{base}_{number}") in taken:
                number += 1
            taken[name] = layer
            numbers[base] = number + 1
    names = {id(layer): name for name, layer in taken.items()}
    return {id(layer): names[id(layer)] for layer in distinct}


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """The names, later equal ones numbered: ``a, a_1``."""
    made: dict[str, None] = {}
    for name in names:
        numbered = (f"{name}_{number}" for number in itertools.count(1))
        made[name if name not in made else next(other for other in numbered if other not in made)] = None
    return tuple(made)
