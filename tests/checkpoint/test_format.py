"""The model file: exact round trips, atomic saves, and refusal of everything that is not whole."""

import errno
import os
import pickle
import struct
import warnings
import zipfile

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from chainrule._base.errors import ArgumentError, ArgumentTypeError, ChainruleWarning, CheckpointError, FormatError
from chainrule.checkpoint import format as model_format
from chainrule.checkpoint import read_model, write_model

CONFIG = {"type": "Sequential", "layers": [{"type": "Dense", "units": 3, "rate": 0.1}], "note": "Größe", "none": None}


def small_arrays():
    rng = np.random.default_rng(0)
    return {
        "params/dense/kernel": rng.normal(size=(5, 3)).astype(np.float32),
        "params/dense/bias": rng.normal(size=3).astype(np.float64),
        "state/count": np.int32(7),
        "state/mask": np.array([True, False]),
    }


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "small.chainrule"
    write_model(path, small_arrays(), CONFIG)
    return path


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == np.shape(array), name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_round_trip_keeps_names_bits_and_config(saved):
    """C54: weights and config come back bit for bit from a saved file."""
    file = read_model(saved)
    assert_same(file.arrays, small_arrays())
    assert file.config == CONFIG
    assert list(file.config) == list(CONFIG)  # the order of keys is kept
    assert file.version == 1


@pytest.mark.parametrize(
    "dtype",
    ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool"],
)
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (5,), (3, 2)])
def test_every_dtype_and_empty_shapes_come_back(tmp_path, dtype, shape):
    array = np.random.default_rng(1).integers(0, 2, shape).astype(dtype)
    write_model(tmp_path / "a", {"x": array, "odd": np.int8([1, 2, 3])}, {})
    assert_same(read_model(tmp_path / "a").arrays, {"x": array, "odd": np.int8([1, 2, 3])})


def test_bfloat16_extremes_come_back_bit_for_bit(tmp_path):
    bits = np.array([0, 0x8000, 1, 0x7F7F, 0xFF7F, 0x3F80, 0x0080], np.uint16)
    write_model(tmp_path / "a", {"x": bits.view(ml_dtypes.bfloat16)}, {})
    found = read_model(tmp_path / "a").arrays["x"]
    assert found.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(found.view(np.uint16), bits)


def test_foreign_byte_order_and_strides_are_stored_by_value(tmp_path):
    array = np.arange(12, dtype=">f4").reshape(3, 4).T[::-1]
    write_model(tmp_path / "a", {"x": array}, {})
    np.testing.assert_array_equal(read_model(tmp_path / "a").arrays["x"], array)
    assert array.dtype == ">f4"  # the caller's array is as it was


def test_arrays_are_aligned_for_their_dtype(tmp_path):
    write_model(tmp_path / "a", {"a": np.int8([1]), "b": np.float64([2]), "c": np.float16([3, 4, 5])}, {})
    assert all(array.flags.aligned for array in read_model(tmp_path / "a").arrays.values())


def test_other_programs_can_read_the_tensors(saved):
    """The library safetensors is the independent judge of the layout."""
    assert_same(safetensors.numpy.load_file(saved), small_arrays())


def test_a_config_that_holds_a_run_of_zeros_comes_back(tmp_path):
    """The place of the checksum is marked by zeros while it is computed; the config may hold the same text."""
    config = {"a": "0" * 64, "b": ["0" * 200]}
    write_model(tmp_path / "a", {"0" * 64: np.float32([1])}, config)
    file = read_model(tmp_path / "a")
    assert file.config == config
    assert list(file.arrays) == ["0" * 64]


def test_same_content_gives_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_model(tmp_path / name, small_arrays(), CONFIG)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_saving_over_the_loaded_file_keeps_every_byte(saved):
    before = saved.read_bytes()
    file = read_model(saved)
    write_model(saved, file.arrays, file.config)
    assert saved.read_bytes() == before
    saved.write_bytes(b"\0" * len(before))
    assert_same(file.arrays, small_arrays())  # what was loaded does not depend on the file


# --- what may not be written ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", "a b", "../x", "a/../b", "a//b", "/a", "a/", "é", "a\0b", "x" * 513, "__metadata__", "a\n"]
)
def test_names_outside_the_grammar_are_refused(tmp_path, name):
    with pytest.raises(ArgumentError, match="tensor name"):
        write_model(tmp_path / "a", {name: np.zeros(1)}, {})
    assert os.listdir(tmp_path) == []


def test_a_tensor_that_is_also_a_folder_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="'a/b' is also a folder, of 'a/b/c'"):
        write_model(tmp_path / "a", {"a/b": np.zeros(1), "a/b/c": np.zeros(1)}, {})


