"""What a table model is judged by: the metrics of each task, the threshold, and the guess that ignores the inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule import metrics
from chainrule.data import Task

Scores = dict[str, float]
_CLIP = 1e-12  # of probabilities, so that a confident mistake costs 27 and not infinity


@dataclass(frozen=True)
class Measure:
    """A metric as it is shown: its name, what it means, and whether more is better."""

    name: str
    meaning: str
    higher_is_better: bool = True


_ACCURACY = Measure("accuracy", "Share of right answers.")
_LOG_LOSS = Measure("log_loss", "Cost of the probabilities given to what did not happen; 0 is perfect.", False)
_AUC = "Chance that a row of the class gets a higher probability than another row; 0.5 is guessing."
_F1 = "Harmonic mean of precision and recall, each class counting alike."

# Task -> its metrics, the one that counts first, and why it does.
MEASURES: dict[Task, tuple[tuple[Measure, ...], str]] = {
    "binary": (
        (
            Measure("roc_auc", _AUC),
            Measure("average_precision", "Mean precision over all recalls; guessing gives the share of positives."),
            _ACCURACY,
            Measure("sensitivity", "Share of the positive rows that are found."),
            Measure("specificity", "Share of the negative rows that are left alone."),
            _LOG_LOSS,
            Measure("brier_score", "Mean squared error of the probability.", False),
        ),
        "the ROC-AUC needs no threshold and does not reward always giving the more frequent answer",
    ),
    "multiclass": (
        (
            _ACCURACY,
            Measure("macro_f1", _F1),
            Measure("roc_auc", f"{_AUC} Each class against the rest, averaged."),
            _LOG_LOSS,
        ),
        "accuracy is what is asked of a class; macro F1 beside it shows whether rare classes are found",
    ),
    "multilabel": (
        (
            Measure("macro_f1", "F1 of each label, averaged."),
            Measure("roc_auc", f"{_AUC} Averaged over the labels."),
            Measure("accuracy", "Share of right yes/no answers over all labels."),
            _LOG_LOSS,
        ),
        "macro F1 counts each label alike, however rare",
    ),
    "regression": (
        (
            Measure("rmse", "Typical size of the error, in the target's unit; large errors count more.", False),
            Measure("mae", "Mean size of the error, in the target's unit.", False),
            Measure("r2", "Share of the target's variance that is explained; 0 is no better than the mean."),
        ),
        "the root mean squared error has the target's own unit and is what the loss minimises",
    ),
}


def main_measure(task: Task) -> Measure:
    """The metric that counts first."""
    return MEASURES[task][0][0]


def judge(task: Task, predictions: np.ndarray, targets: np.ndarray, *, threshold: float = 0.5) -> Scores:
    """All metrics of ``task``; NaN where one is undefined (an ROC-AUC of one class).

    Args:
        task: the task.
        predictions: probabilities of class 1 ``[rows]``, of all classes, or of each label; or amounts ``[rows]``.
        targets: 0/1, class numbers, 0/1 ``[rows, labels]``, or amounts.
        threshold: for binary tasks: class 1 from this probability on.

    Example:
        >>> scores = judge("binary", np.array([0.2, 0.6, 0.9]), np.array([0, 0, 1]))
        >>> scores["roc_auc"], round(scores["accuracy"], 3), scores["sensitivity"], scores["specificity"]
        (1.0, 0.667, 1.0, 0.5)
    """
    if task == "regression":
        error = predictions - targets
        spread = float(np.sum((targets - targets.mean()) ** 2))
        r2 = 1 - float(error @ error) / spread if spread else float("nan")
        return {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.abs(error).mean()), "r2": r2}
    if task == "binary":
        return _binary(predictions, targets, threshold)
    if task == "multilabel":
        pairs = list(zip(predictions.T, targets.T, strict=True))
        return {
            "macro_f1": float(np.mean([_f1(p >= 0.5, t > 0.5) for p, t in pairs])),
            "roc_auc": _mean_auc(pairs),
            "accuracy": float(np.mean((predictions >= 0.5) == (targets > 0.5))),
            "log_loss": binary_log_loss(predictions, targets),
        }
    answers = predictions.argmax(axis=1)
    present = np.unique(np.concatenate([targets, answers]))
    pairs = [(predictions[:, label], targets == label) for label in range(predictions.shape[1])]
    return {
        "accuracy": float(np.mean(answers == targets)),
        "macro_f1": float(np.mean([_f1(answers == label, targets == label) for label in present])),
        "roc_auc": _mean_auc(pairs),
        "log_loss": log_loss(predictions, targets),
    }


def main_score(task: Task, predictions: np.ndarray, targets: np.ndarray) -> float:
    """The metric that counts first, alone: what :func:`judge` gives for it, quicker; for resamples and shuffles.

    Example:
        >>> main_score("regression", np.array([1.0, 5.0]), np.array([1.0, 2.0])).__round__(3)
        2.121
    """
    if task == "binary":
        truth = targets > 0.5
        return metrics.roc_auc(predictions, truth) if truth.any() and not truth.all() else float("nan")
    if task == "multiclass":
        return float(np.mean(predictions.argmax(axis=1) == targets))
    return judge(task, predictions, targets)[main_measure(task).name]


def loss_of(task: Task, predictions: np.ndarray, targets: np.ndarray, *, scale: float = 1.0) -> float:
    """The loss that training minimised, of these predictions; ``scale`` is the regression target's."""
    if task == "regression":
        return float(np.mean(((predictions - targets) / scale) ** 2))
    return log_loss(predictions, targets) if task == "multiclass" else binary_log_loss(predictions, targets)


