"""Leakage-safe partitions: training, validation and test rows, and folds.

Rows that belong together (a patient's visits, exact duplicates) always stay on one side; classes keep their shares;
order in time is kept where time matters. Everything follows from one seed.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import polars as pl

from chainrule._base.checks import check_int, check_number, describe
from chainrule._base.errors import ArgumentError, ArgumentTypeError, DataError
from chainrule._base.partition import deal
from chainrule._base.wording import counted
from chainrule.data.sources.table import Table

T = TypeVar("T")
Labels = Sequence[Any] | np.ndarray | pl.Series  # Any: labels may be of any hashable type
_PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of the three sets; every row stands in exactly one.

    Args:
        train: rows to learn from, in random order (in time order for time splits).
        validation: rows to choose and stop by.
        test: rows to judge by, once.
        how: how the split was made, in words.
    """

    train: np.ndarray = field(repr=False)
    validation: np.ndarray = field(repr=False)
    test: np.ndarray = field(repr=False)
    how: str = "random"

    @property
    def sizes(self) -> dict[str, int]:
        """Rows of each set."""
        return {part: int(getattr(self, part).size) for part in _PARTS}

    def take(self, data: Any) -> tuple[Any, ...]:  # Any: an array, a data frame or a Table
        """The parts of ``data`` that are not empty, in the order train, validation, test."""
        rows = [part for part in (self.train, self.validation, self.test) if part.size]
        return tuple(data.take(part) if isinstance(data, Table) else data[part] for part in rows)


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold: rows to train on and rows to validate on, with its repeat and number."""

    train: np.ndarray = field(repr=False)
    validation: np.ndarray = field(repr=False)
    repeat: int = 0
    number: int = 0


def split(
    data: Any,  # Any: a number of rows, or anything with a length
    train: float | None = None,
    *,
    validation: float | None = None,
    test: float | None = None,
    stratify: Labels | None = None,
    groups: Labels | None = None,
    time: Labels | None = None,
    seed: int = 0,
) -> Split:
    """Divide rows into training, validation and test sets.

    ``split(data)`` gives 60/20/20; ``split(data, 0.8)`` a simple hold-out of 80/20 without validation;
    shares that are named win, and the rest goes to training. With ``stratify``, each class has its share in each
    part to within one row; a class of three rows or more has at least one row in each part. Exact duplicates among a
    :class:`Table`'s rows stay on one side.

    Args:
        data: a table, an array or data frame, or the number of rows.
        train: share of the training rows, between 0 and 1.
        validation: share of the validation rows.
        test: share of the test rows.
        stratify: a class per row.
        groups: a group per row; a group is never divided, so shares hold only roughly.
        time: a moment or number per row; training is earliest, test latest, and equal moments stay together.
        seed: decides the shuffling.

    Raises:
        ArgumentError: shares do not add up, or arguments that exclude each other.
        DataError: too few rows or groups.

    Example:
        >>> parts = split(10, 0.8)
        >>> parts.sizes, sorted(np.concatenate([parts.train, parts.test]).tolist()) == list(range(10))
        ({'train': 8, 'validation': 0, 'test': 2}, True)
    """
    num_rows = _num_rows(data)
    shares = _shares(train, validation, test)
    if num_rows < sum(share > 0 for share in shares):
        raise DataError(f"split: {num_rows} rows are too few for {sum(s > 0 for s in shares)} parts. Add rows.")
    if time is not None:
        if groups is not None or stratify is not None:
            raise ArgumentError("split: time excludes groups and stratify; received several. Choose one.")
        return _split_by_time(_checked(time, num_rows, "time"), shares)
    classes = _numbered(stratify, num_rows, "stratify")
    units, how = _units(data, groups, num_rows)
    parts = deal(classes, units, shares, np.random.default_rng(seed))
    if groups is not None and any(share > 0 and not rows.size for share, rows in zip(shares, parts, strict=True)):
        raise DataError(
            f"split: {int(units.max()) + 1} groups are too few to fill every part. Use fewer parts, or other groups."
        )
    kind = "random" if stratify is None else "stratified"
    return Split(parts[0], parts[1], parts[2], f"{kind}{how}")


def kfold(
    data: Any,  # Any: see split
    folds: int = 5,
    *,
    stratify: Labels | None = None,
    groups: Labels | None = None,
    seed: int = 0,
) -> tuple[Fold, ...]:
    """Divide rows into ``folds`` parts, each of which validates once.

    Example:
        >>> [fold.validation.size for fold in kfold(10, 3)]
        [4, 3, 3]
    """
    check_int("folds", folds, "kfold", minimum=2)
    num_rows = _num_rows(data)
    classes = _numbered(stratify, num_rows, "stratify")
    units, _ = _units(data, groups, num_rows)
    num_units = int(units.max()) + 1 if num_rows else 0
    if num_units < folds:
        raise DataError(f"kfold: {num_units} rows or groups are too few for {folds} folds. Use fewer folds.")
    parts = deal(classes, units, (1.0 / folds,) * folds, np.random.default_rng(seed))
    everything = np.arange(num_rows)
    return tuple(
        Fold(np.setdiff1d(everything, part, assume_unique=True), np.sort(part), number=number)
        for number, part in enumerate(parts)
    )


def repeated_kfold(
    data: Any,  # Any: see split
    folds: int = 5,
    repeats: int = 10,
    *,
    stratify: Labels | None = None,
    groups: Labels | None = None,
    seed: int = 0,
) -> tuple[Fold, ...]:
    """Iterated k-fold with shuffling: ``repeats`` times ``folds`` folds, shuffled anew each time.

    Example:
        >>> len(repeated_kfold(20, folds=4, repeats=3))
        12
    """
    check_int("repeats", repeats, "repeated_kfold", minimum=1)
    seeds = np.random.SeedSequence(seed).generate_state(repeats)
    return tuple(
        Fold(fold.train, fold.validation, repeat, fold.number)
        for repeat in range(repeats)
        for fold in kfold(data, folds, stratify=stratify, groups=groups, seed=int(seeds[repeat]))
    )


def duplicate_groups(table: Table, columns: Sequence[str] | None = None) -> np.ndarray:
    """A number per row, equal for rows whose values are equal in all ``columns`` (missing equals missing).

    Example:
        >>> from chainrule.data.sources import read_table
        >>> duplicate_groups(read_table({"a": [1, 2, 1], "b": ["x", "y", "x"]})).tolist()
        [0, 1, 0]
    """
    names = list(table.columns if columns is None else columns)
    plain = [table.column(name).alias(f"c{number}") for number, name in enumerate(names)]
    frame = pl.DataFrame(plain).with_row_index("row")
    first = frame.select(pl.col("row").min().over([values.name for values in plain])).to_series().to_numpy()
    return np.unique(first, return_inverse=True)[1]


class RepeatedTestWarning(UserWarning):
    """The test set was used more than once, so its figures are no longer unbiased."""


class SealedTest(Generic[T]):
    """A test set that counts how often it is opened; the second time warns.

    Choosing by test figures turns the test set into a validation set. Keep it sealed until nothing is to be decided.

    Example:
        >>> sealed = SealedTest([1, 2, 3])
        >>> sealed.open("final evaluation"), sealed.uses
        ([1, 2, 3], ('final evaluation',))
    """

    def __init__(self, data: T, uses: Sequence[str] = ()) -> None:
        self._data = data
        self._uses = list(uses)

    @property
    def uses(self) -> tuple[str, ...]:
        """What it was opened for, in order."""
        return tuple(self._uses)

    def open(self, purpose: str) -> T:
        """The data; from the second use on with a :class:`RepeatedTestWarning`."""
        self._uses.append(purpose)
        if len(self._uses) > 1:
            warnings.warn(
                f"the test set has now been used {len(self._uses)} times ({', '.join(self._uses)}); figures of a test "
                "set are unbiased only once. Decide by validation, and test one final time.",
                RepeatedTestWarning,
                stacklevel=2,
            )
        return self._data


def _num_rows(data: Any) -> int:
    if isinstance(data, bool) or not (isinstance(data, int | np.integer) or hasattr(data, "__len__")):
        raise ArgumentTypeError(
            f"split: data must be a table, an array or a number of rows; received {describe(data)}."
        )
    return int(data) if isinstance(data, int | np.integer) else len(data)


def _shares(train: float | None, validation: float | None, test: float | None) -> tuple[float, float, float]:
    for name, share in zip(_PARTS, (train, validation, test), strict=True):
        if share is not None:
            check_number(name, share, "split", at_least=0, below=1)
    if train is None and validation is None and test is None:
        return 0.6, 0.2, 0.2
    if train is None:
        validation, test = validation or 0.0, test or 0.0
        train = 1.0 - validation - test
    elif validation is None and test is None:
        validation, test = 0.0, 1.0 - train
    elif validation is None:
        validation = 1.0 - train - (test or 0.0)
    elif test is None:
        test = 1.0 - train - validation
    total = train + (validation or 0.0) + (test or 0.0)
    if abs(total - 1.0) > 1e-6 or min(train, validation or 0.0, test or 0.0) < -1e-9 or train <= 0:
        raise ArgumentError(
            f"split: the shares of train, validation and test must add up to 1 with some left to train; received "
            f"{train:g}, {validation:g} and {test:g}. Lower one of them."
        )
    return train, max(validation or 0.0, 0.0), max(test or 0.0, 0.0)


def _checked(values: Labels, num_rows: int, name: str) -> pl.Series:
    series = values if isinstance(values, pl.Series) else pl.Series(name, values)
    if series.len() != num_rows:
        raise ArgumentError(f"split: {name} must have one value per row ({num_rows}); received {series.len()}.")
    if series.dtype.is_float():
        series = series.fill_nan(None)
    if series.null_count():
        row = int(series.is_null().arg_max() or 0)
        raise DataError(f"split: {name} is missing in row {row + 1}. Fill it in or leave the row out.")
    return series


def _numbered(values: Labels | None, num_rows: int, name: str) -> np.ndarray:
    if values is None:
        return np.zeros(num_rows, np.int64)
    series = _checked(values, num_rows, name)
    return series.rank("dense").to_numpy().astype(np.int64) - 1 if num_rows else np.zeros(0, np.int64)


def _units(data: Any, groups: Labels | None, num_rows: int) -> tuple[np.ndarray, str]:
    """The unit of each row (rows of one unit stay together), and how to say so."""
    if groups is not None:
        return _numbered(groups, num_rows, "groups"), " by group"
    if isinstance(data, Table) and num_rows:
        units = duplicate_groups(data)
        num_duplicates = num_rows - int(units.max()) - 1
        copies = counted(num_duplicates, "duplicate row", "duplicate rows")
        return units, f", {copies} kept together" if num_duplicates else ""
    return np.arange(num_rows), ""


def _split_by_time(time: pl.Series, shares: tuple[float, float, float]) -> Split:
    order = time.arg_sort().to_numpy().astype(np.int64)
    ranks = time.rank("dense").to_numpy()[order]
    cuts = [0]
    for end in np.cumsum(shares)[:-1]:
        cut = max(round(end * order.size), cuts[-1])
        while 0 < cut < order.size and ranks[cut - 1] == ranks[cut]:
            cut += 1
        cuts.append(cut)
    parts = [order[start:end] for start, end in zip(cuts, [*cuts[1:], order.size], strict=True)]
    if any(share > 0 and not part.size for share, part in zip(shares, parts, strict=True)):
        raise DataError("split: too few different moments in time to fill every part. Use fewer parts.")
    return Split(parts[0], parts[1], parts[2], "by time, earliest first")
