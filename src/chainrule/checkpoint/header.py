"""The strict header of a ``.chainrule`` file: bytes to checked entries, and entries to bytes.

A file is a safetensors file with stricter rules::

    8 bytes          length of the header, little endian
    header           JSON: {"__metadata__": {format, version, needs, config, sha256},
                            name of a tensor: {dtype, shape, data_offsets}, ...}
    data             the tensors, one behind the other, uncompressed, without a hole

Everything in a header is a claim by whoever wrote the file. Each claim is checked here, in Python integers and
before any array is made, so a header can neither cause an allocation that the file's size does not justify nor
name anything that would run.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from chainrule._base.errors import FormatError
from chainrule.checkpoint.plain import check_plain, parse_plain, refuse

VERSION = 1
NEEDS = "0.1.0"  # the oldest release that reads files of this version
MAX_HEADER_BYTES = 8 << 20  # JSON takes up to some 24 times its size in memory
MAX_BRACKETS = 500_000  # lists and objects are what JSON costs most time and memory
MAX_NAME = 512
MAX_DIMENSIONS = 64  # NumPy's own
MAX_ELEMENTS = 1 << 56  # counted with empty axes as 1, so that an empty array cannot overflow NumPy
NO_DIGEST = b"0" * 64  # stands for the checksum while the checksum is computed
DTYPES = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
_NAME = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_FOREIGN = {  # how files start that are often taken for model files
    b"\x80": "a pickle",
    b"\x93NUMPY": "a NumPy .npy file",
    b"PK": "a zip archive (.npz, .keras or .pt)",
    b"\x89HDF": "an HDF5 file",
    b"\x1f\x8b": "a gzip file",
}
# `Any` below: a value from JSON, not yet known to be anything.


@dataclass(frozen=True)
class Entry:
    """Where one tensor lies in the data, and what it is."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """A header that has passed every check but the checksum."""

    entries: tuple[Entry, ...]
    config: dict[str, Any]
    version: int
    sha256: str


def name_problem(name: str) -> str | None:
    """What is wrong with ``name`` as the name of a tensor, or ``None``.

    Example:
        >>> name_problem("dense/kernel") is None, name_problem("../secret")
        (True, "must not hold '..'")
    """
    if not 1 <= len(name) <= MAX_NAME:
        return f"must have 1 to {MAX_NAME} characters"
    if ".." in name:
        return "must not hold '..'"
    if name == "__metadata__":
        return "is reserved"
    if not _NAME.fullmatch(name):
        return "must be made of A-Z a-z 0-9 _ . - with single '/' between its parts"
    return None


def folder_clash(names: Iterable[str]) -> str | None:
    """Say which name is also a folder of names (``a`` beside ``a/b`` is no tree), or return ``None``."""
    known = set(names)
    for name in known:
        parts = name.split("/")
        for length in range(1, len(parts)):
            parent = "/".join(parts[:length])
            if parent in known:
                return f"tensor {parent!r} is also a folder, of {name!r}"
    return None


def encode_header(entries: Iterable[Entry], config: Mapping[str, Any]) -> bytes:
    """The header's bytes, with zeros where the checksum will stand, padded with spaces to 8 bytes."""
    check_plain(config, "config")
    dtype_names = {dtype: name for name, dtype in DTYPES.items()}
    metadata = {
        "sha256": NO_DIGEST.decode(),  # first, so that it is the first run of zeros, whatever the config holds
        "format": "chainrule",
        "version": str(VERSION),
        "needs": NEEDS,
        "config": json.dumps(config, separators=(",", ":")),
    }
    table: dict[str, Any] = {"__metadata__": metadata}
    for entry in entries:
        offsets = [entry.begin, entry.end]
        table[entry.name] = {
            "dtype": dtype_names[entry.dtype],
            "shape": list(entry.shape),
            "data_offsets": offsets,
        }
    text = json.dumps(table, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8)


def count_brackets(raw: bytes) -> int:
    """An upper bound on the lists and objects in a header, those of the config included."""
    return raw.count(b"[") + raw.count(b"{")


