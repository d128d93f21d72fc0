"""Scaling of numeric columns: fitted on training rows, then the same for every row.

``x`` is always [rows, columns] in float64; missing values (NaN) are left out when fitting and stay NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from chainrule._base.checks import check_choice, check_int
from chainrule._base.registry import register_class

Outside = Literal["keep", "clip"]


@register_class
@dataclass(frozen=True)
class FittedScaler:
    """``(x - offset) / scale`` per column, with its inverse.

    Args:
        offset: subtracted from each column.
        scale: each column is divided by it; never 0.
        lower: smallest value of the training rows, used by ``outside="clip"``.
        upper: largest value of the training rows.
        outside: whether values outside ``lower`` to ``upper`` are kept or clipped.
    """

    offset: tuple[float, ...]
    scale: tuple[float, ...]
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()
    outside: Outside = "keep"

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Scale ``x: [rows, columns]``."""
        if self.outside == "clip":
            x = np.clip(x, self.lower, self.upper)
        scaled: np.ndarray = (x - np.asarray(self.offset)) / np.asarray(self.scale)
        return scaled

    def inverse(self, x: np.ndarray) -> np.ndarray:
        """Undo :meth:`transform` (but for clipping)."""
        restored: np.ndarray = np.asarray(x, np.float64) * np.asarray(self.scale) + np.asarray(self.offset)
        return restored


@register_class
@dataclass(frozen=True)
class StandardScaler:
    """Standardisation, ``(x - mean) / deviation`` with the deviation over n; a constant column becomes 0.

    Example:
        >>> StandardScaler().fit(np.array([[1.0], [3.0]])).transform(np.array([[1.0], [3.0], [5.0]])).ravel().tolist()
        [-1.0, 1.0, 3.0]
    """

    outside: Outside = "keep"

    def __post_init__(self) -> None:
        check_choice("outside", self.outside, ("keep", "clip"), self)

    def fit(self, x: np.ndarray) -> FittedScaler:
        """Learn mean and deviation of each column."""
        x = _filled_columns(x)
        return _fitted(np.nanmean(x, axis=0), np.nanstd(x, axis=0), x, self.outside)


@register_class
@dataclass(frozen=True)
class MinMaxScaler:
    """Scaling to 0–1, ``(x - min) / (max - min)``.

    Args:
        outside: values outside the training range are kept (below 0, above 1) or clipped to 0 and 1.

    Example:
        >>> ages = MinMaxScaler(outside="clip").fit(np.array([[18.0], [99.0]]))
        >>> ages.transform(np.array([[18.0], [99.0], [58.5], [120.0]])).ravel().tolist()
        [0.0, 1.0, 0.5, 1.0]
    """

    outside: Outside = "keep"

    def __post_init__(self) -> None:
        check_choice("outside", self.outside, ("keep", "clip"), self)

    def fit(self, x: np.ndarray) -> FittedScaler:
        """Learn the range of each column."""
        x = _filled_columns(x)
        low, high = np.nanmin(x, axis=0), np.nanmax(x, axis=0)
        return _fitted(low, high - low, x, self.outside)


@register_class
@dataclass(frozen=True)
class RobustScaler:
    """``(x - median) / (quartile 3 - quartile 1)``; a few outliers change nothing.

    Where the quartiles coincide, the standard deviation takes their place.

    Example:
        >>> RobustScaler().fit(np.array([[1.0], [2.0], [3.0], [4.0], [900.0]])).transform(np.array([[5.0]])).item()
        1.0
    """

    outside: Outside = "keep"

    def __post_init__(self) -> None:
        check_choice("outside", self.outside, ("keep", "clip"), self)

    def fit(self, x: np.ndarray) -> FittedScaler:
        """Learn the quartiles of each column."""
        x = _filled_columns(x)
        low, middle, high = np.nanquantile(x, (0.25, 0.5, 0.75), axis=0)
        width = np.where(high > low, high - low, np.nanstd(x, axis=0))
        return _fitted(middle, width, x, self.outside)


@register_class
@dataclass(frozen=True)
class FittedQuantileScaler:
    """Piecewise-linear map from training quantiles to those of the standard normal distribution."""

    quantiles: tuple[tuple[float, ...], ...]
    references: tuple[tuple[float, ...], ...]

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Map each column of ``x: [rows, columns]``; values outside the training range go to its ends."""
        columns = [
            np.interp(x[:, index], knots, scores)
            for index, (knots, scores) in enumerate(zip(self.quantiles, self.references, strict=True))
        ]
        mapped = np.column_stack(columns) if columns else np.zeros_like(x)
        return np.where(np.isnan(x), np.nan, mapped)

    def inverse(self, x: np.ndarray) -> np.ndarray:
        """Back to the columns' own scale, within the training range."""
        pairs = zip(self.quantiles, self.references, strict=True)
        return np.column_stack([np.interp(x[:, index], scores, knots) for index, (knots, scores) in enumerate(pairs)])


@register_class
@dataclass(frozen=True)
class QuantileScaler:
    """Rank-based scaling to a normal distribution, for very skewed columns.

    Ends are cut at the scores of 0.1 % and 99.9 %, so that the largest training value becomes about 3.09.

    Args:
        num_quantiles: knots of the map, at most.

    Example:
        >>> scaler = QuantileScaler().fit(np.array([[1.0], [10.0], [100.0], [1000.0], [10000.0]]))
        >>> scaler.transform(np.array([[100.0], [1e9]])).round(2).ravel().tolist()
        [0.0, 3.09]
    """

    num_quantiles: int = 200

    def __post_init__(self) -> None:
        check_int("num_quantiles", self.num_quantiles, self, minimum=2)

    def fit(self, x: np.ndarray) -> FittedQuantileScaler:
        """Learn the quantiles of each column."""
        x = _filled_columns(x)
        num = min(self.num_quantiles, max(2, x.shape[0]))
        levels = np.linspace(0.0, 1.0, num)
        normal = NormalDist()
        scores = np.array([normal.inv_cdf(min(max(level, 1e-3), 1 - 1e-3)) for level in levels])
        knots, references = [], []
        for column in np.nanquantile(x, levels, axis=0).T:
            unique, inverse = np.unique(column, return_inverse=True)  # tied quantiles share their mean score
            knots.append(tuple(unique.tolist()))
            references.append(tuple((np.bincount(inverse, scores) / np.bincount(inverse)).tolist()))
        return FittedQuantileScaler(tuple(knots), tuple(references))


SCALERS: dict[str, StandardScaler | MinMaxScaler | RobustScaler | QuantileScaler] = {
    "standard": StandardScaler(),
    "minmax": MinMaxScaler(),
    "robust": RobustScaler(),
    "quantile": QuantileScaler(),
}


def _filled_columns(x: np.ndarray) -> np.ndarray:
    """``x`` in float64, columns without any value taken as 0 (they carry nothing)."""
    x = np.asarray(x, np.float64)
    return np.where(np.isnan(x).all(axis=0), 0.0, x)


def _fitted(offset: np.ndarray, scale: np.ndarray, x: np.ndarray, outside: Outside) -> FittedScaler:
    tiny = 1e-12 * np.maximum(1.0, np.abs(offset))  # a deviation below rounding is none
    safe = np.where(scale > tiny, scale, 1.0)
    return FittedScaler(
        tuple(offset.tolist()),
        tuple(safe.tolist()),
        tuple(np.nanmin(x, axis=0).tolist()),
        tuple(np.nanmax(x, axis=0).tolist()),
        outside,
    )
