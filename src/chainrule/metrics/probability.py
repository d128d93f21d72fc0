"""How good predicted probabilities are: the log loss and the Brier score, both proper scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.spec import Array
from chainrule.metrics.base import MeanMetric, register
from chainrule.metrics.inputs import (
    HostArray,
    class_indices,
    example_mean,
    host_targets,
    host_weight,
    is_binary,
    require_same_shape,
)
from chainrule.ops import stable


@register("log_loss")
@dataclass(frozen=True)
class LogLoss(MeanMetric):
    """The mean of ``−log`` of the probability that the model gave to what happened; shapes as for ``Accuracy``.

    It is the unweighted cross-entropy, whatever loss the model was trained with.

    Args:
        from_logits: predictions are logits.
        multi_label: targets of the predictions' shape are labels that do not exclude each other.

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(LogLoss(from_logits=False)(jnp.array([0.5, 0.25]), jnp.array([1, 1]))), 4)
        1.0397
    """

    from_logits: bool = True
    multi_label: bool = False

    higher_is_better: ClassVar[bool] = False

    def values(self, predictions: Array, targets: Array) -> Array:
        """The log loss of each example."""
        predictions = stable.at_least_float32(predictions)
        if is_binary(predictions, targets, multi_label=self.multi_label):
            _, targets = require_same_shape(self, predictions, targets)
            yes, no = stable.binary_log_probabilities(predictions, from_logits=self.from_logits)
            return -example_mean(stable.weighted_logs(targets, yes) + stable.weighted_logs(1 - targets, no))
        logs = stable.class_log_probabilities(predictions, from_logits=self.from_logits)
        if predictions.shape == jnp.shape(targets):  # one-hot rows or distributions
            return -example_mean(jnp.sum(stable.weighted_logs(stable.at_least_float32(targets), logs), axis=-1))
        return -example_mean(stable.pick_class(logs, class_indices(self, predictions, targets)))


@register("brier_score", "brier")
@dataclass(frozen=True)
class BrierScore(MeanMetric):
    """Binary: the mean of ``(p − t)²``. Classes: the mean of ``Σ_c (p_c − t_c)²``, Brier's own form, up to 2.

    For two classes the second is twice the first, as in scikit-learn with ``scale_by_half=False``. Shapes as for
    ``Accuracy``.

    Args:
        from_logits: predictions are logits.
        multi_label: targets of the predictions' shape are labels that do not exclude each other.

    Example:
        >>> import jax.numpy as jnp
        >>> float(BrierScore(from_logits=False)(jnp.array([0.5, 1.0]), jnp.array([1, 1])))
        0.125

    References:
        Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78, 1950.
    """

    from_logits: bool = True
    multi_label: bool = False

    higher_is_better: ClassVar[bool] = False

    def values(self, predictions: Array, targets: Array) -> Array:
        """The Brier score of each example."""
        predictions = stable.at_least_float32(predictions)
        if is_binary(predictions, targets, multi_label=self.multi_label):
            _, targets = require_same_shape(self, predictions, targets)
            p = jax.nn.sigmoid(predictions) if self.from_logits else predictions
            return example_mean((p - targets) ** 2)
        shares = stable.softmax(predictions) if self.from_logits else predictions
        labels = class_indices(self, predictions, targets)
        truth = jnp.arange(shares.shape[-1]) == labels[..., None]
        return example_mean(jnp.sum((shares - truth) ** 2, axis=-1))


def log_loss(probabilities: Any, targets: Any, weight: Any = None) -> float:  # Any: array-likes
    """The log loss of probabilities ``[n]`` or ``[n, classes]`` (NumPy, float64; 0 counts as 2.2e-16).

    Example:
        >>> round(log_loss([0.5, 0.25], [1, 1]), 4)
        1.0397
    """
    shares, truth = _as_columns("log_loss", probabilities, targets)
    own = np.clip(np.where(truth, shares, 0).sum(axis=1), np.finfo(np.float64).eps, 1)
    return float(np.average(-np.log(own), weights=host_weight("log_loss", len(own), weight)))


def brier_score(probabilities: Any, targets: Any, weight: Any = None) -> float:  # Any: array-likes
    """The Brier score of probabilities ``[n]`` or ``[n, classes]``, as :class:`BrierScore` (NumPy, float64).

    Example:
        >>> brier_score([0.5, 1.0], [1, 1])
        0.125
    """
    shares, truth = _as_columns("brier_score", probabilities, targets)
    scores = ((shares - truth) ** 2).sum(axis=1) / (2 if np.ndim(probabilities) == 1 else 1)
    return float(np.average(scores, weights=host_weight("brier_score", len(scores), weight)))


def _as_columns(owner: str, probabilities: Any, targets: Any) -> tuple[HostArray, HostArray]:  # Any: array-likes
    """Probabilities ``[n, classes]`` in float64 and the truth as one-hot booleans of that shape."""
    shares = np.asarray(probabilities, np.float64)
    if shares.ndim == 1:
        shares = np.stack([1 - shares, shares], axis=1)
    labels = host_targets(owner, shares, targets)
    truth: HostArray = np.arange(shares.shape[1]) == labels[:, None]
    return shares, truth
