"""Results as ``results.json`` and as ``results.md``."""

import json
from pathlib import Path

from benchmarks.peers import Contestant
from benchmarks.runner import Result
from benchmarks.workloads import Workload

Runs = list[tuple[Workload, list[Result]]]
_UNITS = {"train": "one step", "fit": "one fit", "predict": "one call"}
_HEAD = """# Speed

Written by `make benchmarks`. {machine}. float32, Adam. {date}.

Every contestant runs in its own process; all are started and warmed, then timed in turn, {repeats} times, and the
median is given, with the smallest and largest time in brackets. Data, initial weights, batches and Adam's settings are
the same. Before a time counts, the mean loss after the first epoch, as NumPy computes it in float64 from the trained
weights, is compared with the same epoch trained in NumPy in float64 (column *difference*; for predictions it is the
largest difference of a probability).

- *Ratio*: time of this row divided by that of chainrule's fastest row; above 1, chainrule is faster.
- *To first epoch*: from the start of the process, imports and compilation included, to the end of the first epoch
  (first call for predictions). *Compile*: how much longer the first epoch took than a later one.
- *Peak share*: of {peak:.0f} GFLOP/s, the best of 16 float32 products of 2048 × 2048 by JAX and NumPy; only the
  operations of the matrix products are counted.
- *Memory*: the largest resident size of the process, data and interpreter included.
- Two rows count in no ratio of the summary: *JAX + Optax, scan* takes the rows as they stand, while all others shuffle
  them before every epoch; *chainrule, fit, judged*, its default, measures the training examples again after each epoch.
- Single steps are given batches cut beforehand, in a fixed order.
- scikit-learn has one logistic output where there are two classes; it is compared with such a network in NumPy.
- A row whose loss differs by more than 0.2 % gets no time.
"""
_COLUMNS = "| contestant | time | ratio | GFLOP/s | peak share | memory | to first epoch | compile | difference |"


def best(results: list[Result], *, own: bool) -> Result | None:
    """The fastest of chainrule's settings, or of all peers' that do the same work."""
    timed = [
        result
        for result in results
        if result.status == "timed" and result.contestant.equal_work and own == _is_own(result.contestant)
    ]
    return min(timed, key=lambda result: result.seconds, default=None)


def ratio(results: list[Result]) -> float | None:
    """Time of the fastest peer divided by chainrule's; above 1, chainrule is faster."""
    ours, peer = best(results, own=True), best(results, own=False)
    return None if ours is None or peer is None else peer.seconds / ours.seconds


def write(runs: Runs, facts: dict[str, object], folder: Path) -> None:
    """Write both files into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(as_data(runs, facts), indent=2) + "\n")
    (folder / "results.md").write_text(as_text(runs, facts))


def as_data(runs: Runs, facts: dict[str, object]) -> dict[str, object]:
    """Everything measured, as plain values in seconds, bytes and operations a second."""
    return {
        **facts,
        "workloads": [
            {
                "name": workload.name,
                "title": workload.title,
                "unit": _UNITS[workload.kind],
                "rows": workload.rows,
                "ratio": ratio(results),
                "results": [_entry(workload, result) for result in results],
            }
            for workload, results in runs
        ],
    }


def as_text(runs: Runs, facts: dict[str, object]) -> str:
    """The report as Markdown."""
    machine = "{processor}, {cores} cores, {system}, Python {python}".format(**facts)
    head = _HEAD.format(machine=machine, date=facts["date"], repeats=facts["repeats"], peak=float(facts["peak"]) / 1e9)
    if facts["quick"]:
        head += "\n**A quick run with little work: its times mean nothing.**\n"
    versions = sorted({result.version for _, results in runs for result in results if result.version})
    parts = [head, f"Versions: {'; '.join(versions)}.\n", _summary(runs)]
    for workload, results in runs:
        rows = [_row(workload, result, best(results, own=True), float(facts["peak"])) for result in results]
        rule = "|" + "---|" * (_COLUMNS.count("|") - 1)
        parts.append(f"## {workload.title}\n\nTime of {_UNITS[workload.kind]}.\n")
        parts.append("\n".join([_COLUMNS, rule, *rows]) + "\n")
    return "\n".join(parts)


def _summary(runs: Runs) -> str:
    peers = list(dict.fromkeys(r.contestant.peer for _, results in runs for r in results if not _is_own(r.contestant)))
    lines = [
        "## Ratio of each peer's fastest setting to chainrule's\n",
        "| workload | chainrule | " + " | ".join([*peers, "best peer"]) + " |",
        "|---" * (len(peers) + 3) + "|",
    ]
    for workload, results in runs:
        ours = best(results, own=True)
        cells = [duration(ours.seconds) if ours else "–"]
        for peer in peers:
            group = [result for result in results if result.contestant.peer == peer]
            fastest = best(group, own=False)
            cells.append(f"{fastest.seconds / ours.seconds:.2f}" if ours and fastest else _why_not(group))
        total = ratio(results)
        cells.append("–" if total is None else f"**{total:.2f}**")
        lines.append(f"| {workload.title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _row(workload: Workload, result: Result, ours: Result | None, peak: float) -> str:
    label = result.contestant.label
    if result.status != "timed":
        return f"| {label} | {result.status} |" + " |" * 6 + f" {result.difference:.1e} |"
    seconds = result.seconds
    speed = workload.flops / seconds
    cells = [
        f"{duration(seconds)} ({duration(min(result.times))} – {duration(max(result.times))})",
        f"{seconds / ours.seconds:.2f}" if ours else "–",
        f"{speed / 1e9:.1f}",
        f"{speed / peak:.0%}",
        f"{result.memory / 2**20:.0f} MiB",
        f"{result.to_first:.2f} s",
        f"{result.compile:.2f} s",
        f"{result.difference:.1e}",
    ]
    return f"| {label} | " + " | ".join(cells) + " |"


def _entry(workload: Workload, result: Result) -> dict[str, object]:
    entry: dict[str, object] = {
        "peer": result.contestant.peer,
        "variant": result.contestant.variant,
        "counts": result.contestant.equal_work,
        "status": result.status,
        "version": result.version,
    }
    if result.status != "timed":
        return entry
    return entry | {
        "median_s": result.seconds,
        "times_s": result.times,
        "flops_per_s": workload.flops / result.seconds,
        "memory_bytes": result.memory,
        "to_first_epoch_s": result.to_first,
        "compile_s": result.compile,
        "difference": result.difference,
    }


def duration(seconds: float) -> str:
    """Three digits and a fitting unit.

    Example:
        >>> duration(0.00000912), duration(0.0123), duration(2.5)
        ('9.12 µs', '12.3 ms', '2.50 s')
    """
    for factor, unit in ((1e6, "µs"), (1e3, "ms"), (1.0, "s")):
        value = seconds * factor
        if value < 999.5 or unit == "s":
            return f"{value:.{max(0, 2 - (value >= 9.995) - (value >= 99.95))}f} {unit}"
    raise AssertionError("the last unit takes every value")


def _is_own(contestant: Contestant) -> bool:
    return contestant.peer == "chainrule"


def _why_not(group: list[Result]) -> str:
    return group[0].status if group and group[0].status != "timed" else "–"
