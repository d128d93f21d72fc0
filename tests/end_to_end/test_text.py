"""From texts with classes to answers, on the command line alone."""

import json
import os
from pathlib import Path

import polars as pl
import pytest

from chainrule.cli.main import run as command

WORDS = {"good": ("fine", "bright"), "bad": ("dull", "stale")}
QUICK = ("--epochs", "5", "--quiet", "--set", "model=bag", "--set", "min_count=1", "--set", "learning_rate=0.01")


def rows(count=48):
    found = []
    for number in range(count):
        label = ("bad", "good")[number % 2]
        found.append((f"a {WORDS[label][number // 2 % 2]} film , number {number} of many", label))
    return found


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "reviews.csv"
    pl.DataFrame(rows(), schema=["review", "verdict"], orient="row").write_csv(path)
    return path


@pytest.fixture(scope="module")
def fitted(table):
    """The run that `chainrule fit` made of a table whose only feature is text."""
    folder = table.parent / "run"
    assert command(["fit", str(table), "--target", "verdict", "--run", str(folder), *QUICK]) == 0
    return folder


def test_a_table_whose_only_feature_is_text_is_a_text_task(fitted):
    facts = json.loads((fitted / "metrics.json").read_text(encoding="utf-8"))
    assert facts["kind"] == "text"
    assert facts["scores"]["test"]["network"]["accuracy"] == 1


