"""All workloads by name: multi-layer perceptrons, then networks."""

from benchmarks.workloads.definitions import PERCEPTRONS, Workload
from benchmarks.workloads.net_workloads import NET_WORKLOADS, NetWorkload

AnyWorkload = Workload | NetWorkload
WORKLOADS: tuple[AnyWorkload, ...] = (*PERCEPTRONS, *NET_WORKLOADS)


def get(name: str, *, quick: bool = False) -> AnyWorkload:
    """The workload of this name."""
    found = {workload.name: workload for workload in WORKLOADS}[name]
    return found.quick() if quick else found
