import json

import numpy as np
import polars as pl
import pytest

from chainrule.errors import ArgumentError, ChainruleError, DataError, FormatError, NonFiniteError
from chainrule.models import load
from chainrule.optimizers.schedules import CosineDecay
from chainrule.tasks import load_run
from chainrule.tasks.labelled import LabelledRun, Options, fit_labelled, unpack

from .conftest import CLASSES, make_job, plane

FILES = (
    "config.json", "events.jsonl", "metrics.json", "model.chainrule", "model_card.md", "predictions_test.csv",
    "report.html",
)  # fmt: skip


def test_a_run_leaves_everything_in_its_folder(finished):
    assert sorted(file.name for file in finished.folder.iterdir()) == list(FILES)
    assert finished.status == "finished"
    facts = json.loads((finished.folder / "metrics.json").read_text())
    assert facts["split"] == {"how": "stratified", "train": 72, "validation": 24, "test": 24}
    assert facts["scores"]["test"]["network"] == finished.metrics
    assert finished.metrics["accuracy"] > finished.baselines["guess"]["accuracy"] + 0.1
    assert [found["class"] for found in facts["classes"]] == list(CLASSES)


def test_the_scores_are_those_of_the_answers_that_were_written(finished):
    written = pl.read_csv(finished.folder / "predictions_test.csv")
    assert written.columns[:3] == ["point", "true place", "predicted place"]
    right = (written["true place"] == written["predicted place"]).to_numpy()
    assert finished.metrics["accuracy"] == pytest.approx(right.mean())
    chances = written.select(pl.col("^probability.*$")).to_numpy()
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, atol=1e-9)
    for found in finished.facts["classes"]:
        mine = (written["true place"] == found["class"]).to_numpy()
        assert found["recall"] == pytest.approx(right[mine].mean())
    confusion = np.array(finished.facts["confusion"])
    assert confusion.sum() == 24
    assert np.trace(confusion) == right.sum()


@pytest.mark.parametrize("name", ["", "model.chainrule"])
def test_a_loaded_run_answers_as_the_first(finished, name):
    again = load_run(finished.folder / name)
    assert isinstance(again, LabelledRun)
    new = plane(7, seed=5)
    assert again.predict(new).equals(finished.predict(new))
    assert again.evaluate(new) == finished.evaluate(new)
    assert again.predict(new).columns[:2] == ["point", "predicted place"]


def test_report_and_card_speak_of_the_examples_not_of_rows(finished):
    page, card = ((finished.folder / name).read_text() for name in ("report.html", "model_card.md"))
    assert "24 points" in page
    assert "Confusion matrix" in page
    assert "120 points, two classes" in card
    assert card.startswith("# Model card: place of the points in plane\n")
    assert "Predicts 'place' (two classes) for points like those it was trained on." in card
    assert "multiclass" not in card
    assert "<title>place of the points in plane" in page
    assert "Predicts &#x27;place&#x27; of a point: two classes. Judged by accuracy" in page
    assert "Chance that a point of the class gets a higher probability than another point" in page
    assert "a row of the class" not in page
    assert "| inside |" in card
    assert "test points" in card


def test_the_next_line_to_type_names_the_run_or_an_option(finished):
    action = finished.facts["verdict"]["action"]
    assert str(finished.folder) in action or "--" in action


@pytest.mark.parametrize(("num_steps", "is_flagged"), [(10, False), (40, True)])
def test_nobody_trains_longer_after_a_schedule_has_brought_the_rate_to_nothing(tmp_path, num_steps, is_flagged):
    """Five steps an epoch: with a cosine over ten, the second epoch ends at a rate of nothing."""
    options = Options("fit_plane", run=tmp_path / "run", verbose=0, report=False)
    job = make_job(plane(), options, epochs=2, rate=CosineDecay(0.03, num_steps))
    verdict = fit_labelled(job, options).facts["verdict"]
    assert ("not converged" in verdict["flags"]) is is_flagged


def test_nobody_trains_longer_where_every_validation_answer_is_right(tmp_path):
    rows = plane(90)
    rows = rows[np.abs(rows[:, 0]) > 0.3]
    rows[:, 2] = rows[:, 0] > 0  # a line with nothing near it
    options = Options("fit_plane", run=tmp_path / "run", verbose=0, report=False)
    run = fit_labelled(make_job(rows, options, epochs=9), options)
    assert run.facts["scores"]["validation"]["network"]["accuracy"] == 1
    assert run.facts["epochs"] == run.facts["best_epoch"] == 9
    assert "not converged" not in run.facts["verdict"]["flags"]


def test_classes_can_be_made_to_count_alike(tmp_path):
    for how in ("weights", "oversample", "undersample"):
        options = Options("fit_plane", run=tmp_path / how, balance=how, verbose=0, report=False)
        run = fit_labelled(make_job(plane(), options, epochs=2), options)
        # an even guess costs log 2, whatever the shares of the classes
        assert run.facts["verdict"]["numbers"]["baseline_loss"] == pytest.approx(np.log(2))


def raising(error):
    def listen(event, run):
        raise error

    return listen


def test_the_user_s_mistakes_leave_no_folder(tmp_path):
    options = Options("fit_plane", run=tmp_path / "run", verbose=0, callbacks=(raising(DataError("plane: flat.")),))
    with pytest.raises(DataError, match="flat"):
        fit_labelled(make_job(plane(), options), options)
    assert not (tmp_path / "run").exists()


def test_other_failures_leave_a_folder_that_says_so(tmp_path):
    options = Options("fit_plane", run=tmp_path / "run", verbose=0, callbacks=(raising(NonFiniteError("loss: NaN")),))
    with pytest.raises(NonFiniteError):
        fit_labelled(make_job(plane(), options), options)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["status"] == "failed"
    with pytest.raises(ChainruleError):
        load_run(tmp_path / "run")


def test_ctrl_c_keeps_what_was_learned(tmp_path):
    def stop(event, run):
        if type(event).__name__ == "EpochEnd" and event.epoch == 3:
            raise KeyboardInterrupt

    options = Options("fit_plane", run=tmp_path / "run", verbose=0, report=False, callbacks=(stop,))
    run = fit_labelled(make_job(plane(), options), options)
    assert run.status == "interrupted"
    assert load_run(tmp_path / "run").status == "interrupted"


def test_a_folder_that_holds_files_is_refused(finished):
    options = Options("fit_plane", run=finished.folder, verbose=0)
    with pytest.raises(ArgumentError, match="must be empty"):
        fit_labelled(make_job(plane(), options), options)


@pytest.mark.parametrize(
    ("name", "value"),
    [("classes", ["inside"]), ("classes", [1, 2]), ("preparation", None), ("preparation", {"type": "Nothing"})],
)
def test_a_damaged_preparation_is_refused(finished, name, value):
    model = load(finished.folder / "model.chainrule")
    model.extra[name] = value
    with pytest.raises(FormatError, match="preparation"):
        unpack(model, "model.chainrule")


def test_what_is_asked_is_checked():
    with pytest.raises(ArgumentError, match="must leave examples"):
        Options("fit_plane", validation=0.6, test=0.5)
    with pytest.raises(ArgumentError, match="balance must be one of"):
        Options("fit_plane", balance="wieghts")
