import json
from datetime import datetime

import numpy as np
import pytest

from chainrule.errors import ArgumentError, CheckpointError
from chainrule.tasks.run_folder import check_free, claim, plain, write_whole

NOW = datetime(2026, 3, 4, 5, 6, 7)


def test_the_default_folder_is_named_by_data_and_time_and_never_taken_twice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = claim(None, "my heart.csv", NOW), claim(None, "my heart.csv", NOW)
    assert str(first.path) == "runs/my-heart-20260304-050607"
    assert str(second.path) == "runs/my-heart-20260304-050607-2"


def test_a_folder_with_files_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ArgumentError, match="holds files"):
        check_free(tmp_path)
    with pytest.raises(ArgumentError, match="this is a file"):
        check_free(tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_only_a_folder_of_ones_own_is_taken_away(tmp_path):
    given, own = tmp_path / "given", tmp_path / "own"
    given.mkdir()
    for path in (given, own):
        folder = claim(path, "x.csv", NOW)
        folder.write_text("a.txt", "a")
        folder.remove()
    assert given.is_dir()
    assert not own.exists()


def test_a_file_is_whole_or_as_before(tmp_path, monkeypatch):
    path = write_whole(tmp_path / "a.json", "old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(CheckpointError, match="No space left"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_json_has_no_nan_and_no_numpy(tmp_path):
    folder = claim(tmp_path / "r", "x.csv", NOW)
    folder.write_json("a.json", {"a": np.float32("nan"), "b": np.arange(2), 3: (np.int64(1), float("inf"))})
    assert json.loads((tmp_path / "r" / "a.json").read_text()) == {"a": None, "b": [0, 1], "3": [1, None]}
    assert plain({"x": [np.bool_(True)]}) == {"x": [True]}
