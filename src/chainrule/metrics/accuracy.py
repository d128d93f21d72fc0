"""How often the prediction is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_int, check_number, check_positive_int
from chainrule._base.errors import ArgumentError
from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.metrics.base import MeanMetric, register
from chainrule.metrics.inputs import (
    class_indices,
    example_mean,
    host_pair,
    host_weight,
    is_above,
    is_binary,
    require_same_shape,
)
from chainrule.ops.stable import at_least_float32, pick_class


@register("accuracy", "acc", "categorical_accuracy", "sparse_categorical_accuracy")
@dataclass(frozen=True)
class Accuracy(MeanMetric):
    """``number right / number of examples``, for whichever kind of classification the shapes show.

    Predictions ``[batch]`` or ``[batch, 1]`` with targets of that shape are binary; ``[batch, ..., classes]`` with
    integer targets ``[batch, ...]`` or one-hot targets are classes, and the largest output wins (the first one of
    several). A NaN is never right.

    Of several labels of an example (steps of a sequence, pixels) the share that is right counts, so that each
    *example* counts the same. Padded steps are left out by ``ignore_class``, and so are examples of nothing else; given
    by its name, the metric has the loss's. For the share over all *labels* weigh each example by how many it has, as
    at :class:`chainrule.losses.CrossEntropy`.

    Args:
        from_logits: binary predictions are logits; only binary accuracy depends on it.
        threshold: probability above which a binary prediction is a yes.
        multi_label: targets of the predictions' shape are labels that do not exclude each other, each right or wrong
            by itself, instead of one-hot rows.
        ignore_class: class label that does not count.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Accuracy()(jnp.array([[1.0, 2.0], [3.0, 0.0]]), jnp.array([1, 1])))
        0.5
        >>> float(Accuracy(ignore_class=0)(jnp.array([[[1.0, 2.0], [0.0, 3.0]]]), jnp.array([[1, 0]])))
        1.0
    """

    from_logits: bool = True
    threshold: float = 0.5
    multi_label: bool = False
    ignore_class: int | None = None

    def __post_init__(self) -> None:
        check_number("threshold", self.threshold, "Accuracy", above=0, below=1)
        if self.ignore_class is not None:
            check_int("ignore_class", self.ignore_class, "Accuracy")

    def update(self, acc: Tree, predictions: Array, targets: Array, weight: Array) -> Tree:
        """As every mean; examples of nothing but ``ignore_class`` take no part."""
        kept = _kept(self, predictions, targets)
        return super().update(acc, predictions, targets, weight if kept is None else _of_counting(weight, kept))

    def values(self, predictions: Array, targets: Array) -> Array:
        """The share of right answers in each example."""
        kept = _kept(self, predictions, targets)
        if is_binary(predictions, targets, multi_label=self.multi_label):
            return _binary(self, predictions, targets, self.threshold, self.from_logits)
        labels = class_indices(self, predictions, targets)
        has_nan = jnp.isnan(predictions).any(axis=-1)
        is_right = (jnp.argmax(predictions, axis=-1) == labels) & ~has_nan
        return example_mean(is_right, kept)


@register("binary_accuracy")
@dataclass(frozen=True)
class BinaryAccuracy(MeanMetric):
    """The share of yes/no answers that are right, over all outputs of an example.

    Args:
        from_logits: predictions are logits: the cut is at logit(threshold), 0 by default. Keras's class compares
            with 0.5 whatever the predictions are.
        threshold: probability above which a prediction is a yes.

    Example:
        >>> import jax.numpy as jnp
        >>> float(BinaryAccuracy()(jnp.array([[0.2, -3.0]]), jnp.array([[1, 1]])))
        0.5
    """

    from_logits: bool = True
    threshold: float = 0.5

    def __post_init__(self) -> None:
        check_number("threshold", self.threshold, "BinaryAccuracy", above=0, below=1)

    def values(self, predictions: Array, targets: Array) -> Array:
        """The share of right answers in each example."""
        return _binary(self, predictions, targets, self.threshold, self.from_logits)


@register("top_k_accuracy", "top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy")
@dataclass(frozen=True)
class TopKAccuracy(MeanMetric):
    """How often the true class is among the ``k`` largest outputs.

    Of equal outputs the one with the lower index comes first, so that ``k=1`` is :class:`Accuracy` and a constant
    output is not right everywhere (in Keras it is).

    Args:
        k: how many guesses are allowed.
        ignore_class: class label that does not count, as of :class:`Accuracy`.

    Example:
        >>> import jax.numpy as jnp
        >>> float(TopKAccuracy(k=2)(jnp.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]), jnp.array([1, 0])))
        0.5
    """

    k: int = 5
    ignore_class: int | None = None

    def __post_init__(self) -> None:
        check_positive_int("k", self.k, "TopKAccuracy")
        if self.ignore_class is not None:
            check_int("ignore_class", self.ignore_class, "TopKAccuracy")

    @property
    def name(self) -> str:
        """``top_5_accuracy`` for k = 5."""
        return f"top_{self.k}_accuracy"

    def update(self, acc: Tree, predictions: Array, targets: Array, weight: Array) -> Tree:
        """As every mean; examples of nothing but ``ignore_class`` take no part."""
        kept = _kept(self, predictions, targets)
        return super().update(acc, predictions, targets, weight if kept is None else _of_counting(weight, kept))

    def values(self, predictions: Array, targets: Array) -> Array:
        """The share of hits in each example."""
        predictions = at_least_float32(predictions)
        labels = class_indices(self, predictions, targets)
        own = pick_class(predictions, labels)[..., None]  # [batch, ..., 1]; NaN for an unknown class
        is_earlier = jnp.arange(predictions.shape[-1]) < labels[..., None]
        num_ahead = jnp.sum((predictions > own) | ((predictions == own) & is_earlier), axis=-1)
        has_nan = jnp.isnan(own[..., 0]) | jnp.isnan(predictions).any(axis=-1)
        return example_mean((num_ahead < self.k) & ~has_nan, _kept(self, predictions, targets))


def accuracy_score(predictions: Any, targets: Any, weight: Any = None) -> float:  # Any: array-likes
    """The weighted share of predicted labels that equal the true ones (NumPy, float64).

    Example:
        >>> accuracy_score([0, 1, 1, 2], [0, 1, 2, 2])
        0.75
    """
    predictions, targets = host_pair("accuracy_score", predictions, targets)
    weights = host_weight("accuracy_score", len(targets), weight)
    is_right = (predictions == targets).reshape(len(targets), -1).mean(axis=1)
    return float(np.average(is_right, weights=weights))


def _kept(metric: Accuracy | TopKAccuracy, predictions: Array, targets: Array) -> Array | None:
    """Which labels count, ``[batch, ...]``; ``None``: all."""
    if metric.ignore_class is None:
        return None
    if is_binary(predictions, targets, multi_label=getattr(metric, "multi_label", False)):
        raise ArgumentError(
            f"{type(metric).__name__}: with ignore_class={metric.ignore_class} the last axis of the predictions must "
            f"hold classes; received predictions of shape {predictions.shape}, each a yes or no. Leave it out."
        )
    return class_indices(metric, predictions, targets) != metric.ignore_class


def _of_counting(weight: Array, kept: Array) -> Array:
    """The weights, 0 for examples of which no label is kept."""
    return jnp.where(kept.reshape(kept.shape[0], -1).any(axis=1), weight, 0)


def _binary(owner: object, predictions: Array, targets: Array, threshold: float, from_logits: bool) -> Array:  # noqa: FBT001  # private
    predictions, targets = require_same_shape(owner, predictions, targets)
    is_yes = is_above(predictions, threshold, from_logits=from_logits)
    return example_mean((is_yes == (targets > 0.5)) & ~jnp.isnan(predictions))
