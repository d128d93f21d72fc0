"""The process of one contestant: it trains one epoch that is checked, then repeats what is timed whenever told to.

It talks in lines of JSON on its standard output; on its standard input a line ``repeat`` asks for one time, and the
end of the input ends it. While it waits it uses no processor time.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.workloads import AnyWorkload, Workload, get


@dataclass(frozen=True)
class Task:
    """What a contestant is given: inputs (several as a tuple), labels and weights as the workload loads them."""

    workload: AnyWorkload
    variant: str
    x: np.ndarray
    labels: np.ndarray
    weights: list[np.ndarray]


@dataclass(frozen=True)
class Outcome:
    """What the first epoch, or the first prediction, gave.

    Args:
        weights: after the epoch: ``[kernel, bias, ...]``.
        order: in which order the rows were taken, or ``None`` for as they stand.
        outputs: of a prediction, logits or probabilities.
        losses: before each step of the epoch, on its batch.
        untrained: the reference's losses of the initial weights, on the same batches.
        compile: seconds that tracing and compiling took, where they can be timed alone.
    """

    weights: list[np.ndarray] | None = None
    order: np.ndarray | None = None
    outputs: np.ndarray | None = None
    losses: list[float] | None = None
    untrained: list[float] | None = None
    compile: float | None = None


class Runner(Protocol):
    """What a module of a framework provides: made from a task, run once for the check, repeated for the clock."""

    version: str

    def first(self) -> Outcome:
        """One epoch from the given weights, or one prediction; compiles."""
        ...

    def repeat(self) -> float:
        """Seconds of one unit (step, fit or call), compiled before."""
        ...


def dispatch_as_told(task: Task) -> None:
    """Make JAX compute on the thread that calls where the variant says so; for short calls, waking another is dear."""
    if "inline" in task.variant:
        import jax

        jax.config.update("jax_cpu_enable_async_dispatch", False)


def timed_calls(call: Callable[[], object], calls: int) -> float:
    """Seconds of one call, mean of ``calls`` in a row."""
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - began) / calls


def timed_epochs(epoch: Callable[[], object], workload: Workload) -> float:
    """Seconds of the workload's unit: a step where it is timed by steps, all epochs where it is a whole fit."""
    seconds = timed_calls(epoch, workload.epochs)
    return seconds / workload.steps if workload.kind == "train" else seconds * workload.epochs


def cut(x: np.ndarray, batch: int) -> list[slice]:
    """The batches of an epoch."""
    return [slice(start, start + batch) for start in range(0, len(x), batch)]


def main(prepare: Callable[[Task], Runner]) -> None:
    """Serve one contestant until the input ends."""
    arguments = _arguments()
    workload = get(arguments.workload, quick=arguments.quick)
    try:
        runner = prepare(Task(workload, arguments.variant, *workload.load(arguments.data)))
    except ImportError as error:
        _say(missing=error.name)
        return
    began = time.perf_counter()
    outcome = runner.first()
    first = time.perf_counter() - began
    to_first = time.time() - arguments.started
    _write(outcome, arguments.answer)
    warm = runner.repeat()  # shuffling, and paths not seen in the first epoch, compile here
    compiling = first - warm * workload.first_units if outcome.compile is None else outcome.compile
    _say(ready=True, version=runner.version, to_first=to_first, compile=max(0.0, compiling))
    for line in sys.stdin:
        if line.strip() == "repeat":
            _say(seconds=runner.repeat(), memory=_peak_memory())


def _peak_memory() -> int:
    """Largest resident size so far, bytes; Linux's ``ru_maxrss`` would include that of the process that started us."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", required=True)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--answer", type=Path, required=True, help="file for the outcome of the first epoch")
    parser.add_argument("--started", type=float, required=True, help="time.time() when the process was started")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


def _write(outcome: Outcome, path: Path) -> None:
    arrays = {}
    for number, weight in enumerate(outcome.weights or []):
        arrays[("bias" if number % 2 else "kernel") + str(number // 2)] = np.asarray(weight)
    for name in ("order", "outputs", "losses", "untrained"):
        if getattr(outcome, name) is not None:
            arrays[name] = np.asarray(getattr(outcome, name))
    np.savez(path, **arrays)


def _say(**message: object) -> None:
    print(json.dumps(message), flush=True)
