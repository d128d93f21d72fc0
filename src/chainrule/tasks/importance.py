"""Permutation importance: how much worse the answers get when one source column's values are shuffled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from chainrule._base.checks import check_positive_int

_ROWS_AT_ONCE = 200_000  # of shuffled copies; 64 features in float32 are then 51 MB


@dataclass(frozen=True, eq=False)
class Importance:
    """Importance of each source column.

    Args:
        columns: names, in the table's order.
        mean: mean fall of the score over the repeats, one per column; 0 for a column the model does not look at.
        spread: standard deviation over the repeats.
    """

    columns: tuple[str, ...]
    mean: np.ndarray = field(repr=False)
    spread: np.ndarray = field(repr=False)

    def ranked(self) -> list[tuple[str, float, float]]:
        """Name, mean and spread, most important first."""
        order = np.argsort(-self.mean, kind="stable")
        return [(self.columns[i], float(self.mean[i]), float(self.spread[i])) for i in order]


def permutation_importance(
    predict: Callable[[np.ndarray], np.ndarray],
    features: np.ndarray,
    column_of_feature: Sequence[str],
    score: Callable[[np.ndarray], float],
    *,
    repeats: int = 5,
    seed: int = 0,
) -> Importance:
    """Shuffle all features of one source column together and see how far ``score`` falls.

    The shuffled copies of all columns are predicted together, so that few calls are made.

    Args:
        predict: features -> predictions, row by row.
        features: [rows, features] of rows that were not trained on.
        column_of_feature: the source column of each feature.
        score: predictions of these rows -> a number, higher is better.
        repeats: shuffles of each column.
        seed: decides the shuffles.

    References:
        Fisher, Rudin, Dominici, "All models are wrong, but many are useful", 2019, https://arxiv.org/abs/1801.01489.

    Example:
        >>> x = np.arange(12.0).reshape(6, 2)
        >>> result = permutation_importance(lambda z: z[:, 0], x, ["a", "b"], lambda p: -np.abs(p - x[:, 0]).sum())
        >>> result.mean[0] > 0, result.mean[1]
        (np.True_, np.float64(0.0))
    """
    check_positive_int("repeats", repeats, "permutation_importance")
    owners = np.asarray(column_of_feature)
    names = tuple(dict.fromkeys(column_of_feature))
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(features)) for _ in range(repeats)]
    base = score(predict(features))
    falls = np.zeros((len(names), repeats))
    at_once = max(1, _ROWS_AT_ONCE // max(1, len(features) * repeats))
    for start in range(0, len(names), at_once):
        chosen = names[start : start + at_once]
        copies = [_shuffled(features, owners == name, order) for name in chosen for order in orders]
        parts = np.split(predict(np.concatenate(copies)), len(copies))
        falls[start : start + len(chosen)] = base - np.array([score(part) for part in parts]).reshape(-1, repeats)
    return Importance(names, falls.mean(axis=1), falls.std(axis=1))


def _shuffled(features: np.ndarray, where: np.ndarray, order: np.ndarray) -> np.ndarray:
    copy = features.copy()
    copy[:, where] = features[order][:, where]
    return copy
