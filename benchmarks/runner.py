"""Starts the contestants of a workload, checks what they learned, then times them in turn."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.peers import Contestant
from benchmarks.workloads import Workload, definitions, reference

ROOT = Path(__file__).resolve().parents[1]
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
# Relative difference of the mean loss after one epoch to that of NumPy in float64. Keras and scikit-learn put epsilon
# outside of Adam's bias correction; some thousand float32 steps differ by less than 2e-3.
TOLERANCE = 2e-3
TOLERANCE_OUTPUTS = 1e-4


@dataclass
class Result:
    """What was found about one contestant in one workload.

    ``status`` is ``"timed"``, ``"not installed"``, ``"failed"`` or ``"disagrees"``; times are seconds of one unit,
    ``difference`` is that of the loss (or of probabilities) to the reference.
    """

    contestant: Contestant
    status: str = "timed"
    version: str = ""
    times: list[float] = field(default_factory=list)
    memory: int = 0
    to_first: float = 0.0
    compile: float = 0.0
    difference: float = float("nan")

    @property
    def seconds(self) -> float:
        """The median time."""
        return float(np.median(self.times))


class Process:
    """One contestant's process; see :mod:`benchmarks.peers.worker` for what is said."""

    def __init__(self, contestant: Contestant, workload: Workload, folder: Path, *, quick: bool) -> None:
        self.answer = folder / f"answer{len(list(folder.iterdir()))}.npz"
        own = contestant.peer == "chainrule" or not PEERS_PYTHON.exists()
        command = [sys.executable if own else str(PEERS_PYTHON), "-m", f"benchmarks.peers.{contestant.module}"]
        command += ["--workload", workload.name, "--variant", contestant.variant, "--data", str(folder / "data.npz")]
        command += ["--answer", str(self.answer), "--started", repr(time.time())] + ["--quick"] * quick
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if not os.environ.get("BENCHMARK_DEBUG") else None,
            text=True,
            cwd=ROOT,
            env={**os.environ, **contestant.environment},
        )

    def hear(self) -> dict[str, object] | None:
        """The next message, or ``None`` when the process has ended."""
        for line in self.process.stdout or ():
            if line.startswith("{"):
                message: dict[str, object] = json.loads(line)
                return message
        return None

    def repeat(self) -> dict[str, object] | None:
        """Ask for one time."""
        if self.process.stdin is None or self.process.poll() is not None:
            return None
        self.process.stdin.write("repeat\n")
        self.process.stdin.flush()
        return self.hear()

    def end(self) -> None:
        """Let it go."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class Judge:
    """Compares what a contestant learned in its first epoch with the same epoch in NumPy and float64."""

    def __init__(self, workload: Workload, path: Path) -> None:
        self.workload = workload
        self.x, self.labels, self.weights = definitions.load(path)
        self._losses: dict[tuple[bytes, bool], float] = {}

    def difference(self, answer: Path, contestant: Contestant) -> tuple[float, bool]:
        """The difference and whether it is allowed."""
        with np.load(answer) as arrays:
            if "outputs" in arrays:
                wide = [np.asarray(weight, np.float64) for weight in self.weights]
                expected = reference.softmax(reference.logits(wide, self.x.astype(np.float64)))
                found = float(np.abs(reference.softmax(arrays["outputs"]) - expected).max())
                return found, found <= TOLERANCE_OUTPUTS
            learned = definitions.weights_in(arrays)
            order = arrays["order"] if "order" in arrays else np.arange(len(self.x))
        if not (np.sort(order) == np.arange(len(self.x))).all():
            return float("nan"), False
        expected_loss = self._loss_after(order, contestant.peer == "scikit-learn" and self.workload.sizes[-1] == 2)
        found = abs(reference.mean_loss(learned, self.x, self.labels) - expected_loss) / expected_loss
        return found, found <= TOLERANCE

    def _loss_after(self, order: np.ndarray, one_output: bool) -> float:  # noqa: FBT001 - private
        key = (np.asarray(order, np.int64).tobytes(), one_output)
        if key not in self._losses:
            start = reference.one_logit(self.weights) if one_output else self.weights
            rows = self.x[order], self.labels[order]
            learned = reference.trained(start, *rows, self.workload.batch, fixed_first=one_output)
            self._losses[key] = reference.mean_loss(learned, self.x, self.labels)
            before = reference.mean_loss(start, self.x, self.labels)
            if before < (1 + 5 * TOLERANCE) * self._losses[key]:  # weights never trained must not pass the check
                raise AssertionError(f"{self.workload.name}: an epoch must lower the loss {before:.4f} by over 1 %")
        return self._losses[key]


def run(
    workload: Workload,
    contestants: list[Contestant],
    folder: Path,
    *,
    repeats: int,
    quick: bool,
    say: Callable[[str], None] = print,
) -> list[Result]:
    """Times of every contestant; they are started one after the other and then take turns."""
    definitions.save(workload, folder / "data.npz")
    judge = Judge(workload, folder / "data.npz")
    results, running = [], []
    try:
        for contestant in contestants:
            process = Process(contestant, workload, folder, quick=quick)
            running.append(process)
            results.append(_started(process, judge, contestant))
            say(f"  {contestant.label}: {_shown(results[-1])}")
        for _ in range(repeats):
            for process, result in zip(running, results, strict=True):
                if result.status == "timed":
                    _take(process, result)
    finally:
        for process in running:
            process.end()
    return results


def _started(process: Process, judge: Judge, contestant: Contestant) -> Result:
    result = Result(contestant)
    message = process.hear()
    if message is None or "missing" in message:
        result.status = "failed" if message is None else "not installed"
        return result
    result.version = str(message["version"])
    result.to_first, result.compile = float(str(message["to_first"])), float(str(message["compile"]))
    result.difference, agrees = judge.difference(process.answer, contestant)
    if not agrees:
        result.status = "disagrees"
    return result


def _take(process: Process, result: Result) -> None:
    message = process.repeat()
    if message is None:
        result.status = "failed"
        return
    result.times.append(float(str(message["seconds"])))
    result.memory = int(str(message["memory"]))


def _shown(result: Result) -> str:
    if result.status in ("failed", "not installed"):
        return result.status
    verdict = "agrees" if result.status == "timed" else "DISAGREES, and is not timed"
    return f"{verdict} with the float64 reference (difference {result.difference:.1e})"