def test_predict_evaluate_explain_diagnose_and_runs(fitted, table, tmp_path, capsys):
    (tmp_path / "new.txt").write_text("a stale film\n\na bright, bright film\n", encoding="utf-8")
    assert command(["predict", str(fitted), str(tmp_path / "new.txt"), "-o", str(tmp_path / "answers.csv")]) == 0
    answers = pl.read_csv(tmp_path / "answers.csv")
    assert answers.columns == ["line", "text", "predicted verdict", "probability bad", "probability good"]
    assert answers["line"].to_list() == [1, 2, 3]
    assert [answers["predicted verdict"][0], answers["predicted verdict"][2]] == ["bad", "good"]
    assert "note: 1 text is empty" in capsys.readouterr().err
    assert command(["evaluate", str(fitted), str(table)]) == 0
    out, err = capsys.readouterr()
    assert "accuracy" in out
    assert "this is the file the model was trained on" in err
    assert command(["explain", str(fitted), "a dull film"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Answer: bad (bad 0.")
    assert out.splitlines()[3].split()[0] == "dull"
    assert command(["explain", str(fitted), "a dull film", "--json"]) == 0
    explained = json.loads(capsys.readouterr().out)
    assert explained["answer"] == "bad"
    assert [word for word, _ in explained["words"]] == ["a", "dull", "film"]
    assert command(["explain", str(fitted)]) == 0
    assert "recall" in capsys.readouterr().out
    assert command(["diagnose", str(fitted)]) == 0
    assert command(["runs", str(table.parent)]) == 0


def test_a_text_itself_is_answered(fitted, tmp_path, capsys):
    assert command(["predict", str(fitted), "a stale film"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].startswith("1,a stale film,bad,0.")
    assert "note: there is no file called 'a stale film', so it was read as a text." in err
    assert command(["predict", str(fitted), "bright", "-q"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].startswith("1,bright,good,0.")
    assert not err
    for missing in ("new.csv", str(tmp_path / "new")):
        assert command(["predict", str(fitted), missing]) == 2
        err = capsys.readouterr().err
        assert "there is no such file" in err
        assert "To ask about a text itself" in err
    assert command(["predict", str(fitted), "a film", "--on-bad", "skip"]) == 2
    assert "--on-bad: is an option for models of images; received a model of text" in capsys.readouterr().err


def test_explain_takes_a_file_for_a_file(fitted, table, tmp_path, capsys, monkeypatch):
    """The words explained are those of the texts in the file, not of its name; predict and explain agree on which."""
    assert command(["explain", str(fitted), str(table), "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert "note: of 48 texts the first 5 are shown." in err
    assert [entry["text"] for entry in found] == [f"reviews.csv: line {line}" for line in range(2, 7)]
    assert [entry["answer"] for entry in found[:2]] == ["bad", "good"]
    assert [word for word, _ in found[0]["words"]][:3] == ["a", "dull", "film"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new").mkdir()
    assert command(["explain", str(fitted), "new"]) == 2
    assert "new: expected a folder for each class" in capsys.readouterr().err
    (tmp_path / "new" / "a").mkdir()
    (tmp_path / "new" / "a" / "1.txt").write_text("a stale film", encoding="utf-8")
    assert command(["explain", str(fitted), "new"]) == 0
    assert capsys.readouterr().out.startswith("a/1.txt\nAnswer: bad (bad 0.")
    assert command(["explain", str(fitted), "bright"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Answer: good (")
    assert "note: there is no file called 'bright', so it was read as a text." in err
    assert command(["explain", str(fitted), "nowhere.csv"]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_answers_keep_each_text_whole_with_its_line_and_count_against_the_file(tmp_path, capsys):
    """Line ends, tabs and long texts stand in the answers as in the file; what steers a terminal does not."""
    found = rows(24)
    long = "a dull film ,\n\tnumber\u00a04 \u2066of\x1b[2J " + "many " * 60 + "times"
    found[4] = (long, "bad")
    found[7] = ("", "good")
    found[9] = (found[9][0], None)
    pl.DataFrame(found, schema=["review", "verdict"], orient="row").write_csv(tmp_path / "r.csv")
    arguments = ["--target", "verdict", "--text", "review", "--run", str(tmp_path / "run"), "--no-report", *QUICK]
    assert command(["fit", str(tmp_path / "r.csv"), *arguments]) == 0
    notes = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))["notes"]
    assert "1 text is empty and was left out (the first: r.csv: line 10)." in notes
    assert "1 of 24 rows has no target and was left out." in notes
    assert command(["predict", str(tmp_path / "run"), str(tmp_path / "r.csv"), "-o", str(tmp_path / "a.csv")]) == 0
    answers = pl.read_csv(tmp_path / "a.csv")
    assert answers["text"][4] == long.replace("\x1b", "?").replace("\u2066", "?")
    kept = pl.read_csv(tmp_path / "run" / "predictions_test.csv")
    assert kept.columns[0] == answers.columns[0] == "line"
    of_line = dict(answers.select("line", "text").iter_rows())
    assert [of_line[line] for line in kept["line"]] == kept["text"].to_list()
    assert [answers["line"][row] for row in (4, 5)] == [6, 8]


def test_folders_of_images_hold_no_texts(fitted, tmp_path, capsys):
    for name in ("dark", "light"):
        (tmp_path / "im" / name).mkdir(parents=True)
        (tmp_path / "im" / name / "1.png").write_bytes(b"x")
    for folder in (tmp_path / "im", tmp_path / "im" / "dark"):
        assert command(["predict", str(fitted), str(folder)]) == 2
        assert "it holds no texts but " in capsys.readouterr().err
    (tmp_path / "im" / "dark" / "1.txt").write_text("a dull film")
    assert command(["predict", str(fitted), str(tmp_path / "im")]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("dark/1.txt,a dull film,bad,")


def test_most_files_of_a_folder_say_whether_it_holds_texts_or_images(tmp_path, capsys):
    """One stray picture among texts changes nothing; where reading fails, the other kind is named."""
    folder = tmp_path / "cls"
    for number, (text, label) in enumerate(rows(25)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / f"{number}.txt").write_text(text, encoding="utf-8")
    (folder / "bad" / "1.png").write_bytes(b"x")
    assert command(["fit", str(folder), "--run", str(tmp_path / "run"), "--no-report", *QUICK]) == 0
    facts = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert facts["kind"] == "text"
    assert facts["data"]["rows"] == 25
    assert "1 file that is no .txt was left out." in facts["notes"]
    (folder / "good" / "lonely.txt").write_bytes(b"caf\xe9")
    capsys.readouterr()
    assert command(["fit", str(folder)]) == 2
    err = capsys.readouterr().err
    assert "The folder holds 1 image and 26 texts and was taken for text: add --task images if" in err
    assert command(["fit", str(folder), "--task", "images"]) == 2
    assert "The folder holds" not in capsys.readouterr().err
    for number in range(30):
        (folder / "good" / f"{number}.png").write_bytes(b"x")
    assert command(["fit", str(folder)]) == 2
    assert "31 images and 26 texts and was taken for images: add --task text if" in capsys.readouterr().err


def test_columns_that_name_rows_stand_beside_the_answers(tmp_path, capsys):
    frame = pl.DataFrame(rows(), schema=["review", "verdict"], orient="row").with_columns(
        review_id=pl.Series([f"r{number * 7}" for number in range(48)])
    )
    frame.write_csv(tmp_path / "reviews.csv")
    arguments = ["--target", "verdict", "--text", "review", "--run", str(tmp_path / "run"), "--no-report"]
    assert command(["fit", str(tmp_path / "reviews.csv"), *arguments, *QUICK]) == 0
    kept = pl.read_csv(tmp_path / "run" / "predictions_test.csv")
    assert kept.columns[:3] == ["review_id", "line", "text"]
    frame[[5, 2]].drop("verdict").write_csv(tmp_path / "new.csv")
    capsys.readouterr()
    assert command(["predict", str(tmp_path / "run"), str(tmp_path / "new.csv")]) == 0
    answers = pl.read_csv(capsys.readouterr().out.encode())
    assert answers["review_id"].to_list() == ["r35", "r14"]
    assert answers["predicted verdict"].to_list() == ["good", "bad"]


def test_a_folder_of_plain_files_is_a_text_task(tmp_path, capsys):
    folder = tmp_path / "reviews"
    folder.mkdir()
    for label in WORDS:
        (folder / f"film.{label}").write_text("\n".join(text for text, own in rows() if own == label), encoding="utf-8")
    assert command(["fit", str(folder), "--run", str(tmp_path / "run"), *QUICK]) == 0
    assert "On 10 test texts:" in capsys.readouterr().out
    assert not command(["predict", str(tmp_path / "run"), str(folder)])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--task", "text"), "--target: must name the column of classes"),
        (("--target", "verdict", "--text", "reviw"), "Did you mean 'review'"),
        (("--target", "verdict", "--task", "text", "--drop", "review"), "--drop: is an option for table"),
        (("--target", "verdict", "--task", "text", "--level", "letter"), "level: must be one of"),
        (("--target", "verdict", "--task", "text", "--set", "windows=0"), "must be widths between 1 and 8"),
    ],
)
def test_the_users_mistakes_are_status_2(table, tmp_path, capsys, arguments, words):
    assert command(["fit", str(table), "--run", str(tmp_path / "run"), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_bytes_that_are_no_text_are_status_2(fitted, tmp_path, capsys):
    (tmp_path / "new.txt").write_bytes(b"fine\ncaf\xe9\n")
    assert command(["predict", str(fitted), str(tmp_path / "new.txt")]) == 2
    assert "new.txt: line 2 is not utf-8" in capsys.readouterr().err


def test_a_text_for_a_model_of_a_table_is_status_2(heart, capsys):
    assert command(["explain", str(heart.folder), "a text"]) == 2
    assert "EXAMPLE: must be left out for a model of tables" in capsys.readouterr().err


def test_reviews_of_films_are_told_apart(tmp_path):
    """Real sentences; a single seed and a bag alone, so that it takes seconds: chance is 0.5."""
    data = Path(os.environ.get("CHAINRULE_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
    if not (data / "rotten_tomatoes").is_dir():
        pytest.skip(f"no folder rotten_tomatoes in {data}; set CHAINRULE_DATA")
    source, folder = str(data / "rotten_tomatoes"), str(tmp_path / "run")
    arguments = (
        "--validation",
        "0.1",
        "--test",
        "0.1",
        "--epochs",
        "2",
        "--set",
        "model=bag",
        "--no-report",
        "--quiet",
    )
    assert command(["fit", source, "--run", folder, *arguments]) == 0
    facts = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert facts["scores"]["test"]["network"]["accuracy"] > 0.75
    assert facts["split"]["test"] == 1066
