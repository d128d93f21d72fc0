"""What all recurrent layers share (masks, states in and out, direction), and RNN, which carries any cell."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import jax
import jax.numpy as jnp

from chainrule import initializers
from chainrule._base import tree as trees
from chainrule._base.checks import check_positive_int, owner_name
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, Weight, shape_text
from chainrule._base.tree import Tree
from chainrule.core import Context, Layer, Variables
from chainrule.core.layer import Weights
from chainrule.layers._declare import check_rank
from chainrule.layers.masking import check_mask, select_rows
from chainrule.layers.recurrent_cell import (
    Carry,
    Cell,
    check_cell,
    given_carry,
    one_step,
    prepared,
    scan_cell,
)

_STEPS = "It takes [batch, time, features]: put Embedding before it for tokens, or add an axis to one number a step."


@dataclass(frozen=True, eq=False)
class Recurrent(Layer):
    """What all recurrent layers share: masks, states in and out, direction.

    The layer is called as ``layer(x)``, ``layer(x, mask=m)`` or ``layer(x, mask=m, initial_state=[...])``. The mask is
    an input of booleans ``[batch, time]``, true where a step is real. A masked step leaves the state as it is and its
    output repeats the last one (zeros before the first real step), so results do not depend on what stands there, be
    it at the left, at the right or in between; an example that is masked throughout returns its initial state.

    With ``stateful`` row i of a batch goes on where row i of the batch before ended, for sequences cut into pieces.
    ``fit``, ``evaluate`` and ``predict`` then take batches of ``batch_size`` rows in the order of the rows and carry
    the state from batch to batch. Every epoch, every judging after it and every call starts from the state that stands
    in the model (``carry_0``, ...), zeros from the beginning, and leaves that as it was; in Keras calls go on where
    the last one ended. To go on from call to call, carry the state by hand::

        variables = model.variables
        for piece in pieces:
            y, state = model.apply(variables, piece)
            variables = Variables(variables.params, state)

    ``model.set_weights({"lstm/carry_0": h})`` sets where calls start from, ``models.reset_state(model)`` clears it.

    Args:
        return_sequences: give the output of every step instead of the last.
        return_state: give the last state too, after the output: ``output, h = GRU(...)``, ``output, h, c = LSTM(...)``.
        go_backwards: read from the end; outputs come in the order they are made, the last step's first, as in Keras.
        stateful: carry the state from batch to batch.
        batch_size: rows of every batch; needed with ``stateful`` (Keras reads it from its Input).
        name: name in the model.

    Shapes:
        x: [batch, time, ...] -> [batch, ...], with ``return_sequences`` [batch, time, ...].
    """

    _: KW_ONLY
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    batch_size: int | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if self.stateful and self.batch_size is None:
            raise ArgumentError(
                f"{owner_name(self)}: batch_size must be given with stateful=True, because the state has one row for "
                "each example; received None. Write batch_size=32."
            )
        if self.batch_size is not None:
            check_positive_int("batch_size", self.batch_size, self)

    @property
    def recurrent_cell(self) -> Cell:
        """The cell that is carried along."""
        raise NotImplementedError(f"{type(self).__name__}: define the property recurrent_cell.")

    def weights(self, x: Spec, *_rest: Spec) -> Weights:  # type: ignore[override]  # the first input decides
        """Those of the cell; with ``stateful`` also the carry, as state."""
        check_rank(x, 3, self, advice=_STEPS)
        wanted = dict(self.recurrent_cell.weights(one_step(x)))
        if self.stateful:
            rows = x.shape[0] if isinstance(x.shape[0], int) else self.batch_size  # a number is given to count costs
            step = Spec((rows, *x.shape[2:]), x.dtype)
            parts = jax.tree.leaves(jax.eval_shape(lambda: self.recurrent_cell.initial(step)))
            for i, part in enumerate(parts):
                axes = ("batch", *[None] * (len(part.shape) - 1))
                wanted[f"carry_{i}"] = Weight(part.shape, initializers.get("zeros"), kind="state", axes=axes)
        return wanted

    def __call__(self, *inputs: Any, initial_state: Any = None, **named: Any) -> Any:
        """Record a call on symbols; ``initial_state`` is a symbol, or a list of those that make up the state.

        ``Any``: symbols in, a symbol or a tuple of symbols out.
        """
        return super().__call__(*bind_states(inputs, named, initial_state), **named)

    def call(self, params: Tree, x: Array, mask: Array | None = None, *initial_state: Array) -> Any:  # type: ignore[override]  # Any: one array or several
        """Output, or outputs and state, from the given state (zeros by default)."""
        return self._run(params, {}, x, mask, initial_state)[0]

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Any, Tree]:
        """As ``call``, with dropout in training and, when stateful, the state from the last batch."""
        x, mask = (*inputs, None)[:2]
        assert x is not None
        params = prepared(self.recurrent_cell, variables.params, one_step(x), context)
        return self._run(params, variables.state, x, mask, inputs[2:])

    def _run(
        self, params: Tree, state: Tree, x: Array, mask: Array | None, given: tuple[Array, ...]
    ) -> tuple[Any, Tree]:  # Any: one array or several
        check_rank(x, 3, self, advice=_STEPS)
        x = x.astype(
            jnp.result_type(x.dtype, *(leaf.dtype for leaf in trees.flatten(params).values()))
        )  # the state's too
        if mask is not None:
            check_mask(mask, x, self)
            x = select_rows(mask, x, jnp.zeros((), x.dtype))  # so that not even NaN there reaches a gradient
        outputs, carry = self._scan(params, x, self._start(state, x, given), mask)
        last = self.recurrent_cell.output(carry)
        if state and isinstance(x.shape[0], int):
            parts = enumerate(jax.tree.leaves(carry))
            state = {f"carry_{i}": part.astype(state[f"carry_{i}"].dtype) for i, part in parts}
        if self.return_sequences:
            last = jnp.flip(outputs, axis=1) if self.go_backwards else outputs
        return ((last, *jax.tree.leaves(carry)) if self.return_state else last), state

    def _start(self, state: Tree, x: Array, given: tuple[Array, ...]) -> Carry | None:
        """The carry before the first step; ``None`` for the cell's own."""
        cell, step = self.recurrent_cell, one_step(x)
        if given:
            return given_carry(cell, step, [array.astype(x.dtype) for array in given])
        if not state or not isinstance(x.shape[0], int):  # in shape inference the batch has no number
            return None
        if x.shape[0] != state["carry_0"].shape[0]:
            raise ShapeError(
                f"{owner_name(self)}: a stateful layer needs batches of batch_size={self.batch_size} rows, each going "
                f"on where it ended; received shape {shape_text(Spec(x.shape, x.dtype))}. Feed such batches, or build "
                "the layer anew."
            )
        return given_carry(cell, step, [state[f"carry_{i}"].astype(x.dtype) for i in range(len(state))])

    def _scan(self, params: Tree, x: Array, carry: Carry | None, mask: Array | None) -> tuple[Array, Carry]:
        """Outputs of all steps, and the last carry."""
        cell = self.recurrent_cell
        start = cell.initial(one_step(x)) if carry is None else carry
        return scan_cell(cell, params, x, start, mask=mask, reverse=self.go_backwards)


