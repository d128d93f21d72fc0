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

from benchmarks.judge import Judge, judge_of
from benchmarks.peers import REFERENCE, Contestant
from benchmarks.workloads import AnyWorkload

ROOT = Path(__file__).resolve().parents[1]
_SLOW, _REPEATS_OF_SLOW = 2.0, 3  # who takes more seconds for one time is timed three times only
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"


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
    is_slow: bool = False

    @property
    def seconds(self) -> float:
        """The median time."""
        return float(np.median(self.times))


class Process:
    """One contestant's process; see :mod:`benchmarks.peers.worker` for what is said."""

    def __init__(self, contestant: Contestant, workload: AnyWorkload, folder: Path, *, quick: bool) -> None:
        self.answer = folder / f"answer{len(list(folder.iterdir()))}.npz"
        own = contestant.peer == "chainrule" or contestant is REFERENCE or not PEERS_PYTHON.exists()
        command = [sys.executable if own else str(PEERS_PYTHON), "-m", *contestant.command]
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


def run(
    workload: AnyWorkload,
    contestants: list[Contestant],
    folder: Path,
    *,
    repeats: int,
    quick: bool,
    say: Callable[[str], None] = print,
) -> list[Result]:
    """Times of every contestant; they are started one after the other and then take turns."""
    workload.save(folder / "data.npz")
    judge = judge_of(workload, folder / "data.npz", lambda: _reference(workload, folder, quick=quick))
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


def _reference(workload: AnyWorkload, folder: Path, *, quick: bool) -> Path:
    """Where the reference's process wrote its answer."""
    process = Process(REFERENCE, workload, folder, quick=quick)
    message = process.hear()
    process.end()
    if message is None or "missing" in message:
        raise RuntimeError(f"{workload.name}: the float64 reference failed. BENCHMARK_DEBUG=1 shows what it prints.")
    return process.answer


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
    if result.is_slow and len(result.times) >= _REPEATS_OF_SLOW:
        return
    began = time.perf_counter()
    message = process.repeat()
    result.is_slow = time.perf_counter() - began > _SLOW
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
