import re
import shutil

import numpy as np
import polars as pl
import pytest
from PIL import Image

from chainrule.errors import ArgumentError, ChainruleWarning, DataError
from chainrule.tasks import fit_images, load_run

from .conftest import QUICK, plant, squares


def test_a_folder_becomes_a_judged_classifier(finished):
    assert finished.metrics["accuracy"] > 0.9
    assert finished.baselines["guess"]["accuracy"] < 0.75
    assert finished.facts["kind"] == "images"
    assert {found["class"] for found in finished.facts["classes"]} == {"high", "low"}
    written = pl.read_csv(finished.folder / "predictions_test.csv")
    assert written.columns[:3] == ["image", "true label", "predicted label"]
    assert all(name.split("/")[0] == truth for name, truth in written.select("image", "true label").iter_rows())


def test_the_report_shows_images(finished):
    page = (finished.folder / "report.html").read_text()
    for title in ("Examples of each class", "Augmentation", "Confusion matrix", "Learning curves", "Where it looks"):
        assert title in page
    assert page.count("data:image/png;base64,") >= 10 + 8  # five of each class, and the sheet
    assert "Results on images never used before" in page
    outside = re.findall(r"https?://(?!www\.w3\.org/)[^\s\"]+", page)
    assert outside == [], "it needs nothing from outside"


def test_a_loaded_run_answers_for_folders_files_and_arrays(finished, pets, tmp_path):
    again = load_run(finished.folder)
    pixels, names = squares(9, seed=5)
    folder = plant(tmp_path / "new", pixels, names)
    answers = again.predict(folder)
    assert answers.columns == ["image", "predicted label", "probability high", "probability low"]
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    assert answers["image"].to_list() == files
    order = [int(name[-7:-4]) for name in files]
    from_memory = again.predict(pixels[order])
    np.testing.assert_allclose(answers["probability high"], from_memory["probability high"], atol=1e-6)
    alone = again.predict(folder / files[0])
    assert alone["probability high"][0] == pytest.approx(answers["probability high"][0], abs=1e-6)
    scores = again.evaluate(folder)
    assert scores["accuracy"] == np.mean(answers["predicted label"].to_numpy() == names[order])
    with pytest.warns(ChainruleWarning, match="this is the folder the model was trained on"):
        again.evaluate(pets)


def test_other_sizes_and_colours_are_treated_as_in_training(finished, tmp_path):
    folder = plant(tmp_path / "large", *squares(4, seed=6, size=(24, 20)))
    Image.fromarray(np.zeros((7, 9), np.uint8)).save(folder / "grey.png")
    with pytest.warns(ChainruleWarning, match="were stretched to 12 x 10"):
        assert len(finished.predict(folder)) == 5
    (folder / "bad.png").write_bytes(b"words")
    with pytest.raises(DataError, match=r"bad\.png: expected an image"):
        finished.predict(folder)
    with pytest.warns(ChainruleWarning) as said:
        answers = finished.predict(folder, on_bad="skip")
    assert any(str(warning.message).startswith("1 file was left out: bad.png") for warning in said)
    (at,) = np.flatnonzero(answers["image"] == "bad.png")
    assert answers["image"].to_list() == sorted(answers["image"])
    assert answers["problem"].is_null().to_list() == [row != at for row in range(6)]
    assert answers["problem"][int(at)].startswith("bad.png: expected an image")
    assert answers["probability high"].is_null().to_list() == [row == at for row in range(6)]
    (folder / "bad.png").unlink()
    with pytest.warns(ChainruleWarning):
        whole = finished.predict(folder)
    assert answers.drop_nulls("probability high").drop("problem").equals(whole), "rows still belong to their files"


