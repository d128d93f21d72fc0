"""``python -m benchmarks``: time chainrule and every installed peer, and write ``benchmarks/results.md``."""

import argparse
import datetime
import sys
import tempfile
from pathlib import Path

from benchmarks import machine, report, runner
from benchmarks.peers import entering
from benchmarks.workloads import WORKLOADS, get


def main(arguments: list[str] | None = None) -> int:
    """Run and report; the exit code is 1 if anything failed or learned something else than the reference."""
    given = _parser().parse_args(arguments)
    repeats = given.repeats or (2 if given.quick else 7)
    names = [workload.name for workload in WORKLOADS] if given.workloads is None else given.workloads.split(",")
    peers = () if given.peers is None else tuple(given.peers.split(","))
    runs: report.Runs = []
    for name in names:
        workload = get(name, quick=given.quick)
        print(workload.title, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            found = runner.run(
                workload, entering(workload, peers), Path(folder), repeats=repeats, quick=given.quick, say=_say
            )
        runs.append((workload, found))
        for result in found:
            if result.status == "timed":
                print(f"    {report.duration(result.seconds):>8}  {result.contestant.label}", flush=True)
    facts = {
        **machine.describe(),
        "peak": machine.peak(),
        "repeats": repeats,
        "quick": given.quick,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    report.write(runs, facts, given.output)
    print(f"Written: {given.output / 'results.md'} and results.json")
    bad = [r.contestant.label for _, results in runs for r in results if r.status in ("failed", "disagrees")]
    if bad:
        print(f"Without a time: {', '.join(bad)}. BENCHMARK_DEBUG=1 shows what they print.", file=sys.stderr)
    return 1 if bad else 0


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--workloads", help=f"some of {','.join(workload.name for workload in WORKLOADS)}")
    parser.add_argument("--peers", help="words, such as chainrule,optax; only contestants with one of them in the name")
    parser.add_argument("--repeats", type=int, help="times of each contestant; 7 unless told otherwise")
    parser.add_argument("--quick", action="store_true", help="little work: shows that all runs, times mean nothing")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="folder of the results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
