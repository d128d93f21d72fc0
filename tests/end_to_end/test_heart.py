"""The main job: the shipped heart table from raw file to judged, saved model."""

import json
import re

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

import chainrule as cr
from chainrule import datasets
from chainrule.cli.main import run
from chainrule.errors import ChainruleWarning
from chainrule.tasks import load_run

FILES = [
    "config.json", "events.jsonl", "metrics.json", "model.chainrule", "model_card.md", "predictions_test.csv",
    "report.html",
]  # fmt: skip


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_run_folder_holds_everything_and_says_finished(heart):
    assert sorted(file.name for file in heart.folder.iterdir()) == FILES
    assert json.loads((heart.folder / "config.json").read_text())["status"] == "finished"
    events = lines_of(heart.folder / "events.jsonl")
    assert [events[0]["event"], events[-1]["event"]] == ["FitStart", "FitEnd"]
    assert sum(event["event"] == "EpochEnd" for event in events) == len(heart.history)


def test_the_scores_are_those_of_the_test_predictions_as_saved(heart):
    frame = pl.read_csv(heart.folder / "predictions_test.csv")
    assert len(frame) == 61
    truth, p = (frame["disease"] == "yes").to_numpy(), frame["probability yes"].to_numpy()
    assert heart.metrics["roc_auc"] == pytest.approx(roc_auc_score(truth, p))
    answers = (frame["predicted disease"] == "yes").to_numpy()
    assert heart.metrics["accuracy"] == pytest.approx(np.mean(answers == truth))
    assert heart.metrics["roc_auc"] > 0.8


def test_the_test_rows_named_in_the_file_are_those_rows(heart):
    frame = pl.read_csv(heart.folder / "predictions_test.csv")
    text = datasets.path("heart.csv").read_text().splitlines()
    assert [text[line - 1].rsplit(",", 1)[1] for line in frame["line"]] == frame["disease"].to_list()


def test_baselines_stand_beside_on_the_same_rows(heart):
    """A rule without learning, a classical model and the network are scored side by side."""
    assert set(heart.baselines) == {"linear", "guess"}
    assert heart.baselines["guess"]["roc_auc"] == 0.5
    assert heart.baselines["guess"]["accuracy"] == pytest.approx(33 / 61)  # 164 of 303 have none: 33 of the 61
    assert 0.8 < heart.baselines["linear"]["roc_auc"] < 1
    low, high = heart.facts["interval"]["network"]
    assert low < heart.metrics["roc_auc"] < high


def test_the_verdict_has_its_numbers_and_one_next_action(heart):
    """C154: the learning curves end in one of four verdicts, with numbers and an action."""
    verdict = heart.facts["verdict"]
    assert verdict["name"] in ("good", "under-fit", "over-fit", "unlikely")
    assert verdict["numbers"]["train_loss"] == pytest.approx(heart.history["loss"][heart.history.best_epoch - 1])
    assert verdict["action"].startswith("chainrule ")
    assert heart.verdict.startswith(verdict["name"])


def test_the_report_is_one_page_without_network(heart):
    page = (heart.folder / "report.html").read_text()
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
    assert "<script" not in page
    for words in ("Verdict", "logistic regression", "ROC curve", "Calibration", "Confusion", "Learning curves",
                  "chainrule fit heart.csv -t disease", "thal", "sensitivity"):  # fmt: skip
        assert words in page, words


def test_the_model_card_names_data_scores_and_limits(heart):
    """C277: the classical baseline is on the card too."""
    card = (heart.folder / "model_card.md").read_text()
    for words in ("303 rows", "## Limits", "logistic regression", f"{heart.metrics['roc_auc']:.3f}"):
        assert words in card, words


def test_importance_names_every_column_and_finds_the_known_ones(heart):
    ranked = [name for name, _, _ in heart.facts["importance"]]
    assert set(ranked) == set(datasets.load_heart().columns) - {"disease"}
    assert {"ca", "thal", "cp"} & set(ranked[:4])


def test_the_model_file_alone_predicts_the_same(heart, tmp_path):
    alone = tmp_path / "elsewhere.chainrule"
    alone.write_bytes((heart.folder / "model.chainrule").read_bytes())
    again = load_run(alone)
    table = datasets.load_heart()
    assert again.answer(table).frame.equals(heart.answer(table).frame)
    assert again.metrics == heart.metrics
    assert again.notes == heart.notes
    assert cr.load(alone).extra["task"] == "table"


