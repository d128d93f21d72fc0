import gzip
import struct

import numpy as np
import pytest

from chainrule.data.sources.idx import idx_pairs, is_idx_images, read_idx
from chainrule.errors import DataError


def idx(array, code=8):
    """The format by hand: two zeros, type, axes, sizes (big-endian), numbers."""
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5)


def test_numbers_and_shape_come_back(tmp_path):
    (tmp_path / "a").write_bytes(idx(IMAGES))
    (tmp_path / "b").write_bytes(gzip.compress(idx(IMAGES)))
    for name in "ab":
        found = read_idx(tmp_path / name)
        np.testing.assert_array_equal(found, IMAGES)
        assert found.dtype == np.uint8
    wide = np.array([[-7, 300, 2**31 - 1]], ">i4")
    (tmp_path / "c").write_bytes(idx(wide, 0x0C))
    np.testing.assert_array_equal(read_idx(tmp_path / "c"), wide)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected an IDX file"),
        (b"\x89PNG\r\n\x1a\n", "expected an IDX file"),
        (idx(IMAGES)[:9], "ends within its header"),
        (idx(IMAGES)[:-1], "announces 30 bytes; the file holds 29"),
        (idx(IMAGES) + b"!", "announces 30 bytes; the file holds more"),
        (bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**31, 2**31, 2**31), "more than the file can hold"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-9], "cannot be read"),
        (gzip.compress(idx(IMAGES), mtime=0)[:10] + b"\xff" * 30, "cannot be read"),
        (bytes([0, 0, 8, 200]), "expected an IDX file"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, data, message):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(data)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(tmp_path / "train-images-idx3-ubyte")
    assert str(caught.value).startswith("train-images-idx3-ubyte: ")


def test_names_of_both_spellings_make_pairs():
    names = ["t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte", "train-images-idx3-ubyte.gz", "x.gz"]
    assert idx_pairs(names) == {"t10k": ("t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte")}
    assert is_idx_images("train-images-idx3-ubyte.gz")
    assert not is_idx_images("images.png")
