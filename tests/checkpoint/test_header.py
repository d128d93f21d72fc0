"""Hostile headers: every claim is refused by a format error, fast, and without the memory it asks for."""

import hashlib
import json
import struct

import numpy as np
import pytest

from chainrule._base.errors import FormatError
from chainrule.checkpoint import read_model

ZEROS = "0" * 64
META = {"format": "chainrule", "version": "1", "needs": "0.1.0", "config": "{}", "sha256": ZEROS}
BIG = 1 << 62


def entry(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


def build(path, header, data=b"\0" * 8):
    """A file with a right checksum around ``header`` (text or an object), so that only the header can be refused."""
    raw = (header if isinstance(header, str) else json.dumps(header)).encode()
    digest = hashlib.sha256(struct.pack("<Q", len(raw)) + raw + data).hexdigest()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw.replace(ZEROS.encode(), digest.encode()) + data)
    return path


def meta(**changes):
    return {"__metadata__": {key: value for key, value in {**META, **changes}.items() if value is not ...}}


def with_entry(*entries, **more):
    return {**meta(), **{f"t{index}": item for index, item in enumerate(entries)}, **more}


def object_text(*pairs):
    """A JSON object in which a key may stand twice."""
    return "{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in pairs) + "}"


def test_the_builder_makes_a_good_file(tmp_path):
    """Without this, every refusal below could have another reason than the one it tests."""
    data = struct.pack("<2f", 1.5, -2.0)
    file = read_model(build(tmp_path / "good", with_entry(entry()), data))
    np.testing.assert_array_equal(file.arrays["t0"], np.float32([1.5, -2.0]))


