"""The structure of a delimited text: records, fields and quotes, found with NumPy on the bytes.

The scan is what makes reading strict: it knows how many records there are and how many fields each has, so a
table can never come out shorter or narrower than its file without anyone noticing.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass

import numpy as np

from chainrule._base.errors import DataError
from chainrule._base.wording import counted
from chainrule.data.sources.encoding import line_at

SEPARATORS = (",", "\t", ";", "|")
SEPARATOR_NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
_QUOTE, _NEWLINE = 0x22, 0x0A
_MAX_ROWS_SAMPLED = 200


@dataclass(frozen=True)
class Structure:
    """Records of a text whose quotes are regular.

    Args:
        starts: byte offset at which each record starts.
        ends: byte offset of the newline (or the end of the text) that closes it.
        lines: line of the file, counted from 1, on which it starts.
        num_fields: fields in each record.
        num_blank: blank lines, which are not records.
    """

    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    num_fields: np.ndarray
    num_blank: int


def scan(data: bytes, separator: str) -> Structure | None:
    r"""Find records and fields, or return ``None`` where quotes are irregular and a full parser must decide.

    Quotes are regular when each opens at the start of a field and closes at its end, doubled inside.

    Example:
        >>> structure = scan(b'a,b\n1,"x,\ny"\n\n2,3\n', ",")
        >>> structure.num_fields.tolist(), structure.lines.tolist(), structure.num_blank
        ([2, 2, 2], [1, 2, 5], 1)
    """
    array = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(array == _NEWLINE)
    separators = np.flatnonzero(array == ord(separator))
    quotes = np.flatnonzero(array == _QUOTE) if b'"' in data else np.empty(0, np.int64)
    all_newlines = newlines
    if quotes.size:
        if quotes.size % 2 or not _quotes_are_regular(array, quotes, ord(separator)):
            return None
        newlines = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    ends = newlines if data.endswith(b"\n") and newlines.size else np.append(newlines, len(data))
    starts = np.concatenate([[0], ends[:-1] + 1]) if ends.size else ends
    counts = np.searchsorted(separators, ends) - np.searchsorted(separators, starts) + 1
    filled = ends > starts
    lines = np.searchsorted(all_newlines, starts) + 1
    return Structure(starts[filled], ends[filled], lines[filled], counts[filled], int(filled.size - filled.sum()))


def parse_slowly(data: bytes, separator: str, name: str) -> tuple[list[list[str]], list[int]]:
    """Read every record with Python's ``csv`` (strict), for texts whose quotes :func:`scan` cannot follow.

    Returns:
        The records, and the line of the file on which each starts.

    Raises:
        DataError: a quote is never closed, or text follows a closing quote; names the line.
    """
    reader = csv.reader(io.StringIO(data.decode(), newline=""), delimiter=separator, strict=True)
    records: list[list[str]] = []
    lines: list[int] = []
    start = 1
    try:
        for record in reader:
            if record:
                records.append(record)
                lines.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end" in str(error):
            what = "a quoted field starts here and is never closed"
        else:
            what = f"the quotes are not regular ({error})"
        raise DataError(
            f'{name}: line {start}: {what}. Close the quote, or double a quote inside a field ("").'
        ) from error
    return records, lines


def detect_separator(data: bytes, name: str) -> str:
    r"""Choose among comma, tab, semicolon and bar by how evenly each divides the first records.

    The first record must contain the separator; of those, the most even wins, then the one that ranks first among
    tab, semicolon, bar and comma (a comma may be a decimal comma, hardly ever the other way round).

    Example:
        >>> detect_separator(b"x;y\n1,5;2,5\n", "t.csv")
        ';'
    """
    sample = _first_records(data)
    best, best_score = ",", (0.0, -1)
    for rank, separator in enumerate(reversed(("\t", ";", "|", ","))):
        structure = scan(sample, separator)
        counts = _count_slowly(sample, separator, name) if structure is None else structure.num_fields.tolist()
        if not counts or counts[0] < 2:
            continue
        evenness = Counter(counts)[counts[0]] / len(counts)
        if (evenness, rank) > best_score:
            best, best_score = separator, (evenness, rank)
    return best


def check_even(num_fields: np.ndarray, lines: np.ndarray, name: str, separator: str) -> None:
    """Require the same number of fields in every record; the message names the first that differs."""
    expected = int(num_fields[0])
    uneven = np.flatnonzero(num_fields != expected)
    if not uneven.size:
        return
    first = int(uneven[0])
    others = f" ({counted(uneven.size - 1, 'other line differs', 'other lines differ')} too)" if uneven.size > 1 else ""
    raise DataError(
        f"{name}: line {int(lines[first])} has {int(num_fields[first])} fields; expected {expected}, as on line "
        f"{int(lines[0])}{others}. The separator is taken to be a {SEPARATOR_NAMES.get(separator, repr(separator))}: "
        "put fields that contain one in double quotes, or correct the line."
    )


def normalise_newlines(data: bytes) -> bytes:
    r"""Make every line end ``\n``, inside quotes too where a line break is text.

    Example:
        >>> normalise_newlines(b"a\r\nb\rc\n")
        b'a\nb\nc\n'
    """
    if b"\r" not in data:
        return data
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _quotes_are_regular(array: np.ndarray, quotes: np.ndarray, separator: int) -> bool:
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening == 0, _NEWLINE, array[opening - 1])
    after = np.where(closing == array.size - 1, _NEWLINE, array[np.minimum(closing + 1, array.size - 1)])
    at_start = (before == separator) | (before == _NEWLINE)
    at_start[1:] |= opening[1:] == closing[:-1] + 1  # the second half of a doubled quote
    at_end = (after == separator) | (after == _NEWLINE)
    at_end[:-1] |= opening[1:] == closing[:-1] + 1
    return bool(at_start.all() and at_end.all())


def _first_records(data: bytes) -> bytes:
    """Roughly the first records, cut at a line's end outside quotes where that is possible."""
    end = 0
    for _ in range(_MAX_ROWS_SAMPLED):
        following = data.find(b"\n", end)
        if following < 0:
            return data
        end = following + 1
    while data[:end].count(b'"') % 2:
        following = data.find(b"\n", end)
        if following < 0 or following - end > 1_000_000:
            break
        end = following + 1
    return data[:end]


def _count_slowly(sample: bytes, separator: str, name: str) -> list[int]:
    try:
        records, _ = parse_slowly(sample, separator, name)
    except DataError:
        lines = sample.split(b"\n")
        return [line.count(separator.encode()) + 1 for line in lines if line]
    return [len(record) for record in records]


def blank_free(data: bytes, structure: Structure) -> bytes:
    """``data`` without its blank lines, byte for byte otherwise."""
    if not structure.num_blank:
        return data
    step = np.zeros(len(data) + 2, np.int8)
    step[structure.starts] += 1
    step[structure.ends + 1] -= 1  # the newline goes with its record
    keep = np.cumsum(step, dtype=np.int8)[: len(data)].astype(bool)
    kept: bytes = np.frombuffer(data, np.uint8)[keep].tobytes()
    return kept


__all__ = [
    "SEPARATORS",
    "SEPARATOR_NAMES",
    "Structure",
    "blank_free",
    "check_even",
    "detect_separator",
    "line_at",
    "normalise_newlines",
    "parse_slowly",
    "scan",
]
