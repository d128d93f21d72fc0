"""From the bytes of a text file to UTF-8, with the encoding detected and said."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from chainrule._base.errors import DataError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_FOREIGN = (
    (b"PK\x03\x04", "an Excel file or a zip archive", "Rename it to .xlsx, or unpack it first"),
    (b"PAR1", "a Parquet file", "Rename it to .parquet"),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first (gunzip)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "Rename it to .xls"),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV"),
    (b"%PDF", "a PDF", "Export the table as CSV"),
)


class Decoded(NamedTuple):
    """Text as UTF-8 bytes without a byte order mark, and what was found out about it."""

    data: bytes
    encoding: str
    notes: tuple[str, ...]


def to_utf8(raw: bytes, name: str, encoding: str | None = None) -> Decoded:
    r"""Decode ``raw`` and encode it as UTF-8.

    UTF-8 and UTF-16/32 with a byte order mark, plain UTF-8, and UTF-16 without a mark are recognised. What is none
    of these is read as Windows-1252 (which holds Latin-1's letters) and a note says so, unless the file
    looks like damaged UTF-8: then guessing would corrupt the text, and the offset of the first bad byte is reported.

    Args:
        raw: the file's bytes.
        name: the file's name, for messages.
        encoding: a Python codec name, when the user knows it.

    Raises:
        DataError: the bytes are not text, or cannot be decoded; names the offset and the line.

    Example:
        >>> decoded = to_utf8("name\nJosé\n".encode("cp1252"), "people.csv")
        >>> decoded.encoding, decoded.data.decode()
        ('cp1252', 'name\nJosé\n')
        >>> print(decoded.notes[0])
        people.csv: not UTF-8 (byte 0xE9 on line 2); read as Windows-1252.
    """
    for start, kind, action in _FOREIGN:
        if raw.startswith(start):
            raise DataError(f"{name}: a text table was expected; the file starts like {kind}. {action}.")
    notes: tuple[str, ...] = ()
    if encoding is not None:
        data = _decode(raw, encoding, name)
    elif mark := next((mark for mark in _MARKS if raw.startswith(mark[0])), None):
        data = _decode(raw[len(mark[0]) :], mark[1], name)
        encoding = mark[1]
    elif guess := _utf16_without_mark(raw):
        data, encoding = _decode(raw, guess, name), guess
        notes = (f"{name}: read as UTF-16 without a byte order mark.",)
    else:
        data, encoding, notes = _utf8_or_windows(raw, name)
    data = data.removeprefix(codecs.BOM_UTF8)
    zero = data.find(b"\0")
    if zero >= 0:
        raise DataError(
            f"{name}: line {line_at(data, zero)} holds a NUL byte (offset {zero}); a text table has none. "
            "The file is binary or damaged: export it again as CSV in UTF-8."
        )
    return Decoded(data, encoding, notes)


def line_at(data: bytes, offset: int) -> int:
    r"""The line, counted from 1, on which the byte at ``offset`` stands.

    Example:
        >>> line_at(b"a\nb\nc", 4)
        3
    """
    return data.count(b"\n", 0, offset) + 1


def shown_name(name: str) -> str:
    """The name of a file without bytes that are no text, which no table or message could hold.

    Example:
        >>> shown_name("größe.png"), shown_name("a" + chr(0xDCFF) + ".png")
        ('größe.png', 'a\ufffd.png')
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _decode(raw: bytes, encoding: str, name: str) -> bytes:
    try:
        text = raw.decode(encoding)
    except LookupError as error:
        raise DataError(
            f"{name}: encoding must be a known codec; received {encoding!r}. Use 'utf-8', 'cp1252' or 'utf-16'."
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: the bytes at offset {error.start} are not {encoding} ({error.reason}). "
            "The file is cut off or in another encoding: export it again as UTF-8."
        ) from error
    return text.encode("utf-8", errors="replace")


def _utf16_without_mark(raw: bytes) -> str | None:
    """Latin text in UTF-16 has a zero in every second byte."""
    sample = raw[:4096]
    if len(sample) < 4:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.4 * len(sample) and even == 0:
        return "utf-16-le"
    if even > 0.4 * len(sample) and odd == 0:
        return "utf-16-be"
    return None


def _utf8_or_windows(raw: bytes, name: str) -> tuple[bytes, str, tuple[str, ...]]:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        where = f"byte 0x{raw[error.start]:02X} on line {line_at(raw, error.start)}"
        tolerant = raw.decode("utf-8", errors="replace")
        num_bad = tolerant.count("\ufffd")
        num_good = sum(1 for letter in tolerant if letter > "\x7f") - num_bad
        if num_good <= num_bad and b"\0" not in raw:
            try:
                data = raw.decode("cp1252").encode()
            except UnicodeDecodeError:
                pass
            else:
                return data, "cp1252", (f"{name}: not UTF-8 ({where}); read as Windows-1252.",)
        raise DataError(
            f"{name}: {where} (offset {error.start}) is not valid UTF-8, and the file is not Windows-1252 either. "
            "It is damaged or binary: export it again as CSV in UTF-8, or name its encoding."
        ) from error
    return raw, "utf-8", ()
