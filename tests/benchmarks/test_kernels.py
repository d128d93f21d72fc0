"""The benchmark of single operations: what it counts, and that both JAX forms give the same results."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the benchmarks are no part of the package

from benchmarks.kernels import __main__ as kernels
from benchmarks.kernels import in_jax
from benchmarks.kernels.cases import CASES, Case, check_sums

from benchmarks import machine

SMALL = (
    Case("conv", 2, 5, 3, 4, 3, 2),
    Case("conv", 2, 4, 3, 5, 1),
    Case("depthwise", 2, 5, 3, 3, 3),
    Case("max_pool", 2, 4, 3, 3, 2, 2),
    Case("max_pool", 2, 4, 3, 3, 3, 1),
    Case("avg_pool", 2, 4, 3, 3, 2, 2),
    Case("lstm", 2, 4, 3, 5),
    Case("gru", 2, 4, 3, 5),
)


def test_flops_are_those_of_the_textbook():
    conv, lstm = SMALL[0], SMALL[6]
    assert conv.flops("weight gradient") == 2 * (2 * 3 * 3) * (3 * 3 * 3) * 4  # 3 × 3 positions for each of 2 images
    assert lstm.flops("forward") == 2 * (2 * 4) * (4 * 5) * (3 + 5)
    assert lstm.flops("forward and backward") == 3 * lstm.flops("forward")
    assert len({case.title for case in CASES}) == len(CASES)


class Answering:
    """Answers as the process of a framework does, or measures peaks, one after the other."""

    def __init__(self, *answers):
        self.answers = iter(answers)

    def ask(self, number):
        seconds = next(self.answers)
        return {"sums": {}, "times": dict.fromkeys(SMALL[number].passes, seconds)}

    def best(self, repeats):
        return next(self.answers)


def test_the_share_is_of_the_larger_peak_beside_each_time():
    flops = SMALL[1].flops("forward")
    servers = {"chainrule": Answering(1.0, 2.0, 4.0), "PyTorch": Answering(3.0, 3.0, 9.0)}
    peaks = [flops * factor for factor in (2.0, 1.0, 1.0, 5.0, 0.5, 0.25)]  # before and after each of three times
    found = kernels._timed(servers, Answering(*peaks), 1, 3)
    row = kernels._rows(SMALL[1], found)[0]
    assert row["share"] == pytest.approx(np.median([1 / 2, 1 / (2 * 5), 1 / (4 * 0.5)]))
    assert row["seconds"] == {"chainrule": 2.0, "PyTorch": 3.0}


def test_the_peak_is_measured_and_says_how():
    with machine.Probe() as probe:
        assert 1e8 < probe.best(1) < 1e15
    assert probe.source.startswith("multiply-adds in registers") == (probe.program is not None)


def test_check_sums_tell_results_apart():
    result = np.arange(12.0).reshape(3, 4)
    total, norm = check_sums(result)
    assert norm == pytest.approx(np.sqrt((np.arange(12) ** 2).sum()))
    assert abs(check_sums(result[::-1])[0] - total) > 0.1 * norm


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.title)
def test_both_forms_give_the_same_results(case, monkeypatch):
    found = []
    for lax in (True, False):
        monkeypatch.setattr(in_jax, "_LAX", lax, raising=False)
        found.append({name: result() for name, (_, result) in in_jax.make(case).items()})
    assert set(found[0]) == set(case.passes)
    for name, truth in found[0].items():
        np.testing.assert_allclose(found[1][name], truth, atol=1e-5 * np.abs(truth).max(), err_msg=name)
