"""What a recurrent cell is, several as one, and the scan that carries one along a sequence."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from chainrule._base.checks import owner_name, shapes_agree
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule._base.registry import register_class
from chainrule._base.rng import Key, key_for
from chainrule._base.spec import Array, Spec, shape_text
from chainrule._base.tree import Tree
from chainrule.core import Context, Layer, Variables
from chainrule.core.layer import Weights
from chainrule.layers.masking import select_rows

Carry = Any  # an array, or a tuple of carries


@dataclass(frozen=True, eq=False)
class Cell(Layer):
    """One step of a recurrence, ``carry' = step(params, carry, x)``; ``RNN(cell)`` runs it over a sequence.

    Subclasses say three things: which weights they need (``weights``, for the spec of one step), what is carried
    before the first step (``initial``), and one ``step``. What does not hang on the carry belongs into ``project``,
    which sees all steps at once: one large product instead of many small ones.

    The carry is an array, or a tuple of arrays. Called by itself on symbols, a cell makes one step:
    ``output, *carry = cell(x, *carry)``.

    Shapes:
        x: [batch, ...]; each array of the carry: [batch, ...].

    Example:
        A leaky average, ``h' = h / 2 + x``, over four steps:

        >>> from dataclasses import dataclass
        >>> import jax.numpy as jnp
        >>> from chainrule.layers import RNN, Cell
        >>> @dataclass(frozen=True, eq=False)
        ... class Leaky(Cell):
        ...     name: str | None = None
        ...     def initial(self, x):
        ...         return jnp.zeros(x.shape, x.dtype)
        ...     def step(self, params, carry, x):
        ...         return carry / 2 + x
        >>> RNN(Leaky(), return_sequences=True).call({}, jnp.array([[[8.0], [0.0], [0.0], [1.0]]])).ravel().tolist()
        [8.0, 4.0, 2.0, 2.0]
    """

    def initial(self, x: Spec | Array) -> Carry:
        """The carry before the first step; of ``x``, one step, only shape and dtype are read."""
        raise NotImplementedError(f"{type(self).__name__}: define initial(self, x), the carry before the first step.")

    def step(self, params: Tree, carry: Carry, x: Any) -> Carry:  # Any: what project gives, one step of it
        """The next carry, from the last one and one step of what :meth:`project` gave."""
        raise NotImplementedError(f"{type(self).__name__}: define step(self, params, carry, x), the next carry.")

    def project(self, params: Tree, x: Array) -> Any:  # noqa: ARG002  # Any: an array, or a tree of arrays
        """The part of all steps that needs no carry: ``[batch, time, ...]`` to arrays of the same first axes."""
        return x

    def output(self, carry: Carry) -> Array:
        """What the cell shows of its carry: its first array."""
        first: Array = jax.tree.leaves(carry)[0]
        return first

    def prepare(self, params: Tree, x: Spec | Array, key: Key) -> Tree:  # noqa: ARG002 - for cells with dropout
        """``params`` with what is drawn once for a whole sequence in training (dropout masks)."""
        return params

    def call(self, params: Tree, x: Array, *carry: Array) -> Any:  # type: ignore[override]  # Any: a tuple of arrays
        """One step: the output, and the arrays of the new carry."""
        before = given_carry(self, x, carry) if carry else self.initial(x)
        new = self.step(params, before, project_one(self, params, x))
        return (self.output(new), *jax.tree.leaves(new))

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Any, Tree]:
        """One step, with dropout in training where the cell has any."""
        params = prepared(self, variables.params, inputs[0], context)
        return self.call(params, *inputs), variables.state


@register_class
@dataclass(frozen=True, eq=False)
class StackedRNNCells(Cell):
    """Cells one on top of the other as one cell: each takes the output of the one below, at every step.

    ``RNN(StackedRNNCells((LSTMCell(8), LSTMCell(8))))`` computes the same as two LSTM layers, of which the first
    returns sequences; two layers are faster, since each projects all its steps in one product.

    Args:
        cells: from the bottom up.
        name: name in the model.

    Shapes:
        x: [batch, features] -> the top cell's output, then the carries of all cells from the bottom up; weights stand
        under ``cell_0``, ``cell_1``, ...

    Example:
        >>> from chainrule.layers import GRUCell, Input, LSTMCell
        >>> output, h, c, above = StackedRNNCells((LSTMCell(5), GRUCell(2)))(Input(3))
        >>> output.shape, h.shape, above.shape
        ((b, 2), (b, 5), (b, 2))
    """

    cells: Sequence[Cell]
    name: str | None = None

    def __post_init__(self) -> None:
        if not self.cells:
            raise ArgumentError(
                f"{owner_name(self)}: cells must hold at least one cell; received none. Add LSTMCell(32)."
            )
        for cell in self.cells:
            check_cell("every one of cells", cell, owner_name(self))

    def weights(self, x: Spec, *_carry: Spec) -> Weights:  # type: ignore[override]  # one input, and a carry
        """The weights of all cells."""
        return {f"cell_{i}": cell.weights(below) for i, (cell, below) in enumerate(self._inputs(x))}

    def initial(self, x: Spec | Array) -> Carry:
        """The initial carries of all cells, from the bottom up."""
        return tuple(cell.initial(below) for cell, below in self._inputs(x))

    def prepare(self, params: Tree, x: Spec | Array, key: Key) -> Tree:
        """Each cell's own masks."""
        prepared = {}
        for i, (cell, below) in enumerate(self._inputs(x)):
            name = f"cell_{i}"
            prepared[name] = cell.prepare(params[name], below, key_for(key, name))
        return prepared

    def project(self, params: Tree, x: Array) -> Any:  # Any: as the first cell's
        """The first cell's projection; the inputs of the others come step by step."""
        return self.cells[0].project(params["cell_0"], x)

    def step(self, params: Tree, carry: Carry, x: Any) -> Carry:  # Any: as project gives
        """One step of every cell, from the bottom up."""
        made = [self.cells[0].step(params["cell_0"], carry[0], x)]
        for i, cell in enumerate(self.cells[1:], start=1):
            own = params[f"cell_{i}"]
            below = self.cells[i - 1].output(made[-1])
            made.append(cell.step(own, carry[i], project_one(cell, own, below)))
        return tuple(made)

    def output(self, carry: Carry) -> Array:
        """The top cell's output."""
        return self.cells[-1].output(carry[-1])

    def _inputs(self, x: Spec | Array) -> Iterator[tuple[Cell, Spec]]:
        """Every cell with the spec of one step of what it takes."""
        spec = Spec(x.shape, x.dtype)
        for cell in self.cells:
            yield cell, spec
            spec = jax.eval_shape(functools.partial(_first_output, cell, spec))