def test_scores_of_the_files_that_can_be_read(finished, tmp_path):
    folder = plant(tmp_path / "new", *squares(6, seed=7))
    expected = finished.evaluate(folder)
    (folder / "high" / "bad.png").write_bytes(b"words")
    with pytest.raises(DataError, match="--on-bad skip"):
        finished.evaluate(folder)
    assert finished.evaluate(folder, on_bad="skip") == expected
    with pytest.raises(ArgumentError, match="on_bad must be one of 'error', 'skip'"):
        finished.evaluate(folder, on_bad="skp")


def test_a_class_that_training_did_not_know_is_named(finished, tmp_path):
    pixels, _ = squares(4)
    folder = plant(tmp_path / "new", pixels, ["high", "middle", "low", "low"])
    with pytest.raises(DataError, match="'middle' is not a class of this model"):
        finished.evaluate(folder)


def test_given_parts_are_kept_and_copies_told(tmp_path, capsys):
    pixels, names = squares(60)
    data = {"x_train": pixels[:40], "y_train": names[:40], "x_test": pixels[38:], "y_test": names[38:]}
    run = fit_images(data, run=tmp_path / "run", epochs=1, settings=QUICK, report=False)
    assert run.facts["split"]["test"] == 22
    assert run.facts["split"]["how"] == "test as given, validation stratified"
    said = capsys.readouterr().err
    assert re.search(r"\d validation (or|and) test examples? (is an exact copy|are exact copies)", said)
    assert "62 images of 12 x 10 pixels in colours, 2 classes: high, low." in said
    assert "Split (test as given, validation stratified, seed 0): 36 images to train, 4 to decide" in said


def test_augmentation_is_chosen_by_what_the_images_are(tmp_path, capsys):
    greys, names = squares(60, channels=1)
    run = fit_images((greys, names), run=tmp_path / "greys", epochs=1, report=False, settings={"width": 2})
    assert run.facts["config"]["network"] == "plain"
    assert run.facts["config"]["augment"] == "shift"
    assert "Images are not mirrored, since that changes digits and letters" in capsys.readouterr().err
    kinds = [type(layer).__name__ for layer in run.predictor.model.layers]
    assert "RandomCrop" in kinds
    assert "RandomFlip" not in kinds


def test_a_residual_network_with_every_kind_of_augmentation(tmp_path):
    settings = {"network": "residual", "width": 2, "depth": 1, "mixup": 0.2}
    run = fit_images(squares(60), run=tmp_path / "run", epochs=1, augment="strong", settings=settings, verbose=0)
    kinds = {type(layer).__name__ for layer in run.predictor.model.layers}
    assert run.predictor.model.recipe.mixup == 0.2
    assert any("two images blended each time (mixup 0.2)" in note for note in run.notes)
    assert {"RandomCrop", "RandomFlip", "RandomZoom", "RandomRotation", "RandomErasing", "Add"} <= kinds
    pixels, _ = squares(5, seed=9)
    assert load_run(run.folder).predict(pixels).equals(run.predict(pixels))


def test_bad_files_can_be_left_out(pets, tmp_path):
    folder = shutil.copytree(pets, tmp_path / "pets")
    (folder / "high" / "bad.png").write_bytes(b"words")
    with pytest.raises(DataError, match=r"high/bad\.png"):
        fit_images(folder, run=tmp_path / "run", verbose=0)
    assert not (tmp_path / "run").exists()
    run = fit_images(folder, run=tmp_path / "run", on_bad="skip", epochs=1, settings=QUICK, verbose=0, report=False)
    assert any(note.startswith("1 file was left out: high/bad.png") for note in run.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"augment": "mirror"}, "augment must be one of"),
        ({"settings": {"widht": 3}}, "Did you mean 'width'"),
        ({"settings": {"width": "many"}}, "--set width: must be a whole number"),
        ({"validation": 0.0}, "validation must be"),
        ({"size": (1, 2, 3)}, "size must be"),
    ],
)
def test_wrong_options_are_named_and_nothing_is_written(options, message, tmp_path):
    with pytest.raises(ArgumentError, match=message):
        fit_images(squares(30), run=tmp_path / "run", verbose=0, **options)
    assert not (tmp_path / "run").exists()
