"""From a table's columns to one float32 matrix: everything learnt from training rows only, then frozen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl

from chainrule._base.checks import check_choice, check_int
from chainrule._base.errors import DataError, FormatError, did_you_mean
from chainrule._base.registry import from_config, register_class, to_config
from chainrule._base.wording import counted
from chainrule.data.dates import DATE_PARTS, date_parts, epoch_days, to_moments
from chainrule.data.prepare.encode import FittedOneHot, OneHotEncoder
from chainrule.data.prepare.impute import FittedNumberImputer, NumberImputer
from chainrule.data.prepare.numeric_embedding import FittedPiecewiseLinear, PiecewiseLinear
from chainrule.data.prepare.scale import SCALERS, FittedQuantileScaler, FittedScaler
from chainrule.data.schema import Schema
from chainrule.data.sources.numbers import number_mask
from chainrule.data.sources.table import Table

_LIMIT = 1e30  # float32 ends at 3.4e38; squares must not overflow in float64 either
_TEXT_PARTS = ("characters", "words")


class Prepared(NamedTuple):
    """The matrix for the network, and how unusual input was treated."""

    features: np.ndarray  # float32 [rows, features]
    notes: tuple[str, ...]


@register_class
@dataclass(frozen=True)
class NumberSource:
    """Where a numeric feature comes from: a column's value, a part of its date, or the length of its text."""

    column: str
    part: str = "value"
    date_format: str | None = None
    first_day: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @property
    def label(self) -> str:
        """Name of the feature."""
        return self.column if self.part == "value" else f"{self.column}.{self.part}"


@register_class
@dataclass(frozen=True)
class CategorySource:
    """A column of categories and its encoding."""

    column: str
    encoder: FittedOneHot