def foreign_kind(start: bytes) -> str | None:
    """What kind of foreign file begins with ``start``, or ``None`` if it may be ours."""
    return next((kind for magic, kind in _FOREIGN.items() if start.startswith(magic)), None)


def decode_header(raw: bytes, data_size: int, path: str) -> Header:
    """Check every claim of a header whose data part has ``data_size`` bytes.

    Raises:
        FormatError: naming ``path``, the place and what to do.
    """
    brackets = count_brackets(raw)
    if brackets > MAX_BRACKETS:
        refuse(path, f"the header holds {brackets} lists and objects, more than {MAX_BRACKETS}")
    table = parse_plain(raw.rstrip(b" "), path, "the header")
    metadata = table.pop("__metadata__", None)
    version = _check_metadata(metadata, path)
    config = parse_plain(metadata["config"], path, "the config")
    entries = sorted((_entry(name, claim, path) for name, claim in table.items()), key=_position)
    expected = 0
    for entry in entries:
        if entry.begin != expected:
            refuse(path, f"tensor {entry.name!r} begins at byte {entry.begin} of the data, not at {expected}")
        expected = entry.end
    if expected != data_size:
        refuse(path, f"the tensors fill {expected} bytes, but {data_size} bytes of data follow the header")
    clash = folder_clash(table)
    if clash:
        refuse(path, clash)
    return Header(tuple(entries), config, version, metadata["sha256"])


def _check_metadata(metadata: Any, path: str) -> int:
    if not isinstance(metadata, dict) or metadata.get("format") != "chainrule":
        raise FormatError(
            f"{path}: the header does not say format 'chainrule'. If this is a safetensors file of another "
            "program, build the model in Python and set its weights instead."
        )
    if not all(isinstance(value, str) for value in metadata.values()):
        refuse(path, "the header's metadata must be text")
    version, needs = metadata.get("version", ""), metadata.get("needs", "")
    if not re.fullmatch(r"[1-9][0-9]{0,5}", version, re.ASCII):
        refuse(path, "the header names no format version")
    if int(version) > VERSION:
        release = needs if re.fullmatch(r"[0-9.]{1,20}", needs, re.ASCII) else "a newer release"
        raise FormatError(
            f"{path}: the file has format version {version}, and this release reads up to {VERSION}. "
            f"It needs chainrule >= {release}. Type: pip install --upgrade chainrule."
        )
    if set(metadata) != {"format", "version", "needs", "config", "sha256"}:
        refuse(path, "the header's metadata must be format, version, needs, config and sha256")
    if not re.fullmatch(r"[0-9a-f]{64}", metadata["sha256"], re.ASCII):
        refuse(path, "the header holds no sha256 checksum")
    return int(version)


def _entry(name: str, claim: Any, path: str) -> Entry:
    shown = repr(name[:60])
    problem = name_problem(name)
    if problem:
        refuse(path, f"the tensor name {shown} {problem}")
    if not isinstance(claim, dict) or set(claim) != {"dtype", "shape", "data_offsets"}:
        refuse(path, f"tensor {shown} must have dtype, shape and data_offsets, and nothing else")
    code, shape, offsets = claim["dtype"], claim["shape"], claim["data_offsets"]
    if not isinstance(code, str) or code not in DTYPES:
        refuse(path, f"tensor {shown} has the dtype {str(code)[:20]!r}; known are {', '.join(DTYPES)}")
    if not _are_sizes(shape) or len(shape) > MAX_DIMENSIONS:
        refuse(path, f"the shape of tensor {shown} must be at most {MAX_DIMENSIONS} non-negative integers")
    if not _are_sizes(offsets) or len(offsets) != 2:
        refuse(path, f"the data_offsets of tensor {shown} must be two non-negative integers")
    if math.prod(max(size, 1) for size in shape) > MAX_ELEMENTS:
        refuse(path, f"the shape of tensor {shown} is too large")
    begin, end = offsets
    wanted = math.prod(shape) * DTYPES[code].itemsize
    if end - begin != wanted:
        refuse(path, f"tensor {shown} needs {wanted} bytes, but its data_offsets span {end - begin}")
    return Entry(name, DTYPES[code], tuple(shape), begin, end)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _position(entry: Entry) -> tuple[int, int]:
    return entry.begin, entry.end
