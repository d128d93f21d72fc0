"""The process of one framework: a line with a case's number asks for the times of all its passes."""

import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.kernels.cases import CASES, Case, check_sums

SECONDS = float(os.environ.get("BENCHMARK_KERNEL_SECONDS", "0.06"))  # about how long one pass is timed

Passes = dict[str, tuple[Callable[[], object], Callable[[], np.ndarray]]]  # what is timed, and its result


def main(make: Callable[[Case], Passes]) -> None:
    """Serve until the input ends."""
    made: dict[int, Passes] = {}
    known: dict[tuple[int, str], tuple[float, float]] = {}
    for line in sys.stdin:
        number = int(line)
        case = CASES[number]
        if number not in made:
            made = {number: make(case)}  # only the newest is kept
            known = {(number, name): check_sums(result()) for name, (_, result) in made[number].items()}
        times = {name: _seconds(call) for name, (call, _) in made[number].items()}
        sums = {name: known[number, name] for name in times}
        print(json.dumps({"times": times, "sums": sums}), flush=True)


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    calls = max(1, min(1000, int(SECONDS / (time.perf_counter() - began))))
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - began) / calls
