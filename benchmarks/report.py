"""Results as plain data in ``results.json``, which later runs add to, and as ``results.md``."""

import json
from pathlib import Path
from typing import Any

from benchmarks.peers import Contestant
from benchmarks.report_text import as_text
from benchmarks.runner import Result
from benchmarks.workloads import WORKLOADS, AnyWorkload

Data = dict[str, Any]  # Any: plain JSON values
_UNITS = {"train": "one step", "fit": "one fit", "predict": "one call", "step": "one step", "call": "one call"}
_OF_A_RUN = ("date", "repeats", "peak", "quick")


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


def entry(workload: AnyWorkload, results: list[Result], facts: Data) -> Data:
    """What one run found about a workload; seconds, bytes and operations a second."""
    return {
        "name": workload.name,
        "title": workload.title,
        "kind": workload.kind,
        "unit": _UNITS[workload.kind],
        "rows": workload.rows,
        **{name: facts[name] for name in _OF_A_RUN},
        "ratio": ratio(results),
        "results": [_row(workload, result) for result in results],
    }


def merged(old: Data, facts: Data, new: list[Data]) -> Data:
    """The old results with the new ones in their places; workloads not run keep theirs.

    Example:
        >>> old = {"workloads": [{"name": "lstm", "date": "1"}, {"name": "tiny", "date": "1"}], "kernels": []}
        >>> data = merged(old, {"cores": 2}, [{"name": "lstm", "date": "2"}])
        >>> [(w["name"], w["date"]) for w in data["workloads"]], data["kernels"]
        ([('tiny', '1'), ('lstm', '2')], [])
    """
    known = {workload["name"]: workload for workload in [*old.get("workloads", []), *new]}
    order = [workload.name for workload in WORKLOADS]
    listed = [known[name] for name in order if name in known]
    return {**old, **facts, "workloads": listed}


def read(folder: Path) -> Data:
    """The results in ``folder``, if there are any."""
    path = folder / "results.json"
    data: Data = json.loads(path.read_text()) if path.exists() else {}
    return data


def write(data: Data, folder: Path) -> None:
    """Write both files into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(data, indent=2) + "\n")
    (folder / "results.md").write_text(as_text(data))


def _row(workload: AnyWorkload, result: Result) -> Data:
    row: Data = {
        "peer": result.contestant.peer,
        "variant": result.contestant.variant,
        "counts": result.contestant.equal_work,
        "status": result.status,
        "version": result.version,
        "difference": result.difference if result.difference == result.difference else None,  # JSON has no NaN
    }
    if result.status != "timed":
        return row
    return row | {
        "median_s": result.seconds,
        "times_s": result.times,
        "flops_per_s": workload.flops / result.seconds,
        "memory_bytes": result.memory,
        "to_first_epoch_s": result.to_first,
        "compile_s": result.compile,
    }


def _is_own(contestant: Contestant) -> bool:
    return contestant.peer == "chainrule"
