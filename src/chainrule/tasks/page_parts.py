"""Parts of a report that every task shows alike: scores beside the baselines, curves, the confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from chainrule import figures, report
from chainrule.tasks.scores import Scores
from chainrule.tasks.words import model_names
from chainrule.train import History

_MOST_CLASSES = 30  # of a confusion matrix that can be read
Intervals = Mapping[str, tuple[float, float]]


def interval_note(intervals: Intervals, measure: str) -> str:
    """How the interval of the first metric was made."""
    if "network" not in intervals:
        return "An interval cannot be estimated: the score hardly varies among resamples of these rows."
    kind = "Wilson" if measure == "accuracy" else "bootstrap"
    return f"The interval is the 95 % {kind} interval over these rows."


def score_rows(test: Mapping[str, Scores], intervals: Intervals, task: str, measure: str) -> list[report.Score]:
    """The table of results: the network and the baselines."""
    names, rows = model_names(task), []
    for key, name in names.items():
        values: dict[str, float | report.Estimate] = dict(test[key])
        if key in intervals:
            low, high = intervals[key]
            values[measure] = report.Estimate(test[key][measure], low, high)
        rows.append(report.Score(name, values, is_ours=key == "network"))
    return rows


def training_figures(history: History) -> list[report.ReportFigure]:
    """The learning curves, if an epoch was finished."""
    if not len(history):
        return []
    stopped = len(history) if (history.stop_reason or "").startswith("early stopping") else None
    curves = figures.learning_curves(
        history["loss"], history["val_loss"] or None, best_epoch=history.best_epoch, stopped_epoch=stopped
    )
    return [report.ReportFigure("learning_curves", curves)]


def comparison_figure(test: Mapping[str, Scores], intervals: Intervals, task: str, measure: str) -> report.ReportFigure:
    """The first metric of the network beside those of the baselines."""
    names = model_names(task)
    compared = figures.baseline_comparison(
        {names[key]: scores[measure] for key, scores in test.items()},
        metric=measure,
        intervals={names[key]: ends for key, ends in intervals.items()},
        model=names["network"],
    )
    return report.ReportFigure("baseline_comparison", compared)


def confusion_counts(answers: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """How often each class was answered with each: row = truth, column = answer.

    Example:
        >>> confusion_counts(np.array([0, 1, 1]), np.array([0, 1, 0]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    counts = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(counts, (labels, answers), 1)
    return counts


def class_figures(classes: Sequence[str], counts: np.ndarray) -> list[report.ReportFigure]:
    """The confusion matrix, unless there are too many classes to read it."""
    if len(classes) > _MOST_CLASSES:
        return []
    return [report.ReportFigure("confusion_matrix", figures.confusion_matrix(counts, classes))]
