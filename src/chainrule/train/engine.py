"""The compiled loops: many steps, a whole evaluation or a whole prediction in one call.

A chunk of steps is a ``while`` loop whose bounds are arguments, so chunks of any length share one compilation. The
loop leaves as soon as a loss is not finite; nothing else is checked per step. The states passed in are not donated:
the state before a chunk stays valid until the chunk is known to be sound, and "the best weights so far" is a
reference, not a copy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.core import Context, Graph, Variables
from chainrule.train.carried import carried_rows
from chainrule.train.feed import EpochView, Feed, Layout, take_batch
from chainrule.train.state import Batch, TrainState
from chainrule.train.step import (
    EvalSums,
    Recipe,
    StepLogs,
    all_finite,
    forward,
    make_eval_step,
    make_train_step,
    penalty_of,
)

_TINY = float(np.finfo(np.float32).tiny)


class ChunkLogs(NamedTuple):
    """Sums over a chunk of steps; ``stopped_at`` is the step after the last one run."""

    loss_sum: Array
    weight: Array
    penalty: Array  # sum over steps of the penalty times the step's weight
    skipped: Array
    stopped_at: Array
    finite: Array


class Engine:
    """Compiled functions of one graph and recipe; each compiles once per set of shapes.

    Args:
        graph: what to run.
        recipe: how it is trained and judged.
    """

    def __init__(self, graph: Graph, recipe: Recipe) -> None:
        self.graph = graph
        self.recipe = recipe
        self.train_step = make_train_step(graph, recipe)
        self.eval_init, self.eval_step = make_eval_step(graph, recipe)
        penalty = penalty_of(graph)
        self.penalty = None if penalty is None else jax.jit(penalty)
        self.carried_rows = carried_rows(graph)  # of a batch, where stateful layers carry their state on
        self._chunk = jax.jit(self._run_chunk, static_argnums=4)
        self._evaluate = jax.jit(self._run_evaluation, static_argnums=(2, 3))
        self._predict = jax.jit(self._run_prediction)
        self._predict_on = jax.jit(self._run_prediction_on)

    def run_chunk(self, state: TrainState, view: EpochView, start: int, stop: int) -> tuple[TrainState, ChunkLogs]:
        """Steps ``start`` to ``stop`` of an epoch; leaves early at a loss that is not finite."""
        bounds = np.int32(start), np.int32(stop)
        result: tuple[TrainState, ChunkLogs] = self._chunk(state, view.data, view.order, bounds, view.layout)
        return result

    def evaluate(self, variables: Variables, feed: Feed) -> tuple[EvalSums, tuple[Array, ...]]:
        """Sums over all examples in inference mode, and all predictions (padding included)."""
        result: tuple[EvalSums, tuple[Array, ...]] = self._evaluate(
            variables, feed.data, feed.eval_rows, feed.eval_steps
        )
        return result

    def predict(self, variables: Variables, x: tuple[Array, ...]) -> tuple[Array, ...]:
        """Predictions for one batch."""
        result: tuple[Array, ...] = self._predict(variables, x)
        return result

    def predict_on(self, variables: Variables, x: tuple[Array, ...]) -> tuple[tuple[Array, ...], Tree]:
        """Predictions for one batch, and the layer state that stateful layers begin the next with."""
        result: tuple[tuple[Array, ...], Tree] = self._predict_on(variables, x)
        return result

    def _run_chunk(
        self, state: TrainState, data: Batch, order: Array, bounds: tuple[Array, Array], layout: Layout
    ) -> tuple[TrainState, ChunkLogs]:
        start, stop = bounds
        skips = self.recipe.on_nonfinite == "skip"

        def keep_going(carry: Any) -> Array:  # Any: (state, logs)
            logs: ChunkLogs = carry[1]
            return (logs.stopped_at < stop) & logs.finite

        def one_step(carry: Any) -> Any:
            before, logs = carry
            batch = take_batch(data, order, logs.stopped_at, layout)
            after, step_logs = self.train_step(before, batch)
            return after, self._added(logs, step_logs, skips=skips)

        zero = jnp.zeros(())
        logs = ChunkLogs(zero, zero, zero, jnp.zeros((), jnp.int32), start, jnp.ones((), bool))
        state, logs = jax.lax.while_loop(keep_going, one_step, (state, logs))
        if not skips:  # a gradient that is not finite shows in the weights, at the latest here
            logs = logs._replace(finite=logs.finite & all_finite((state.params, state.state)))
        return state, logs

    def _added(self, logs: ChunkLogs, step: StepLogs, *, skips: bool) -> ChunkLogs:
        """The sums with one more step. Each scalar is a kernel of its own (2 % of a small step): none without need."""
        finite, penalty = step.finite, step.penalty * step.weight
        if not skips:  # the loop ends at a step that is not finite, and then its sums are not read
            return logs._replace(
                loss_sum=logs.loss_sum + step.loss_sum,
                weight=logs.weight + step.weight,
                penalty=logs.penalty if self.penalty is None else logs.penalty + penalty,
                stopped_at=logs.stopped_at + 1,
                finite=finite,
            )
        return ChunkLogs(
            loss_sum=logs.loss_sum + jnp.where(finite, step.loss_sum, 0),
            weight=logs.weight + jnp.where(finite, step.weight, 0),
            penalty=logs.penalty + jnp.where(finite, penalty, 0),
            skipped=logs.skipped + jnp.where(finite, 0, 1),
            stopped_at=logs.stopped_at + 1,
            finite=logs.finite,
        )

    def _run_evaluation(
        self, variables: Variables, data: Batch, rows: int, steps: int
    ) -> tuple[EvalSums, tuple[Array, ...]]:
        carries = self.carried_rows is not None

        def one_step(carry: tuple[EvalSums, Tree], number: Array) -> tuple[tuple[EvalSums, Tree], tuple[Array, ...]]:
            sums, state = carry
            batch = jax.tree.map(lambda a: jax.lax.dynamic_slice_in_dim(a, number * rows, rows), data)
            current = Variables(variables.params, state) if carries else variables
            sums, predictions, new = self.eval_step(current, sums, batch)
            return (sums, new if carries else state), predictions

        start = self.eval_init(), variables.state if carries else {}
        if steps == 1:
            (sums, _), predictions = one_step(start, jnp.zeros((), jnp.int32))
            return sums, predictions
        (sums, _), predictions = jax.lax.scan(one_step, start, jnp.arange(steps))
        return sums, jax.tree.map(lambda p: p.reshape(p.shape[0] * p.shape[1], *p.shape[2:]), predictions)

    def _run_prediction(self, variables: Variables, x: tuple[Array, ...]) -> tuple[Array, ...]:
        return self._run_prediction_on(variables, x)[0]

    def _run_prediction_on(self, variables: Variables, x: tuple[Array, ...]) -> tuple[tuple[Array, ...], Tree]:
        return forward(self.graph, self.recipe.policy, variables, x, Context())


def scores(recipe: Recipe, sums: EvalSums, predictions: tuple[Array, ...], feed: Feed) -> dict[str, float]:
    """Loss and metrics as numbers on the host; metrics that need all predictions at once are computed here."""
    host = jax.device_get((sums, _metric_results(recipe, sums)))
    total, results = host
    logs = {"loss": float(total.loss_sum) / max(float(total.weight), _TINY)}
    for output, group in enumerate(recipe.metrics):
        given = iter(results[output])
        for metric, label in zip(group, recipe.metric_names[output], strict=True):
            value = _computed(metric, predictions[output], output, feed) if metric.needs_all else next(given)
            for name, number in _named(label, value).items():
                logs[name] = number
    return logs


def _metric_results(recipe: Recipe, sums: EvalSums) -> tuple[tuple[Any, ...], ...]:  # Any: scalars or dicts of them
    streamed = (tuple(m for m in group if not m.needs_all) for group in recipe.metrics)
    return tuple(
        tuple(metric.result(acc) for metric, acc in zip(group, accs, strict=True))
        for group, accs in zip(streamed, sums.metrics, strict=True)
    )


def _computed(metric: Any, predictions: Array, output: int, feed: Feed) -> Any:  # Any: the Metric protocol
    rows = slice(0, feed.size)
    return metric.compute(
        np.asarray(predictions)[rows], np.asarray(feed.data.y[output])[rows], np.asarray(feed.data.weight)[rows]
    )


def _named(label: str, value: Any) -> dict[str, float]:  # Any: a scalar, an array or a mapping of scalars
    if isinstance(value, dict):
        return {f"{label}_{key}": float(item) for key, item in value.items()}
    array = np.asarray(value)
    return {label: float(array)} if array.ndim == 0 else {}
