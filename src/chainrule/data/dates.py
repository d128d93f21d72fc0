"""Moments written as text: which format a column uses, and numbers made from it."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import numpy as np
import polars as pl

from chainrule._base.errors import DataError

FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
)
_LOOKS_LIKE_DATE = r"^([0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4})([ T][0-9:.]+)?$"
NATIVE = "native"  # the column already holds moments
_EXAMPLE = datetime.datetime(2023, 1, 31, 18, 30)
DATE_PARTS = ("year", "month", "day_of_week", "hour", "elapsed_days")


def find_date_format(values: pl.Series) -> tuple[str, str] | None:
    """The format that reads every value present, and a remark where two formats would.

    Example:
        >>> find_date_format(pl.Series(["24.12.2023", "01.02.2024", None]))
        ('%d.%m.%Y', '')
        >>> find_date_format(pl.Series(["01/02/2024"]))
        ('%d/%m/%Y', 'month and day could be exchanged; read as in 31/01/2023')
    """
    if isinstance(values.dtype, pl.Datetime):
        return NATIVE, ""
    present = values.drop_nulls()
    if values.dtype != pl.String or not present.len():
        return None
    sample = present.head(200)
    if not sample.str.contains(_LOOKS_LIKE_DATE).all():
        return None
    fitting = [form for form in FORMATS if not _parse(sample, form).null_count()]
    fitting = [form for form in fitting if not _parse(present, form).null_count()]
    if not fitting:
        return None
    chosen = _parse(sample, fitting[0])
    is_ambiguous = any(not chosen.equals(_parse(sample, form)) for form in fitting[1:])
    remark = f"month and day could be exchanged; read as in {_example(fitting[0])}" if is_ambiguous else ""
    return fitting[0], remark


def to_moments(values: pl.Series, form: str, source: str, where: Callable[[int], str] | None = None) -> pl.Series:
    """``values`` as ``Datetime`` by the format found in training; another format is an error naming the value.

    Args:
        values: the column.
        form: the format that :func:`find_date_format` gave.
        source: what the table is called in messages.
        where: from a row (counted from 0) to its place in words, such as ``visits.csv: line 5``; by default its
            number within ``source``.
    """
    if isinstance(values.dtype, pl.Datetime):
        return values
    if values.dtype != pl.String:
        if values.null_count() == values.len():
            return pl.Series(values.name, [None] * values.len(), dtype=pl.Datetime("us"))
        raise DataError(
            f"{source}: column {values.name!r} must hold dates, as in training; received numbers. "
            "Write the dates as in the training file."
        )
    candidates = FORMATS if form == NATIVE else (form,)
    for candidate in candidates:
        parsed = _parse(values, candidate)
        if parsed.null_count() == values.null_count():
            return parsed
    row = int((parsed.is_null() & values.is_not_null()).arg_max() or 0)
    place = where(row) if where is not None else f"{source}: row {row + 1}"
    raise DataError(
        f"{place}, column {values.name!r}: expected a date such as {_example(form)}; received {values[row]!r}. "
        "Write the dates as in the training file."
    )


def date_parts(moments: pl.Series, first: float) -> np.ndarray:
    """Year, month, day of week (Monday is 1), hour, and days since ``first`` (days since 1970).

    Shapes:
        moments: [rows] -> [rows, 5], NaN where the moment is missing.

    Example:
        >>> import datetime
        >>> moments = pl.Series([datetime.datetime(1970, 1, 11, 12)])
        >>> date_parts(moments, first=0.0).tolist()
        [[1970.0, 1.0, 7.0, 12.0, 10.5]]
    """
    parts = (
        moments.dt.year(),
        moments.dt.month(),
        moments.dt.weekday(),
        moments.dt.hour(),
        epoch_days(moments) - first,
    )
    return np.column_stack([part.cast(pl.Float64).fill_null(float("nan")).to_numpy() for part in parts])


def epoch_days(moments: pl.Series) -> pl.Series:
    """Days since 1970 as numbers.

    Example:
        >>> import datetime
        >>> epoch_days(pl.Series([datetime.datetime(1970, 1, 3)])).to_list()
        [2.0]
    """
    return moments.dt.epoch("us").cast(pl.Float64) / 86_400e6


def _example(form: str) -> str:
    """A date as ``form`` writes it; one whose day can be no month."""
    return _EXAMPLE.strftime("%Y-%m-%d" if form == NATIVE else form.replace("%.f", ".5"))


def _parse(values: pl.Series, form: str) -> pl.Series:
    return values.str.to_datetime(form, strict=False, time_unit="us")
