"""The text task from a source to a run that can be asked again."""

import json

import numpy as np
import polars as pl
import pytest

from chainrule import load
from chainrule.errors import ArgumentError, ArgumentTypeError, ChainruleWarning, DataError
from chainrule.tasks import fit_text, load_run
from chainrule.tasks.text import explain_answer


def test_it_learns_and_beats_guessing(finished):
    """C209: sentences with classes become a trained and judged classifier."""
    assert finished.metrics["accuracy"] >= 0.75  # nine of ten words tell the truth
    assert finished.baselines["guess"]["accuracy"] == 0.5
    assert finished.baselines["linear"]["accuracy"] > 0.7
    assert finished.facts["kind"] == "text"
    assert finished.facts["classes"][1]["class"] == "good"


def test_every_file_is_written(finished):
    names = {path.name for path in finished.folder.iterdir()}
    assert names == {
        "config.json", "events.jsonl", "metrics.json", "model.chainrule", "model_card.md", "predictions_test.csv",
        "report.html",
    }  # fmt: skip
    rows = pl.read_csv(finished.folder / "predictions_test.csv")
    assert {"row", "text", "true verdict", "predicted verdict"} <= set(rows.columns)
    share = (rows["true verdict"] == rows["predicted verdict"]).mean()
    assert share == pytest.approx(finished.metrics["accuracy"])


def test_the_report_marks_words(finished):
    page = (finished.folder / "report.html").read_text(encoding="utf-8")
    assert '<mark class="for"' in page
    assert "Surest right answers" in page
    assert "Telling words" in page
    assert "<script" not in page


def test_a_loaded_run_answers_as_the_one_that_trained(finished):
    new = ["a fine and warm film", "dull story", "FINE, Warm!"]
    first = finished.predict(new)
    assert first["predicted verdict"].to_list() == ["good", "bad", "good"]
    again = load_run(finished.folder / "model.chainrule").predict(new)
    assert first.equals(again)
    assert load(finished.folder / "model.chainrule").graph.input_names == ("tokens",)


def test_all_kinds_of_sources_are_answered_alike(finished, tmp_path):
    texts = ["a fine and warm film", "dull , stale story"]
    (tmp_path / "new.txt").write_text("\n".join(texts), encoding="utf-8")
    pl.DataFrame({"other": [1, 2], "review": texts}).write_csv(tmp_path / "new.csv")
    expected = finished.predict(texts)["probability good"].to_list()
    for name, column in (("new.txt", "line"), ("new.csv", "line")):
        answers = finished.predict(tmp_path / name)
        assert answers["probability good"].to_list() == expected
        assert column in answers.columns
    with pytest.raises(DataError, match="no column is called 'review'"):
        finished.predict({"text": texts})


def test_empty_long_and_unknown_texts_are_answered_with_notes(finished):
    notes = finished.answer(["", "fine " * 400]).notes
    assert notes[0] == "1 text is empty: answered by the classes' shares alone."
    assert notes[1].startswith("1 text was cut after")
    with pytest.warns(ChainruleWarning, match="100% of the words are unknown to the model"):
        answers = finished.predict(["zebra xylophone quagga"])
    assert np.isfinite(answers["probability good"].to_list()).all()


def test_evaluation_on_other_texts(finished, reviews):
    scores = finished.evaluate(reviews(60, seed=9))
    assert scores["accuracy"] >= 0.75
    with pytest.raises(DataError, match="'fair' is not a class of this model"):
        finished.evaluate({"review": ["a fine film"], "verdict": ["fair"]})
    with pytest.raises(DataError, match="no column is called 'verdict'"):
        finished.evaluate({"review": ["a fine film"]})


def test_one_answer_is_explained(finished):
    explained = explain_answer(finished.predictor, "the film with a dull plot")
    words = dict(explained.words())
    assert max(words, key=words.get) == "dull"
    assert finished.predictor.classes[explained.answer] == "bad"


def test_the_same_seed_gives_the_same_model(finished, tmp_path, reviews):
    again = fit_text(
        reviews(), target="verdict", run=tmp_path / "again", epochs=6, verbose=0, settings={"embedding": 8},
        report=False,
    )  # fmt: skip
    assert again.metrics == finished.metrics


def test_facts_are_plain_and_honest(finished):
    facts = json.loads((finished.folder / "metrics.json").read_text(encoding="utf-8"))
    assert facts["split"]["train"] + facts["split"]["validation"] + facts["split"]["test"] == 160
    assert facts["baseline"] == "logistic regression on TF-IDF of words and phrases"
    assert any("of the validation texts are not among them" in note for note in facts["notes"])


def test_a_folder_with_parts_and_hostile_texts(tmp_path):
    """T-D6: markup, control and bidi characters in texts and class names are shown, never obeyed."""
    evil = "<script>alert(1)</script> \u202egnp.exe \x1b[2J"
    for part, copies in (("train", 12), ("test", 4)):
        for label, word in (("<b>a", "fine"), ("b&", "dull")):
            folder = tmp_path / "data" / part / label
            folder.mkdir(parents=True)
            for number in range(copies):
                (folder / f"{number}.txt").write_text(f"{evil} {word} {part} {number}", encoding="utf-8")
    run = fit_text(
        tmp_path / "data", run=tmp_path / "run", epochs=2, verbose=0, settings={"model": "bag", "min_count": 1}
    )
    assert run.facts["split"]["test"] == 8
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page or "&lt;" in page
    assert not set(page) & {"\u202e", "\x1b"}
    assert "\x1b" not in (run.folder / "predictions_test.csv").read_text(encoding="utf-8")
    assert run.predict(tmp_path / "data").height == 32


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"target": None}, ArgumentError, "target must name the column of classes"),
        ({"target": "verdct"}, DataError, "Did you mean 'verdict'"),
        (
            {"settings": {"modle": "cnn"}},
            ArgumentError,
            "'modle' is no hyperparameter of this task. Did you mean 'model'",
        ),
        ({"level": "letters"}, ArgumentError, "level must be one of"),
        ({"validation": 0.7, "test": 0.4}, ArgumentError, "must leave examples to train on"),
        ({"epochs": 0}, ArgumentError, "epochs must be an integer of at least 1"),
        ({"seed": 1.5}, ArgumentTypeError, "seed must be an integer"),
    ],
)
def test_errors_leave_no_folder(tmp_path, changes, error, words, reviews):
    asked = {"target": "verdict", "verbose": 0, "run": tmp_path / "run"} | changes
    with pytest.raises(error, match=words):
        fit_text(reviews(20), **asked)
    assert not (tmp_path / "run").exists()


def test_amounts_are_no_classes(tmp_path, reviews):
    rows = reviews(30) | {"verdict": np.linspace(0.5, 9.7, 30)}
    with pytest.raises(DataError, match=r"must hold classes for the text task.*'verdict>0'"):
        fit_text(rows, target="verdict", run=tmp_path / "run", verbose=0)
