"""The benchmark of compile times: each form in processes of its own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the benchmarks are no part of the package

from benchmarks.workloads import get

from benchmarks import compile as compiling


def test_every_form_is_timed_in_a_process_without_the_cache(monkeypatch):
    ours = compiling.CONTESTANTS[0]
    monkeypatch.setattr(compiling, "CONTESTANTS", (ours,))
    found = compiling.times(get("gru", quick=True), 1, quick=True)
    assert list(found) == ["chainrule, step"]
    (seconds,) = found["chainrule, step"]
    assert 0.02 < seconds < 600  # from memory it would take a hundredth
    assert ours.environment["JAX_ENABLE_COMPILATION_CACHE"] == "false"


def test_the_kernels_are_left_out_of_one_form_alone():
    without = [c.label for c in compiling.CONTESTANTS if c.environment.get("CHAINRULE_NATIVE") == "0"]
    assert without == ["chainrule, step, without the kernels"]