@pytest.mark.parametrize(
    "value", [np.array(["text"]), np.array([object()]), np.zeros(2, complex), np.zeros(1, "M8[s]")]
)
def test_dtypes_without_a_place_are_refused(tmp_path, value):
    with pytest.raises(ArgumentTypeError, match="x must have one of the dtypes"):
        write_model(tmp_path / "a", {"x": value}, {})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"a": [1, {"b": float("nan")}]}, r"config\['a'\]\[1\]\['b'\] must be finite"),
        ({"a": float("inf")}, "must be finite"),
        ({1: 2}, "keys of config must be text"),
        ({"a": np.float32(1)}, "received float32"),
        ({"a": {1, 2}}, "received set"),
        ({"a": 1 << 1025}, "at most 1024 bits"),
    ],
)
def test_config_values_that_json_would_change_are_refused(tmp_path, config, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        write_model(tmp_path / "a", {}, config)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("levels", [60, 64, 65, 66, 100, 100_000])
def test_a_config_that_can_be_written_can_be_read(tmp_path, levels):
    config = {}
    for _ in range(min(levels, 900)):
        config = {"a": config}
    try:
        write_model(tmp_path / "a", {}, config)
    except ArgumentError:
        assert levels > 64
    else:
        assert read_model(tmp_path / "a").config == config


@pytest.mark.parametrize("size", range(0, 700, 8))
def test_no_header_length_looks_like_a_foreign_file(tmp_path, size):
    """A length of 640 begins with the bytes of a pickle of protocol 2; 19280 begins with those of a zip."""
    write_model(tmp_path / "a", {}, {"text": "x" * size})
    write_model(tmp_path / "b", {}, {"text": "x" * (19280 - 350 + size)})
    assert len(read_model(tmp_path / "a").config["text"]) == size
    read_model(tmp_path / "b")


# --- what may not be read ------------------------------------------------------------------------------------------


def test_every_truncation_is_refused(saved):
    """A file cut at any byte is refused as a format error, and never as anything else."""
    whole = saved.read_bytes()
    assert 600 < len(whole) < 2048
    for length in range(len(whole) - 1, -1, -1):
        os.truncate(saved, length)
        with pytest.raises(FormatError, match=r"small\.chainrule: "):
            read_model(saved)


def test_every_single_bit_flip_is_refused(saved):
    whole = saved.read_bytes()
    with open(saved, "r+b", buffering=0) as file:
        for position, byte in enumerate(whole):
            for bit in range(8):
                os.pwrite(file.fileno(), bytes([byte ^ (1 << bit)]), position)
                with pytest.raises(FormatError):
                    read_model(saved)
            os.pwrite(file.fileno(), bytes([byte]), position)
    assert_same(read_model(saved).arrays, small_arrays())  # undamaged again: the loop tested the flips alone


@pytest.mark.parametrize("extra", [b"\0", b" ", b"\0" * 4096, b"PK\5\6" + b"\0" * 18])
def test_trailing_bytes_are_refused(saved, extra):
    with open(saved, "ab") as file:
        file.write(extra)
    with pytest.raises(FormatError, match="bytes of data follow the header"):
        read_model(saved)


class Marker:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def _zip_of(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)


@pytest.mark.parametrize(
    "suffix", ["chainrule", "pkl", "pt", "pth", "bin", "npy", "npz", "joblib", "safetensors", "keras", "h5", "zip"]
)
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_pickles_are_refused_under_every_extension_and_never_run(tmp_path, suffix, protocol):
    marker = tmp_path / "marker"
    content = pickle.dumps(Marker(marker), protocol)
    path = tmp_path / f"model.{suffix}"
    if suffix in ("npz", "keras", "zip", "pt"):
        _zip_of(path, content)
    elif suffix == "npy":
        np.save(path, np.array([Marker(marker)]), allow_pickle=True)
    else:
        path.write_bytes(content)
    with pytest.raises(FormatError, match=r"model\."):
        read_model(path)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (pickle.dumps([1]), "pickle"),
        (b"\x93NUMPY\x01\x00", "npy"),
        (b"PK\x03\x04", "zip"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x1f\x8b\x08", "gzip"),
    ],
)
def test_foreign_files_are_named(tmp_path, start, kind):
    (tmp_path / "a").write_bytes(start + b"\0" * 100)
    with pytest.raises(FormatError, match=kind):
        read_model(tmp_path / "a")


def test_a_directory_and_a_fifo_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(FormatError, match="regular file"):
            read_model(path)


def test_a_missing_file_is_a_checkpoint_error_with_its_path(tmp_path):
    with pytest.raises(CheckpointError, match=r"gone\.chainrule: cannot be read \(No such file"):
        read_model(tmp_path / "gone.chainrule")


