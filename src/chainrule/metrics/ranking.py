"""How well scores rank: ROC and precision-recall curves, the areas under them, and calibration.

All in NumPy float64 and exact: every distinct score is a threshold, examples with equal scores move together.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from chainrule._base.checks import check_choice, check_positive_int
from chainrule._base.errors import ArgumentError
from chainrule.metrics.base import WholeMetric, register
from chainrule.metrics.inputs import HostArray, class_probabilities, host_pair, host_targets, host_weight

# `Any` in the signatures below: scores, targets and weights are array-likes.


class RocCurve(NamedTuple):
    """Points of the ROC curve from (0, 0) to (1, 1), thresholds falling; the first threshold is infinite."""

    false_positive_rate: HostArray
    true_positive_rate: HostArray
    thresholds: HostArray


class PrecisionRecallCurve(NamedTuple):
    """Points of the precision-recall curve, thresholds rising; the last point, (1, 0), has no threshold."""

    precision: HostArray
    recall: HostArray
    thresholds: HostArray


class CalibrationCurve(NamedTuple):
    """Mean predicted probability, observed share of positives and number of examples of each bin that has any."""

    predicted: HostArray
    observed: HostArray
    counts: HostArray


def roc_curve(scores: Any, targets: Any, weight: Any = None) -> RocCurve:
    """True against false positive rate at every distinct score, none left out.

    Raises:
        ArgumentError: only one class occurs, or a score is NaN.

    Example:
        >>> curve = roc_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        >>> curve.true_positive_rate.tolist()
        [0.0, 0.5, 0.5, 1.0, 1.0]
    """
    hits, false_alarms, thresholds = _counts("roc_curve", scores, targets, weight)
    if hits[-1] <= 0 or false_alarms[-1] <= 0:
        raise ArgumentError(
            "roc_curve: targets must contain both classes, 0 and 1; received only one of them. "
            "The area is not defined for it: use a stratified split, or another metric."
        )
    start = np.zeros(1)
    return RocCurve(
        np.concatenate([start, false_alarms / false_alarms[-1]]),
        np.concatenate([start, hits / hits[-1]]),
        np.concatenate([start + np.inf, thresholds]),
    )


def roc_auc(scores: Any, targets: Any, weight: Any = None) -> float:
    """The area under the ROC curve: the chance that a random positive scores above a random negative, ties half.

    Example:
        >>> roc_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        0.75

    References:
        Hanley and McNeil, The meaning and use of the area under a ROC curve, Radiology 143, 1982.
    """
    curve = roc_curve(scores, targets, weight)
    return float(np.trapezoid(curve.true_positive_rate, curve.false_positive_rate))


def precision_recall_curve(scores: Any, targets: Any, weight: Any = None) -> PrecisionRecallCurve:
    """Precision and recall at every distinct score, in scikit-learn's order.

    Raises:
        ArgumentError: no positive occurs, or a score is NaN.

    Example:
        >>> curve = precision_recall_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        >>> curve.precision.round(2).tolist(), curve.recall.tolist()
        ([0.5, 0.67, 0.5, 1.0, 1.0], [1.0, 1.0, 0.5, 0.5, 0.0])
    """
    hits, false_alarms, thresholds = _counts("precision_recall_curve", scores, targets, weight)
    if hits[-1] <= 0:
        raise ArgumentError(
            "precision_recall_curve: targets must contain a positive, 1; received none. "
            "Recall is not defined without one: use a stratified split, or another metric."
        )
    precision, recall = hits / (hits + false_alarms), hits / hits[-1]
    return PrecisionRecallCurve(
        np.concatenate([precision[::-1], [1.0]]), np.concatenate([recall[::-1], [0.0]]), thresholds[::-1]
    )


def average_precision(scores: Any, targets: Any, weight: Any = None) -> float:
    """``Σ_k (R_k − R_{k−1}) P_k``: the area under the precision-recall curve as a step function, never interpolated.

    A ranking by chance has the share of positives as its value.

    Example:
        >>> round(average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 4)
        0.8333
    """
    curve = precision_recall_curve(scores, targets, weight)
    return float(-np.sum(np.diff(curve.recall) * curve.precision[:-1]))


def calibration_curve(
    probabilities: Any, targets: Any, *, num_bins: int = 10, strategy: Literal["uniform", "quantile"] = "uniform"
) -> CalibrationCurve:
    """Observed share of positives against the mean predicted probability, bin by bin.

    Args:
        probabilities: in [0, 1], ``[n]``.
        targets: 0 or 1, ``[n]``.
        num_bins: number of bins; empty ones are left out.
        strategy: bins of equal width, or of (nearly) equal numbers of examples.

    Example:
        >>> curve = calibration_curve([0.1, 0.2, 0.7, 0.9], [0, 0, 1, 1], num_bins=2)
        >>> curve.predicted.round(2).tolist(), curve.observed.tolist()
        ([0.15, 0.8], [0.0, 1.0])
    """
    check_positive_int("num_bins", num_bins, "calibration_curve")
    check_choice("strategy", strategy, ("uniform", "quantile"), "calibration_curve")
    p, truth = _scores_and_truth("calibration_curve", probabilities, targets)
    if p.min() < 0 or p.max() > 1:
        raise ArgumentError(
            f"calibration_curve: probabilities must be in [0, 1]; received values from {p.min()} to {p.max()}. "
            "Apply the sigmoid to logits first."
        )
    edges = np.linspace(0, 1, num_bins + 1)
    if strategy == "quantile":
        edges = np.quantile(p, edges)
    bins = np.searchsorted(edges[1:-1], p)
    counts = np.bincount(bins, minlength=num_bins)
    filled = counts > 0
    predicted, observed = (np.bincount(bins, weights=part, minlength=num_bins)[filled] for part in (p, truth))
    return CalibrationCurve(predicted / counts[filled], observed / counts[filled], counts[filled])


@dataclass(frozen=True)
class _AreaMetric(WholeMetric):
    """An area of binary scores; of several classes, the mean of each class against the rest."""

    from_logits: bool = True
    multi_label: bool = False

    @abc.abstractmethod
    def area(self, scores: HostArray, targets: HostArray, weight: HostArray) -> float:
        """The area for one column of scores."""

    def compute(self, predictions: HostArray, targets: HostArray, weight: HostArray | None = None) -> float:
        """The area, or NaN where it is undefined (one class only, NaN scores)."""
        owner = type(self).__name__
        columns, truth = np.asarray(predictions, np.float64), np.asarray(targets)
        if columns.ndim == 1 or columns.shape[1] == 1 or self.multi_label:
            host_pair(owner, columns, truth)  # refuses unequal shapes
        else:
            truth = host_targets(owner, columns, truth)
        weights = host_weight(owner, len(columns), weight)
        counted = weights > 0
        columns, truth, weights = columns[counted], truth[counted], weights[counted]
        if columns.ndim > truth.ndim:
            columns, truth = self._one_against_rest(columns, truth)
        columns, truth = columns.reshape(len(columns), -1), truth.reshape(len(truth), -1)
        areas = [self._area_or_nan(columns[:, k], truth[:, k] > 0.5, weights) for k in range(columns.shape[1])]
        defined = [area for area in areas if not np.isnan(area)]
        return float(np.mean(defined)) if defined and not np.isnan(columns).any() else float("nan")

    def _one_against_rest(self, columns: HostArray, labels: HostArray) -> tuple[HostArray, HostArray]:
        if columns.shape[1] == 2:
            # the difference of the two outputs still ranks where a probability has rounded to 1
            return columns[:, 1] - columns[:, 0], labels
        truth: HostArray = labels[:, None] == np.arange(columns.shape[1])
        return class_probabilities(columns, from_logits=self.from_logits), truth

    def _area_or_nan(self, scores: HostArray, is_yes: HostArray, weights: HostArray) -> float:
        if np.isnan(scores).any() or is_yes.all() or not is_yes.any():
            return float("nan")
        return self.area(scores, is_yes, weights)


@register("roc_auc", "auc")
@dataclass(frozen=True)
class ROCAUC(_AreaMetric):
    """The exact area under the ROC curve (Keras's ``AUC`` approximates it with 200 thresholds).

    Several classes: one against the rest, averaged over the classes that occur (``average="macro"``,
    ``multi_class="ovr"`` of scikit-learn). Undefined, for instance with one class only, it is NaN.

    Args:
        from_logits: predictions are logits; matters only for three classes or more.
        multi_label: targets of the predictions' shape are labels that do not exclude each other.

    Example:
        >>> import numpy as np
        >>> ROCAUC().compute(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
        0.75
    """

    def area(self, scores: HostArray, targets: HostArray, weight: HostArray) -> float:
        """The area under the ROC curve."""
        return roc_auc(scores, targets, weight)


@register("average_precision", "pr_auc")
@dataclass(frozen=True)
class AveragePrecision(_AreaMetric):
    """The exact average precision; several classes and arguments as :class:`ROCAUC`.

    Example:
        >>> import numpy as np
        >>> round(AveragePrecision().compute(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])), 4)
        0.8333
    """

    def area(self, scores: HostArray, targets: HostArray, weight: HostArray) -> float:
        """The average precision."""
        return average_precision(scores, targets, weight)


def _counts(owner: str, scores: Any, targets: Any, weight: Any) -> tuple[HostArray, HostArray, HostArray]:
    """Weights of positives and of negatives at or above each distinct score, and those scores, falling."""
    values, truth = _scores_and_truth(owner, scores, targets)
    weights = host_weight(owner, len(values), weight)
    counted = weights > 0
    values, truth, weights = values[counted], truth[counted], weights[counted]
    order = np.argsort(-values, kind="stable")
    values, truth, weights = values[order], truth[order], weights[order]
    ends = np.append(
        np.flatnonzero(values[1:] != values[:-1]), len(values) - 1
    )  # the last example of each distinct score
    hits = np.cumsum(truth * weights)[ends]
    false_alarms = np.cumsum((1 - truth) * weights)[ends]
    return hits, false_alarms, values[ends]


def _scores_and_truth(owner: str, scores: Any, targets: Any) -> tuple[HostArray, HostArray]:
    values, truth = host_pair(owner, scores, targets)
    values, truth = values.astype(np.float64), truth.astype(np.float64)
    if values.ndim != 1 or np.isnan(values).any() or not np.isin(truth, (0, 1)).all():
        raise ArgumentError(
            f"{owner}: scores must be one number per example, no NaN, and targets 0 or 1; received shape "
            f"{values.shape} with {int(np.isnan(values).sum())} NaN and {len(np.unique(truth))} different targets. "
            "Take the scores of the positive class."
        )
    return values, truth
