"""The results as Markdown."""

from collections.abc import Callable
from typing import Any

from benchmarks.kernels import table as kernel_table

Data = dict[str, Any]  # Any: plain JSON values
_HEAD = """# Speed

Written by `make benchmarks`. {machine}. float32, Adam.

Every contestant runs in its own process; all are started and warmed, then timed in turn, and the median is given, with
the smallest and largest time in brackets (who takes over 2 s for one time is timed three times only). Data, initial
weights, batches and Adam's settings are the same. Before a time counts, what was learned is compared with the same
training in float64 (column *difference*): for perceptrons the mean loss after the first epoch with NumPy's (at most
0.2 % off), for the other networks the loss before each step of the first epoch with plain JAX's (0.1 %), for
predictions the probabilities (1e-4).

- *Ratio*: time of this row divided by that of chainrule's fastest row; above 1, chainrule is faster.
- *To first epoch*: from the start of the process, imports and compilation included, to the end of the first epoch
  (4 or 8 steps of a network; first call for predictions). *Compile*: tracing and compiling one step where it can be
  timed alone (chainrule and JAX step by step), else how much longer the first epoch took than a later one.
- *GFLOP/s*: only the operations of matrix products and convolutions are counted, each as the textbook has it; a kernel
  that needs fewer (Winograd) can so exceed the peak. *Peak share*: of {peak:.0f} GFLOP/s, which {peak_source} reached.
- *Memory*: the largest resident size of the process, data and interpreter included.
- *tuned malloc*: glibc keeps freed memory (`MALLOC_ARENA_MAX=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=-1`), which
  spares page faults. *fused* is Adam as one kernel. Keras runs with the tuned allocator.
- *inline*: JAX computes on the thread that calls (`jax_cpu_enable_async_dispatch` off) instead of waking another.
- *chainrule, step* calls the compiled step once for each batch; *epoch* runs whole epochs in the loop that `fit`
  compiles.
- Two rows count in no ratio of the summary: *JAX + Optax, scan* of a perceptron takes the rows as they stand, while all
  others shuffle them before every epoch; *chainrule, fit, judged*, its default, measures the training examples again
  after each epoch.
- Single steps are given batches cut beforehand, in a fixed order.
- scikit-learn has one logistic output where there are two classes; it is compared with such a network in NumPy.
- Keras adds Adam's epsilon before it corrects the mean of the squares, so it is given epsilon · √(1 − β₂): its first
  step is then that of all others.
- Strided convolutions pad by half the window at both sides; Keras, which has no such padding, does it by a layer.
"""
_COLUMNS = "| contestant | time | ratio | GFLOP/s | peak share | memory | to first epoch | compile | difference |"
_NETWORKS = ("step", "call")


def as_text(data: Data) -> str:
    """The report."""
    machine = "{processor}, {cores} cores, {system}, Python {python}".format(**data)
    source = data.get("peak_source", "the best of 16 float32 products of 2048 × 2048 by JAX and NumPy")
    head = _HEAD.format(machine=machine, peak=data["peak"] / 1e9, peak_source=source)
    workloads = data["workloads"]
    if any(workload.get("quick", data["quick"]) for workload in workloads):
        head += "\n**A quick run with little work: its times mean nothing.**\n"
    rows = [row for workload in workloads for row in workload["results"]]
    parts = [head, f"Versions: {'; '.join(sorted({row['version'] for row in rows} - {''}))}.\n"]
    for title, wanted in (("Networks", True), ("Perceptrons", False)):
        group = [workload for workload in workloads if (workload.get("kind") in _NETWORKS) == wanted]
        parts += [_summary(title, group)] if group else []
    parts += [kernel_table.as_text(data["kernels"])] if "kernels" in data else []
    parts += [_section(workload, data) for workload in workloads]
    return "\n".join(parts)


def fastest(rows: list[Data], wanted: Callable[[Data], bool]) -> Data | None:
    """The fastest row that counts among those wanted."""
    timed = [row for row in rows if row["status"] == "timed" and row["counts"] and wanted(row)]
    return min(timed, key=lambda row: row["median_s"], default=None)


def _summary(title: str, workloads: list[Data]) -> str:
    rows = [row for workload in workloads for row in workload["results"]]
    peers = list(dict.fromkeys(row["peer"] for row in rows if not _is_own(row)))
    lines = [
        f"## {title}: ratio of each peer's fastest setting to chainrule's\n",
        "| workload | chainrule | inside an epoch | " + " | ".join([*peers, "best peer"]) + " |",
        "|---" * (len(peers) + 4) + "|",
    ]
    lines += [_summary_line(workload, peers) for workload in workloads]
    return "\n".join(lines) + "\n"


def _summary_line(workload: Data, peers: list[str]) -> str:
    results = workload["results"]
    ours = fastest(results, _is_own)
    epoch = fastest(results, lambda row: _is_own(row) and row["variant"].split(",")[0] in ("epoch", "fit"))
    step = fastest(results, lambda row: _is_own(row) and row["variant"].split(",")[0] not in ("epoch", "fit"))
    cells = [duration(row["median_s"]) if row else "–" for row in (step, epoch)]
    for peer in peers:
        group = [row for row in results if row["peer"] == peer]
        best = fastest(group, lambda _: True)
        cells.append(f"{best['median_s'] / ours['median_s']:.2f}" if ours and best else _why_not(group))
    total = workload["ratio"]
    cells.append("–" if total is None else f"**{total:.2f}**")
    return f"| {workload['title']} | {' | '.join(cells)} |"


def _section(workload: Data, data: Data) -> str:
    ours = fastest(workload["results"], _is_own)
    peak = workload.get("peak", data["peak"])
    rule = "|" + "---|" * (_COLUMNS.count("|") - 1)
    date, repeats = workload.get("date", data["date"]), workload.get("repeats", data["repeats"])
    head = f"## {workload['title']}\n\nTime of {workload['unit']}; {repeats} times each; {date}.\n"
    return "\n".join([head, _COLUMNS, rule, *(_row(row, ours, peak) for row in workload["results"])]) + "\n"


def _row(row: Data, ours: Data | None, peak: float) -> str:
    label = f"{row['peer']}, {row['variant']}"
    difference = row.get("difference")
    shown = "–" if difference is None else f"{difference:.1e}"
    if row["status"] != "timed":
        return f"| {label} | {row['status']} |" + " |" * 6 + f" {shown} |"
    seconds, times = row["median_s"], row["times_s"]
    cells = [
        f"{duration(seconds)} ({duration(min(times))} – {duration(max(times))})",
        f"{seconds / ours['median_s']:.2f}" if ours else "–",
        f"{row['flops_per_s'] / 1e9:.1f}",
        f"{row['flops_per_s'] / peak:.0%}",
        f"{row['memory_bytes'] / 2**20:.0f} MiB",
        f"{row['to_first_epoch_s']:.2f} s",
        f"{row['compile_s']:.2f} s",
        shown,
    ]
    return f"| {label} | " + " | ".join(cells) + " |"


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


def _is_own(row: Data) -> bool:
    return bool(row["peer"] == "chainrule")


def _why_not(group: list[Data]) -> str:
    return group[0]["status"] if group and group[0]["status"] != "timed" else "–"