def prepared(cell: Cell, params: Tree, x: Spec | Array, context: Context) -> Tree:
    """``params`` as the cell uses them in this context; ``x`` is one step. No key is asked for where none is used."""
    draws = context.training and type(cell).prepare is not Cell.prepare
    return cell.prepare(params, x, context.need_key(cell)) if draws and has_dropout(cell) else params


def has_dropout(cell: Cell) -> bool:
    """Whether the cell, or one of those it is made of, drops anything in training."""
    parts = getattr(cell, "cells", (cell,))
    return any(getattr(part, "dropout", 0) or getattr(part, "recurrent_dropout", 0) for part in parts)


def given_carry(cell: Cell, x: Spec | Array, arrays: Sequence[Array]) -> Carry:
    """The carry of ``cell`` made of ``arrays``, which must be as many as it has; ``x`` is one step."""
    leaves, structure = jax.tree.flatten(jax.eval_shape(lambda: cell.initial(x)))
    if len(arrays) != len(leaves):
        raise ShapeError(
            f"{owner_name(cell)}: an initial state of {len(leaves)} array(s) is needed; received {len(arrays)}. "
            "Pass those that a layer with return_state=True gives after its output, in their order."
        )
    for array, leaf in zip(arrays, leaves, strict=True):
        if not shapes_agree(array.shape, leaf.shape):
            raise ShapeError(
                f"{owner_name(cell)}: an array of the initial state must have shape {shape_text(leaf)}; received shape "
                f"{shape_text(Spec(array.shape, array.dtype))}. Give the layer that makes it as many units."
            )
    return jax.tree.unflatten(structure, arrays)


def project_one(cell: Cell, params: Tree, x: Array) -> Any:  # Any: as project gives
    """``cell.project`` of a single step."""
    return jax.tree.map(lambda steps: steps[:, 0], cell.project(params, x[:, None]))


def one_step(x: Spec | Array) -> Spec:
    """The spec of one step of a sequence ``[batch, time, ...]``."""
    return Spec((x.shape[0], *x.shape[2:]), x.dtype)


def scan_cell(
    cell: Cell, params: Tree, x: Array, carry: Carry, *, mask: Array | None = None, reverse: bool = False
) -> tuple[Array, Carry]:
    """Carry ``cell`` along the time axis of ``x``.

    A masked step leaves the carry as it is, and its output repeats the last one (zeros before the first real step).

    Shapes:
        x: [batch, time, ...]; mask: [batch, time] -> outputs [batch, time, ...], and the last carry.
    """
    projected = jax.tree.map(lambda steps: jnp.swapaxes(steps, 0, 1), cell.project(params, x))
    masks = None if mask is None else mask.T

    def step(carry: Carry, given: tuple[Any, Array | None]) -> tuple[Carry, Array]:
        here, is_real = given
        new = cell.step(params, carry, here)
        if is_real is not None:
            new = jax.tree.map(functools.partial(select_rows, is_real), new, carry)
        return new, cell.output(new)

    carry, outputs = lax.scan(step, carry, (projected, masks), reverse=reverse)
    outputs = jnp.swapaxes(outputs, 0, 1)  # [batch, time, ...]
    if mask is not None:
        begun = lax.cummax(mask.astype(jnp.int32), axis=1, reverse=reverse) > 0
        outputs = select_rows(begun, outputs, jnp.zeros((), outputs.dtype))
    return outputs, carry


def check_cell(name: str, value: object, owner: str) -> None:
    """Require a :class:`Cell`."""
    if not isinstance(value, Cell):
        raise ArgumentTypeError(
            f"{owner}: {name} must be a recurrent cell, such as LSTMCell(32); received {type(value).__name__}. "
            "Derive your own from chainrule.layers.Cell."
        )


def _first_output(cell: Cell, x: Spec) -> Array:
    return cell.output(cell.initial(x))
