"""What is timed: networks, sizes and data, the same for every framework."""

from benchmarks.workloads.catalogue import WORKLOADS, AnyWorkload, get
from benchmarks.workloads.definitions import ADAM, Workload
from benchmarks.workloads.net_workloads import NetWorkload

__all__ = ["ADAM", "WORKLOADS", "AnyWorkload", "NetWorkload", "Workload", "get"]
