"""The benchmark's networks: what they cost, that they are checked, and one timed from end to end."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the benchmarks are no part of the package

from benchmarks.peers import CONTESTANTS
from benchmarks.workloads import get
from benchmarks.workloads.net_workloads import NET_WORKLOADS
from benchmarks.workloads.nets import Net

from benchmarks import judge, report, runner


def test_flops_of_a_convolution_count_two_products_where_the_input_needs_no_gradient():
    net = Net()
    x = net.conv(net.input((6, 5, 3)), 4, 3, stride=2)
    net.conv(x, 7, 1)
    first, second = 3 * 3 * (3 * 3 * 3) * 4, 3 * 3 * 4 * 7  # 3 × 3 positions
    assert net.flops(training=False) == 2 * (first + second)
    assert net.flops(training=True) == 2 * (2 * first + 3 * second)


def test_flops_of_an_lstm_are_its_two_products_a_step():
    net = Net()
    net.dense(net.lstm(net.input((5, 3)), 2), 7)
    kernel, recurrent, head = 5 * 4 * 2 * 3, 5 * 4 * 2 * 2, 2 * 7
    assert net.flops(training=False) == 2 * (kernel + recurrent + head)
    assert net.flops(training=True) == 2 * (2 * kernel + 3 * recurrent + 3 * head)


def test_networks_have_the_published_sizes():
    sizes = {workload.name: workload.build().parameters for workload in NET_WORKLOADS if workload.kind == "step"}
    assert sizes["resnet20"] == 269_722 + (16 * 32 + 32 * 64) + 2 * (32 + 64)  # projections: 1 × 1 kernels, γ and β
    assert sizes["lenet"] == (9 * 32 + 32) + (9 * 32 * 64 + 64) + (7 * 7 * 64 * 128 + 128) + (128 * 10 + 10)
    assert sizes["lstm"] == 4 * (64 * 128 + 128 * 128 + 128) + 128 * 10 + 10
    assert sizes["gru"] == 3 * (64 * 128 + 128 * 128 + 2 * 128) + 128 * 10 + 10
    assert sizes["transformer"] == 4 * (128**2 + 128) + 2 * 128 * 512 + 640 + 3 * 256 + 128 * 10 + 10


@pytest.mark.parametrize("workload", NET_WORKLOADS, ids=lambda workload: workload.name)
def test_saved_data_fit_the_network(tmp_path, workload):
    small = workload.quick()
    small.save(tmp_path / "data.npz")
    inputs, labels, weights = small.load(tmp_path / "data.npz")
    net = small.build()
    assert [x.shape for x in inputs] == [(small.rows, *op.shape) for op in net.inputs]
    assert labels.shape == (small.rows, *net.ops[-1].shape[:-1])
    assert {name: array.shape for name, array in weights.items()} == {
        f"{number}/{name}": shape for number, op in enumerate(net.ops) for name, shape in op.weights.items()
    }


def test_judge_of_networks_refuses_what_is_not_trained(tmp_path):
    workload = get("lenet")
    truth = {"losses": np.array([2.0, 1.8]), "untrained": np.array([2.0, 2.1])}
    np.savez(tmp_path / "truth.npz", **truth)
    judging = judge.NetJudge(workload, tmp_path / "truth.npz")
    chainrule = CONTESTANTS[0]
    for losses, allowed in (([2.0, 1.8002], True), ([2.0, 2.1], False), ([2.0, 1.81], False), ([np.nan, 1.8], False)):
        np.savez(tmp_path / "answer.npz", losses=np.array(losses))
        assert judging.difference(tmp_path / "answer.npz", chainrule)[1] is allowed
    np.savez(tmp_path / "truth.npz", losses=truth["losses"], untrained=np.array([2.0, 1.801]))
    with pytest.raises(AssertionError, match="must change the losses"):
        judge.NetJudge(workload, tmp_path / "truth.npz")


def test_results_of_a_later_run_replace_their_own_workloads_alone(tmp_path):
    facts = {"processor": "p", "cores": 2, "system": "s", "python": "3", "date": "1", "repeats": 3, "quick": False}
    facts |= {"peak": 1e9, "peak_source": "a loop"}
    chainrule = next(c for c in CONTESTANTS if c.variant == "step")
    for name, seconds, date in (("lenet", 1.0, "1"), ("lstm", 2.0, "1"), ("lenet", 3.0, "2")):
        now = facts | {"date": date}
        entry = report.entry(get(name), [runner.Result(chainrule, times=[seconds])], now)
        report.write(report.merged(report.read(tmp_path), now, [entry]), tmp_path)
    data = report.read(tmp_path)
    found = [(w["name"], w["date"], w["results"][0]["median_s"]) for w in data["workloads"]]
    assert found == [("lenet", "2", 3.0), ("lstm", "1", 2.0)]
    assert "3.00 s (3.00 s – 3.00 s)" in (tmp_path / "results.md").read_text()


def test_a_network_of_plain_jax_is_timed_from_end_to_end(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "PEERS_PYTHON", tmp_path / "none")
    jax = next(c for c in CONTESTANTS if c.peer == "JAX + Optax" and "call" in c.kinds)
    workload = get("lenet_predict1", quick=True)
    (result,) = runner.run(workload, [jax], tmp_path, repeats=2, quick=True, say=str)
    assert (result.status, len(result.times)) == ("timed", 2)
    assert result.difference < 1e-5
