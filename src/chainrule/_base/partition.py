"""Dealing rows to parts: classes keep their shares, units stay whole. NumPy only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np


def deal(classes: np.ndarray, units: np.ndarray, shares: Sequence[float], rng: np.random.Generator) -> list[np.ndarray]:
    """Deal rows to parts so that every class has its share in each part and no unit is divided.

    Large units go first, each to the part that lacks most; then single rows fill the quotas exactly.

    Args:
        classes: class of each row, counted from 0.
        units: unit of each row, counted from 0; rows of one unit stay together.
        shares: share of each part, adding up to 1.
        rng: decides the order.

    Returns:
        The rows of each part, shuffled.

    Example:
        >>> parts = deal(np.array([0, 0, 0, 0, 1, 1]), np.arange(6), (0.5, 0.5), np.random.default_rng(0))
        >>> [len(part) for part in parts], [int((part > 3).sum()) for part in parts]
        ([3, 3], [1, 1])
    """
    num_classes = int(classes.max()) + 1 if classes.size else 1
    left = _quotas(np.bincount(classes, minlength=num_classes), shares)  # [classes, parts]
    part_of = np.full(classes.size, -1)
    for rows in _large_units(units, rng):
        wanted = np.bincount(classes[rows], minlength=num_classes)
        part = int(np.argmax([_relief(left[:, part], wanted) for part in range(len(shares))]))
        part_of[rows] = part
        left[:, part] -= wanted
    for label in range(num_classes):
        single = rng.permutation(np.flatnonzero((classes == label) & (part_of < 0)))
        quota = _fill(left[label], single.size)
        part_of[single] = np.repeat(np.arange(len(shares)), quota)
        left[label] -= quota
    return [rng.permutation(np.flatnonzero(part_of == part)) for part in range(len(shares))]


def _quotas(counts: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Rows of each class for each part, by largest remainder; ties are turned so that parts stay even."""
    totals = np.zeros(len(shares))
    quotas = np.zeros((counts.size, len(shares)), np.int64)
    for label, count in enumerate(counts):
        exact = count * np.asarray(shares)
        quota = np.floor(exact + 1e-9).astype(np.int64)
        lag = np.asarray(shares) * counts[: label + 1].sum() - totals - quota
        order = np.lexsort((-lag, -np.round(exact - quota, 9)))
        quota[order[: count - quota.sum()]] += 1
        wanted = [part for part, share in enumerate(shares) if share > 0]
        for part in wanted:
            if quota[part] == 0 and count >= len(wanted) and len(wanted) <= 3:
                quota[int(quota.argmax())] -= 1
                quota[part] = 1
        quotas[label] = quota
        totals += quota
    return quotas


def _large_units(units: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Rows of every unit of two rows or more, largest unit first, equals in random order."""
    sizes = np.bincount(units) if units.size else np.zeros(0, np.int64)
    order = np.argsort(units, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    shuffled = rng.permutation(np.flatnonzero(sizes > 1))
    for unit in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        yield order[starts[unit] : starts[unit + 1]]


def _relief(left: np.ndarray, wanted: np.ndarray) -> float:
    """How much giving ``wanted`` to a part lowers the squared distance to its quota."""
    return float((left**2 - (left - wanted) ** 2).sum())


def _fill(left: np.ndarray, num_rows: int) -> np.ndarray:
    """Divide ``num_rows`` single rows by what each part still lacks, also where large units overfilled one."""
    quota = np.maximum(left, 0)
    while quota.sum() > num_rows:
        quota[int(quota.argmax())] -= 1
    quota[int(left.argmax())] += num_rows - quota.sum()
    filled: np.ndarray = quota
    return filled
