"""The benchmark's own truth, its check and its report; and one contestant timed from end to end."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the benchmarks are no part of the package

from benchmarks.peers import CONTESTANTS, entering
from benchmarks.workloads import WORKLOADS, Workload, definitions, get, reference

from benchmarks import judge as judges
from benchmarks import report, report_text, runner

SMALL = Workload("tiny", "a small one", "train", (3, 5, 2), batch=4, rows=10)


@pytest.fixture
def drawn(tmp_path):
    definitions.save(SMALL, tmp_path / "data.npz", seed=1)
    return definitions.load(tmp_path / "data.npz")


def contestant(peer, variant):
    return next(c for c in CONTESTANTS if (c.peer, c.variant) == (peer, variant))


def test_reference_gradients_are_the_slopes_of_the_loss(drawn):
    x, labels, weights = drawn
    wide = [weight.astype(np.float64) for weight in weights]
    found = reference._gradients(wide, x.astype(np.float64), labels, fixed_first=False)
    for index, weight in enumerate(wide):
        slopes = np.zeros_like(weight)
        for place in np.ndindex(weight.shape):
            losses = []
            for nudge in (1e-5, -1e-5):
                moved = [w.copy() for w in wide]
                moved[index][place] += nudge
                losses.append(reference.mean_loss(moved, x, labels))
            slopes[place] = (losses[0] - losses[1]) / 2e-5
        np.testing.assert_allclose(found[index], slopes, atol=1e-8)  # the error of a central difference


def test_reference_first_step_is_the_rate_against_the_sign(drawn):
    x, labels, weights = drawn
    after = reference.trained(weights, x, labels, batch=len(x))
    steps = after[0] - weights[0].astype(np.float64)
    gradients = reference._gradients(weights, x, labels, fixed_first=False)[0]
    large = np.abs(gradients) > 1e-3  # there epsilon, 1e-8, changes less than 1e-5 of a step
    np.testing.assert_allclose(steps[large], -1e-3 * np.sign(gradients[large]), rtol=2e-5)


def test_one_logit_is_the_same_function_and_keeps_its_first_logit(drawn):
    x, labels, weights = drawn
    single = reference.one_logit(weights)
    expected, found = (reference.softmax(reference.logits(w, x)) for w in (weights, single))
    np.testing.assert_allclose(found, expected, atol=1e-6)  # float32
    after = reference.trained(single, x, labels, SMALL.batch, fixed_first=True)
    assert not after[-2][:, 0].any()
    assert after[-2][:, 1].any()


def test_judge_accepts_the_reference_in_its_order_and_nothing_untrained(tmp_path, drawn):
    x, labels, weights = drawn
    workload = dataclasses.replace(SMALL, batch=1)
    order = np.random.default_rng(2).permutation(len(x))
    learned = reference.trained(weights, x[order], labels[order], 1)
    judge = judges.Judge(workload, tmp_path / "data.npz")
    names = [f"{kind}{layer}" for layer in range(2) for kind in ("kernel", "bias")]
    jax = contestant("JAX + Optax", "scan")
    for arrays, allowed in ((learned, True), (weights, False)):
        np.savez(tmp_path / "answer.npz", order=order, **dict(zip(names, arrays, strict=True)))
        assert judge.difference(tmp_path / "answer.npz", jax)[1] is allowed
    np.savez(tmp_path / "answer.npz", order=np.zeros_like(order), **dict(zip(names, learned, strict=True)))
    assert judge.difference(tmp_path / "answer.npz", jax)[1] is False


def test_flops_count_three_products_and_none_for_the_gradient_of_the_inputs():
    assert SMALL.flops == 4 * (2 * 2 * 3 * 5 + 3 * 2 * 5 * 2)


def test_ratio_takes_the_fastest_and_leaves_unequal_work_out():
    results = [
        runner.Result(contestant("chainrule", "fit"), times=[2.0, 4.0, 3.0]),
        runner.Result(contestant("JAX + Optax", "scan"), times=[1.0]),
        runner.Result(contestant("JAX + Optax", "shuffled scan"), times=[6.0]),
        runner.Result(contestant("PyTorch", "eager"), times=[9.0]),
        runner.Result(contestant("PyTorch", "fused"), status="not installed"),
    ]
    assert report.ratio(results) == 2.0
    facts = {"processor": "p", "cores": 2, "system": "s", "python": "3", "date": "d", "repeats": 3, "quick": False}
    facts |= {"peak": 1e9, "peak_source": "a loop"}
    text = report_text.as_text({**facts, "workloads": [report.entry(SMALL, results, facts)]})
    assert "| a small one | – | 3.00 s | 2.00 | 3.00 | **2.00** |" in text
    assert "| PyTorch, fused | not installed |" in text


def test_a_peer_that_is_not_there_is_said_to_be_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "PEERS_PYTHON", tmp_path / "none")
    eager = dataclasses.replace(contestant("PyTorch", "eager"), environment={"PYTHONPATH": str(tmp_path)})
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('torch', name='torch')")
    (result,) = runner.run(get("heart", quick=True), [eager], tmp_path, repeats=1, quick=True, say=str)
    assert (result.status, result.times) == ("not installed", [])


def test_chainrule_is_timed_from_end_to_end(tmp_path):
    workload = get("heart", quick=True)
    (result,) = runner.run(workload, [contestant("chainrule", "fit")], tmp_path, repeats=2, quick=True, say=str)
    assert result.status == "timed"
    assert len(result.times) == 2
    assert 0 < result.seconds < result.to_first
    assert result.memory > 2**20


def test_every_kind_of_workload_has_chainrule_and_peers():
    for workload in WORKLOADS:
        peers = {c.peer for c in entering(workload)}
        assert {"chainrule", "JAX + Optax", "PyTorch"} < peers
        assert any(peer.startswith("Keras") for peer in peers)
    assert {c.variant for c in entering(get("tiny"), ("optax",))} == {"shuffled scan", "scan", "single step"}
