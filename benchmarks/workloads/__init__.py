"""What is timed: networks, sizes and data, the same for every framework."""

from benchmarks.workloads.definitions import ADAM, WORKLOADS, Workload, get, load, save

__all__ = ["ADAM", "WORKLOADS", "Workload", "get", "load", "save"]