@register_class
@dataclass(frozen=True, eq=False)
class RNN(Recurrent):
    """Carry any :class:`Cell` along a sequence; :class:`Recurrent` describes masks, states and the other arguments.

    Args:
        cell: the cell, built in or of one's own; its weights stand directly under this layer's name.

    Example:
        >>> from chainrule.core import Input
        >>> from chainrule.layers import LSTMCell
        >>> RNN(LSTMCell(5), return_sequences=True)(Input((7, 3))).shape
        (b, 7, 5)
    """

    cell: Cell

    def __post_init__(self) -> None:
        super().__post_init__()
        check_cell("cell", self.cell, owner_name(self))

    @property
    def recurrent_cell(self) -> Cell:
        """The cell that was given."""
        return self.cell


def bind_states(inputs: tuple[Any, ...], named: dict[str, Any], initial_state: Any) -> tuple[Any, ...]:
    """The inputs of a call with the arrays of ``initial_state`` behind ``x`` and ``mask`` (taken from ``named``).

    ``Any``: symbols, a list of symbols, or ``None``.
    """
    if initial_state is None:
        return inputs
    states = initial_state if isinstance(initial_state, list | tuple) else (initial_state,)
    x, mask = (*inputs, named.pop("mask", None))[:2]
    return x, mask, *states
