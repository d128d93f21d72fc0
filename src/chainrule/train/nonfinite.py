"""NaN and Inf: find the step where they began, and say which layer, which rows and which ranges.

The compiled loop looks only at each step's loss, which is free. Once it is not finite, the chunk is run again from
its start to find the first bad step by bisection (no new compilation), and that step is run once more in the open.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base import tree as trees
from chainrule._base.spec import Array
from chainrule.core import Context, Variables
from chainrule.train.engine import Engine
from chainrule.train.feed import EpochView, Feed, take_batch
from chainrule.train.state import Batch, TrainState
from chainrule.train.step import all_finite, forward, loss_per_example, make_gradient

_ROWS_SHOWN = 5
_DIVERGED = 1e6  # larger outputs come from weights that ran away, whatever the targets are


def last_finite_step(
    engine: Engine, before: TrainState, view: EpochView, bounds: tuple[int, int]
) -> tuple[TrainState, int]:
    """The last sound state of a chunk and the step (of the epoch) that spoils it."""
    start, stop = bounds
    low, high, good = start, stop, before  # after `low` steps all is finite, after `high` it is not
    while high - low > 1:
        middle = (low + high) // 2
        state, logs = engine.run_chunk(before, view, start, middle)
        if bool(logs.finite) and bool(all_finite((state.params, state.state))):
            low, good = middle, state
        else:
            high = middle
    return good, low


def explain_step(engine: Engine, state: TrainState, feed: Feed, view: EpochView, step: int) -> str:
    """One sentence per fact about the step that meets NaN or Inf: where first, which rows, ranges, what to do."""
    batch = take_batch(view.data, view.order, step, view.layout)
    rows = feed.rows(view.order, step)
    return " ".join([_first_cause(engine, state, batch, rows), _ranges(batch), _advice(batch)])


def _first_cause(engine: Engine, state: TrainState, batch: Batch, rows: np.ndarray) -> str:
    bad_rows = _bad_rows(batch.x, rows)
    if bad_rows:
        return f"the input itself holds NaN or Inf in {bad_rows}."
    bad_params = [path for path, leaf in trees.flatten(state.params).items() if not bool(all_finite(leaf))]
    if bad_params:
        return f"the weights {', '.join(bad_params)} were not finite before the step."
    record: dict[str, Any] = {}
    context = Context(training=True, key=jax.random.fold_in(state.key, state.step), weight=batch.weight, record=record)
    variables: Variables = state.variables
    predictions, _ = forward(engine.graph, engine.recipe.policy, variables, batch.x, context)
    for path, output in record.items():
        bad_rows = _bad_rows(output if isinstance(output, tuple) else (output,), rows)
        if bad_rows:
            return f"the output of layer {path!r} is the first to hold NaN or Inf, in {bad_rows}."
    values = loss_per_example(engine.recipe, predictions, batch.y)
    bad_rows = _bad_rows((values,), rows)
    if bad_rows:
        largest = max(float(np.abs(np.asarray(array, np.float32)).max()) for array in predictions)
        why = "training diverged" if largest > _DIVERGED else "check their targets"
        return f"every layer's output is finite (up to {largest:.3g}), but the loss is NaN or Inf in {bad_rows}: {why}."
    return _bad_gradients(engine, state, batch)


def _bad_gradients(engine: Engine, state: TrainState, batch: Batch) -> str:
    grads, _, _ = make_gradient(engine.graph, engine.recipe)(state, batch)
    bad = [path for path, leaf in trees.flatten(grads).items() if not bool(all_finite(leaf))]
    if bad:
        return f"the loss is finite, but the gradient of {', '.join(bad)} holds NaN or Inf."
    return "loss and gradients are finite, but the update makes the weights overflow."


def _bad_rows(arrays: tuple[Array, ...], rows: np.ndarray) -> str:
    bad = np.zeros(len(rows), bool)
    for array in arrays:
        if jnp.issubdtype(array.dtype, jnp.floating):
            values = np.asarray(array, np.float32)[: len(rows)]
            bad |= ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if not bad.any():
        return ""
    listed = ", ".join(str(row) for row in rows[bad][:_ROWS_SHOWN])
    more = f" and {bad.sum() - _ROWS_SHOWN} more" if bad.sum() > _ROWS_SHOWN else ""
    return f"{'all rows of the batch: ' if bad.all() else 'row(s) '}{listed}{more}"


def _ranges(batch: Batch) -> str:
    def text(name: str, arrays: tuple[Array, ...]) -> str:
        parts = [f"{float(np.nanmin(np.asarray(a))):.3g} to {float(np.nanmax(np.asarray(a))):.3g}" for a in arrays]
        return f"{name} range {', '.join(parts)}"

    return f"In this batch {text('inputs', batch.x)}; {text('targets', batch.y)}."


def _advice(batch: Batch) -> str:
    largest = max(float(np.nanmax(np.abs(np.asarray(array, np.float32)))) for array in batch.x)
    if largest > 100:
        return "Scale the inputs (standardise them), then lower the learning rate."
    return "Lower the learning rate (by 10), or clip gradients: optimizers.Clip(optimizer, global_norm=1.0)."
