"""Ctrl-C and SIGTERM end the training, not the run: what was learned is judged, saved and reported."""

import json
import signal
import time

import pytest

from chainrule import datasets
from chainrule.tasks import fit_table, load_run


def test_an_interrupted_training_is_judged_and_saved_like_any_other(tmp_path):
    def press(event, _):
        if type(event).__name__ == "EpochEnd" and event.epoch == 5:
            raise KeyboardInterrupt

    run = fit_table(
        datasets.path("heart.csv"), "disease", run=tmp_path / "run", verbose=0, callbacks=[press], report=False
    )
    assert run.status == "interrupted"
    assert run.facts["epochs"] == 5
    assert run.facts["stop_reason"] == "interrupted"
    assert json.loads((tmp_path / "run" / "config.json").read_text())["status"] == "interrupted"
    assert load_run(tmp_path / "run").metrics == run.metrics


def test_an_interruption_before_the_first_epoch_is_whole_too(tmp_path):
    def press(event, _):
        if type(event).__name__ == "EpochStart":
            raise KeyboardInterrupt

    run = fit_table(datasets.path("heart.csv"), "disease", run=tmp_path / "run", verbose=0, callbacks=[press])
    assert run.facts["epochs"] == 0
    assert run.facts["verdict"] is None
    assert run.verdict.startswith("none")
    assert "Verdict" not in (tmp_path / "run" / "report.html").read_text()
    # nothing was trained: the network is the logistic regression it starts from
    assert run.metrics["roc_auc"] == pytest.approx(run.baselines["linear"]["roc_auc"])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_whole_run_and_its_exit_status(chainrule, tmp_path, number, status):
    process = chainrule(
        "fit", datasets.path("heart.csv"), "-t", "disease", "--run", "run", "--epochs", 100_000, "--no-early-stop",
        "--set", "width=4",
    )  # fmt: skip
    events = tmp_path / "run" / "events.jsonl"
    limit = time.monotonic() + 90
    while time.monotonic() < limit and process.poll() is None:
        if events.exists() and events.read_text().count("EpochEnd") > 20:
            break
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=90)
    assert process.returncode == status, err
    assert "Traceback" not in err
    assert "interrupted" in out
    run = load_run(tmp_path / "run")
    assert run.status == "interrupted"
    assert run.facts["epochs"] > 20
    assert (tmp_path / "run" / "report.html").exists()
    assert json.loads(events.read_text().splitlines()[-1])["event"] == "FitEnd"
