"""Counts of right and wrong answers by class: confusion matrix, precision, recall, F1."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_choice, check_number, check_positive_int
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.metrics.base import StreamingMetric, register
from chainrule.metrics.inputs import (
    HostArray,
    broadcast_weight,
    class_indices,
    host_pair,
    host_targets,
    host_weight,
    is_above,
    is_binary,
    require_same_shape,
)
from chainrule.metrics.sums import add, value_of, zero_sum
from chainrule.ops.stable import at_least_float32, safe_divide

Average = Literal["binary", "macro", "micro", "weighted", "none"]
AVERAGES = ("binary", "macro", "micro", "weighted", "none")


@dataclass(frozen=True)
class _Counts(StreamingMetric):
    """Sums of true positives, false positives and false negatives, per class; subclasses make a ratio of them."""

    num_classes: int | None = None
    average: Average = "binary"
    multi_label: bool = False
    from_logits: bool = True
    threshold: float = 0.5

    def __post_init__(self) -> None:
        owner = type(self).__name__
        check_choice("average", self.average, AVERAGES, owner)
        check_number("threshold", self.threshold, owner, above=0, below=1)
        if self.num_classes is not None:
            check_positive_int("num_classes", self.num_classes, owner)
        if (self.average == "binary") != (self.num_classes is None):
            raise ArgumentError(
                f"{owner}: average='binary' goes without num_classes and every other average with it; received "
                f"average={self.average!r} and num_classes={self.num_classes}. "
                f"Type {owner}(average='macro', num_classes=3) for three classes."
            )

    def for_model(self, *, from_logits: bool, num_outputs: int | None, multi_label: bool) -> Self:
        """Binary for up to two exclusive classes, else the macro average."""
        fitted = dataclasses.replace(self, from_logits=from_logits)
        if num_outputs is None or num_outputs < (2 if multi_label else 3):
            return fitted
        return dataclasses.replace(fitted, average="macro", num_classes=num_outputs, multi_label=multi_label)

    def init(self) -> Tree:
        """Three sums at 0, each ``[]`` or ``[classes]``."""
        shape = () if self.num_classes is None else (self.num_classes,)
        return {key: zero_sum(shape) for key in ("true_positive", "false_positive", "false_negative")}

    def update(self, acc: Tree, predictions: Array, targets: Array, weight: Array) -> Tree:
        """Add the counts of one batch."""
        predicted, truth = self._answers(at_least_float32(predictions), targets)
        weights = broadcast_weight(weight, predicted)
        axes = tuple(range(predicted.ndim - (self.num_classes is not None)))
        counts = {
            "true_positive": predicted & truth,
            "false_positive": predicted & ~truth,
            "false_negative": ~predicted & truth,
        }
        return {key: add(acc[key], jnp.sum(jnp.where(hit, weights, 0), axis=axes)) for key, hit in counts.items()}

    def _answers(self, predictions: Array, targets: Array) -> tuple[Array, Array]:
        """Booleans: predicted and true, with the classes last unless ``average="binary"``."""
        if self.num_classes is None:
            return self._binary_answers(predictions, targets)
        if predictions.ndim < 2 or predictions.shape[-1] != self.num_classes:
            raise ShapeError(
                f"{type(self).__name__}: the last axis of the predictions must be num_classes={self.num_classes}; "
                f"received shape {tuple(predictions.shape)}. Set num_classes to the number of outputs."
            )
        if self.multi_label:
            predictions, targets = require_same_shape(self, predictions, targets)
            return is_above(predictions, self.threshold, from_logits=self.from_logits), targets > 0.5
        classes = jnp.arange(self.num_classes)
        labels = class_indices(self, predictions, targets)
        return jnp.argmax(predictions, axis=-1)[..., None] == classes, labels[..., None] == classes

    def _binary_answers(self, predictions: Array, targets: Array) -> tuple[Array, Array]:
        is_pair = predictions.shape[-1] == 2 and predictions.ndim == jnp.ndim(targets) + 1
        if is_pair:  # two exclusive outputs: class 1 is the positive one
            labels = class_indices(self, predictions, targets)
            return predictions[..., 1] > predictions[..., 0], labels == 1
        predictions, targets = require_same_shape(self, predictions, targets)
        return is_above(predictions, self.threshold, from_logits=self.from_logits), targets > 0.5

    @abc.abstractmethod
    def ratio(self, hits: Array, false_alarms: Array, misses: Array) -> Array:
        """The measure from true positives, false positives and false negatives."""

    def result(self, acc: Tree) -> Array | Mapping[str, Array]:
        """The measure, averaged over the classes as asked; by class number with ``average="none"``."""
        counts = [value_of(acc[key]) for key in ("true_positive", "false_positive", "false_negative")]
        if self.average == "micro":
            counts = [jnp.sum(count) for count in counts]
        ratios = self.ratio(*counts)
        if self.average == "macro":
            return jnp.mean(ratios)
        if self.average == "weighted":
            support = counts[0] + counts[2]
            return safe_divide(jnp.sum(ratios * support), jnp.sum(support))
        if self.average == "none":
            return {str(index): ratios[index] for index in range(len(ratios))}
        return ratios


@register("precision")
@dataclass(frozen=True)
class Precision(_Counts):
    """``TP / (TP + FP)``: how many of the predicted positives are positive; 0 if none was predicted.

    Args:
        num_classes: number of classes or labels, for every average but ``"binary"``.
        average: ``"binary"``: of the positive class; of several outputs, all pooled. ``"macro"``: the plain mean over
            classes. ``"micro"``: of the counts of all classes together. ``"weighted"``: the mean over classes weighted
            by how often each occurs. ``"none"``: one value per class. As in scikit-learn.
        multi_label: classes do not exclude each other; each has its own threshold test.
        from_logits: predictions are logits.
        threshold: probability above which a binary prediction is a yes.

    Shapes:
        predictions, targets: ``[batch]`` or ``[batch, 1]`` (binary); ``[batch, classes]`` with integer targets
        ``[batch]`` or one-hot targets; ``[batch, labels]`` both (multi-label)

    Example:
        >>> import jax.numpy as jnp
        >>> float(Precision()(jnp.array([2.0, 1.0, -1.0]), jnp.array([1, 0, 1])))
        0.5
    """

    def ratio(self, hits: Array, false_alarms: Array, misses: Array) -> Array:  # noqa: ARG002  # one signature for all
        """``TP / (TP + FP)``."""
        return safe_divide(hits, hits + false_alarms)


@register("recall")
@dataclass(frozen=True)
class Recall(_Counts):
    """``TP / (TP + FN)``: how many of the positives were found; 0 if there are none. Arguments as ``Precision``.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Recall()(jnp.array([2.0, 1.0, -1.0, -2.0]), jnp.array([1, 0, 1, 1])).round(4))
        0.33329999446868896
    """

    def ratio(self, hits: Array, false_alarms: Array, misses: Array) -> Array:  # noqa: ARG002  # one signature for all
        """``TP / (TP + FN)``."""
        return safe_divide(hits, hits + misses)


@register("f1", "f1_score")
@dataclass(frozen=True)
class F1(_Counts):
    """``2 TP / (2 TP + FP + FN)``: the harmonic mean of precision and recall. Arguments as ``Precision``.

    Example:
        >>> import jax.numpy as jnp
        >>> float(F1()(jnp.array([2.0, 1.0, -1.0]), jnp.array([1, 0, 1])))
        0.5
    """

    def ratio(self, hits: Array, false_alarms: Array, misses: Array) -> Array:
        """``2 TP / (2 TP + FP + FN)``."""
        return safe_divide(2 * hits, 2 * hits + false_alarms + misses)


@register("confusion_matrix")
@dataclass(frozen=True)
class ConfusionMatrix(StreamingMetric):
    """``[true class, predicted class]``: the (weighted) number of examples of each pair, as in scikit-learn.

    Args:
        num_classes: number of classes; 2 for binary predictions ``[batch]`` or ``[batch, 1]``.
        from_logits: binary predictions are logits.
        threshold: probability above which a binary prediction is class 1.

    Example:
        >>> import jax.numpy as jnp
        >>> ConfusionMatrix(2)(jnp.array([2.0, 1.0, -1.0]), jnp.array([1, 0, 1])).tolist()
        [[0.0, 1.0], [1.0, 1.0]]
    """

    num_classes: int = 2
    from_logits: bool = True
    threshold: float = 0.5

    def __post_init__(self) -> None:
        check_positive_int("num_classes", self.num_classes, "ConfusionMatrix")
        check_number("threshold", self.threshold, "ConfusionMatrix", above=0, below=1)

    def for_model(self, *, from_logits: bool, num_outputs: int | None, multi_label: bool) -> Self:  # noqa: ARG002
        """As many classes as outputs, and 2 for a single output."""
        return dataclasses.replace(self, from_logits=from_logits, num_classes=max(num_outputs or 2, 2))

    def init(self) -> Tree:
        """A matrix of sums at 0."""
        return {"counts": zero_sum((self.num_classes, self.num_classes))}

    def update(self, acc: Tree, predictions: Array, targets: Array, weight: Array) -> Tree:
        """Add one batch; examples whose class is out of range are not counted."""
        predictions = at_least_float32(predictions)
        if is_binary(predictions, targets, multi_label=False):
            predictions, targets = require_same_shape(self, predictions, targets)
            guesses = is_above(predictions, self.threshold, from_logits=self.from_logits).astype(jnp.int32)
            labels = targets.astype(jnp.int32)
        else:
            guesses, labels = jnp.argmax(predictions, axis=-1), class_indices(self, predictions, targets)
        weights = broadcast_weight(weight, labels).reshape(-1)
        rows = jax.nn.one_hot(labels.reshape(-1), self.num_classes)  # [examples, classes]; all 0 if out of range
        columns = jax.nn.one_hot(guesses.reshape(-1), self.num_classes) * weights[:, None]
        # HIGHEST: accelerators would otherwise round the weights to 8 or 11 bits
        counts = jnp.matmul(rows.T, columns, precision=jax.lax.Precision.HIGHEST)
        return {"counts": add(acc["counts"], counts)}

    def result(self, acc: Tree) -> Array:
        """The matrix, ``[classes, classes]``."""
        return value_of(acc["counts"])


class ClassScores(NamedTuple):
    """Precision, recall, F1 and support of each class, ``[classes]`` each."""

    precision: HostArray
    recall: HostArray
    f1: HostArray
    support: HostArray


def confusion_matrix(
    predictions: Any, targets: Any, *, num_classes: int | None = None, weight: Any = None
) -> HostArray:  # Any: array-likes
    """Counts ``[true class, predicted class]`` of predicted and true integer labels (NumPy, float64).

    Example:
        >>> confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2]).astype(int).tolist()
        [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    """
    guesses, labels = host_pair("confusion_matrix", predictions, targets)
    count = num_classes or int(max(guesses.max(), labels.max())) + 1
    columns = np.empty((len(labels), count))  # only its shape is read
    guesses, labels = (host_targets("confusion_matrix", columns, part) for part in (guesses, labels))
    weights = host_weight("confusion_matrix", len(labels), weight)
    flat = np.bincount(labels * count + guesses, weights=weights, minlength=count * count)
    return flat.reshape(count, count)


def precision_recall_f1(matrix: Any) -> ClassScores:  # Any: array-like
    """Precision, recall, F1 and support of each class, from a confusion matrix; 0 where nothing was to divide.

    Example:
        >>> scores = precision_recall_f1([[1, 0, 0], [0, 1, 0], [0, 1, 1]])
        >>> scores.precision.tolist(), scores.recall.tolist()
        ([1.0, 0.5, 1.0], [1.0, 1.0, 0.5])
    """
    counts = np.asarray(matrix, np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ShapeError(
            f"precision_recall_f1: the confusion matrix must be square; received shape {counts.shape}. "
            "Pass the result of confusion_matrix."
        )
    hits, predicted, support = counts.diagonal(), counts.sum(axis=0), counts.sum(axis=1)
    return ClassScores(_ratio(hits, predicted), _ratio(hits, support), _ratio(2 * hits, predicted + support), support)


def _ratio(numerator: HostArray, denominator: HostArray) -> HostArray:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)
