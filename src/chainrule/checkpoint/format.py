"""One safe model file: arrays and a JSON config, written atomically, verified, and read without trust.

The file is a valid safetensors file, so other programs can read its tensors, but chainrule reads only what it wrote
itself: the header carries a config of plain values and a SHA-256 over the whole file. There is no pickle, no code,
no import path, no compression and no reference to another file in it, and no switch that would allow one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import uuid
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from chainrule._base.checks import describe
from chainrule._base.errors import (
    ArgumentError,
    ArgumentTypeError,
    ChainruleWarning,
    CheckpointError,
    FormatError,
)
from chainrule.checkpoint.header import (
    DTYPES,
    MAX_BRACKETS,
    MAX_HEADER_BYTES,
    NO_DIGEST,
    Entry,
    Header,
    count_brackets,
    decode_header,
    encode_header,
    folder_clash,
    foreign_kind,
    name_problem,
)
from chainrule.checkpoint.plain import refuse

_CHUNK = 1 << 20
_Digest = Any  # hashlib's hash objects have no public type


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds.

    Args:
        arrays: the tensors by name, independent of the file on disk.
        config: the plain values that were stored with them.
        version: the file's format version.
    """

    arrays: dict[str, np.ndarray]
    config: dict[str, Any]  # Any: plain JSON values
    version: int


def write_model(path: str | os.PathLike[str], arrays: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Write ``arrays`` and ``config`` to ``path`` so that the file is whole or not there.

    A temporary file beside ``path`` is written, fsynced, read back and compared with its checksum, then renamed
    over ``path``, and the folder is fsynced. Whatever fails before the rename leaves what stood under ``path``
    untouched and no temporary file behind.

    Args:
        path: the file's name; its folder must exist.
        arrays: NumPy arrays (or what ``np.asarray`` turns into one without a copy of meaning, such as JAX arrays)
            by name. Names are parts of ``A-Z a-z 0-9 _ . -`` joined by ``/``.
        config: plain JSON values; tuples come back as lists.

    Raises:
        ArgumentError: a name or a config value cannot be stored as it is.
        ArgumentTypeError: an array's dtype or a config value's type has no place in the file.
        CheckpointError: the disk refused; the message says what stands under ``path`` now.

    Example:
        >>> import tempfile, pathlib, numpy as np
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "line.chainrule"
        >>> write_model(path, {"dense/kernel": np.ones((3, 2), np.float32)}, {"units": 2})
        >>> read_model(path).arrays["dense/kernel"].shape
        (3, 2)
    """
    tensors = _tensors(arrays)
    entries, begin = [], 0
    for name, tensor in tensors.items():
        entries.append(Entry(name, tensor.dtype, tensor.shape, begin, begin + tensor.nbytes))
        begin += tensor.nbytes
    header = encode_header(entries, config)
    _check_header_size(header)
    _write_atomically(Path(path), header, list(tensors.values()))


def read_model(
    path: str | os.PathLike[str], *, strict_finite: bool = False, max_header_bytes: int = MAX_HEADER_BYTES
) -> ModelFile:
    """Read a file that :func:`write_model` made; anything else is refused.

    The arrays are copies in memory: saving over the file later, or deleting it, does not change them.

    Args:
        path: the file.
        strict_finite: refuse NaN and Inf among the weights instead of warning.
        max_header_bytes: the largest header that is parsed; JSON takes up to 24 times its size in memory.

    Raises:
        FormatError: the file is foreign, damaged, hostile, or of a newer release.
        CheckpointError: the file cannot be opened or read at all.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "line.chainrule"
        >>> write_model(path, {"slope": np.float32([2.0])}, {"intercept": 0.5})
        >>> read_model(path)
        ModelFile(arrays={'slope': array([2.], dtype=float32)}, config={'intercept': 0.5}, version=1)
    """
    shown = os.fspath(path)
    with _opened(shown) as (file, size):
        raw = _read_header(file, size, shown, max_header_bytes)
        data_size = size - 8 - len(raw)  # not negative: the header was measured against the size
        header = decode_header(raw, data_size, shown)
        data = np.empty(data_size, np.uint8)  # as many bytes as the file was measured to have
        digest = _head_digest(_without_checksum(raw, header.sha256, shown))
        _read_data(file, data, digest, shown)
    if digest.hexdigest() != header.sha256:
        refuse(shown, "its checksum does not fit its contents: at least one byte has changed since it was saved")
    arrays = _views(header, data, shown)
    _check_finite(arrays, shown, strict_finite=strict_finite)
    return ModelFile(arrays, header.config, header.version)


def _tensors(arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Contiguous little-endian arrays, the widest elements first, so that each is aligned in the file."""
    known = {dtype.name: dtype for dtype in DTYPES.values()}
    tensors = {}
    for name, value in arrays.items():
        problem = name_problem(name)
        if problem:
            raise ArgumentError(f"write_model: the tensor name {name[:60]!r} {problem}. Rename it.")
        tensor = np.asarray(value)
        if tensor.dtype.name not in known:
            raise ArgumentTypeError(
                f"write_model: {name} must have one of the dtypes {', '.join(known)}; received {describe(tensor)}. "
                "Convert it first."
            )
        tensors[name] = tensor.astype(known[tensor.dtype.name], order="C", copy=False)
    clash = folder_clash(tensors)
    if clash:
        raise ArgumentError(f"write_model: {clash}. Rename one of them.")
    return dict(sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize))


