"""The benchmark of single operations: what it counts, and that both JAX forms give the same results."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the benchmarks are no part of the package

from benchmarks.kernels import in_jax
from benchmarks.kernels.cases import CASES, Case, check_sums

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
