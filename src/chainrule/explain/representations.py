"""What a network makes of one example, layer by layer, down to the class probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from chainrule._base.checks import check_int
from chainrule._base.errors import ArgumentError
from chainrule._base.spec import Array
from chainrule.explain.trace import trace
from chainrule.models.arrays import as_inputs
from chainrule.models.model import Model
from chainrule.ops import activations

_PROBABILITIES = {
    "class logits": activations.softmax,
    "binary logits": activations.sigmoid,
    "class probabilities": activations.linear,
    "binary probabilities": activations.linear,
}


class Representation(NamedTuple):
    """What one layer gives for one example.

    Args:
        path: the layer's path, as in ``Model.intermediate``; an input's name; ``probabilities`` for the last row.
        kind: the layer's class; ``Input``; ``softmax``, ``sigmoid`` or ``output`` for the last row.
        values: its output, without the batch axis.
    """

    path: str
    kind: str
    values: npt.NDArray[Any]  # Any: numbers of the layer's own dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The output's shape, without the batch axis."""
        return self.values.shape

    def __str__(self) -> str:
        size = " × ".join(map(str, self.shape)) or "one number"
        low, high = (f"{value:.4g}" for value in (self.values.min(), self.values.max()))
        return f"{self.path} ({self.kind}): {size}, {low if self.values.size == 1 else f'{low} to {high}'}"


def representations(model: Model, x: Any, *, example: int = 0) -> tuple[Representation, ...]:  # Any: as in predict
    """Every layer's output for one example, in order: the successive representations that the network has learned.

    A deep network is a chain of layers, each of which turns the representation below it into one that is more useful
    for the task and less like the input. The rows are the inputs, every call of a layer (blocks are opened, so a
    block's layers stand one by one), and, for a compiled classifier, the class probabilities: softmax or sigmoid of
    logits where the loss takes logits, else the output itself.

    Args:
        model: a model with weights; probabilities need it compiled, since the loss says what the output means.
        x: examples, batch axis first.
        example: which of them to follow.

    Returns:
        Rows ``(path, kind, values)`` with a ``shape``, for :func:`chainrule.figures.representations`.

    Raises:
        ArgumentError: ``x`` has no example of that number.

    Example:
        >>> import chainrule as cr
        >>> model = cr.mlp([3, 4, 2])
        >>> model.compile(loss="cross_entropy")
        >>> for row in representations(model, [[0.5, -1.0, 2.0]]):
        ...     print(row.path, row.kind, row.shape)
        input Input (3,)
        dense Dense (4,)
        dense_1 Dense (2,)
        probabilities softmax (2,)

    References:
        Chollet, F., "Deep Learning with Python", 2nd edition, 2021, figures 1.5 and 1.6.
    """
    check_int("example", example, "representations", minimum=0)
    graph = model.graph
    given = as_inputs(graph, x)
    if example >= len(given[0]):
        raise ArgumentError(
            f"representations: example must be below the number of examples, {len(given[0])}; received {example}. "
            "Count from 0."
        )
    inputs = [
        jnp.asarray(array[example : example + 1], symbol.dtype)
        for symbol, array in zip(graph.inputs, given, strict=True)
    ]
    kept = trace(graph, model.variables, inputs)
    rows = [_row(name, "Input", array) for name, array in zip(graph.input_names, inputs, strict=True)]
    for call in kept.calls:
        names = _numbered(call.path, len(call.outputs))
        rows += [
            _row(name, type(call.layer).__name__, output) for name, output in zip(names, call.outputs, strict=True)
        ]
    if model.is_compiled:
        rows += _probabilities(model.recipe.losses, [kept.value(source) for source in kept.outputs])
    return tuple(rows)


def _probabilities(losses: Sequence[Any], outputs: Sequence[Array]) -> list[Representation]:  # Any: losses, functions
    names = _numbered("probabilities", len(outputs))
    rows = []
    for name, loss, output in zip(names, losses, outputs, strict=True):
        turn = _PROBABILITIES.get(getattr(loss, "expects", "real"))
        if turn is not None:
            kind = "output" if turn is activations.linear else turn.__name__
            rows.append(_row(name, kind, turn(output)))
    return rows


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}[{number}]" for number in range(count)]


def _row(path: str, kind: str, batch: Array) -> Representation:
    return Representation(path, kind, np.asarray(batch)[0])