HOSTILE = {
    "no metadata": {"t0": entry()},
    "metadata is a list": {"__metadata__": [1], "t0": entry()},
    "another format": with_entry(entry()) | meta(format="pt"),
    "no format": with_entry(entry()) | meta(format=...),
    "no version": with_entry(entry()) | meta(version=...),
    "version zero": with_entry(entry()) | meta(version="0"),
    "version in other digits": with_entry(entry()) | meta(version="\u0661"),
    "version a number": with_entry(entry()) | meta(version=1),
    "huge version": with_entry(entry()) | meta(version="9" * 5000),
    "newer version": with_entry(entry()) | meta(version="2", needs="<script>"),
    "no checksum": with_entry(entry()) | meta(sha256=...),
    "short checksum": with_entry(entry()) | meta(sha256="0" * 63),
    "uppercase checksum": with_entry(entry()) | meta(sha256="A" * 64),
    "no config": with_entry(entry()) | meta(config=...),
    "config is no JSON": with_entry(entry()) | meta(config="__import__('os')"),
    "config is a list": with_entry(entry()) | meta(config="[]"),
    "config has NaN": with_entry(entry()) | meta(config='{"rate": NaN}'),
    "config overflows": with_entry(entry()) | meta(config='{"rate": 1e999}'),
    "config repeats a key": with_entry(entry()) | meta(config='{"a": 1, "a": 2}'),
    "config repeats a key below": with_entry(entry()) | meta(config='{"a": [{"b": 1, "b": 2}]}'),
    "config is deep": with_entry(entry()) | meta(config='{"a":' * 70 + "1" + "}" * 70),
    "config is very deep": with_entry(entry()) | meta(config='{"a":' + "[" * 100_000 + "]" * 100_000 + "}"),
    "config has a huge integer": with_entry(entry()) | meta(config='{"a":' + "9" * 10_000 + "}"),
    "an extra metadata key": with_entry(entry()) | meta(code="import os"),
    "unknown dtype": with_entry(entry("F128")),
    "dtype is a list": with_entry(entry(["F32"])),
    "dtype of objects": with_entry(entry("O")),
    "shape is text": with_entry(entry(shape="2")),
    "shape is null": with_entry(entry(shape=None)),
    "negative size": with_entry(entry(shape=(-2,))),
    "two negative sizes": with_entry(entry(shape=(-1, -2))),
    "boolean size": with_entry(entry(shape=(True, 2))),
    "fractional size": with_entry(entry(shape=(2.0,))),
    "product overflows": with_entry(entry(shape=(BIG, BIG, 4))),
    "empty but overflowing": with_entry(entry(shape=(0, BIG, BIG), offsets=(0, 0)), entry()),
    "more than there is": with_entry(entry(shape=(1 << 40,), offsets=(0, 1 << 42))),
    "100,000 axes": with_entry(entry(shape=(1,) * 100_000 + (2,))),
    "three offsets": with_entry(entry(offsets=(0, 8, 16))),
    "offsets reversed": with_entry(entry(offsets=(8, 0))),
    "offset negative": with_entry(entry(offsets=(-8, 0))),
    "offset boolean": with_entry(entry("U8", (1,), (False, True))),
    "offsets too wide": with_entry(entry(shape=(1,))),
    "hole at the start": with_entry(entry(shape=(1,), offsets=(4, 8))),
    "hole between": with_entry(entry("U8", (2,), (0, 2)), entry("U8", (3,), (5, 8))),
    "overlap": with_entry(entry(), entry()),
    "partial overlap": with_entry(entry("U8", (6,), (0, 6)), entry("U8", (4,), (4, 8))),
    "data left over": with_entry(entry(shape=(1,), offsets=(0, 4))),
    "no tensors, but data": meta(),
    "an unknown field": with_entry(entry(url="file:///etc/passwd")),
    "a missing field": with_entry({"dtype": "F32", "shape": [2]}),
    "an entry that is a list": with_entry([1]),
    "parent folder in a name": {**meta(), "../t": entry()},
    "absolute name": {**meta(), "/etc/passwd": entry()},
    "NUL in a name": {**meta(), "a\0b": entry()},
    "markup in a name": {**meta(), "<script>": entry()},
    "dots in a name": {**meta(), "a/../b": entry()},
    "empty name": {**meta(), "": entry()},
    "long name": {**meta(), "x" * 1_000_000: entry()},
    "trailing newline in a name": {**meta(), "a\n": entry()},
    "tensor and folder": {**meta(), "a": entry("U8", (4,), (0, 4)), "a/b": entry("U8", (4,), (4, 8))},
    "duplicate tensor": object_text(("__metadata__", META), ("t", entry()), ("t", entry())),
    "duplicate metadata": object_text(("__metadata__", META), ("__metadata__", META), ("t", entry())),
    "checksum twice": with_entry(entry()) | meta(config=json.dumps({"a": ZEROS})),
    "two documents": json.dumps(with_entry(entry())) + json.dumps(with_entry(entry())),
    "a list": "[" + json.dumps(with_entry(entry())) + "]",
    "leading space": " " + json.dumps(with_entry(entry())),
    "a byte order mark": "\ufeff" + json.dumps(with_entry(entry())),
    "trailing tab": json.dumps(with_entry(entry())) + "\t}",
    "empty": "",
    "booleans of 2": (with_entry(entry("BOOL", (8,))), b"\x02" * 8),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_headers_are_refused(tmp_path, case):
    header = HOSTILE[case]
    header, data = header if isinstance(header, tuple) else (header, b"\0" * 8)
    path = build(tmp_path / "hostile.chainrule", header, data)
    with pytest.raises(FormatError) as caught:
        read_model(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert len(message) - len(str(path)) < 400  # no flood of the file's contents
    assert "checksum does not fit" not in message  # refused for what it claims, not by accident
    assert "<script>" not in message.replace("'<script>'", "")


@pytest.mark.parametrize("length", [0, 1, 7, 9, (1 << 63) - 1, (1 << 64) - 1, 100 << 20])
def test_hostile_header_lengths_are_refused(tmp_path, length):
    (tmp_path / "a").write_bytes(struct.pack("<Q", length) + b'{"a":1}')
    with pytest.raises(FormatError):
        read_model(tmp_path / "a")


def test_a_header_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(struct.pack("<Q", 5) + b'{"\xff"}')
    with pytest.raises(FormatError, match="the header is not"):
        read_model(tmp_path / "a")
