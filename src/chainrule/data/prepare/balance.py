"""Class imbalance: a report and three remedies, weights, undersampling and oversampling (training rows only)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from chainrule._base.checks import check_choice
from chainrule._base.errors import ArgumentError

Remedy = Literal["none", "weights", "undersample", "oversample"]


def class_weights(labels: np.ndarray, num_classes: int | None = None) -> np.ndarray:
    """Balanced weights, ``n / (k * n_c)``: each class counts alike in the loss, and the mean weight is 1.

    Args:
        labels: class numbers from 0.
        num_classes: k; the largest label plus one, unless given. A class without rows gets weight 0.

    Example:
        >>> labels = np.repeat(np.arange(5), [5000, 5000, 150, 50, 25])
        >>> class_weights(labels).round(3).tolist()
        [0.409, 0.409, 13.633, 40.9, 81.8]
    """
    counts = _counts(labels, num_classes)
    present = counts > 0
    weights = np.zeros(counts.size)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights


def undersample(labels: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Positions of as many rows of each class as the smallest has, in random order.

    Example:
        >>> rows = undersample(np.repeat(np.arange(5), [5000, 5000, 150, 50, 25]))
        >>> rows.size
        125
    """
    counts = _counts(labels, None)
    rng = np.random.default_rng(seed)
    smallest = int(counts[counts > 0].min())
    chosen = [rng.permutation(np.flatnonzero(labels == label))[:smallest] for label in np.flatnonzero(counts)]
    return rng.permutation(np.concatenate(chosen))


def oversample(labels: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Positions with rows of the smaller classes repeated until each class is as large as the largest.

    Every row occurs at least once, and within a class no row more than once oftener than another. Use it on
    training rows only: a row repeated across a split would be seen in training and test.

    Example:
        >>> rows = oversample(np.repeat(np.arange(5), [5000, 5000, 150, 50, 25]))
        >>> rows.size
        25000
    """
    counts = _counts(labels, None)
    rng = np.random.default_rng(seed)
    largest = int(counts.max())
    chosen = []
    for label in np.flatnonzero(counts):
        rows = np.flatnonzero(labels == label)
        whole, rest = divmod(largest, rows.size)
        chosen += [np.tile(rows, whole), rng.permutation(rows)[:rest]]
    return rng.permutation(np.concatenate(chosen))


def balance(labels: np.ndarray, how: Remedy = "none", *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """One switch for the remedies: positions of the training rows to use, and a weight per position.

    Example:
        >>> rows, weights = balance(np.array([0, 0, 0, 1]), "weights")
        >>> rows.tolist(), weights.astype(float).round(2).tolist()
        ([0, 1, 2, 3], [0.67, 0.67, 0.67, 2.0])
    """
    check_choice("how", how, ("none", "weights", "undersample", "oversample"), "balance")
    labels = np.asarray(labels)
    if how == "undersample":
        rows = undersample(labels, seed=seed)
    elif how == "oversample":
        rows = oversample(labels, seed=seed)
    else:
        rows = np.arange(labels.size)
    weights = class_weights(labels)[labels] if how == "weights" else np.ones(rows.size)
    return rows, weights.astype(np.float32)


def imbalance_note(counts: Mapping[str, int]) -> str | None:
    """A sentence if the largest class has at least three times the rows of the smallest, else ``None``.

    Example:
        >>> print(imbalance_note({"Cats": 5000, "Axolotls": 25}))
        classes are imbalanced: 'Cats' has 5,000 rows, 'Axolotls' 25 (200 times fewer).
    """
    if len(counts) < 2:
        return None
    largest, smallest = max(counts, key=lambda name: counts[name]), min(counts, key=lambda name: counts[name])
    if counts[largest] < 3 * max(counts[smallest], 1):
        return None
    times = counts[largest] / max(counts[smallest], 1)
    return (
        f"classes are imbalanced: {largest!r} has {counts[largest]:,} rows, {smallest!r} {counts[smallest]:,} "
        f"({times:.0f} times fewer)."
    )


def _counts(labels: np.ndarray, num_classes: int | None) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.ndim != 1 or not labels.size or not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise ArgumentError(
            f"labels must be a vector of class numbers from 0; received shape {labels.shape} and dtype {labels.dtype}."
        )
    return np.bincount(labels, minlength=num_classes or 0)
