"""The folder of checkpoints: newest whole one wins, nothing is lost by a failure, and retention waits."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ArgumentTypeError, ChainruleWarning, CheckpointError, FormatError
from chainrule.checkpoint import CheckpointStore


def tree(step):
    return {
        "params": {"dense": {"kernel": np.full((3, 2), step, np.float32), "bias": np.full(2, -step, np.float32)}},
        "optimizer": {"dense/kernel": {"m": np.full((3, 2), step / 2)}},
    }


def save_steps(store, *steps):
    for step in steps:
        store.save(step, tree(step), {"epoch": step // 10})


def damage(store, step):
    path = os.path.join(store.folder, f"step-{step:06d}.chainrule")
    with open(path, "r+b") as file:
        file.seek(-3, os.SEEK_END)
        byte = file.read(1)
        file.seek(-3, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))


def test_a_tree_comes_back_nested_with_its_info(tmp_path):
    store = CheckpointStore(tmp_path / "made" / "here")
    path = store.save(12, tree(12), {"epoch": 1, "best": {"loss": 0.25}})
    assert path.name == "step-000012.chainrule"
    found = store.load()
    assert (found.step, found.info) == (12, {"epoch": 1, "best": {"loss": 0.25}})
    np.testing.assert_array_equal(found.tree["params"]["dense"]["kernel"], np.full((3, 2), 12, np.float32))
    np.testing.assert_array_equal(found.tree["optimizer"]["dense"]["kernel"]["m"], np.full((3, 2), 6.0))


def test_only_the_newest_are_kept(tmp_path):
    store = CheckpointStore(tmp_path, keep=2)
    save_steps(store, 0, 5, 7, 1_000_000)
    assert store.steps() == [7, 1_000_000]
    assert store.latest() == 1_000_000
    assert sorted(os.listdir(tmp_path)) == ["step-000007.chainrule", "step-1000000.chainrule"]


def test_the_same_step_may_be_saved_again(tmp_path):
    store = CheckpointStore(tmp_path, keep=1)
    save_steps(store, 4)
    store.save(4, {"x": np.zeros(5)}, {})
    assert list(store.load(4).tree) == ["x"]
    assert store.steps() == [4]


def test_an_earlier_step_is_refused_until_the_store_is_rewound(tmp_path):
    store = CheckpointStore(tmp_path)
    save_steps(store, 10, 20, 30)
    with pytest.raises(ArgumentError, match=r"holds step 30.*rewind\(11\)"):
        save_steps(store, 11)
    store.rewind(10)
    save_steps(store, 11)
    assert store.steps() == [10, 11]


def test_rewinding_to_a_damaged_step_deletes_nothing(tmp_path):
    store = CheckpointStore(tmp_path)
    save_steps(store, 10, 20)
    damage(store, 10)
    with pytest.raises(FormatError):
        store.rewind(10)
    assert store.steps() == [10, 20]


def test_a_damaged_newest_falls_back_with_a_warning_that_names_both(tmp_path):
    store = CheckpointStore(tmp_path)
    save_steps(store, 1, 2, 3)
    damage(store, 3)
    with pytest.warns(ChainruleWarning, match=r"step 3 cannot be used, step 2 is loaded instead\..*checksum"):
        found = store.load()
    assert found.step == 2
    assert store.latest() == 2
    with pytest.raises(FormatError, match="checksum"):
        store.load(strict=True)
    with pytest.raises(FormatError, match="checksum"):
        store.load(3)


def test_no_checkpoint_that_can_be_read_is_an_error_never_a_fresh_start(tmp_path):
    store = CheckpointStore(tmp_path)
    with pytest.raises(CheckpointError, match="there are none"):
        store.load()
    save_steps(store, 1)
    damage(store, 1)
    with pytest.raises(CheckpointError, match=r"no checkpoint that can be read; there are steps 1\."):
        store.load()
    with pytest.raises(CheckpointError, match="no step 9; there are steps 1"):
        store.load(9)
    assert store.latest() is None


def test_a_renamed_file_is_not_taken_for_another_step(tmp_path):
    store = CheckpointStore(tmp_path)
    save_steps(store, 1)
    os.rename(tmp_path / "step-000001.chainrule", tmp_path / "step-000009.chainrule")
    with pytest.raises(FormatError, match="does not hold a checkpoint of step 9"):
        store.load(9)


def test_strange_names_in_the_folder_are_ignored(tmp_path):
    store = CheckpointStore(tmp_path)
    save_steps(store, 3)
    for name in (
        "step-9.chainrule",
        "step-0000009.chainrule",
        "step-" + "9" * 200 + ".chainrule",
        "step-000004.tmp",
        ".step-000009.chainrule.abc.tmp",
        "step-\u0661\u0661\u0661\u0661\u0661\u0661.chainrule",
    ):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "step-000099.chainrule").mkdir()
    assert store.steps() == [3]


@pytest.mark.parametrize("function", ["open", "fsync", "replace"])
def test_a_failing_save_keeps_every_earlier_checkpoint(tmp_path, monkeypatch, function):
    store = CheckpointStore(tmp_path, keep=1)
    save_steps(store, 1)

    def fail(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(CheckpointError, match="No space left"):
        save_steps(store, 2)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["step-000001.chainrule"]
    assert store.load().step == 1


def test_retention_deletes_only_after_the_rename_and_its_fsync(tmp_path, monkeypatch):
    store = CheckpointStore(tmp_path, keep=1)
    save_steps(store, 1)
    seen = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(handle):
        seen.append(store.latest())
        real_fsync(handle)

    def replace(old, new):
        seen.append(store.latest())
        real_replace(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    save_steps(store, 2)
    assert seen == [1, 1, 2]  # at no instant is there no whole checkpoint
    assert store.steps() == [2]


@pytest.mark.parametrize(("keep", "error"), [(0, ArgumentError), (True, ArgumentTypeError), (1.5, ArgumentTypeError)])
def test_keep_must_be_a_positive_integer(tmp_path, keep, error):
    with pytest.raises(error, match="keep"):
        CheckpointStore(tmp_path, keep=keep)


@pytest.mark.parametrize(("step", "error"), [(-1, ArgumentError), (1.0, ArgumentTypeError)])
def test_step_must_be_a_non_negative_integer(tmp_path, step, error):
    with pytest.raises(error, match="step"):
        CheckpointStore(tmp_path).save(step, {}, {})


def test_a_file_where_the_folder_should_be_is_a_checkpoint_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot be"):
        CheckpointStore(tmp_path / "file").save(1, {}, {})


SAVE_FOREVER = """
import itertools, sys, numpy as np
from chainrule.checkpoint import CheckpointStore
store = CheckpointStore(sys.argv[1], keep=2)
for step in itertools.count((store.latest() or 0) + 1):
    store.save(step, {"x": np.full(20_000, step)}, {"step": step})
    print(step, flush=True)
"""


def test_kill_at_any_moment_leaves_a_whole_newest_checkpoint(tmp_path):
    """After SIGKILL the newest checkpoint is the last one reported, or the one that was being committed."""
    store = CheckpointStore(tmp_path, keep=2)
    for delay in (0.0, 0.003, 0.017):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVE_FOREVER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        reported = int(process.stdout.readline())
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0].split()
        reported = int(rest[-1]) if rest else reported
        found = store.load(strict=True)
        assert found.step in (reported, reported + 1)
        np.testing.assert_array_equal(found.tree["x"], np.full(20_000, found.step))
        assert len(store.steps()) <= 3