def test_evaluate_needs_the_run_alone_and_agrees_with_scikit_learn(heart):
    table = datasets.load_heart()
    p = heart.answer(table).frame["probability yes"].to_numpy()
    truth = (table.frame["disease"] == "yes").to_numpy()
    assert load_run(heart.folder).evaluate(table)["roc_auc"] == pytest.approx(roc_auc_score(truth, p))


def test_scores_on_the_file_of_the_training_are_called_flattering(heart, tmp_path):
    with pytest.warns(ChainruleWarning, match=r"^this is the file .* test score, roc_auc 0\.\d{3}$"):
        heart.evaluate(datasets.path("heart.csv"))
    other = tmp_path / "other.csv"
    other.write_text("\n".join(datasets.path("heart.csv").read_text().splitlines()[:150]) + "\n")
    heart.evaluate(other)  # warnings are errors: another file has none


def test_a_linear_model_that_does_as_well_is_named_in_the_reason(heart):
    network, linear = heart.metrics["roc_auc"], heart.baselines["linear"]["roc_auc"]
    low, high = heart.facts["interval"]["network"]
    assert network - linear < (high - low) / 2  # the table is small
    assert f"({linear:.3f} against {network:.3f}): prefer it for its simplicity" in heart.verdict


def test_the_command_line_ends_with_table_verdict_and_paths(tmp_path, capsys):
    folder = tmp_path / "run"
    arguments = ["fit", str(datasets.path("heart.csv")), "--target", "disease", "--epochs", "3", "--run", str(folder)]
    assert run([*arguments, "--no-report", "--set", "width=4", "--drop", "chol"]) == 0
    out, err = capsys.readouterr()
    assert re.search(r"^metric +model +logistic regression +majority$", out, re.MULTILINE)
    assert re.search(r"^roc_auc +0\.\d{3} +0\.\d{3} +0\.500$", out, re.MULTILINE)
    assert "Verdict: " in out
    assert f"model   {folder / 'model.chainrule'}" in out
    assert "report" not in out.splitlines()[-1]
    assert "treated as a code, not an amount" in err
    assert "Loss: binary_cross_entropy (" in err
    assert "epoch 1/3 loss" in err
    assert "chol" not in json.loads((folder / "metrics.json").read_text())["notes"][5]
    assert json.loads((folder / "config.json").read_text())["hyperparameters"]["width"] == 4


def test_json_and_quiet_leave_only_json(tmp_path, capsys):
    arguments = ["fit", str(datasets.path("heart.csv")), "-t", "disease", "--epochs", "2", "--run", str(tmp_path / "r")]
    assert run([*arguments, "--no-report", "--json", "--quiet", "--set", "width=4"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == ""
    assert found["status"] == "finished"
    assert found["metrics"]["roc_auc"] > 0.4
    assert found["config"]["epochs"] == 2


def test_explain_diagnose_runs_and_evaluate_read_the_run(heart, capsys):
    assert run(["explain", str(heart.folder)]) == 0
    out = capsys.readouterr().out
    assert "fall of roc_auc" in out
    assert "logistic regression (standardised, 95 % interval)" in out
    assert "hidden_1 (Dense)" in out
    assert run(["diagnose", str(heart.folder)]) == 0
    out = capsys.readouterr().out
    assert f"Verdict: {heart.facts['verdict']['name']}" in out
    assert re.search(r"^linear loss +0\.\d+ +loss of the linear model on the training rows$", out, re.MULTILINE)
    assert run(["runs", str(heart.folder.parent)]) == 0
    assert "finished" in capsys.readouterr().out
    assert run(["evaluate", str(heart.folder), str(datasets.path("heart.csv")), "--json"]) == 0
    out, err = capsys.readouterr()
    assert set(json.loads(out)) == set(heart.metrics)
    assert f"the honest score is the test score, roc_auc {heart.metrics['roc_auc']:.3f}" in err
    for command in ("explain", "diagnose"):
        assert run([command, str(heart.folder), "--json"]) == 0
        json.loads(capsys.readouterr().out)