def _check_header_size(header: bytes) -> None:
    """What could not be read back must not be written."""
    if len(header) > MAX_HEADER_BYTES or count_brackets(header) > MAX_BRACKETS:
        raise ArgumentError(
            f"write_model: names and config must take at most {MAX_HEADER_BYTES} bytes and {MAX_BRACKETS} lists and "
            f"objects; received {len(header)} bytes and {count_brackets(header)}. Store long lists as arrays."
        )


def _write_atomically(target: Path, header: bytes, tensors: list[np.ndarray]) -> None:
    digest = _head_digest(header)
    for tensor in tensors:
        digest.update(_bytes_of(tensor))
    checksum = digest.hexdigest()
    head = len(header).to_bytes(8, "little") + header.replace(NO_DIGEST, checksum.encode(), 1)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    kept = "what stood there before is untouched"
    try:
        _write_file(temporary, head, tensors)
        _check_written(temporary, head, checksum)
        os.replace(temporary, target)
        kept = "the new file stands there, whole, but the disk has not confirmed it against a power loss"
        _sync_folder(target.parent)
    except OSError as error:
        raise CheckpointError(
            f"{target}: the save failed ({error.strerror or error}); {kept}. "
            "Check the folder, its permissions and the free space, and save again."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _write_file(path: Path, head: bytes, tensors: list[np.ndarray]) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
        file.write(head)
        for tensor in tensors:
            file.write(_bytes_of(tensor))
        file.flush()
        os.fsync(file.fileno())


def _check_written(path: Path, head: bytes, checksum: str) -> None:
    with open(path, "rb") as file:
        if file.read(len(head)) != head:
            raise OSError("the header that was read back is not the one that was written")
        digest = _head_digest(head[8:].replace(checksum.encode(), NO_DIGEST, 1))
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != checksum:
        raise OSError("the data that was read back is not what was written")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[tuple[BinaryIO, int]]:
    """The file and its size; only regular files, and without waiting for the writer of a FIFO."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            os.close(handle)
            raise FormatError(f"{path}: a model is one regular file. Give the path of a .chainrule file.")
        with open(handle, "rb") as file:
            yield file, status.st_size
    except OSError as error:
        raise CheckpointError(
            f"{path}: cannot be read ({error.strerror or error}). Check the path and its permissions."
        ) from error


def _read_header(file: BinaryIO, size: int, path: str, limit: int) -> bytes:
    start = file.read(9)
    kind = foreign_kind(start) if start[8:] != b"{" else None  # a length may look like the start of a pickle
    if kind:
        raise FormatError(
            f"{path}: this is {kind}, not a chainrule model, and nothing in it was run. "
            "Give a file that was written by save."
        )
    if start[8:] != b"{":
        refuse(path, f"no JSON header begins at byte 8 of the {size} bytes")
    length = int.from_bytes(start[:8], "little")
    if not 0 < length <= size - 8:
        refuse(path, f"the header claims {length} bytes, but {size - 8} follow (byte 0)")
    if length > limit:
        raise FormatError(
            f"{path}: the header has {length} bytes, more than max_header_bytes={limit}. "
            "If you trust the file, read it with a larger max_header_bytes."
        )
    return start[8:] + file.read(length - 1)


def _read_data(file: BinaryIO, data: np.ndarray, digest: _Digest, path: str) -> None:
    view, position = data.data, 0
    while position < len(view):
        count = file.readinto(view[position : position + _CHUNK])  # type: ignore[attr-defined]  # BinaryIO lacks it
        if not count:
            refuse(path, f"the file ends at byte {position} of the data")
        digest.update(view[position : position + count])
        position += count


def _head_digest(header: bytes) -> _Digest:
    """A SHA-256 that has seen the length and the header, its checksum being zeros."""
    return hashlib.sha256(len(header).to_bytes(8, "little") + header)


def _without_checksum(raw: bytes, checksum: str, path: str) -> bytes:
    if raw.count(checksum.encode()) != 1:
        refuse(path, "the checksum must stand once in the header")
    return raw.replace(checksum.encode(), NO_DIGEST)


def _bytes_of(tensor: np.ndarray) -> memoryview:
    return tensor.reshape(-1).view(np.uint8).data


def _views(header: Header, data: np.ndarray, path: str) -> dict[str, np.ndarray]:
    arrays = {}
    for entry in header.entries:
        part = data[entry.begin : entry.end]
        if entry.dtype == np.bool_ and part.size and part.max() > 1:
            refuse(path, f"tensor {entry.name!r} holds booleans that are neither 0 nor 1")
        arrays[entry.name] = part.view(entry.dtype).reshape(entry.shape)
    return arrays


def _check_finite(arrays: Mapping[str, np.ndarray], path: str, *, strict_finite: bool) -> None:
    bad = [
        name
        for name, array in arrays.items()
        if array.dtype.kind not in "iub" and not np.isfinite(array).all()  # bfloat16 has kind "V"
    ]
    if not bad:
        return
    named = ", ".join(bad[:5]) + (f" and {len(bad) - 5} more" if len(bad) > 5 else "")
    message = f"{path}: NaN or Inf stands in {named}"
    if strict_finite:
        raise FormatError(f"{message}; strict_finite=True refuses it. Load a checkpoint from before.")
    warnings.warn(f"{message}; predictions will be NaN or Inf too.", ChainruleWarning, stacklevel=3)
