"""IDX, the format of MNIST and its successors: a header with type and sizes, then the numbers.

Reference: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", the section "File formats",
http://yann.lecun.com/exdb/mnist/.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np

from chainrule._base.errors import DataError

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
_MOST_RATIO = 1032  # deflate packs no tighter
_MOST_AXES = 4
_NAME = re.compile(r"(?P<prefix>.*?)[-_.]?(?P<what>images|labels)[-_.]idx(?P<axes>\d)[-_.]ubyte(\.gz)?$", re.IGNORECASE)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_idx(path: str | Path) -> np.ndarray:
    """The array in an IDX file, gzipped or not.

    Nothing is allocated that the file's own size does not justify.

    Raises:
        DataError: the file is no IDX file, cut short, or longer than its header says.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "labels-idx1-ubyte"
        ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
        ...     read_idx(file).tolist()
        [7, 2, 1]
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            is_packed = file.read(2) == _GZIP
            file.seek(0)
            if not is_packed:
                return _read(file, path.name, size)
            return _read(gzip.GzipFile(fileobj=file), path.name, size * _MOST_RATIO)
    except (EOFError, zlib.error, OSError) as error:
        raise DataError(f"{path.name}: the file cannot be read ({error}). Download it again.") from error


def is_idx_images(name: str) -> bool:
    """Whether a file's name is that of IDX images.

    Example:
        >>> is_idx_images("t10k-images-idx3-ubyte.gz"), is_idx_images("t10k-labels-idx1-ubyte")
        (True, False)
    """
    match = _NAME.fullmatch(name)
    return match is not None and match["what"].lower() == "images"


def idx_pairs(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Pairs of image and label files by what stands before ``images`` in their names.

    Example:
        >>> idx_pairs(["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "readme.txt"])
        {'train': ('train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz')}
    """
    found: dict[str, dict[str, str]] = {}
    for name in sorted(names):
        if match := _NAME.fullmatch(name):
            found.setdefault(match["prefix"].lower(), {}).setdefault(match["what"].lower(), name)
    return {
        prefix: (pair["images"], pair["labels"]) for prefix, pair in found.items() if {"images", "labels"} <= set(pair)
    }


def _read(file: _Readable, name: str, most: int) -> np.ndarray:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES or not 1 <= head[3] <= _MOST_AXES:
        raise DataError(
            f"{name}: expected an IDX file, which begins with two zeros, a type and a number of axes; received "
            f"{head.hex(' ') or 'nothing'}. Give another file."
        )
    sizes = file.read(4 * head[3])
    if len(sizes) < 4 * head[3]:
        raise DataError(f"{name}: the file ends within its header. Download it again.")
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    kind = np.dtype(_TYPES[head[2]])
    wanted = math.prod(shape) * kind.itemsize
    if wanted > most:
        raise DataError(
            f"{name}: its header announces {wanted:,} bytes ({' x '.join(map(str, shape))}), more than the file can "
            "hold. Download it again."
        )
    data = file.read(wanted + 1)
    if len(data) != wanted:
        more = "more" if len(data) > wanted else f"{len(data):,}"
        raise DataError(f"{name}: its header announces {wanted:,} bytes; the file holds {more}. Download it again.")
    return np.frombuffer(data, kind).reshape(shape).astype(kind.newbyteorder("="))
