"""Delimited text (CSV, TSV, semicolons, bars) as columns of text, strictly."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from chainrule._base.errors import ArgumentError, DataError
from chainrule._base.wording import counted
from chainrule.data.sources.encoding import to_utf8
from chainrule.data.sources.header import MAX_COLUMNS, has_header, name_columns
from chainrule.data.sources.structure import (
    SEPARATOR_NAMES,
    blank_free,
    check_even,
    detect_separator,
    normalise_newlines,
    parse_slowly,
    scan,
)


class RawTable(NamedTuple):
    """Columns as text, before types are found."""

    frame: pl.DataFrame
    notes: tuple[str, ...]
    lines: np.ndarray | None
    separator: str | None


class _Records(NamedTuple):
    frame: pl.DataFrame  # every record, the header included
    lines: np.ndarray
    num_blank: int


def read_delimited(
    path: Path, *, separator: str | None = None, encoding: str | None = None, header: bool | None = None
) -> RawTable:
    """Read a delimited text file as text columns.

    Polars parses; a scan of the bytes checks beforehand that every record has the same number of fields and
    afterwards that none was lost. Files with irregular quotes go through Python's strict ``csv`` instead.

    Raises:
        DataError: empty, header only, ragged, undecodable, NUL bytes, an unterminated quote, duplicate names.
    """
    if separator is not None and (len(separator) != 1 or not separator.isascii() or separator in '"\n\r'):
        raise ArgumentError(
            f"read_table: separator must be one ASCII character other than a quote; received {separator!r}."
        )
    name = path.name
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror}). Check its permissions.") from error
    decoded = to_utf8(raw, name, encoding)
    data = normalise_newlines(decoded.data)
    if not data.strip():
        raise DataError(f"{name}: the file is empty (only blanks). Give a file with a header and rows.")
    notes = list(decoded.notes)
    if separator is None:
        separator = detect_separator(data, name)
        if separator != ",":
            notes.append(f"{name}: the separator is a {SEPARATOR_NAMES[separator]}.")
    records = _records(data, separator, name)
    if records.num_blank:
        notes.append(f"{name}: {counted(records.num_blank, 'blank line was', 'blank lines were')} skipped.")
    return with_header(records.frame, name, records.lines, header=header, notes=notes, separator=separator)


def with_header(
    frame: pl.DataFrame,
    name: str,
    lines: np.ndarray | None,
    *,
    header: bool | None,
    notes: list[str],
    separator: str | None = None,
) -> RawTable:
    """Take the names from the first record if it is a header, and require rows below it."""
    first, body = frame.row(0), frame.slice(1)
    if header is None:
        header = has_header(first, body)
    if not header:
        names = [f"c{number}" for number in range(1, frame.width + 1)]
        notes.append(f"{name}: the first line holds values, not names; the columns are called c1 to c{len(names)}.")
        return RawTable(frame.rename(dict(zip(frame.columns, names, strict=True))), tuple(notes), lines, separator)
    names, named = name_columns(first, name)
    if not body.height:
        raise DataError(f"{name}: it has a header of {len(names)} columns and no rows. Give a file with data rows.")
    body = body.rename(dict(zip(frame.columns, names, strict=True)))
    return RawTable(body, (*notes, *named), None if lines is None else lines[1:], separator)


def _records(data: bytes, separator: str, name: str) -> _Records:
    structure = scan(data, separator)
    if structure is None:
        return _records_slowly(data, separator, name)
    check_even(structure.num_fields, structure.lines, name, separator)
    width = int(structure.num_fields[0])
    _check_width(width, name)
    frame = pl.read_csv(
        io.BytesIO(blank_free(data, structure)),
        has_header=False,
        separator=separator,
        infer_schema=False,
        quote_char='"',
    )
    if frame.shape != (structure.starts.size, width):  # never trust a parser that lost something
        return _records_slowly(data, separator, name)
    return _Records(frame, structure.lines, structure.num_blank)


def _records_slowly(data: bytes, separator: str, name: str) -> _Records:
    records, lines = parse_slowly(data, separator, name)
    if not records:
        raise DataError(f"{name}: the file holds no records. Give a file with a header and rows.")
    starts = np.asarray(lines)
    check_even(np.asarray([len(record) for record in records]), starts, name, separator)
    _check_width(len(records[0]), name)
    frame = pl.DataFrame(
        {f"column_{index}": column for index, column in enumerate(zip(*records, strict=True), start=1)},
        schema_overrides={f"column_{index}": pl.String for index in range(1, len(records[0]) + 1)},
    )
    return _Records(frame, starts, 0)


def _check_width(width: int, name: str) -> None:
    if width > MAX_COLUMNS:
        raise DataError(f"{name}: it has {width:,} columns; at most {MAX_COLUMNS:,} are read. Select columns first.")