def test_a_newer_version_names_the_release_it_needs(saved):
    content = saved.read_bytes().replace(b'"version":"1","needs":"0.1.0"', b'"version":"2","needs":"7.8.9"')
    saved.write_bytes(content)
    with pytest.raises(FormatError, match=r"format version 2.*needs chainrule >= 7\.8\.9"):
        read_model(saved)


def test_a_large_header_names_the_setting(tmp_path):
    write_model(tmp_path / "a", {}, {"text": "x" * 5000})
    with pytest.raises(FormatError, match="max_header_bytes=1000"):
        read_model(tmp_path / "a", max_header_bytes=1000)
    with pytest.raises(ArgumentError, match="at most 8388608 bytes"):
        write_model(tmp_path / "b", {}, {"text": "x" * (8 << 20)})
    with pytest.raises(ArgumentError, match="at most 8388608 bytes and 500000 lists"):
        write_model(tmp_path / "b", {}, {"lists": [[]] * 500_000})
    assert not (tmp_path / "b").exists()


# --- NaN -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, ml_dtypes.bfloat16])
def test_nan_weights_warn_once_and_name_the_tensors(tmp_path, dtype):
    arrays = {"a/kernel": np.array([1, np.nan], dtype), "b": np.array([np.inf], dtype), "c": np.array([1], dtype)}
    write_model(tmp_path / "a", arrays, {})
    with pytest.warns(ChainruleWarning, match="NaN or Inf stands in a/kernel, b;") as caught:
        read_model(tmp_path / "a")
    assert len(caught) == 1
    with pytest.raises(FormatError, match="strict_finite=True refuses"):
        read_model(tmp_path / "a", strict_finite=True)


def test_finite_weights_do_not_warn(saved):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_model(saved, strict_finite=True)


# --- a save that fails ---------------------------------------------------------------------------------------------


def _failing(real, error, at):
    """``real``, but call number ``at`` raises."""
    calls = []

    def call(*arguments, **keywords):
        calls.append(arguments)
        if len(calls) == at:
            raise OSError(error, os.strerror(error))
        return real(*arguments, **keywords)

    return call


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EXDEV])
@pytest.mark.parametrize(("function", "at"), [("open", 1), ("fsync", 1), ("replace", 1)])
def test_a_failing_save_leaves_the_previous_file_and_nothing_else(saved, monkeypatch, function, at, error):
    before = saved.read_bytes()
    monkeypatch.setattr(os, function, _failing(getattr(os, function), error, at))
    with pytest.raises(CheckpointError, match=r"the save failed.*untouched"):
        write_model(saved, {"other": np.zeros(3)}, {})
    monkeypatch.undo()
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


def test_an_unconfirmed_rename_is_reported_and_leaves_a_whole_file(saved, monkeypatch):
    monkeypatch.setattr(os, "fsync", _failing(os.fsync, errno.EIO, 2))  # the second fsync is the folder's
    with pytest.raises(CheckpointError, match="not confirmed"):
        write_model(saved, {"other": np.zeros(3)}, {})
    assert list(read_model(saved).arrays) == ["other"]
    assert os.listdir(saved.parent) == [saved.name]


def test_what_is_read_back_differently_is_not_put_in_place(saved, monkeypatch):
    before = saved.read_bytes()
    real = model_format._write_file

    def write_then_decay(path, head, tensors):
        real(path, head, tensors)
        with open(path, "r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\x55")

    monkeypatch.setattr(model_format, "_write_file", write_then_decay)
    with pytest.raises(CheckpointError, match="read back"):
        write_model(saved, {"other": np.zeros(3)}, {})
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


def test_fsync_comes_before_rename_and_the_folder_after(saved, monkeypatch):
    order = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(handle):
        order.append("fsync folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "fsync file")
        real_fsync(handle)

    def replace(old, new):
        order.append("rename")
        real_replace(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_model(saved, {}, {})
    assert order == ["fsync file", "rename", "fsync folder"]


def test_an_interrupted_save_leaves_no_temporary_file(saved, monkeypatch):
    before = saved.read_bytes()

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_model(saved, {"other": np.zeros(3)}, {})
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


def test_a_missing_folder_is_a_checkpoint_error(tmp_path):
    with pytest.raises(CheckpointError, match="No such file"):
        write_model(tmp_path / "gone" / "a", {}, {})


def test_the_length_field_is_little_endian_and_the_data_begins_on_eight_bytes(saved):
    (length,) = struct.unpack("<Q", saved.read_bytes()[:8])
    assert length % 8 == 0
    assert saved.read_bytes()[8:9] == b"{"
