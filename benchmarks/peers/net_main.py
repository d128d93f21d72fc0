"""``python -m benchmarks.peers.net_main nets_torch ...``: the process of a contestant in the networks' workloads.

The module is imported only here, so that a framework that is missing is reported as such.
"""

import importlib
import sys

from benchmarks.peers.worker import Runner, Task, main


def prepare(task: Task) -> Runner:
    """The runner of the module that the first argument named."""
    runner: Runner = importlib.import_module(f"benchmarks.peers.{_MODULE}").prepare(task)
    return runner


if __name__ == "__main__":
    _MODULE = sys.argv.pop(1)
    main(prepare)
