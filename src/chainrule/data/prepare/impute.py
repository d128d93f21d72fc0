"""Missing values: filled with what training rows say, and marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from chainrule._base.checks import check_choice, check_number
from chainrule._base.errors import ArgumentError
from chainrule._base.registry import register_class


@register_class
@dataclass(frozen=True)
class FittedNumberImputer:
    """What each numeric column is filled with, and which columns get an indicator."""

    values: tuple[float, ...]
    indicators: tuple[bool, ...]

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Fill ``x: [rows, columns]``; NaN is missing."""
        return np.where(np.isnan(x), np.asarray(self.values), x)

    def indicator(self, x: np.ndarray) -> np.ndarray:
        """1 where a value was missing, for the columns that had missing ones in training: [rows, indicators]."""
        marks: np.ndarray = np.isnan(x)[:, np.asarray(self.indicators, bool)].astype(np.float64)
        return marks


@register_class
@dataclass(frozen=True)
class NumberImputer:
    """Fill numeric columns with their mean, median, most frequent value or a constant.

    Values are often not missing at random, so every column with missing values in training gets an
    indicator column too: the network can learn what being missing means.

    Args:
        strategy: ``"mean"``, ``"median"``, ``"mode"`` or ``"constant"``.
        constant: the value of ``"constant"``.

    Example:
        >>> x = np.array([[1.0, 5.0], [np.nan, 6.0], [4.0, 7.0]])
        >>> fitted = NumberImputer("mean").fit(x)
        >>> fitted.transform(x).tolist(), fitted.indicator(x).tolist()
        ([[1.0, 5.0], [2.5, 6.0], [4.0, 7.0]], [[0.0], [1.0], [0.0]])
    """

    strategy: Literal["mean", "median", "mode", "constant"] = "median"
    constant: float = 0.0

    def __post_init__(self) -> None:
        check_choice("strategy", self.strategy, ("mean", "median", "mode", "constant"), self)
        check_number("constant", self.constant, self)

    def fit(self, x: np.ndarray) -> FittedNumberImputer:
        """Learn the filling of each column of ``x: [rows, columns]``; a column without values is filled with 0."""
        x = np.asarray(x, np.float64)
        values = [self._value(column[~np.isnan(column)]) for column in x.T]
        return FittedNumberImputer(tuple(values), tuple(np.isnan(x).any(axis=0).tolist()))

    def _value(self, present: np.ndarray) -> float:
        if self.strategy == "constant":
            return float(self.constant)
        if not present.size:
            return 0.0
        if self.strategy == "mode":
            values, counts = np.unique(present, return_counts=True)
            return float(values[counts.argmax()])  # the smallest of equally frequent values
        return float(np.mean(present) if self.strategy == "mean" else np.median(present))


@register_class
@dataclass(frozen=True)
class FittedCategoryImputer:
    """What a column of categories is filled with, over all rows and in each group.

    Args:
        value: the filling where no group applies.
        groups: names of the groups.
        group_values: the filling of each group.
        notes: ties, and how they were broken.
    """

    value: str
    groups: tuple[str, ...] = ()
    group_values: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def transform(self, values: Sequence[str | None], groups: Sequence[str] | None = None) -> list[str]:
        """Fill ``values``; ``None`` is missing."""
        by_group = dict(zip(self.groups, self.group_values, strict=True))
        if groups is None:
            return [self.value if value is None else value for value in values]
        pairs = zip(values, groups, strict=True)
        return [by_group.get(group, self.value) if value is None else value for value, group in pairs]


@register_class
@dataclass(frozen=True)
class CategoryImputer:
    """Fill categories with the most frequent one, overall or within a group, or make missing a class of its own.

    A tie is never broken silently: the note names the tied categories and which was taken (the first in
    alphabetical order).

    Args:
        strategy: ``"mode"`` or ``"constant"``.
        constant: the name of the class of missing values, for ``"constant"``.

    Example:
        >>> likes = ["Cats", "Dogs", None, "Cats", "Dogs", "Dogs", "Cats"]
        >>> CategoryImputer("mode").fit(likes).notes
        ("'Cats' and 'Dogs' are tied with 3 rows each; 'Cats' was taken, the first in the alphabet.",)
        >>> CategoryImputer("mode").fit(likes, groups=list("MMFMFFF")).transform([None], ["F"])
        ['Dogs']
    """

    strategy: Literal["mode", "constant"] = "constant"
    constant: str = "Missing"

    def __post_init__(self) -> None:
        check_choice("strategy", self.strategy, ("mode", "constant"), self)

    def fit(self, values: Sequence[str | None], groups: Sequence[str] | None = None) -> FittedCategoryImputer:
        """Learn the filling from training rows, within ``groups`` if given."""
        if self.strategy == "constant":
            return FittedCategoryImputer(self.constant)
        overall, notes = self._mode(values, "")
        if groups is None:
            return FittedCategoryImputer(overall, notes=notes)
        if len(groups) != len(values):
            raise ArgumentError(
                f"CategoryImputer: groups must have one entry per value ({len(values)}); received {len(groups)}."
            )
        names, fillings = sorted(set(groups)), []
        notes = ()
        for name in names:
            members = [value for value, group in zip(values, groups, strict=True) if group == name]
            filling, tied = self._mode(members, f"in group {name!r}, ")
            fillings.append(filling if any(member is not None for member in members) else overall)
            notes += tied
        return FittedCategoryImputer(overall, tuple(names), tuple(fillings), notes)

    def _mode(self, values: Sequence[str | None], where: str) -> tuple[str, tuple[str, ...]]:
        counts = Counter(value for value in values if value is not None)
        if not counts:
            return self.constant, ()
        most = max(counts.values())
        tied = sorted(value for value, count in counts.items() if count == most)
        if len(tied) == 1:
            return tied[0], ()
        listed = " and ".join(repr(value) for value in tied)
        rows = "row" if most == 1 else "rows"
        note = f"{where}{listed} are tied with {most} {rows} each; {tied[0]!r} was taken, the first in the alphabet."
        return tied[0], (note,)
