"""``python -m benchmarks.kernels``: time single operations, and add the table to ``benchmarks/results.md``."""

import argparse
import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks import machine, report
from benchmarks.kernels import table
from benchmarks.kernels.cases import CASES, Case
from benchmarks.peers.contestants import TUNED
from benchmarks.runner import PEERS_PYTHON, ROOT

FRAMEWORKS = {"chainrule": ("in_jax",), "PyTorch": ("in_torch",), "lax": ("in_jax", "lax")}
# Relative to the norm of the result; Winograd's transforms lose up to 1e-5, a wrong kernel is off by about 1.
TOLERANCE = 1e-4


class Server:
    """The process of one framework."""

    def __init__(self, name: str) -> None:
        module, *more = FRAMEWORKS[name]
        python = str(PEERS_PYTHON) if name == "PyTorch" and PEERS_PYTHON.exists() else sys.executable
        self.process = subprocess.Popen(
            [python, "-m", f"benchmarks.kernels.{module}", *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("BENCHMARK_DEBUG") else subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**os.environ, **TUNED},
        )

    def ask(self, number: int) -> dict[str, dict[str, object]] | None:
        """Times and check sums of all passes, or ``None`` if the process has ended."""
        if self.process.stdin is None or self.process.stdout is None:
            return None
        try:
            self.process.stdin.write(f"{number}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        line = self.process.stdout.readline()
        return json.loads(line) if line.startswith("{") else None

    def end(self) -> None:
        """Let it go."""
        self.process.communicate()


def main(arguments: list[str] | None = None) -> int:
    """Time all cases, the frameworks taking turns; the exit code is 1 if results differ."""
    given = _parser().parse_args(arguments)
    with machine.Probe() as probe:
        return _run(given, probe)


def _run(given: argparse.Namespace, probe: machine.Probe) -> int:
    servers = {name: Server(name) for name in FRAMEWORKS}
    rows, wrong = [], []
    try:
        for number, case in enumerate(CASES):
            if any(word in case.title.lower() for word in given.only.lower().split(",")):
                found = _timed(servers, probe, number, given.repeats)
                wrong += _disagreements(case, found)
                rows += _rows(case, found)
                print("\n".join(map(table.line, rows[-len(case.passes) :])), flush=True)
    finally:
        for server in servers.values():
            server.end()
    if given.only == "" and not wrong:
        folder = given.output or Path(report.__file__).parent
        date = datetime.datetime.now(datetime.UTC).date().isoformat()
        kernels = {"date": date, "repeats": given.repeats, "rows": rows}
        new = {
            "quick": False,
            "repeats": given.repeats,
            "date": date,
            "peak": probe.best(),
            "peak_source": probe.source,
        }
        old = {**new, "workloads": [], **report.read(folder)}
        report.write({**old, **machine.describe(), "kernels": kernels}, folder)
        print(f"Written: {folder / 'results.md'}")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def _timed(servers: dict[str, Server], probe: machine.Probe, number: int, repeats: int) -> dict[str, dict]:
    """For each framework the times and check sums of each pass; a framework that has ended is left out.

    The machine's peak is measured before and after each turn of chainrule's, since a shared one is slow for a while.
    """
    found: dict[str, dict] = {}
    for _ in range(repeats):
        for name, server in servers.items():
            before = probe.best(1) if name == "chainrule" else None
            answer = server.ask(number)
            if answer is not None:
                kept = found.setdefault(name, {"sums": answer["sums"], "times": {}, "peaks": []})
                kept["peaks"] += [] if before is None else [max(before, probe.best(1))]
                for timed, seconds in answer["times"].items():
                    kept["times"].setdefault(timed, []).append(seconds)
    return found


def _disagreements(case: Case, found: dict[str, dict]) -> list[str]:
    lines = []
    for timed in case.passes:
        truth = np.array(found["lax"]["sums"][timed])
        for name, answer in found.items():
            difference = float(np.abs(np.array(answer["sums"][timed]) - truth).max() / truth[1])
            if not difference <= TOLERANCE:
                lines.append(f"{case.title}, {timed}: {name} differs from lax by {difference:.1e}")
    return lines


def _rows(case: Case, found: dict[str, dict]) -> list[report.Data]:
    own = found["chainrule"]
    return [
        {
            "title": case.title,
            "pass": timed,
            "flops": case.flops(timed),
            "share": float(np.median(case.flops(timed) / (np.array(own["times"][timed]) * own["peaks"]))),
            "seconds": {name: float(np.median(answer["times"][timed])) for name, answer in found.items()},
        }
        for timed in case.passes
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__)
    parser.add_argument("--only", default="", help="words, such as lstm,3×3; only such cases, and nothing is written")
    parser.add_argument("--repeats", type=int, default=5, help="times of each framework")
    parser.add_argument("--output", type=Path, help="folder of the results; benchmarks/ unless told otherwise")
    return parser


if __name__ == "__main__":
    sys.exit(main())
