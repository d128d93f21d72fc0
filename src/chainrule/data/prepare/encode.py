"""Categories as features: one-hot columns, or index codes for an embedding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from chainrule._base.checks import check_int
from chainrule._base.registry import register_class
from chainrule.data.schema import value_text

OTHER, MISSING = "(other)", "(missing)"


class Coded(NamedTuple):
    """Encoded rows, and how many of them had no category of their own."""

    values: np.ndarray
    num_unknown: int
    num_missing: int


@register_class
@dataclass(frozen=True)
class FittedOneHot:
    """One feature per category of the training rows.

    Args:
        categories: the categories, most frequent first (two-valued columns: in order, only the second is a feature).
        has_other: whether there is a feature for rare categories; it takes unknown ones too.
        has_missing: whether there is a feature for missing values.
        average: the mean of each feature in training; stands in for a value that has no feature.
        is_pair: whether the column has two values and one feature.
    """

    categories: tuple[str, ...]
    has_other: bool
    has_missing: bool
    average: tuple[float, ...]
    is_pair: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """What each feature stands for."""
        kept = self.categories[1:] if self.is_pair else self.categories
        return (*kept, *([OTHER] if self.has_other else []), *([MISSING] if self.has_missing else []))

    def transform(self, values: pl.Series) -> Coded:
        """Encode a column: [rows] -> [rows, features].

        A category that training did not know counts as "(other)" if that is a feature; otherwise, like a value
        missing for the first time, it becomes the training average, which tells the network nothing.
        """
        num = len(self.categories)
        codes, num_unknown = _codes(values, self.categories, start=0, unknown=num)
        is_missing = values.is_null().to_numpy()
        codes = np.where(is_missing, num + 1, codes)
        return Coded(self._rows()[codes], num_unknown, int(is_missing.sum()))

    def _rows(self) -> np.ndarray:
        """The features of every code: [categories + unknown + missing, features]."""
        num = len(self.categories)
        average = np.asarray(self.average)
        rows = np.zeros((num + 2, average.size))
        shift = 1 if self.is_pair else 0
        rows[np.arange(shift, num), np.arange(num - shift)] = 1.0
        rows[num] = average
        rows[num + 1] = average
        if self.has_other:
            rows[num] = np.eye(average.size)[num - shift]
        if self.has_missing:
            rows[num + 1] = np.eye(average.size)[-1]
        return rows


@register_class
@dataclass(frozen=True)
class OneHotEncoder:
    """One-hot encoding of one column.

    Rare categories share the feature "(other)", so that unknown ones later meet something that was trained; missing
    values are a category of their own. A column of two values needs one feature, 0 or 1.

    Args:
        max_categories: features for categories, at most; the rest is "(other)".
        min_count: training rows that a category needs for a feature of its own.

    Example:
        >>> fitted = OneHotEncoder(min_count=1).fit(pl.Series(["a", "b", "c", "a"]))
        >>> fitted.labels, fitted.transform(pl.Series(["c", "a"])).values.tolist()
        (('a', 'b', 'c'), [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    """

    max_categories: int = 20
    min_count: int = 5

    def __post_init__(self) -> None:
        check_int("max_categories", self.max_categories, self, minimum=1)
        check_int("min_count", self.min_count, self, minimum=1)

    def fit(self, values: pl.Series) -> FittedOneHot:
        """Learn the categories of a column of training rows."""
        counts = _counted(values)
        has_missing = values.null_count() > 0
        if len(counts) == 2:
            names = tuple(sorted(name for name, _ in counts))
            kept, has_other, is_pair = names, False, True
        else:
            kept = tuple(name for name, count in counts[: self.max_categories] if count >= self.min_count)
            has_other, is_pair = len(kept) < len(counts), False
        num_features = len(kept) - is_pair + has_other + has_missing
        blank = FittedOneHot(kept, has_other, has_missing, (0.0,) * num_features, is_pair)
        average = blank.transform(values).values.mean(axis=0) if values.len() else np.zeros(num_features)
        return FittedOneHot(kept, has_other, has_missing, tuple(average.tolist()), is_pair)


@register_class
@dataclass(frozen=True)
class FittedOrdinal:
    """Index codes of the training categories: 0 is unknown, 1 is missing, categories start at 2."""

    categories: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of codes: the rows an embedding needs."""
        return len(self.categories) + 2

    def transform(self, values: pl.Series) -> Coded:
        """Encode a column: [rows] -> [rows] int32."""
        codes, num_unknown = _codes(values, self.categories, start=2, unknown=0)
        is_missing = values.is_null().to_numpy()
        return Coded(np.where(is_missing, 1, codes).astype(np.int32), num_unknown, int(is_missing.sum()))


@register_class
@dataclass(frozen=True)
class OrdinalEncoder:
    """Index codes for an embedding layer; the order of the codes means nothing.

    Example:
        >>> fitted = OrdinalEncoder().fit(pl.Series(["a", "b", "a"]))
        >>> fitted.transform(pl.Series(["b", None, "z"])).values.tolist(), fitted.size
        ([3, 1, 0], 4)
    """

    min_count: int = 1

    def __post_init__(self) -> None:
        check_int("min_count", self.min_count, self, minimum=1)

    def fit(self, values: pl.Series) -> FittedOrdinal:
        """Learn the categories, most frequent first."""
        return FittedOrdinal(tuple(name for name, count in _counted(values) if count >= self.min_count))


def _counted(values: pl.Series) -> list[tuple[str, int]]:
    """Categories with their counts, most frequent first, then in order."""
    text = value_text(values.drop_nulls()).alias("value")
    counts = text.value_counts(sort=False).sort(["count", "value"], descending=[True, False])
    return list(zip(counts["value"].to_list(), counts["count"].to_list(), strict=True))


def _codes(values: pl.Series, categories: Sequence[str], *, start: int, unknown: int) -> tuple[np.ndarray, int]:
    if not categories:
        return np.full(values.len(), unknown), values.len() - values.null_count()
    text = value_text(values).cast(pl.String)
    numbers = list(range(start, start + len(categories)))
    codes = text.replace_strict(list(categories), numbers, default=-1, return_dtype=pl.Int64)
    array = codes.fill_null(unknown).to_numpy()
    is_unknown = array == -1
    return np.where(is_unknown, unknown, array), int((is_unknown & values.is_not_null().to_numpy()).sum())
