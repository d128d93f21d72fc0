"""The summary of a model: every layer call with its shape, parameters, multiply-adds and receptive field."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from chainrule._base import tree as trees
from chainrule._base.spec import Spec, shape_text
from chainrule._base.wording import counted
from chainrule.core import Graph, Node
from chainrule.models.cost import inputs_of, known_specs, multiply_adds
from chainrule.models.receptive_field import field_text, is_local, layer_fields

_LONGEST_SIZE = 7  # letters of a symbolic size


@dataclass(frozen=True)
class SummaryRow:
    """One layer call; ``receptive_field`` is ``"5 × 5"``, ``"all"``, or empty in a network without convolutions."""

    path: str
    kind: str
    output: str
    parameters: int
    multiply_adds: int
    inputs: tuple[str, ...]
    receptive_field: str = ""


@dataclass(frozen=True)
class Summary:
    """All rows and the totals; ``str()`` gives the table.

    Args:
        rows: one per layer call; a shared layer's parameters count at its first call.
        parameters: trained and not trained ones together.
        frozen: parameters that are not trained.
        state: numbers in running statistics.
        multiply_adds: of one example.
        length: what sizes that vary were taken as; ``None`` where all are fixed.
    """

    rows: tuple[SummaryRow, ...]
    parameters: int
    frozen: int
    state: int
    multiply_adds: int
    length: int | None = None

    def __str__(self) -> str:
        has_fields = any(row.receptive_field for row in self.rows)
        field = ("receptive field",) if has_fields else ()
        head = ("layer", "output shape", "parameters", "multiply-adds", *field, "follows")
        lines = [
            (
                f"{row.path} ({row.kind})",
                row.output,
                f"{row.parameters:,}",
                f"{row.multiply_adds:,}",
                *((row.receptive_field,) if has_fields else ()),
                ", ".join(row.inputs),
            )
            for row in self.rows
        ]
        widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
        text = ["  ".join(_aligned(line, widths)).rstrip() for line in [head, *lines]]
        text.insert(1, "-" * max(len(line) for line in text))
        text.append(text[1])
        text.append(
            f"{self.parameters:,} parameters ({_bytes(4 * self.parameters)}), of which {self.frozen:,} frozen; "
            f"{self.state:,} numbers of state; {self.multiply_adds:,} multiply-adds per example"
            + ("" if self.length is None else f" (sizes that vary taken as {self.length})")
        )
        return "\n".join(text)


def summarize(graph: Graph, is_frozen: Callable[[str], bool] | None = None) -> Summary:
    """The summary of ``graph``; ``is_frozen`` says of a path whether it is not trained."""
    leaves = trees.flatten(graph.weights())
    params = {path: math.prod(w.shape) for path, w in leaves.items() if w.kind == "param"}
    specs, sized, length = known_specs(graph)
    _, fields = layer_fields(graph, specs, sized)
    shows_fields = is_local(fields)
    rows, seen = [], set()
    for position, node in enumerate(graph.nodes):
        name = graph.layer_name(node.layer)
        own = sum(size for path, size in params.items() if path.startswith(name + "/")) if name not in seen else 0
        seen.add(name)
        rows.append(
            SummaryRow(
                path=name,
                kind=type(node.layer).__name__,
                output=", ".join(map(_short_shape, node.specs)),
                parameters=own,
                multiply_adds=multiply_adds(node.layer, *inputs_of(graph, node, specs, sized)),
                inputs=_input_names(graph, node),
                receptive_field=field_text(fields[position]) if shows_fields else "",
            )
        )
    return Summary(
        rows=tuple(rows),
        parameters=sum(params.values()),
        frozen=sum(size for path, size in params.items() if is_frozen and is_frozen(path)),
        state=sum(math.prod(w.shape) for w in leaves.values() if w.kind == "state"),
        multiply_adds=sum(row.multiply_adds for row in rows),
        length=length,
    )


def in_one_line(kind: str, name: str | None, graph: Graph | None) -> str:
    """What ``repr`` shows of a model: class, name, shapes of inputs and outputs, parameters.

    Example:
        >>> in_one_line("Sequential", "heart", None)
        "<Sequential 'heart': input shape not known yet>"
    """
    head = kind if name is None else f"{kind} {name!r}"
    if graph is None:
        return f"<{head}: input shape not known yet>"
    parameters = sum(math.prod(w.shape) for w in trees.flatten(graph.weights()).values() if w.kind == "param")
    inputs, outputs = (", ".join(shape_text(symbol.spec) for symbol in ends) for ends in (graph.inputs, graph.outputs))
    return f"<{head}: {inputs} → {outputs}, {counted(parameters, 'parameter', 'parameters')}>"


def _input_names(graph: Graph, node: Node) -> tuple[str, ...]:
    names = []
    for symbol in node.inputs:
        if symbol is None:
            continue
        if symbol.node is None:
            position = next(i for i, own in enumerate(graph.inputs) if own is symbol)
            names.append(f"{graph.input_names[position]} {shape_text(symbol.spec)}")
        else:
            names.append(graph.layer_name(symbol.node.layer))
    return tuple(names)


def _short_shape(spec: Spec) -> str:
    """``(b, 2*t, ?, 16)``: a size worked out at length from one that varies is a question mark."""
    sizes = [str(size) if isinstance(size, int) or len(str(size)) <= _LONGEST_SIZE else "?" for size in spec.shape]
    return "(" + ", ".join(sizes) + ("," if len(sizes) == 1 else "") + ")"


def _aligned(line: tuple[str, ...], widths: list[int]) -> list[str]:
    return [
        text.rjust(width) if 2 <= i < len(line) - 1 else text.ljust(width)
        for i, (text, width) in enumerate(zip(line, widths, strict=True))
    ]


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} GiB"
