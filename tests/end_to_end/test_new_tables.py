"""Predicting with tables that are not quite like the one trained on: an error, or a named treatment."""

import json

import polars as pl
import pytest

from chainrule import datasets
from chainrule.cli.main import run
from chainrule.errors import ChainruleWarning, DataError


@pytest.fixture
def frame():
    return pl.read_csv(datasets.path("heart.csv"), null_values="?").head(20)


def test_reordered_columns_change_nothing(heart, frame):
    assert heart.predict(frame.select(reversed(frame.columns))).equals(heart.predict(frame))


def test_the_target_may_be_absent(heart, frame):
    assert heart.predict(frame.drop("disease")).equals(heart.predict(frame))


def test_extra_columns_are_ignored_and_named(heart, frame):
    with pytest.warns(ChainruleWarning, match="shoe"):
        answers = heart.predict(frame.with_columns(shoe=pl.lit(42)))
    assert answers.equals(heart.predict(frame))


def test_a_missing_column_is_refused_with_the_nearest_name(heart, frame):
    with pytest.raises(DataError, match=r"'thalach'.*Did you mean 'thalac'"):
        heart.predict(frame.rename({"thalach": "thalac"}))


def test_numbers_written_as_text_are_numbers(heart, frame):
    assert heart.predict(frame.with_columns(pl.col("age").cast(pl.String))).equals(heart.predict(frame))


def test_whole_numbers_written_with_decimals_are_the_same_codes(heart, frame):
    assert heart.predict(frame.with_columns(pl.col("cp").cast(pl.Float64))).equals(heart.predict(frame))


def test_text_in_a_column_of_numbers_is_refused_with_row_and_value(heart, frame):
    wrong = frame.with_columns(age=pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("old")).otherwise(pl.lit("50")))
    with pytest.raises(DataError, match=r"row 4.*'age'.*'old'"):
        heart.predict(wrong)


def test_an_unknown_category_and_a_first_missing_value_are_named(heart, frame):
    with pytest.warns(ChainruleWarning) as caught:
        heart.predict(frame.with_columns(cp=pl.lit(9), age=pl.lit(None, pl.Float64)))
    told = " ".join(str(warning.message) for warning in caught)
    assert "'cp'" in told
    assert "'age'" in told


def test_probabilities_add_up_and_one_row_is_like_many(heart, frame):
    answers = heart.predict(frame)
    assert (answers["probability no"] + answers["probability yes"]).to_list() == pytest.approx([1.0] * 20)
    alone = heart.predict(frame.slice(7, 1))
    # another batch size may sum in another order: float32 rounding of logits of order 1
    assert alone["probability yes"][0] == pytest.approx(answers["probability yes"][7], abs=1e-6)


def test_the_command_writes_a_whole_file_and_keeps_the_rows_order(heart, frame, tmp_path, capsys):
    new, out = tmp_path / "new.csv", tmp_path / "out.csv"
    frame.with_columns(shoe=pl.lit(42)).write_csv(new)
    assert run(["predict", str(heart.folder), str(new), "-o", str(out)]) == 0
    told = capsys.readouterr()
    assert not told.out
    assert "shoe" in told.err
    written = pl.read_csv(out)
    assert written["predicted disease"].to_list() == heart.predict(frame)["predicted disease"].to_list()
    full = heart.predict(frame)["probability yes"].to_list()
    assert written["probability yes"].to_list() == [float(f"{p:.6g}") for p in full]
    assert run(["predict", str(heart.folder), str(new), "--json", "-q"]) == 0
    assert [row["probability yes"] for row in json.loads(capsys.readouterr().out)] == full
    assert run(["predict", str(heart.folder / "model.chainrule"), str(new), "--quiet"]) == 0
    told = capsys.readouterr()
    assert told.out == out.read_text()
    assert not told.err


@pytest.mark.parametrize("extra", [["-o", "none/out.csv"], ["-o", "out.csv"]])
def test_a_bad_prediction_writes_nothing(heart, frame, tmp_path, capsys, monkeypatch, extra):
    monkeypatch.chdir(tmp_path)
    frame.drop("thal").write_csv("new.csv")
    assert run(["predict", str(heart.folder), "new.csv", *extra]) == 2
    err = capsys.readouterr().err
    assert "error: " in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_a_run_that_is_none_is_refused(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "none"):
        assert run(["predict", str(path), str(datasets.path("heart.csv"))]) == 2
        assert "error: " in capsys.readouterr().err
