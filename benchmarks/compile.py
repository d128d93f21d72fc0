"""``python -m benchmarks.compile``: how long tracing and compiling a training step takes, with and without the kernels.

Every time is of a process of its own, without JAX's cache of compilations; the frameworks take turns.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.peers import Contestant
from benchmarks.runner import Process
from benchmarks.workloads import AnyWorkload, get

_UNCACHED = {"JAX_ENABLE_COMPILATION_CACHE": "false"}
_PLAIN = _UNCACHED | {"CHAINRULE_NATIVE": "0"}
CONTESTANTS = (
    Contestant("chainrule", "step", "nets_chainrule", ("step",), environment=_UNCACHED),
    Contestant("chainrule", "step, without the kernels", "nets_chainrule", ("step",), environment=_PLAIN),
    Contestant("JAX + Optax", "single step", "nets_jax", ("step",), environment=_UNCACHED),
)


def main(arguments: list[str] | None = None) -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compile", description=__doc__)
    parser.add_argument("--workload", default="resnet20", help="the network; resnet20 unless told otherwise")
    parser.add_argument("--repeats", type=int, default=3, help="processes of each; 3 unless told otherwise")
    parser.add_argument("--quick", action="store_true", help="a batch of 4, to see that everything runs")
    given = parser.parse_args(arguments)
    workload = get(given.workload, quick=given.quick)
    print(f"{workload.title}: seconds of tracing and compiling, median of {given.repeats} processes")
    for name, seconds in times(workload, given.repeats, quick=given.quick).items():
        print(f"  {np.median(seconds):6.2f} s ({min(seconds):.2f} to {max(seconds):.2f})  {name}")


def times(workload: AnyWorkload, repeats: int, *, quick: bool) -> dict[str, list[float]]:
    """Seconds of every process, by framework."""
    found: dict[str, list[float]] = {contestant.label: [] for contestant in CONTESTANTS}
    with tempfile.TemporaryDirectory() as folder:
        workload.save(Path(folder) / "data.npz")
        for _ in range(repeats):
            for contestant in CONTESTANTS:
                found[contestant.label].append(_seconds(contestant, workload, Path(folder), quick=quick))
    return found


def _seconds(contestant: Contestant, workload: AnyWorkload, folder: Path, *, quick: bool) -> float:
    process = Process(contestant, workload, folder, quick=quick)
    message = process.hear()
    process.end()
    if message is None or "compile" not in message:
        raise RuntimeError(f"{contestant.label} failed. BENCHMARK_DEBUG=1 shows what it prints.")
    return float(str(message["compile"]))


if __name__ == "__main__":
    main()
