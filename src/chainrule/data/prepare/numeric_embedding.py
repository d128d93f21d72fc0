"""Piecewise-linear encoding of numbers: a column becomes one feature per quantile bin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule._base.checks import check_int
from chainrule._base.registry import register_class


@register_class
@dataclass(frozen=True)
class FittedPiecewiseLinear:
    """Bin edges of each column, learnt from training rows."""

    edges: tuple[tuple[float, ...], ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Features made of each column."""
        return tuple(len(edges) - 1 for edges in self.edges)

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Encode ``x: [rows, columns] -> [rows, sum(sizes)]``."""
        encoded = [_encode(x[:, index], np.asarray(edges)) for index, edges in enumerate(self.edges)]
        return np.concatenate(encoded, axis=1) if encoded else np.zeros((x.shape[0], 0))


@register_class
@dataclass(frozen=True)
class PiecewiseLinear:
    """Piecewise-linear encoding by quantile bins.

    With edges ``b0 < b1 < ... < bT``, feature t of x is ``(x - b[t-1]) / (b[t] - b[t-1])``, cut to 0 below and 1
    above, except that the first bin is open below and the last open above. A dense layer on top is then a
    piecewise-linear function of the column, which networks otherwise find hard to learn.

    Args:
        bins: quantile bins per column; columns with few different values get fewer.

    References:
        Gorishniy, Rubachev, Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning", 2022,
        https://arxiv.org/abs/2203.05556, equation 1.

    Example:
        >>> fitted = PiecewiseLinear(bins=2).fit(np.array([[0.0], [1.0], [5.0]]))
        >>> fitted.edges, fitted.transform(np.array([[0.5], [3.0], [9.0]])).tolist()
        (((0.0, 1.0, 5.0),), [[0.5, 0.0], [1.0, 0.5], [1.0, 2.0]])
    """

    bins: int = 8

    def __post_init__(self) -> None:
        check_int("bins", self.bins, self, minimum=1)

    def fit(self, x: np.ndarray) -> FittedPiecewiseLinear:
        """Learn the edges of each column, which are values that occur; missing values are left out."""
        levels = np.linspace(0.0, 1.0, self.bins + 1)
        all_edges = []
        for column in np.asarray(x, np.float64).T:
            present = column[~np.isnan(column)]
            edges = np.unique(np.quantile(present, levels, method="inverted_cdf")) if present.size else np.zeros(1)
            if edges.size == 1:
                edges = np.array([edges[0], edges[0] + 1.0])
            all_edges.append(tuple(edges.tolist()))
        return FittedPiecewiseLinear(tuple(all_edges))


def _encode(column: np.ndarray, edges: np.ndarray) -> np.ndarray:
    low, high = edges[:-1], edges[1:]
    ratio = (column[:, None] - low) / (high - low)  # [rows, bins]
    floor = np.where(np.arange(low.size) == 0, -np.inf, 0.0)
    ceiling = np.where(np.arange(low.size) == low.size - 1, np.inf, 1.0)
    encoded: np.ndarray = np.clip(ratio, floor, ceiling)
    return encoded