def guess(task: Task, train_targets: np.ndarray, num_rows: int, num_classes: int) -> np.ndarray:
    """What can be said without looking at the inputs: the classes' shares in training, or the mean."""
    if task == "multiclass":
        shares = np.bincount(train_targets, minlength=num_classes) / len(train_targets)
    else:
        shares = np.mean(train_targets, axis=0)
    return np.broadcast_to(shares, (num_rows, *np.shape(shares))).astype(np.float64)


def choose_threshold(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """The threshold with the highest balanced accuracy, (sensitivity + specificity) / 2.

    Midway between neighbouring probabilities, and of equally good ones the nearest to 0.5, so that a few rows do not
    move it far. 0.5 where only one class occurs.

    Example:
        >>> choose_threshold(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 0, 1, 1]))
        0.25
    """
    truth = targets > 0.5
    if truth.all() or not truth.any():
        return 0.5
    values = np.unique(probabilities)
    cuts = np.concatenate([(values[1:] + values[:-1]) / 2, [0.5]])
    positives, negatives = np.sort(probabilities[truth]), np.sort(probabilities[~truth])
    sensitivity = 1 - np.searchsorted(positives, cuts) / positives.size
    specificity = np.searchsorted(negatives, cuts) / negatives.size
    quality = np.round(sensitivity + specificity, 9)
    best = np.flatnonzero(quality == quality.max())
    return float(cuts[best[np.argmin(np.abs(cuts[best] - 0.5))]])


def log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean of ``-log`` of the probability given to the true class."""
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, _CLIP)).mean())


def binary_log_loss(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Mean of ``-log`` of the probability given to what happened, over rows and labels."""
    p = np.clip(probabilities, _CLIP, 1 - _CLIP)
    return float(-np.mean(np.where(targets > 0.5, np.log(p), np.log1p(-p))))


def _binary(p: np.ndarray, targets: np.ndarray, threshold: float) -> Scores:
    truth, answer = targets > 0.5, p >= threshold
    is_mixed = truth.any() and not truth.all()
    return {
        "roc_auc": metrics.roc_auc(p, truth.astype(int)) if is_mixed else float("nan"),
        "average_precision": metrics.average_precision(p, truth.astype(int)) if truth.any() else float("nan"),
        "accuracy": float(np.mean(answer == truth)),
        "sensitivity": float(answer[truth].mean()) if truth.any() else float("nan"),
        "specificity": float((~answer[~truth]).mean()) if not truth.all() else float("nan"),
        "log_loss": binary_log_loss(p, targets),
        "brier_score": float(np.mean((p - truth) ** 2)),
    }


def _f1(answer: np.ndarray, truth: np.ndarray) -> float:
    hits = float(np.sum(answer & truth))
    total = float(answer.sum() + truth.sum())
    return 2 * hits / total if total else 0.0


def _mean_auc(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """The mean over the classes or labels that occur and are not all there is; NaN if there is none."""
    areas = [metrics.roc_auc(p, np.asarray(t).astype(int)) for p, t in pairs if np.any(t) and not np.all(t)]
    return float(np.mean(areas)) if areas else float("nan")
