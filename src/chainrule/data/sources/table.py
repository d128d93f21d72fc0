"""Any table as one typed :class:`Table`: CSV and its relatives, Parquet, Excel, and data frames of other libraries."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from chainrule._base.checks import describe
from chainrule._base.errors import ArgumentTypeError, DataError, did_you_mean
from chainrule.data.sources.delimited import read_delimited
from chainrule.data.sources.excel import read_excel
from chainrule.data.sources.header import check_names
from chainrule.data.sources.numbers import clean_text, type_column

_EXCEL = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of numbers (``Float64``), text (``String``) and moments (``Datetime``); missing values are null.

    Args:
        frame: the typed columns.
        source: the file's name, or what the table was made from.
        notes: what was noticed while reading, one sentence each.
        lines: for files, the line of the file on which each row starts.
    """

    frame: pl.DataFrame
    source: str
    notes: tuple[str, ...] = ()
    lines: np.ndarray | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return self.frame.height

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.frame.columns)

    def where(self, row: int) -> str:
        """Where ``row`` (counted from 0) stands: ``heart.csv: line 5``, or ``data frame: row 4`` (from 1)."""
        if self.lines is not None:
            return f"{self.source}: line {int(self.lines[row])}"
        return f"{self.source}: row {row + 1}"

    def column(self, name: str) -> pl.Series:
        """The column called ``name``; a name that is not there is answered with the nearest."""
        if name not in self.frame.columns:
            raise DataError(
                f"{self.source}: no column is called {name!r}.{did_you_mean(name, self.frame.columns)} "
                f"Its columns are: {_listed(self.frame.columns)}."
            )
        return self.frame.get_column(name)

    def take(self, rows: np.ndarray | Sequence[int]) -> Table:
        """The table of the given rows, in that order."""
        index = np.asarray(rows, np.int64)
        lines = None if self.lines is None else self.lines[index]
        return Table(self.frame[index], self.source, self.notes, lines)

    def drop(self, names: Iterable[str]) -> Table:
        """The table without the named columns."""
        gone = {self.column(name).name for name in names}
        kept = [values for values in self.frame.iter_columns() if values.name not in gone]
        return Table(pl.DataFrame(kept), self.source, self.notes, self.lines)


def read_table(
    source: Any,  # Any: a path, a mapping, an array, or a data frame of any library
    *,
    separator: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    missing: Sequence[str] = (),
    sheet: str | int = 0,
) -> Table:
    """Read a table, find its types, and refuse what cannot be read whole.

    A path is read as Excel or Parquet by its ending, and as delimited text otherwise: encoding, separator and header
    are detected and said in ``notes``. Columns are read as text first; a column becomes numeric only if every value
    present is a number. Besides files, a Polars, pandas or pyarrow table, a mapping of columns, or a 2-D array is
    taken. A table is never silently shorter than its source.

    Args:
        source: path or data.
        separator: the separator, if detection should not decide.
        encoding: the text's encoding, if detection should not decide.
        header: whether the first record names the columns; ``None`` decides from the values.
        missing: further codes that mean "missing", besides empty, ``NA``, ``NaN``, ``null``, ``?``, ``-`` and the like.
        sheet: name or number of an Excel sheet.

    Raises:
        DataError: names the file, the line and column at fault, and what to do.

    Example:
        >>> table = read_table({"age": ["63", " 41 ", "?"], "thal": ["fixed", "normal", "NA"]})
        >>> table.frame["age"].to_list(), table.frame["thal"].to_list()
        ([63.0, 41.0, None], ['fixed', 'normal', None])
    """
    if isinstance(source, Table):
        return source
    if not isinstance(source, str | Path):
        return _from_memory(source, missing)
    path = Path(source)
    _check_file(path)
    ending = path.suffix.lower()
    if ending in _PARQUET:
        return _from_frame(_read_parquet(path), path.name, missing)
    if ending in _EXCEL:
        raw = read_excel(path, sheet=sheet, header=header)
    else:
        raw = read_delimited(path, separator=separator, encoding=encoding, header=header)
    untyped = Table(raw.frame, path.name, raw.notes, raw.lines)
    return _typed(untyped, missing, decimal_comma=raw.separator not in (None, ","))


