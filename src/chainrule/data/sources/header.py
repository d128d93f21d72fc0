"""Whether the first record names the columns, and which names a table may have."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import polars as pl

from chainrule._base.errors import DataError
from chainrule.data.sources.numbers import clean_text, number_mask

MAX_COLUMNS = 20_000
_MAX_ROWS_SAMPLED = 100


def has_header(first: Sequence[str | None], body: pl.DataFrame) -> bool:
    """Judge from the values: a header is text above columns of numbers.

    A numeric (or missing) value above a numeric column speaks against a header, text above one for it. Numbers alone
    can still be a header if they are years or count up (``1990,1995,2000``).

    Example:
        >>> body = pl.DataFrame({"c1": ["63", "67"], "c2": ["yes", "no"]})
        >>> has_header(["age", "ill"], body), has_header(["41", "no"], body)
        (True, False)
    """
    votes_for = votes_against = 0
    numeric_names: list[str] = []
    cells = clean_text(pl.Series("first", list(first), dtype=pl.String))
    is_number = number_mask(cells)
    for index, values in enumerate(body.head(_MAX_ROWS_SAMPLED).iter_columns()):
        below = clean_text(values)
        if not below.null_count() < below.len():
            continue
        if (number_mask(below).mean() or 0.0) > 0.5:  # type: ignore[operator]  # the mean of a mask is a float
            if cells[index] is None or is_number[index]:
                votes_against += 1
                numeric_names.append(str(cells[index]))
            else:
                votes_for += 1
        elif is_number[index] or (cells[index] is not None and cells[index] in set(below.drop_nulls())):
            votes_against += 1
    if votes_for or not votes_against:
        return True
    return _counts_up(numeric_names) and len(numeric_names) > 2


def name_columns(first: Sequence[str | None], name: str) -> tuple[list[str], tuple[str, ...]]:
    """Names from a header record; columns without a name get one, and a note.

    Example:
        >>> name_columns(["", " age "], "heart.csv")
        (['c1', 'age'], ("heart.csv: column 1 has no name in the header; called 'c1'.",))
    """
    names, notes = [], []
    for number, cell in enumerate(first, start=1):
        stripped = (cell or "").strip()
        if not stripped:
            stripped = f"c{number}"
            notes.append(f"{name}: column {number} has no name in the header; called {stripped!r}.")
        names.append(stripped)
    check_names(names, name)
    return names, tuple(notes)


def check_names(names: Sequence[str], name: str) -> None:
    """Refuse duplicate names and absurd widths."""
    if len(names) > MAX_COLUMNS:
        raise DataError(
            f"{name}: it has {len(names):,} columns; at most {MAX_COLUMNS:,} are read. Select columns first."
        )
    seen: dict[str, int] = {}
    for number, column in enumerate(names, start=1):
        if column in seen:
            raise DataError(
                f"{name}: columns {seen[column]} and {number} are both called {column!r}; names must differ. "
                "Rename or remove one of them."
            )
        if column.startswith("^") and column.endswith("$"):
            raise DataError(
                f"{name}: column {number} is called {column!r}; names from ^ to $ are read as patterns. Rename it."
            )
        seen[column] = number


def _counts_up(cells: Sequence[str]) -> bool:
    if not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    steps = {after - before for before, after in itertools.pairwise(numbers)}
    return len(steps) == 1 and next(iter(steps)) > 0
