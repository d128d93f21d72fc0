"""What the networks' contestants share: the order of the batches, the check and the clock."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.peers.worker import Outcome, Task


def batches(task: Task) -> list[tuple[tuple[np.ndarray, ...], np.ndarray]]:
    """``(inputs, labels)`` of each step of an epoch."""
    size = task.workload.batch
    starts = range(0, task.workload.rows, size)
    return [(tuple(x[i : i + size] for x in task.x), task.labels[i : i + size]) for i in starts]


@dataclass
class Pace:
    """Times calls; how many in a row hangs on how long one took, so that every contestant is timed equally long.

    Args:
        seconds: how long one repeat lasts, at least one call.
        call: does some units of work, and returns when they are done.
        units: of one call.
    """

    seconds: float
    call: Callable[[], object]
    units: int = 1
    calls: int = field(default=0, init=False)

    def repeat(self) -> float:
        """Seconds of one unit."""
        if self.calls == 0:  # the first call may still make or load things, and says little of the next
            self.call()
            self.calls = 1
        began = time.perf_counter()
        for _ in range(self.calls):
            self.call()
        each = (time.perf_counter() - began) / self.calls
        self.calls = max(1, min(1000, round(self.seconds / each)))
        return each / self.units


class Stepping:
    """Training step by step, for the frameworks whose step is one call.

    Args:
        task: what to train.
        version: what the framework calls itself.
        step: ``step(batch) -> loss`` on the device.
        prepared: the batches as the framework wants them.
        ready: waits until the last step is done, given its loss.
        compile: makes what is called before the first step; its time is the compile time.
    """

    def __init__(
        self,
        task: Task,
        version: str,
        step: Callable[[Any], Any],
        prepared: Sequence[Any],
        *,
        ready: Callable[[Any], float] = float,
        compile: Callable[[], object] | None = None,
    ) -> None:
        self.version, self.step, self.batches, self.ready, self.compile = version, step, prepared, ready, compile
        self.pace = Pace(task.workload.seconds, self._epoch, len(prepared))

    def first(self) -> Outcome:
        """One epoch, whose losses are checked."""
        began = time.perf_counter()
        if self.compile is not None:
            self.compile()
        compiling = None if self.compile is None else time.perf_counter() - began
        return Outcome(losses=[self.ready(self.step(batch)) for batch in self.batches], compile=compiling)

    def repeat(self) -> float:
        """Seconds of a step."""
        return self.pace.repeat()

    def _epoch(self) -> None:
        for batch in self.batches:
            loss = self.step(batch)
        self.ready(loss)


class Predicting:
    """Predictions: NumPy arrays in and out.

    Args:
        task: what to predict.
        version: what the framework calls itself.
        predict: NumPy inputs to NumPy logits.
    """

    def __init__(self, task: Task, version: str, predict: Callable[..., np.ndarray]) -> None:
        self.version, self.inputs, self.predict = version, task.x, predict
        self.pace = Pace(task.workload.seconds, lambda: predict(*self.inputs))

    def first(self) -> Outcome:
        """The logits of all rows."""
        return Outcome(outputs=self.predict(*self.inputs))

    def repeat(self) -> float:
        """Seconds of a call."""
        return self.pace.repeat()