@register_class
@dataclass(frozen=True)
class FittedPreparer:
    """What was learnt from the training rows: plain numbers and names, saved inside the model.

    At prediction, columns are found by name (order does not matter), extra columns are ignored, and a missing column
    or a number column holding text is an error. An unknown category counts as "(other)"; a value missing where none
    was in training is filled; each with a counted note.
    """

    numbers: tuple[NumberSource, ...]
    imputer: FittedNumberImputer
    scaler: FittedScaler | FittedQuantileScaler
    bins: FittedPiecewiseLinear | None
    categories: tuple[CategorySource, ...]
    filled: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]
    not_features: tuple[str, ...]
    fitted_rows: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a table must have."""
        used = [*(source.column for source in self.numbers), *(source.column for source in self.categories)]
        return tuple(dict.fromkeys([*used, *self.filled]))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(name for name, _ in self._features())

    @property
    def column_of_feature(self) -> tuple[str, ...]:
        """The source column of each feature."""
        return tuple(column for _, column in self._features())

    def transform(self, table: Table) -> np.ndarray:
        """The features of ``table``: float32 [rows, features]. See :meth:`prepare` for the notes."""
        return self.prepare(table).features

    def prepare(self, table: Table) -> Prepared:
        """The features of ``table``, and notes on unusual input.

        Raises:
            DataError: columns are missing, or a number column holds text; names them, the row and the value.
        """
        self._require_columns(table)
        notes = self._extra_columns(table)
        raw = _number_matrix(table, self.numbers)
        notes += self._number_notes(raw)
        filled = self.imputer.transform(raw) if raw.shape[1] else raw
        blocks = [self.scaler.transform(filled) if raw.shape[1] else raw]
        if self.bins is not None:
            blocks.append(self.bins.transform(filled))
        if raw.shape[1]:
            blocks.append(self.imputer.indicator(raw))
        for source in self.categories:
            coded = source.encoder.transform(table.column(source.column))
            blocks.append(coded.values)
            notes += _category_notes(source, coded.num_unknown, coded.num_missing)
        blocks += [table.column(name).is_not_null().to_numpy()[:, None].astype(np.float64) for name in self.filled]
        features = np.clip(np.concatenate(blocks, axis=1), -_LIMIT, _LIMIT).astype(np.float32)
        return Prepared(features, tuple(notes))

    def to_config(self) -> dict[str, Any]:  # Any: plain JSON values
        """Plain JSON values."""
        config: dict[str, Any] = to_config(self)
        return config

    @staticmethod
    def from_config(config: Mapping[str, Any]) -> FittedPreparer:  # Any: plain JSON values
        """The inverse of :meth:`to_config`."""
        fitted = from_config(dict(config))
        if not isinstance(fitted, FittedPreparer):
            raise FormatError(f"preparer: the file describes a {type(fitted).__name__}; expected a FittedPreparer.")
        return fitted

    def describe(self) -> list[tuple[str, str]]:
        """Rows for printing: column, and what becomes of it."""
        per_column: dict[str, list[str]] = {}
        for name, column in self._features():
            if column not in self.filled:
                per_column.setdefault(column, []).append(name)
        rows = [
            (column, f"{len(names)} feature{'s' if len(names) > 1 else ''}: {', '.join(names[:6])}"
             + (", ..." if len(names) > 6 else ""))
            for column, names in per_column.items()
        ]  # fmt: skip
        treatments = dict.fromkeys(self.filled, "its text is not used, only whether it is filled in")
        return rows + [(name, f"{treatments.get(name, 'left out')}: {reason}") for name, reason in self.dropped]

    def _features(self) -> list[tuple[str, str]]:
        features = [(source.label, source.column) for source in self.numbers]
        if self.bins is not None:
            for source, size in zip(self.numbers, self.bins.sizes, strict=True):
                features += [(f"{source.label} bin {number}", source.column) for number in range(1, size + 1)]
        for source, marked in zip(self.numbers, self.imputer.indicators, strict=True):
            if marked:
                features.append((f"{source.label} is missing", source.column))
        for category in self.categories:
            features += [(f"{category.column}={label}", category.column) for label in category.encoder.labels]
        return features + [(f"{name} is given", name) for name in self.filled]

    def _require_columns(self, table: Table) -> None:
        absent = [name for name in self.columns if name not in table.columns]
        if not absent:
            return
        extra = [name for name in table.columns if name not in self.columns]
        hints = "".join(f" {name!r}:{hint}" for name in absent if (hint := did_you_mean(name, extra)))
        listed = ", ".join(repr(name) for name in absent)
        raise DataError(
            f"{table.source}: {len(absent)} of the {len(self.columns)} columns that the model needs are not there: "
            f"{listed}.{hints} Add or rename them; a value may be empty, a column may not be left out."
        )

    def _extra_columns(self, table: Table) -> list[str]:
        known = {*self.columns, *self.not_features, *(name for name, _ in self.dropped)}
        extra = [name for name in table.columns if name not in known]
        if not extra:
            return []
        return [f"columns that training did not have were ignored: {', '.join(extra[:10])}."]

    def _number_notes(self, raw: np.ndarray) -> list[str]:
        notes = []
        for index, source in enumerate(self.numbers):
            values = raw[:, index]
            num_missing = int(np.isnan(values).sum())
            if num_missing and not self.imputer.indicators[index] and source.part in ("value", "elapsed_days"):
                notes.append(
                    f"column {source.column!r}: {_of(values, num_missing)} missing, though none was in training; "
                    f"filled with {self.imputer.values[index]:g}."
                )
            margin = source.high - source.low
            num_far = int(((values < source.low - margin) | (values > source.high + margin)).sum())
            if num_far:
                notes.append(
                    f"column {source.label!r}: {_of(values, num_far)} far outside the training range "
                    f"{source.low:g} to {source.high:g}; predictions there are guesses."
                )
        return notes


@register_class
@dataclass(frozen=True)
class TablePreparer:
    """How a table becomes numbers.

    Numbers are imputed and scaled (with an indicator where values were missing), codes and categories become one-hot
    columns, booleans one column, dates year, month, day of week, hour and days elapsed. Identifiers, constants
    and running text are left out, with the reason; if they are sometimes missing, whether they are given is kept.

    Args:
        numeric: scaling of numbers: ``"standard"``, ``"minmax"``, ``"robust"`` or ``"quantile"``.
        impute: filling of missing numbers: ``"median"``, ``"mean"``, ``"mode"`` or ``"constant"`` (0).
        piecewise_bins: quantile bins added per number (piecewise-linear encoding); 0 adds none.
        max_categories: one-hot columns per category column, at most; the rest is "(other)".
        min_count: training rows that a category needs for a column of its own.
        text: ``"drop"`` running text, or keep its ``"length"`` (characters and words).

    Example:
        >>> from chainrule.data.schema import infer_schema
        >>> from chainrule.data.sources import read_table
        >>> table = read_table({"age": [20.5, 30, None, 40], "sex": ["m", "f", "f", "m"]})
        >>> fitted = TablePreparer().fit(table, infer_schema(table), train_rows=[0, 1, 2])
        >>> fitted.feature_names
        ('age', 'age is missing', 'sex=m')
        >>> fitted.transform(table).round(2).tolist()[1]
        [1.2200000286102295, 0.0, 0.0]
    """

    numeric: Literal["standard", "minmax", "robust", "quantile"] = "standard"
    impute: Literal["median", "mean", "mode", "constant"] = "median"
    piecewise_bins: int = 0
    max_categories: int = 20
    min_count: int = 5
    text: Literal["drop", "length"] = "drop"

    def __post_init__(self) -> None:
        check_choice("numeric", self.numeric, tuple(SCALERS), self)
        check_choice("impute", self.impute, ("median", "mean", "mode", "constant"), self)
        check_choice("text", self.text, ("drop", "length"), self)
        check_int("piecewise_bins", self.piecewise_bins, self, minimum=0)

    def fit(
        self,
        table: Table,
        schema: Schema,
        train_rows: np.ndarray | Sequence[int] | None = None,
        *,
        exclude: Collection[str] = (),
    ) -> FittedPreparer:
        """Learn from the training rows of ``table`` only.

        Args:
            table: the whole table.
            schema: its columns' kinds.
            train_rows: the rows to learn from; all, unless given.
            exclude: columns that are no features (the target, groups, time).

        Raises:
            DataError: no column is left that could tell rows apart.
        """
        train = table if train_rows is None else table.take(np.asarray(train_rows))
        if not len(train):
            raise DataError(f"{table.source}: there are no training rows to fit on. Give at least one.")
        kept = [column for column in schema.columns if column.name not in exclude]
        candidates = [source for column in kept for source in self._number_sources(column.name, schema, train)]
        numbers, raw = _with_ranges(candidates, _number_matrix(train, candidates))
        imputer = _one_indicator(NumberImputer(self.impute).fit(raw), numbers)
        filled = imputer.transform(raw) if numbers else raw
        one_hot = OneHotEncoder(self.max_categories, self.min_count)
        categories = tuple(
            CategorySource(column.name, one_hot.fit(train.column(column.name)))
            for column in kept
            if column.kind in ("code", "category", "boolean")
        )
        used = {*(source.column for source in numbers), *(source.column for source in categories)}
        dropped = tuple((column.name, column.reason) for column in kept if column.name not in used)
        fitted = FittedPreparer(
            numbers=numbers,
            imputer=imputer,
            scaler=SCALERS[self.numeric].fit(filled) if numbers else FittedScaler((), ()),
            bins=PiecewiseLinear(self.piecewise_bins).fit(raw) if self.piecewise_bins and numbers else None,
            categories=categories,
            filled=tuple(name for name, _ in dropped if is_sometimes_given(train.column(name))),
            dropped=dropped,
            not_features=tuple(exclude),
            fitted_rows=len(train),
        )
        if not fitted.feature_names:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in dropped[:5])
            raise DataError(
                f"{table.source}: no column is left to learn from ({reasons}). Add columns, or name their kinds."
            )
        return fitted

    def _number_sources(self, name: str, schema: Schema, train: Table) -> list[NumberSource]:
        column = schema[name]
        if column.kind == "number":
            return [NumberSource(name)]
        if column.kind == "text" and self.text == "length":
            return [NumberSource(name, part) for part in _TEXT_PARTS]
        if column.kind != "date" or column.date_format is None:
            return []
        moments = to_moments(train.column(name), column.date_format, train.source, train.where)
        first = epoch_days(moments).min()
        start = float(first) if isinstance(first, float) else 0.0
        return [NumberSource(name, part, column.date_format, start) for part in DATE_PARTS]


def is_sometimes_given(values: pl.Series) -> bool:
    """Whether training ``values`` are missing often enough, and not too often, for "is given" to be a feature.

    Example:
        >>> is_sometimes_given(pl.Series(["C85", None, "E46"])), is_sometimes_given(pl.Series(["a", "b"]))
        (True, False)
    """
    share = values.null_count() / values.len()
    return 0.02 <= share <= 0.98


def _number_matrix(table: Table, sources: Sequence[NumberSource]) -> np.ndarray:
    matrix = np.empty((len(table), len(sources)))
    for index, source in enumerate(sources):
        matrix[:, index] = _numbers(table, source)
    return matrix


def _numbers(table: Table, source: NumberSource) -> np.ndarray:
    values = table.column(source.column)
    if source.part in DATE_PARTS and source.date_format is not None:
        moments = to_moments(values, source.date_format, table.source, table.where)
        return date_parts(moments, source.first_day)[:, DATE_PARTS.index(source.part)]
    if source.part in _TEXT_PARTS:
        text = values.cast(pl.String)
        counted = text.str.len_chars() if source.part == "characters" else text.str.count_matches(r"\S+")
        return counted.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    if not values.dtype.is_numeric():
        values = _as_numbers(table, values)
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _as_numbers(table: Table, values: pl.Series) -> pl.Series:
    """Text that is all numbers becomes numbers; anything else is an error naming the first value."""
    text = values.cast(pl.String)
    is_number = number_mask(text).fill_null(value=True)
    if not is_number.all():
        row = int((~is_number).arg_max() or 0)
        raise DataError(
            f"{table.where(row)}, column {values.name!r}: a number was expected, as in training; received "
            f"{text[row]!r}. Correct the value, or leave it empty if it is missing."
        )
    return text.cast(pl.Float64)


def _with_ranges(sources: list[NumberSource], raw: np.ndarray) -> tuple[tuple[NumberSource, ...], np.ndarray]:
    """Note each source's range in training, and leave out date parts that never vary (the hour of plain days)."""
    kept, columns = [], []
    for index, source in enumerate(sources):
        present = raw[~np.isnan(raw[:, index]), index]
        low, high = (float(present.min()), float(present.max())) if present.size else (0.0, 0.0)
        if source.part in DATE_PARTS and source.part != "elapsed_days" and low == high:
            continue
        kept.append(NumberSource(source.column, source.part, source.date_format, source.first_day, low, high))
        columns.append(index)
    return tuple(kept), raw[:, columns]


def _one_indicator(imputer: FittedNumberImputer, sources: Sequence[NumberSource]) -> FittedNumberImputer:
    """One indicator per column is enough: the parts of a date are missing together."""
    seen: set[str] = set()
    indicators = []
    for source, marked in zip(sources, imputer.indicators, strict=True):
        indicators.append(marked and source.column not in seen)
        if marked:
            seen.add(source.column)
    return FittedNumberImputer(imputer.values, tuple(indicators))


def _of(values: np.ndarray, count: int) -> str:
    return counted(count, f"of {values.size:,} values is", f"of {values.size:,} values are")


def _category_notes(source: CategorySource, num_unknown: int, num_missing: int) -> list[str]:
    encoder, notes = source.encoder, []
    if num_unknown:
        treatment = "counted as '(other)'" if encoder.has_other else "given the training average"
        what = counted(num_unknown, "value was", "values were")
        notes.append(f"column {source.column!r}: {what} rare or not there in training; {treatment}.")
    if num_missing and not encoder.has_missing:
        notes.append(
            f"column {source.column!r}: {counted(num_missing, 'value is', 'values are')} missing, though none was in "
            "training; given the training average."
        )
    return notes
