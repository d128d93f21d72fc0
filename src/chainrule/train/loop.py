"""The one training loop: epochs of compiled chunks, judged on the same weights, told as events."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax

from chainrule._base.errors import NonFiniteError
from chainrule._base.tree import flatten
from chainrule.train.carried import carried_state, rewound
from chainrule.train.engine import Engine, scores
from chainrule.train.events import ChunkEnd, EpochEnd, EpochStart, Event, FitEnd, FitStart, Listener, NonFinite
from chainrule.train.feed import EpochView, Feed
from chainrule.train.nonfinite import explain_step, last_finite_step
from chainrule.train.run import Run
from chainrule.train.state import TrainState

_CHUNK_SECONDS = 0.25  # a compiled call this long shows progress 4 times a second and hides 1 ms of dispatch
_FIRST_CHUNK = 64
_ROLLBACKS = 5


@dataclass
class Pace:
    """How many steps one compiled call takes: as many as fit :data:`_CHUNK_SECONDS`, or as many as asked."""

    fixed: int | None
    steps: int = _FIRST_CHUNK
    calls: int = 0

    def next(self) -> int:
        """Steps of the next call."""
        return self.fixed or self.steps

    def took(self, steps: int, seconds: float) -> None:
        """Learn from a call; the first one holds the compilation and teaches nothing."""
        self.calls += 1
        if self.calls > 1 and steps > 0:
            ideal = int(steps * _CHUNK_SECONDS / max(seconds, 1e-6))
            self.steps = max(1, min(ideal, 4 * self.steps))


@dataclass
class Plan:
    """What one call of :func:`fit` shall do.

    Args:
        epochs: how many epochs to run.
        first_epoch: number of epochs done before; this run counts on from there.
        steps_per_call: steps of one compiled call, or ``None`` to adapt to about 0.25 s.
        train_metrics: ``"same"`` judges the training examples after each epoch on the same weights and in the same
            mode as the validation examples; ``"running"`` gives the mean training loss over the epoch's steps, on
            weights that were changing and with dropout on; it costs no second pass and no metrics come with it.
    """

    epochs: int
    first_epoch: int = 0
    steps_per_call: int | None = None
    train_metrics: Literal["same", "running"] = "same"


class Loop:
    """Runs a :class:`Plan` on an engine; holds what one ``fit`` needs and nothing longer."""

    def __init__(
        self,
        engine: Engine,
        run: Run,
        feeds: tuple[Feed, Feed, Feed | None],
        *,
        plan: Plan,
        listeners: Sequence[Listener],
    ) -> None:
        self.engine = engine
        self.run = run
        self.feed, self.judged, self.validation = feeds
        self.plan = plan
        self.listeners = listeners
        self.pace = Pace(plan.steps_per_call)
        self.rollbacks = 0
        self.start = run.state.state  # where stateful layers begin every epoch
        self.carried = carried_state(engine.graph)

    def fit(self) -> Run:
        """Train until the plan is done, a callback stops the run, or the user presses Ctrl-C.

        Whatever ends it, ``run.state`` holds the weights after the last whole compiled call and every listener
        gets a :class:`FitEnd`.
        """
        started = time.perf_counter()
        run, plan = self.run, self.plan
        done, reason = 0, "all epochs done"
        try:
            self._emit(self._start_event())
            for epoch in range(plan.first_epoch + 1, plan.first_epoch + plan.epochs + 1):
                self._emit(EpochStart(epoch))
                logs, seconds = self._epoch(epoch)
                done += 1
                run.history.epochs.append(logs)
                rate = self.feed.size / max(seconds, 1e-9)
                self._emit(EpochEnd(epoch, int(run.state.step), seconds, rate, logs))
                if run.stop_reason is not None:
                    break
            reason = run.stop_reason or reason
        except KeyboardInterrupt:
            reason = "interrupted"
            raise
        except BaseException as error:
            reason = f"failed: {type(error).__name__}"
            raise
        finally:
            self._rewind()
            run.history.stop_reason = reason
            self._emit(FitEnd(reason, done, int(run.state.step), time.perf_counter() - started))
        return run

    def _start_event(self) -> FitStart:
        return FitStart(
            epochs=self.plan.epochs,
            first_epoch=self.plan.first_epoch + 1,
            steps_per_epoch=self.feed.steps,
            examples=self.feed.size,
            validation_examples=self.validation.size if self.validation else 0,
            parameters=sum(leaf.size for leaf in flatten(self.run.state.params).values()),
        )

    def _emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event, self.run)

    def _epoch(self, epoch: int) -> tuple[dict[str, float], float]:
        """Train one epoch and judge it; returns the logs and the seconds spent training."""
        began = time.perf_counter()
        run, feed = self.run, self.feed
        at_start = run.state
        view = feed.epoch(run.state.key, epoch)
        step, loss_sum, weight = 0, 0.0, 0.0
        while step < feed.steps:
            stop = min(step + self.pace.next(), feed.steps)
            called = time.perf_counter()
            before = run.state
            after, logs = self.engine.run_chunk(before, view, step, stop)
            host = jax.device_get(logs)
            self.pace.took(stop - step, time.perf_counter() - called)
            if not host.finite:
                if self._recover(epoch, before, view, (step, stop), at_start):
                    return self._epoch(epoch)
                break
            run.state = after
            step = stop
            loss_sum += float(host.loss_sum)
            weight += float(host.weight)
            self._skipped(epoch, int(host.skipped))
            shown = {"loss": loss_sum / weight} if weight else {}
            self._emit(ChunkEnd(epoch, step, feed.steps, time.perf_counter() - began, shown))
        self._rewind()
        seconds = time.perf_counter() - began
        return self._judge(loss_sum / weight if weight else float("nan")), seconds

    def _rewind(self) -> None:
        if self.carried:
            self.run.state = self.run.state._replace(state=rewound(self.run.state.state, self.start, self.carried))

    def _judge(self, running_loss: float) -> dict[str, float]:
        variables = self.run.variables
        if self.plan.train_metrics == "same":
            logs = scores(self.engine.recipe, *self.engine.evaluate(variables, self.judged), self.judged)
        else:
            logs = {"loss": running_loss}
        if self.engine.penalty is not None:
            penalty = float(self.engine.penalty(variables.params))
            logs |= {"penalty": penalty, "total_loss": logs["loss"] + penalty}
        if self.validation is not None:
            judged = scores(self.engine.recipe, *self.engine.evaluate(variables, self.validation), self.validation)
            logs |= {f"val_{name}": value for name, value in judged.items()}
        return logs

    def _recover(
        self, epoch: int, before: TrainState, view: EpochView, bounds: tuple[int, int], at_start: TrainState
    ) -> bool:
        """Find the bad step and act by policy; returns whether the epoch is to be run again."""
        good, step = last_finite_step(self.engine, before, view, bounds)
        report = explain_step(self.engine, good, self.feed, view, step)
        self.run.state = good
        number = int(good.step) + 1  # the step that would have come next
        if self.engine.recipe.on_nonfinite == "rollback" and self.rollbacks < _ROLLBACKS:
            self.rollbacks += 1
            scale = self.run.rate_scale / 2
            self.run.restore(at_start)
            self.run.state = self.run.state._replace(slots=at_start.slots)
            self.run.set_rate_scale(scale)
            action = f"rolled back to the start of epoch {epoch}, learning rate scaled by {scale:g}"
            self._emit(NonFinite(epoch, number, action, report))
            return True
        self._emit(NonFinite(epoch, number, "stopped before this step", report))
        raise NonFiniteError(f"epoch {epoch}, step {number}: {report}")

    def _skipped(self, epoch: int, count: int) -> None:
        if count:
            message = f"{count} step(s) had a loss or gradient that was NaN or Inf and were left out"
            self._emit(NonFinite(epoch, int(self.run.state.step), "skipped", message))


def evaluate(engine: Engine, variables: Any, feed: Feed) -> dict[str, float]:  # Any: Variables
    """Loss and metrics of ``variables`` on ``feed``, in inference mode."""
    return scores(engine.recipe, *engine.evaluate(variables, feed), feed)
