"""What each position of a layer's output sees of the network's input: size, stride and start, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import jax.numpy as jnp

from chainrule import layers
from chainrule._base.spec import Spec
from chainrule.core import Graph, Layer, Symbol

# Layers whose output at a position hangs on their inputs at that position alone.
_POINTWISE = (
    layers.Activation,
    layers.ReLU,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ELU,
    layers.Dense,
    layers.Embedding,
    layers.BatchNormalization,
    layers.Dropout,
    layers.AlphaDropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.Rescaling,
    layers.Normalization,
)
_ALONG_CHANNELS = (layers.LayerNormalization, layers.RMSNormalization, layers.UnitNormalization, layers.Softmax)
_MERGES = (
    layers.Add,
    layers.Subtract,
    layers.Multiply,
    layers.Average,
    layers.Maximum,
    layers.Minimum,
    layers.Concatenate,
)


class AxisField(NamedTuple):
    """What positions see of the input along one axis: position ``i`` sees ``size`` cells from ``start + stride · i``.

    Args:
        size: cells seen; those that lie in the padding count too.
        stride: how far the field moves from one position to the next, in cells of the input.
        start: the first cell that position 0 sees; negative in the padding.
    """

    size: int
    stride: Fraction
    start: int

    def after(self, extent: int, step: Fraction, first: int) -> AxisField:
        """The field of a layer that sees ``extent`` of these positions, from ``step · i + first`` on."""
        size = self.size + math.ceil((extent - 1) * self.stride)
        return AxisField(size, self.stride * step, self.start + math.floor(first * self.stride))


class Field(NamedTuple):
    """The receptive field in one input of the network, axis by axis."""

    source: int
    axes: tuple[AxisField, ...]


Seen = Field | None  # None: no position in space is left, or everything is seen


class LayerField(NamedTuple):
    """One call of a layer, blocks opened: its path, its kind, and what its output sees."""

    path: str
    kind: str
    field: Seen


def layer_fields(
    graph: Graph, specs: dict[int, tuple[Any, ...]], inputs: Sequence[Spec]
) -> tuple[list[LayerField], list[Seen]]:
    """Receptive fields of every call of a layer with blocks opened, and of the graph's own nodes (blocks closed).

    Args:
        graph: the network.
        specs: output specs of every node (``Any``: :class:`Spec`), of known size, as from
            :func:`chainrule.models.cost.known_specs`.
        inputs: specs of the inputs, of known size.
    """
    rows: list[LayerField] = []
    fields = _walk(graph, (specs, inputs), [_start(i, spec) for i, spec in enumerate(inputs)], "", rows)
    return rows, [fields[id(node), 0] for node in graph.nodes]


def field_text(field: Seen) -> str:
    """The size of a field for a table: ``5 × 3``, or ``all``.

    Example:
        >>> axis = AxisField(5, Fraction(1), -2)
        >>> field_text(Field(0, (axis, axis._replace(size=3)))), field_text(None)
        ('5 × 3', 'all')
    """
    return "all" if field is None else " × ".join(str(axis.size) for axis in field.axes)


def is_local(fields: Sequence[Seen]) -> bool:
    """Whether some layer looks at a window."""
    return any(field is not None and any(axis.size > 1 or axis.stride != 1 for axis in field.axes) for field in fields)


def _start(source: int, spec: Spec) -> Seen:
    """Of an input: every position sees itself. Integers ``[batch, time]`` are tokens, one position each."""
    is_tokens = len(spec.shape) == 2 and jnp.issubdtype(spec.dtype, jnp.integer)
    rank = 1 if is_tokens else len(spec.shape) - 2
    return Field(source, (AxisField(1, Fraction(1), 0),) * rank) if 1 <= rank <= 3 else None


def _walk(
    graph: Graph,
    sizes: tuple[dict[int, tuple[Any, ...]], Sequence[Spec]],
    given: Sequence[Seen],
    prefix: str,
    rows: list[LayerField],
) -> dict[tuple[int, int], Seen]:
    """The field of every output of every node (and of the inputs), by ``id`` and number; adds to ``rows``."""
    specs, inputs = sizes
    fields: dict[tuple[int, int], Seen] = {(id(s), 0): seen for s, seen in zip(graph.inputs, given, strict=True)}
    shapes: dict[tuple[int, int], Any] = {(id(s), 0): spec for s, spec in zip(graph.inputs, inputs, strict=True)}
    for node in graph.nodes:
        keys = [_key(symbol) for symbol in node.inputs if symbol is not None]
        own_fields, own_specs = [fields[key] for key in keys], [shapes[key] for key in keys]
        path = prefix + graph.layer_name(node.layer)
        inside = getattr(node.layer, "graph_for", None)
        if inside is not None:
            inner: Graph = inside(*own_specs)
            found = _walk(inner, (inner.specs(*own_specs), own_specs), own_fields, path + "/", rows)
            made = [found[_key(symbol)] for symbol in inner.outputs]
        else:
            seen = _through(node.layer, own_fields, own_specs)
            rows.append(LayerField(path, type(node.layer).__name__, seen))
            made = [seen] * len(node.specs)
        fields |= {(id(node), i): seen for i, seen in enumerate(made)}
        shapes |= {(id(node), i): spec for i, spec in enumerate(specs[id(node)])}
    return fields


def _key(symbol: Symbol) -> tuple[int, int]:
    return (id(symbol), 0) if symbol.node is None else (id(symbol.node), symbol.index)


def _through(layer: Layer, fields: Sequence[Seen], specs: Sequence[Spec]) -> Seen:
    first = fields[0]
    if first is None:
        return None
    reach = getattr(layer, "reach", None)
    if reach is not None:
        axes = zip(first.axes, reach(specs[0]), strict=True)
        return Field(first.source, tuple(axis.after(*one) for axis, one in axes))
    if isinstance(layer, _POINTWISE):
        return first
    if isinstance(layer, _ALONG_CHANNELS):
        is_last = getattr(layer, "axis", -1) in (-1, len(specs[0].shape) - 1)
        return first if is_last else None
    return _union(fields) if isinstance(layer, _MERGES) else None


def _union(fields: Sequence[Seen]) -> Seen:
    """The field that covers all of them, if they move alike over one input."""
    known = [field for field in fields if field is not None]
    if len(known) < len(fields) or len({(field.source, len(field.axes)) for field in known}) > 1:
        return None
    axes = []
    for across in zip(*(field.axes for field in known), strict=True):
        if len({axis.stride for axis in across}) > 1:
            return None
        start = min(axis.start for axis in across)
        axes.append(AxisField(max(axis.start + axis.size for axis in across) - start, across[0].stride, start))
    return Field(known[0].source, tuple(axes))
