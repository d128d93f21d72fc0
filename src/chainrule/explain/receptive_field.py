"""What a position of a network's layer sees of the input: by arithmetic, and by gradient."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from chainrule._base.errors import ArgumentError, ShapeError, did_you_mean
from chainrule._base.spec import Array
from chainrule.core import Context
from chainrule.models.arrays import as_inputs
from chainrule.models.cost import known_specs
from chainrule.models.model import Model
from chainrule.models.receptive_field import Field, LayerField, layer_fields


class Window(NamedTuple):
    """Cells ``start`` to ``stop`` (left out) of the input along one axis."""

    start: int
    stop: int


class ReceptiveField(NamedTuple):
    """The receptive field of every layer call, in order; ``print`` it for the table.

    Args:
        rows: path, kind and field of each; the field is ``None`` where everything is seen (or space has gone).
    """

    rows: tuple[LayerField, ...]

    def field(self, path: str) -> Field:
        """The field of the layer at ``path``.

        Raises:
            ArgumentError: there is no such layer, or it sees everything.
        """
        named = {row.path: row.field for row in self.rows}
        if path not in named:
            raise ArgumentError(f"receptive_field: no layer is at {path!r}.{did_you_mean(path, named)}")
        field = named[path]
        if field is None:
            raise ArgumentError(
                f"receptive_field: {path} must have positions that see a part of the input; it sees all of it. "
                f"Choose a layer before it: {', '.join(name for name, seen in named.items() if seen)}."
            )
        return field

    def size(self, path: str) -> tuple[int, ...]:
        """Cells that one position of the layer at ``path`` sees, axis by axis."""
        return tuple(axis.size for axis in self.field(path).axes)

    def window(self, path: str, position: Sequence[int]) -> tuple[Window, ...]:
        """What the position ``position`` of the layer at ``path`` sees; it may reach into the padding."""
        axes = self.field(path).axes
        if len(position) != len(axes):
            raise ShapeError(
                f"receptive_field: position must have {len(axes)} numbers, one for each axis of space; received "
                f"{tuple(position)}. Count from 0."
            )
        starts = [axis.start + int(axis.stride * p) for axis, p in zip(axes, position, strict=True)]
        return tuple(Window(start, start + axis.size) for start, axis in zip(starts, axes, strict=True))

    def __str__(self) -> str:
        head = ("layer", "size", "stride", "start")
        lines = [head, *(_line(row) for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(4)]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def receptive_field(model: Model) -> ReceptiveField:
    """Size, stride and start of every layer's receptive field, by arithmetic.

    A layer with a window of reach ``e``, stride ``s`` and padding ``p`` over a map of field ``r``, stride ``j`` and
    start ``a`` has field ``r + (e − 1)·j``, stride ``j·s`` and start ``a − p·j``. Position ``i`` sees the cells from
    ``start + stride · i`` on. Where branches meet, the field covers all of them. Sizes that vary are taken as 16 (or
    more, where the network needs it), which shifts the start of strided layers with padding ``"same"``.

    Args:
        model: a network with convolutions or poolings over one, two or three axes.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Conv2D, Input
        >>> model = cr.Sequential([Input((9, 9, 1)), Conv2D(2, 3), Conv2D(2, 3, strides=2)])
        >>> print(receptive_field(model))
        layer              size   stride  start
        conv2d (Conv2D)    3 × 3  1 × 1   0 × 0
        conv2d_1 (Conv2D)  5 × 5  2 × 2   0 × 0

    References:
        Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019,
        https://doi.org/10.23915/distill.00021, equations 1 to 3.
    """
    specs, inputs, _ = known_specs(model.graph)
    rows, _ = layer_fields(model.graph, specs, inputs)
    return ReceptiveField(tuple(rows))


def effective_field(
    model: Model, x: Any, path: str, *, position: Sequence[int] | None = None
) -> npt.NDArray[np.float64]:  # Any: as in predict
    """How much one position of a layer really hangs on each cell of the input: ``mean |∂ Σ_f y[p, f] / ∂x|``.

    The receptive field says what a position could see; how strongly it hangs on a cell falls off towards the edge of
    that, roughly as a Gaussian. The absolute gradient is averaged over the examples and summed over channels.

    Args:
        model: a network with one input.
        x: examples.
        path: a layer, as in ``Model.intermediate``.
        position: which position of its output; the middle one if not given.

    Returns:
        One number for each cell of the input, ``[*space]``.

    Raises:
        ArgumentError: there is no layer at ``path``, or it has no such position.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Conv1D, Input
        >>> model = cr.Sequential([Input((7, 1)), Conv1D(2, 3)])
        >>> (effective_field(model, np.ones((4, 7, 1)), "conv1d") > 0).astype(int).tolist()
        [0, 0, 1, 1, 1, 0, 0]

    References:
        Luo et al., "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks", 2016,
        https://arxiv.org/abs/1701.04128.
    """
    graph, variables = model.graph, model.variables
    given = as_inputs(graph, x)
    if len(given) != 1:
        raise ArgumentError(f"effective_field: the model must have one input; received {len(given)}. Cut the model.")

    def at(array: Array) -> Array:
        record: dict[str, Any] = {}
        graph.apply(variables, array, context=Context(record=record))
        if path not in record:
            raise ArgumentError(f"effective_field: no layer is at {path!r}.{did_you_mean(path, record)}")
        output = record[path]
        return jnp.sum(output[(slice(None), *_place(output.shape[1:-1], position))])

    slope = np.asarray(jax.grad(at)(jnp.asarray(given[0])), np.float64)
    summed: npt.NDArray[np.float64] = np.abs(slope).sum(axis=-1).mean(axis=0)
    return summed


def _place(space: tuple[int, ...], position: Sequence[int] | None) -> tuple[int, ...]:
    if position is None:
        return tuple((size - 1) // 2 for size in space)
    if len(position) != len(space) or not all(0 <= p < size for p, size in zip(position, space, strict=True)):
        raise ArgumentError(
            f"effective_field: position must lie in the layer's output of {' × '.join(map(str, space))} positions; "
            f"received {tuple(position)}. Count from 0."
        )
    return tuple(position)


def _line(row: LayerField) -> tuple[str, str, str, str]:
    name = f"{row.path} ({row.kind})"
    if row.field is None:
        return name, "all", "", ""
    axes = row.field.axes
    return name, _joined([a.size for a in axes]), _joined([a.stride for a in axes]), _joined([a.start for a in axes])


def _joined(numbers: Sequence[int | Fraction]) -> str:
    return " × ".join(str(number) for number in numbers).replace("-", "−")
