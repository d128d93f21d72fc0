"""``python -m benchmarks``: time chainrule and every installed peer, and write ``benchmarks/results.md``.

Results are written after each workload and keep those of workloads that were not run, so a long run can be done in
parts. With --quick or --peers nothing is written unless --output names a folder: such results are no comparison.
"""

import argparse
import datetime
import sys
import tempfile
from pathlib import Path

from benchmarks import machine, report, report_text, runner
from benchmarks.peers import entering
from benchmarks.workloads import WORKLOADS, get


def main(arguments: list[str] | None = None) -> int:
    """Run and report; the exit code is 1 if anything failed or learned something else than the reference."""
    given = _parser().parse_args(arguments)
    repeats = given.repeats or (2 if given.quick else 5)
    names = [workload.name for workload in WORKLOADS] if given.workloads is None else given.workloads.split(",")
    folder = given.output or (None if given.quick or given.peers else Path(__file__).parent)
    facts = _facts(repeats, quick=given.quick)
    bad = []
    for name in names:
        results = _run(name, facts, given.peers)
        bad += [r.contestant.label for r in results if r.status in ("failed", "disagrees")]
        if folder is not None:
            entry = report.entry(get(name, quick=given.quick), results, facts)
            report.write(report.merged(report.read(folder), facts, [entry]), folder)
    print("Not written." if folder is None else f"Written: {folder / 'results.md'} and results.json")
    if bad:
        print(f"Without a time: {', '.join(bad)}. BENCHMARK_DEBUG=1 shows what they print.", file=sys.stderr)
    return 1 if bad else 0


def _run(name: str, facts: report.Data, peers: str | None) -> list[runner.Result]:
    workload = get(name, quick=facts["quick"])
    print(workload.title, flush=True)
    contestants = entering(workload, () if peers is None else tuple(peers.split(",")))
    with tempfile.TemporaryDirectory() as folder:
        results = runner.run(
            workload, contestants, Path(folder), repeats=facts["repeats"], quick=facts["quick"], say=_say
        )
    for result in results:
        if result.status == "timed":
            print(f"    {report_text.duration(result.seconds):>8}  {result.contestant.label}", flush=True)
    return results


def _facts(repeats: int, *, quick: bool) -> report.Data:
    peak, source = machine.peak()
    return {
        **machine.describe(),
        "peak": peak,
        "peak_source": source,
        "repeats": repeats,
        "quick": quick,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workloads", help=f"some of {','.join(workload.name for workload in WORKLOADS)}")
    parser.add_argument("--peers", help="words, such as chainrule,optax; only contestants with one of them in the name")
    parser.add_argument("--repeats", type=int, help="times of each contestant; 5 unless told otherwise")
    parser.add_argument("--quick", action="store_true", help="little work: shows that all runs, times mean nothing")
    parser.add_argument("--output", type=Path, help="folder of the results; benchmarks/ unless told otherwise")
    return parser


if __name__ == "__main__":
    sys.exit(main())
