"""How sure a test score is: 95 % intervals of the metric that counts first."""

from __future__ import annotations

import math

import numpy as np

from chainrule.data import Task
from chainrule.tasks.scores import main_measure, main_score

_Z95 = 1.959963984540054  # the 97.5 % point of the standard normal distribution
_MOST_RESAMPLES = 1_000
_LEAST_RESAMPLES = 100
_MOST_DRAWS = 20_000_000  # rows drawn over all resamples: a second or two
_DRAWS_AT_ONCE = 2_000_000


def interval(task: Task, predictions: np.ndarray, targets: np.ndarray, *, seed: int) -> tuple[float, float] | None:
    """The 95 % interval of :func:`chainrule.tasks.scores.main_score` for other rows of the same kind.

    Accuracy gets Wilson's interval, the other metrics the percentile bootstrap over the rows.

    Returns:
        Lower and upper end; ``None`` if it cannot be estimated: too many resamples leave the metric undefined, or all
        score the same (a ranking without a fault says nothing about how rare faults are).

    Example:
        >>> chances = np.array([[0.9, 0.1]] * 10)
        >>> low, high = interval("multiclass", chances, np.zeros(10, int), seed=0)
        >>> round(low, 3), round(high, 3)
        (0.722, 1.0)
    """
    if main_measure(task).name == "accuracy":
        return wilson_interval(round(main_score(task, predictions, targets) * len(targets)), len(targets))
    values = resampled_scores(task, predictions, targets, seed=seed)
    defined = values[np.isfinite(values)]
    if defined.size < values.size / 2 or defined.max() - defined.min() <= 1e-12 * abs(defined.max()):
        return None
    low, high = np.quantile(defined, (0.025, 0.975))
    return float(low), float(high)


def wilson_interval(hits: int, trials: int) -> tuple[float, float]:
    """The 95 % score interval of a share; it stays sensible where all trials hit.

    ``(p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)``

    References:
        Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.

    Example:
        >>> [round(bound, 4) for bound in wilson_interval(30, 30)]
        [0.8865, 1.0]
    """
    share, square = hits / trials, _Z95**2 / trials
    middle, scale = share + square / 2, 1 + square
    reach = _Z95 * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def resampled_scores(task: Task, predictions: np.ndarray, targets: np.ndarray, *, seed: int) -> np.ndarray:
    """The metric that counts first on rows drawn with replacement, up to 1,000 times; NaN where it is undefined."""
    rows = len(targets)
    resamples = min(_MOST_RESAMPLES, max(_LEAST_RESAMPLES, _MOST_DRAWS // rows))
    rng, at_once = np.random.default_rng(seed), max(1, _DRAWS_AT_ONCE // rows)
    blocks = []
    for start in range(0, resamples, at_once):
        number = min(at_once, resamples - start)
        places = rng.integers(0, rows, (number, rows)) + rows * np.arange(number)[:, None]
        counts = np.bincount(places.ravel(), minlength=number * rows).reshape(number, rows)
        blocks.append(scores_of_counts(task, predictions, targets, counts))
    return np.concatenate(blocks)


def scores_of_counts(task: Task, predictions: np.ndarray, targets: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The metric that counts first, for many resamples at once.

    Args:
        task: the task; accuracy has a closed form and is not resampled.
        predictions: as for :func:`chainrule.tasks.scores.judge`.
        targets: as there.
        counts: how often each row was drawn: [resamples, rows].
    """
    if task == "regression":
        errors: np.ndarray = np.sqrt(counts @ (predictions - targets) ** 2 / counts.sum(axis=1))
        return errors
    if task == "multilabel":
        answers, truth = predictions >= 0.5, targets > 0.5
        hits = counts @ (answers & truth).astype(float)  # [resamples, labels]
        total = counts @ (answers.astype(float) + truth)
        f1: np.ndarray = np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0).mean(axis=1)
        return f1
    order = np.argsort(predictions, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(predictions[order]) > 0])  # of rows with the same score
    drawn, truth = counts[:, order], targets[order] > 0.5
    positives = np.add.reduceat(drawn * truth, starts, axis=1).astype(float)
    negatives = np.add.reduceat(drawn * ~truth, starts, axis=1).astype(float)
    below = np.cumsum(negatives, axis=1) - negatives / 2  # ties count half
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    wins = (positives * below).sum(axis=1)
    areas: np.ndarray = np.divide(wins, pairs, out=np.full(len(wins), np.nan), where=pairs > 0)
    return areas
