"""From a folder of images to answers, on the command line alone."""

import json
import zipfile

import numpy as np
import polars as pl
import pytest
from PIL import Image

from chainrule.cli.main import run as command
from chainrule.tasks import load_run

QUICK = (
    *("--epochs", "8", "--batch-size", "16", "--augment", "none"),
    *("--set", "width=4", "--set", "network=plain", "--set", "learning_rate=0.01"),
)


def plant(folder, count=60, seed=0):
    rng = np.random.default_rng(seed)
    for number in range(count):
        name = ("dark", "light")[number % 2]
        (folder / name).mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 120, (9, 8, 3)) + 130 * (number % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number:02}.png")
    return folder


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The folder of images and the folder of the run that `chainrule fit` made of it."""
    base = tmp_path_factory.mktemp("lamps")
    assert command(["fit", str(plant(base / "lamps")), "--run", str(base / "run"), "--quiet", *QUICK]) == 0
    return base / "lamps", base / "run"


def test_fit_tells_and_saves(tmp_path, capsys):
    folder = plant(tmp_path / "lamps")
    assert command(["fit", str(folder), "--run", str(tmp_path / "run"), *QUICK]) == 0
    out, err = capsys.readouterr()
    assert "lamps: 60 images of 9 x 8 pixels in colours, 2 classes: dark, light." in err
    assert "Split (stratified, seed 0): 42 images to train, 6 to decide when to stop, 12 to judge" in err
    assert "On 12 test images:" in out
    assert "majority" in out
    assert "Verdict:" in out
    assert "Next: chainrule " in out
    page, card = ((tmp_path / "run" / name).read_text(encoding="utf-8") for name in ("report.html", "model_card.md"))
    assert "<title>classes of the images in lamps" in page
    assert "Predicts the class of an image: two classes." in page
    assert "Chance that an image of the class gets" in page
    assert "Predicts the class (two classes) for images" in card


def test_predict_evaluate_explain_diagnose_and_runs(fitted, tmp_path, capsys):
    folder, run = fitted
    new = plant(tmp_path / "new", 10, seed=3)
    assert command(["predict", str(run), str(new), "-o", str(tmp_path / "answers.csv")]) == 0
    answers = pl.read_csv(tmp_path / "answers.csv")
    assert answers.columns == ["image", "predicted label", "probability dark", "probability light"]
    assert answers["image"].to_list() == sorted(p.relative_to(new).as_posix() for p in new.rglob("*.png"))
    right = [name.startswith(answer) for name, answer in answers.select("image", "predicted label").iter_rows()]
    assert np.mean(right) >= 0.9
    capsys.readouterr()
    assert command(["predict", str(run), str(new / "dark" / "00.png")]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("00.png,dark,")
    assert command(["evaluate", str(run), str(new), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == pytest.approx(np.mean(right))
    assert command(["evaluate", str(run), str(folder)]) == 0
    assert "this is the folder the model was trained on" in capsys.readouterr().err
    assert command(["explain", str(run)]) == 0
    out = capsys.readouterr().out
    assert "recall" in out
    assert "conv_1" in out
    assert command(["explain", str(run), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"measure", "classes", "confusion"}
    assert command(["explain", str(run), str(new / "dark"), "-o", str(tmp_path / "why.png")]) == 0
    assert "largest fall when a spot is covered" in capsys.readouterr().out
    assert (tmp_path / "why.png").read_bytes()[:4] == b"\x89PNG"
    assert command(["explain", str(run), "-o", str(tmp_path / "why.png")]) == 2
    assert "--output: is for an image" in capsys.readouterr().err
    assert command(["diagnose", str(run)]) == 0
    assert command(["runs", str(run.parent)]) == 0
    out = capsys.readouterr().out
    assert "accuracy" in out
    assert "lamps" in out


def test_fit_as_json(tmp_path, capsys):
    folder = plant(tmp_path / "lamps")
    with zipfile.ZipFile(tmp_path / "lamps.zip", "w") as file:
        for path in folder.rglob("*.png"):
            file.write(path, path.relative_to(tmp_path))
    arguments = [
        "fit",
        str(tmp_path / "lamps.zip"),
        "--run",
        str(tmp_path / "run"),
        "--json",
        "-q",
        "--no-report",
        *QUICK,
    ]
    assert command([*arguments, "--size", "6x5"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "images"
    assert np.sum(found["confusion"]) == 12
    assert load_run(tmp_path / "run").predictor.model.graph.inputs[0].shape[1:] == (6, 5, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--group", "x"], "--group: is an option for table"),
        (["--drop", "x"], "--drop: is an option for table"),
        (["--kind", "x=number"], "--kind: is an option for table"),
        (["--task", "regression"], "--target: name the column"),
        (["--size", "big"], "--size: must read 32 or 32x48"),
        (["--size", "0"], "--size: must be an integer of at least 1"),
        (["--augment", "mirror"], "--augment: must be one of"),
        (["--on-bad", "ignore"], "--on-bad: must be one of 'error', 'skip'"),
        (["--validation", "0.7", "--test", "0.7"], "--validation and --test: must leave examples"),
        (["--set", "widht=3"], "Did you mean 'width'"),
    ],
)
def test_wrong_options_are_named_as_they_were_typed(fitted, tmp_path, capsys, arguments, message):
    folder, _ = fitted
    assert command(["fit", str(folder), "--run", str(tmp_path / "run"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_options_of_images_are_refused_for_tables(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    assert command(["fit", str(tmp_path / "t.csv"), "--target", "b", "--augment", "flip"]) == 2
    assert "--augment: is an option for images" in capsys.readouterr().err


def test_files_that_cannot_be_read_are_left_out_where_asked(fitted, tmp_path, capsys):
    _, run = fitted
    new = plant(tmp_path / "new", 4, seed=3)
    (new / "dark" / "bad.png").write_bytes(b"")
    for name in ("predict", "evaluate", "explain"):
        assert command([name, str(run), str(new)]) == 2
        assert "1 of 5 files cannot:\n  dark/bad.png: the file is empty" in capsys.readouterr().err
        assert command([name, str(run), str(new), "--on-bad", "skip"]) == 0
    assert command(["predict", str(run), str(new), "--on-bad", "skip", "-o", str(tmp_path / "answers.csv")]) == 0
    assert "note: 1 file was left out: dark/bad.png" in capsys.readouterr().err
    answers = pl.read_csv(tmp_path / "answers.csv")
    assert answers["image"].to_list() == ["dark/00.png", "dark/02.png", "dark/bad.png", "light/01.png", "light/03.png"]
    assert answers["predicted label"].is_null().to_list() == [False, False, True, False, False]
    assert answers["problem"][2].startswith("dark/bad.png: the file is empty")


def test_a_stray_image_is_left_out_and_all_mistakes_come_at_once(tmp_path, capsys):
    folder = plant(tmp_path / "lamps", 12)
    (folder / "top.png").write_bytes((folder / "dark" / "00.png").read_bytes())
    (folder / "lonely").mkdir()
    (folder / "lonely" / "1.png").write_bytes(b"")
    assert command(["fit", str(folder), "--run", str(tmp_path / "run"), *QUICK]) == 2
    err = capsys.readouterr().err
    assert "1 of 13 files cannot:\n  lonely/1.png: the file is empty" in err
    assert "Besides, these classes have fewer than 3 images: 'lonely' (1)." in err
    assert "top.png" not in err


def test_folders_with_nothing_to_learn_from(tmp_path, capsys):
    (tmp_path / "empty" / "cats").mkdir(parents=True)
    assert command(["fit", str(tmp_path / "empty" / "cats")]) == 2
    assert "cats: expected a folder with a folder of images" in (err := capsys.readouterr().err)
    assert "received an empty folder. Check the path" in err
    assert command(["fit", str(tmp_path / "empty")]) == 2
    assert "received one with cats. Check the path" in capsys.readouterr().err
    (tmp_path / "empty" / "a.csv").write_text("x,y\n1,2\n")
    assert command(["fit", str(tmp_path / "empty"), "--target", "y"]) == 2
    assert "Name a table, as in: chainrule fit" in capsys.readouterr().err


def test_sources_that_are_none_are_named(fitted, tmp_path, capsys):
    _, run = fitted
    (tmp_path / "empty").mkdir()
    assert command(["predict", str(run), str(tmp_path / "empty")]) == 2
    assert "it holds no image" in capsys.readouterr().err
    assert command(["predict", str(run), str(tmp_path / "nowhere")]) == 2
    assert "no such file or folder" in capsys.readouterr().err
