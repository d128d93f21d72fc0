"""What each column of a table is, and why: number, code, category, date, identifier, ..."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import polars as pl

from chainrule._base.checks import check_choice
from chainrule._base.errors import DataError, FormatError, did_you_mean
from chainrule._base.registry import from_config, register_class, to_config
from chainrule.data.dates import find_date_format
from chainrule.data.sources.table import Table

ColumnKind = Literal[
    "number",
    "code",
    "category",
    "boolean",
    "date",
    "text",
    "identifier",
    "constant",
    "all_missing",
]
KINDS: tuple[str, ...] = get_args(ColumnKind)
MAX_CODE_VALUES = 6  # whole numbers with at most so many different values are codes
_ROWS_PER_CODE = 4  # ... if each occurs this often on average
_MIN_ROWS_FOR_IDENTIFIER = 20
_MAX_COUNTED = 50_000  # beyond so many different values, examples are simply the first
_NEARLY_UNIQUE = 0.5  # text with more different values than this share of its rows tells rows apart
_IDENTIFIER_NAME = re.compile(r"(^|[_\W])(id|uuid|guid|index|key)$|[a-z](Id|ID)$|^(id|ID|Id)$", re.ASCII)


@register_class
@dataclass(frozen=True)
class Column:
    """One column as it was found.

    Args:
        name: its name.
        kind: what it is taken to be.
        reason: why, in plain words.
        rows: number of rows looked at.
        missing: how many of them are missing.
        unique: number of different values.
        is_numeric: whether it is stored as numbers.
        minimum: smallest number, for numeric columns.
        maximum: largest number, for numeric columns.
        examples: its most frequent values, as text (its first, where nearly all differ).
        date_format: how dates are written, for dates.
    """

    name: str
    kind: ColumnKind
    reason: str
    rows: int
    missing: int
    unique: int
    is_numeric: bool
    minimum: float | None = None
    maximum: float | None = None
    examples: tuple[str, ...] = ()
    date_format: str | None = None


@register_class
@dataclass(frozen=True)
class Schema:
    """The columns of a table, in order."""

    columns: tuple[Column, ...]

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        names = self.names
        raise DataError(f"schema: no column is called {name!r}.{did_you_mean(name, names)} Known: {', '.join(names)}.")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    def of_kind(self, *kinds: ColumnKind) -> tuple[str, ...]:
        """Names of the columns of the given kinds."""
        return tuple(column.name for column in self.columns if column.kind in kinds)

    def to_dict(self) -> dict[str, Any]:  # Any: plain JSON values
        """Plain JSON values."""
        config: dict[str, Any] = to_config(self)
        return config

    @staticmethod
    def from_dict(config: Mapping[str, Any]) -> Schema:  # Any: plain JSON values
        """The inverse of :meth:`to_dict`."""
        schema = from_config(dict(config))
        if not isinstance(schema, Schema):
            raise FormatError(f"schema: the file describes a {type(schema).__name__}; expected a Schema.")
        return schema


def infer_schema(table: Table, *, kinds: Mapping[str, ColumnKind] | None = None) -> Schema:
    """Find the kind of every column, with the reason.

    Only values are counted here; nothing is fitted. ``kinds`` overrules the inference.

    Args:
        table: the table.
        kinds: column name -> kind, for columns you know better.

    Raises:
        DataError: ``kinds`` names a column that is not there.
        ArgumentError: ``kinds`` names a kind that is not known.

    Example:
        >>> from chainrule.data.sources import read_table
        >>> table = read_table({"thal": [3, 6, 7, 3] * 5, "age": list(range(40, 60))})
        >>> for column in infer_schema(table).columns:
        ...     print(f"{column.name}: {column.kind} ({column.reason})")
        thal: code (whole numbers with only 3 different values: treated as a code, not an amount)
        age: identifier (whole numbers in sequence, one for each row)
    """
    chosen = dict(kinds or {})
    for name, kind in chosen.items():
        table.column(name)
        check_choice(f"kinds[{name!r}]", kind, KINDS, "infer_schema")
    return Schema(tuple(_describe_column(values, chosen.get(values.name)) for values in table.frame.iter_columns()))


def describe(schema: Schema) -> list[tuple[str, str, str, str]]:
    """Rows for printing: name, kind, a summary of its values, reason.

    Example:
        >>> from chainrule.data.sources import read_table
        >>> describe(infer_schema(read_table({"ill": ["yes", "no", None, "no"]})))
        [('ill', 'boolean', 'no, yes; 1 missing', "two different values ('no' and 'yes')")]
    """
    return [(column.name, column.kind, _summary(column), column.reason) for column in schema.columns]


def value_text(values: pl.Series) -> pl.Series:
    """Values as text that is the same however the file wrote them: ``1``, ``1.0`` and ``1.00`` are ``1``.

    Example:
        >>> value_text(pl.Series([1.0, 2.5, None])).to_list()
        ['1', '2.5', None]
    """
    if values.dtype == pl.String:
        return values
    if not values.dtype.is_numeric():
        return values.cast(pl.String)
    column = pl.col("value")  # names such as * or ^a$ would mean something else to Polars
    whole = (column == column.floor()) & (column.abs() < 2.0**53)
    text = pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(column.cast(pl.String))
    return values.alias("value").to_frame().select(text.alias("value")).to_series().alias(values.name)


def _describe_column(values: pl.Series, chosen: ColumnKind | None) -> Column:
    present = values.drop_nulls()
    unique = present.n_unique() if present.len() else 0
    is_numeric = values.dtype.is_numeric()
    date = find_date_format(values)
    if chosen is not None:
        kind, reason = chosen, "chosen by you"
        _check_choice_fits(values, chosen, date)
    elif not present.len():
        kind, reason = "all_missing", "every value is missing"
    elif unique == 1:
        kind, reason = _single_value(values)
    elif date is not None:
        kind, reason = "date", "every value is a date" + (f" ({date[1]})" if date[1] else "")
    elif unique == 2:
        pair = " and ".join(repr(value) for value in sorted(value_text(present).unique()))
        kind, reason = "boolean", f"two different values ({pair})"
    elif is_numeric:
        kind, reason = _numeric_kind(present, unique)
    else:
        kind, reason = _text_kind(present, unique)
    return Column(
        name=values.name,
        kind=kind,
        reason=reason,
        rows=values.len(),
        missing=values.null_count(),
        unique=unique,
        is_numeric=is_numeric,
        minimum=float(present.min()) if is_numeric and present.len() else None,  # type: ignore[arg-type]  # numeric
        maximum=float(present.max()) if is_numeric and present.len() else None,  # type: ignore[arg-type]  # numeric
        examples=_examples(present, unique),
        date_format=date[0] if date is not None and kind == "date" else None,
    )


def _check_choice_fits(values: pl.Series, chosen: ColumnKind, date: tuple[str, str] | None) -> None:
    if chosen == "number" and not values.dtype.is_numeric():
        raise DataError(
            f"infer_schema: column {values.name!r} cannot be a number: it holds text such as "
            f"{values.drop_nulls()[0]!r}. Correct the values, or pass the codes that mean missing: "
            "read_table(path, missing=('-9',))."
        )
    if chosen == "date" and date is None:
        raise DataError(
            f"infer_schema: column {values.name!r} cannot be a date: its values share no known date format. "
            "Write them as 2024-01-31."
        )


def _single_value(values: pl.Series) -> tuple[ColumnKind, str]:
    value = value_text(values.drop_nulls())[0]
    if values.null_count():
        return "category", f"{value!r} or nothing: what may matter is whether it is filled in"
    return "constant", f"every row has {value!r}: it cannot tell rows apart"


def _numeric_kind(present: pl.Series, unique: int) -> tuple[ColumnKind, str]:
    num_rows = present.len()
    if not (present == present.floor()).all():
        return "number", f"numbers with {unique:,} different values"
    is_unique = unique == num_rows and num_rows >= _MIN_ROWS_FOR_IDENTIFIER
    low, high = float(present.min()), float(present.max())  # type: ignore[arg-type]  # a numeric column
    if is_unique and high - low == num_rows - 1:
        return "identifier", "whole numbers in sequence, one for each row"
    if is_unique and _IDENTIFIER_NAME.search(present.name):
        return "identifier", "its name says identifier, and every row has its own value"
    if unique <= MAX_CODE_VALUES and num_rows >= _ROWS_PER_CODE * unique:
        return "code", f"whole numbers with only {unique} different values: treated as a code, not an amount"
    return "number", f"whole numbers with {unique:,} different values"


def _text_kind(present: pl.Series, unique: int) -> tuple[ColumnKind, str]:
    num_rows = present.len()
    if unique <= _NEARLY_UNIQUE * num_rows or num_rows < _MIN_ROWS_FOR_IDENTIFIER:
        return "category", f"text with {unique:,} different values"
    share = f"{unique:,} different values in {num_rows:,} rows"
    words = present.str.count_matches(r"\S+").mean()
    if isinstance(words, float) and words >= 3:
        return "text", f"running text ({share}, {words:.0f} words on average)"
    return "identifier", f"text that nearly tells rows apart ({share})"


def _examples(present: pl.Series, unique: int) -> tuple[str, ...]:
    if not present.len():
        return ()
    if unique > _MAX_COUNTED:
        return tuple(text[:40] for text in value_text(present.head(5)).to_list())
    counts = present.alias("value").value_counts(sort=False).sort(["count", "value"], descending=[True, False])
    return tuple(text[:40] for text in value_text(counts["value"].head(5)).to_list())


def _summary(column: Column) -> str:
    if column.is_numeric and column.kind == "number":
        parts = [f"{column.minimum:g} to {column.maximum:g}"]
    else:
        shown = column.examples[:5]
        listed = ", ".join(repr(text) if "," in text or ";" in text else text for text in shown)
        parts = [listed if column.unique <= len(shown) else f"{listed}, ... ({column.unique:,} in all)"]
    if column.missing:
        parts.append(f"{column.missing:,} missing")
    return "; ".join(part for part in parts if part)