def _typed(table: Table, missing: Sequence[str], *, decimal_comma: bool = False) -> Table:
    columns, notes = [], list(table.notes)
    for values in table.frame.iter_columns():
        if values.dtype == pl.String:
            typed = type_column(values, table.where, decimal_comma=decimal_comma, missing=missing)
            columns.append(typed.values)
            notes.extend(typed.notes)
        else:
            columns.append(_from_native(values, table))
    return Table(pl.DataFrame(columns), table.source, tuple(notes), table.lines)


def _from_native(values: pl.Series, table: Table) -> pl.Series:
    """A column that already has a type, as one of the three types of a table."""
    kind = values.dtype
    if kind == pl.Boolean:
        return values.cast(pl.Int8).replace_strict({0: "false", 1: "true"}, return_dtype=pl.String)
    if kind.is_numeric() or kind == pl.Null:
        numbers = values.cast(pl.Float64).fill_nan(None)
        infinite = numbers.is_infinite().fill_null(value=False)
        if infinite.any():
            row = int(infinite.arg_max() or 0)
            raise DataError(
                f"{table.where(row)}, column {values.name!r}: a finite number was expected; received inf. "
                "Correct the value or make it missing."
            )
        return numbers
    if isinstance(kind, pl.Categorical | pl.Enum):
        return clean_text(values.cast(pl.String))
    if kind == pl.Date or isinstance(kind, pl.Datetime):
        return values.cast(pl.Datetime("us"))
    if isinstance(kind, pl.Duration):
        return values.dt.total_microseconds().cast(pl.Float64) / 1e6
    raise DataError(
        f"{table.source}: column {values.name!r} holds values of type {kind}; expected numbers, text or dates. "
        "Convert or drop the column."
    )


def _from_memory(source: Any, missing: Sequence[str]) -> Table:
    if isinstance(source, np.ndarray):
        if source.ndim != 2:
            raise DataError(f"read_table: an array must have two axes, rows and columns; received {describe(source)}.")
        names = [f"c{number}" for number in range(1, source.shape[1] + 1)]
        return _from_frame(pl.DataFrame(source, schema=names, orient="row"), "array", missing)
    try:
        if isinstance(source, Mapping):
            return _from_frame(pl.DataFrame(dict(source), strict=True), "table", missing)
        frame = nw.from_native(source, eager_only=True).to_polars()
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise DataError(
            f"data frame: it cannot be read as columns of one type each ({_first_line(error)}). "
            "Give every column one type and the same length."
        ) from error
    except TypeError as error:
        raise ArgumentTypeError(
            "read_table: expected a path, a data frame (Polars, pandas, pyarrow), a mapping of columns or a 2-D "
            f"array; received {describe(source)} ({_first_line(error)})."
        ) from error
    return _from_frame(frame, "data frame", missing)


def _from_frame(frame: pl.DataFrame, name: str, missing: Sequence[str]) -> Table:
    if not frame.width or not frame.height:
        raise DataError(f"{name}: it has {frame.height} rows and {frame.width} columns; a table needs some of both.")
    check_names(frame.columns, name)
    return _typed(Table(frame, name), missing)


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DataError(
            f"{path.name}: not a readable Parquet file ({_first_line(error)}). "
            "Export it again, or give it its true ending."
        ) from error


def _check_file(path: Path) -> None:
    if path.is_dir():
        tables = sorted(entry.name for entry in path.iterdir() if entry.suffix.lower() in (".csv", ".tsv", *_PARQUET))
        inside = f" It holds: {_listed(tables)}." if tables else ""
        raise DataError(f"{path}: a file was expected; this is a folder.{inside} Name one file.")
    if not path.exists():
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else " Check the path."
        raise DataError(f"{path}: there is no such file.{hint}")
    if path.stat().st_size == 0:
        raise DataError(f"{path.name}: the file is empty (0 bytes). Give a file with a header and rows.")


def _listed(names: Sequence[str], limit: int = 20) -> str:
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown}, ... ({len(names)} in all)"


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:160]
