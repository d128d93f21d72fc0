"""What counts as a number, and what as missing: one grammar for every source.

A number is an optional sign, ASCII digits with at most one point, and an optional exponent; blanks around it do not
matter. Python's ``float`` would also take ``1_000``, Arabic digits, ``inf`` and ``nan``; here these are text,
text, an error and a missing value. Everything is vectorised: no cell is looked at from Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import polars as pl

from chainrule._base.errors import DataError
from chainrule._base.wording import counted

MISSING_CODES = ("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "?", "-", "--", ".", "<na>", "nat")
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_COMMA_NUMBER = r"^[+-]?([0-9]+(,[0-9]*)?|,[0-9]+)([eE][+-]?[0-9]+)?$"
_DRESSED = r"^[+-]?[$£€]? ?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)? ?%?$"
_INFINITE = r"^(?i)[+-]?inf(inity)?$"
_PADDED_CODE = r"^0[0-9]+$"
_EXACT = 2.0**53  # whole numbers above it are no longer exact in a float
_MOST_CODES = 3  # words among numbers that differ more than this are values, not codes for missing


class Typed(NamedTuple):
    """A column as ``Float64`` or as text with missing values as nulls, and what was noticed."""

    values: pl.Series
    notes: tuple[str, ...]


def clean_text(text: pl.Series, missing: Iterable[str] = ()) -> pl.Series:
    """Strip blanks around every value and make missing codes null.

    Example:
        >>> clean_text(pl.Series([" a ", "NA", "?", ""])).to_list()
        ['a', None, None, None]
    """
    codes = [*MISSING_CODES, *(code.strip().lower() for code in missing)]
    column = pl.col("value")  # names such as * or ^a$ would mean something else to Polars
    longest = max(len(code.encode()) for code in codes)
    is_code = (column.str.len_bytes() <= longest) & column.str.to_lowercase().is_in(codes)
    frame = text.alias("value").to_frame().with_columns(column.str.strip_chars())
    cleaned = frame.select(pl.when(is_code).then(None).otherwise(column).alias("value")).to_series()
    return cleaned.alias(text.name)


def number_mask(text: pl.Series) -> pl.Series:
    """Which values of a cleaned text column are numbers (missing ones are null).

    Example:
        >>> number_mask(pl.Series(["1", "-2.5e3", "1_000", "١٢", "0x1", None])).to_list()
        [True, True, False, False, False, None]
    """
    return text.str.contains(NUMBER)


def type_column(
    text: pl.Series, where: Callable[[int], str], *, decimal_comma: bool = False, missing: Iterable[str] = ()
) -> Typed:
    """Make ``text`` a column of numbers if every value present is one, or leave it as text.

    Args:
        text: the column as it stands in the file; its name is used in messages.
        where: from a row (counted from 0) to its place in words, such as ``heart.csv: line 5``.
        decimal_comma: whether ``1,5`` may mean 1.5 (files not separated by commas).
        missing: further codes that mean "missing".

    Raises:
        DataError: the column is numeric, but a value is infinite or too large for a float.

    Example:
        >>> typed = type_column(pl.Series("price", ["$1,200", "$ 950"]), lambda row: f"line {row + 2}")
        >>> typed.values.to_list(), typed.notes
        ([1200.0, 950.0], ("column 'price': currency signs and thousands separators were removed.",))
    """
    values = clean_text(text, missing)
    present = values.drop_nulls()
    if not present.len():
        return Typed(values.cast(pl.Float64, strict=False), ())
    if present.head(1000).str.contains(r"[0-9]|(?i)inf").sum() == 0:
        return Typed(values, ())
    is_number = number_mask(values)
    if is_number.all():
        return _numeric(values, where)
    is_infinite = values.str.contains(_INFINITE)
    if is_infinite.any() and (is_number | is_infinite).all() and is_number.any():
        _refuse_infinite(text, is_infinite, where)
    if decimal_comma and values.str.contains(_COMMA_NUMBER).all():
        note = f"column {text.name!r}: decimal commas were read as points."
        return _with_note(_numeric(values.str.replace(",", ".", literal=True), where), note)
    if values.str.contains(_DRESSED).all():
        return _undressed(values, where)
    return Typed(values, _almost_numeric(values, is_number, where))


def _numeric(values: pl.Series, where: Callable[[int], str]) -> Typed:
    if values.str.contains(_PADDED_CODE).any():
        note = f"column {values.name!r}: kept as text, because leading zeros (as in '007') mark a code."
        return Typed(values, (note,))
    numbers = values.cast(pl.Float64, strict=False)
    infinite = numbers.is_infinite()
    if infinite.any():
        _refuse_infinite(values, infinite, where)
    largest = numbers.abs().max()
    if isinstance(largest, float) and largest > _EXACT and not values.str.contains(r"[.eE]").any():
        note = f"column {values.name!r}: kept as text, because its whole numbers are too long to be amounts."
        return Typed(values, (note,))
    return Typed(numbers, ())


def _refuse_infinite(text: pl.Series, infinite: pl.Series, where: Callable[[int], str]) -> None:
    row = int(infinite.fill_null(False).arg_max() or 0)
    raise DataError(
        f"{where(row)}, column {text.name!r}: a finite number was expected; received {text[row]!r}, which is "
        f"infinite or too large (inf). Correct the value or leave it empty (missing)."
    )


def _undressed(values: pl.Series, where: Callable[[int], str]) -> Typed:
    signs = [
        what
        for what, pattern in (
            ("currency signs", r"[$£€]"),
            ("thousands separators", ","),
            ("percent signs", "%"),
        )
        if values.str.contains(pattern).any()
    ]
    note = f"column {values.name!r}: {' and '.join(signs)} were removed."
    return _with_note(_numeric(values.str.replace_all(r"[$£€,% ]", ""), where), note)


def _almost_numeric(values: pl.Series, is_number: pl.Series, where: Callable[[int], str]) -> tuple[str, ...]:
    """A note where a few values keep an otherwise numeric column from being one."""
    num_numbers, num_present = int(is_number.sum()), values.len() - values.null_count()
    if num_numbers < 0.5 * num_present:
        return ()
    is_word = (~is_number).fill_null(False)
    row = int(is_word.arg_max() or 0)
    of = f"of {num_present:,} values"
    words = counted(num_present - num_numbers, f"{of} is not a number", f"{of} are not numbers")
    note = f"column {values.name!r}: read as text, because {words}, the first {values[row]!r} ({where(row)})."
    if values.filter(is_word).n_unique() <= _MOST_CODES:
        note += f" If it means missing, replace it in the file, or pass missing=({values[row]!r},) to read_table."
    return (note,)


def _with_note(typed: Typed, note: str) -> Typed:
    return Typed(typed.values, (note, *typed.notes))
