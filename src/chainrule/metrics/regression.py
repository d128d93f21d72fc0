"""How far off real-valued predictions are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_positive_int
from chainrule._base.errors import ShapeError
from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.metrics.base import MeanMetric, StreamingMetric, register
from chainrule.metrics.inputs import HostArray, example_mean, host_pair, host_weight, require_same_shape
from chainrule.metrics.sums import add, merge_sums, value_of, zero_sum
from chainrule.ops.stable import safe_divide


@register("mean_squared_error", "mse")
@dataclass(frozen=True)
class MeanSquaredError(MeanMetric):
    """The mean of ``(y − t)²`` over examples and outputs, in the unit of the target squared.

    Example:
        >>> import jax.numpy as jnp
        >>> float(MeanSquaredError()(jnp.array([1.0, 2.0]), jnp.array([0.0, 4.0])))
        2.5
    """

    higher_is_better: ClassVar[bool] = False

    def values(self, predictions: Array, targets: Array) -> Array:
        """The mean squared difference of each example."""
        predictions, targets = require_same_shape(self, predictions, targets)
        return example_mean((predictions - targets) ** 2)


@register("root_mean_squared_error", "rmse")
@dataclass(frozen=True)
class RootMeanSquaredError(MeanSquaredError):
    """The square root of the mean squared error over *all* examples, in the unit of the target.

    Example:
        >>> import jax.numpy as jnp
        >>> float(RootMeanSquaredError()(jnp.array([3.0, 4.0]), jnp.array([0.0, 0.0])) ** 2)
        12.5
    """

    def result(self, acc: Tree) -> Array:
        """The root, taken once at the end: roots of batches cannot be averaged."""
        return jnp.sqrt(super().result(acc))


@register("mean_absolute_error", "mae")
@dataclass(frozen=True)
class MeanAbsoluteError(MeanMetric):
    """The mean of ``|y − t|`` over examples and outputs, in the unit of the target.

    Example:
        >>> import jax.numpy as jnp
        >>> float(MeanAbsoluteError()(jnp.array([1.0, 2.0]), jnp.array([0.0, 4.0])))
        1.5
    """

    higher_is_better: ClassVar[bool] = False

    def values(self, predictions: Array, targets: Array) -> Array:
        """The mean absolute difference of each example."""
        predictions, targets = require_same_shape(self, predictions, targets)
        return example_mean(jnp.abs(predictions - targets))


@register("r2_score", "r2")
@dataclass(frozen=True)
class R2Score(StreamingMetric):
    """``R² = 1 − Σ w (t − y)² / Σ w (t − t̄)²``: the share of the target's variance that is explained.

    1 is perfect, 0 is as good as the mean, below 0 is worse. The spread of the targets is kept as a mean and a sum of
    squared deviations that are updated together: ``E[t²] − E[t]²`` would cancel for targets far from 0. A constant
    target gives 1 for perfect predictions and 0 otherwise; several outputs are averaged (both as in scikit-learn).

    Args:
        num_outputs: number of values per example; 1 takes ``[batch]`` and ``[batch, 1]``.

    Example:
        >>> import jax.numpy as jnp
        >>> float(R2Score()(jnp.array([1.0, 2.0, 2.0]), jnp.array([1.0, 2.0, 3.0])))
        0.5

    References:
        Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979.
    """

    num_outputs: int = 1

    def __post_init__(self) -> None:
        check_positive_int("num_outputs", self.num_outputs, "R2Score")

    def init(self) -> Tree:
        """No weight, and 0 for the mean, the spread and the residuals of each output."""
        shape = (self.num_outputs,)
        return {
            "weight": jnp.zeros(()),
            "mean": jnp.zeros(shape),
            "spread": jnp.zeros(shape),
            "residual": zero_sum(shape),
        }

    def update(self, acc: Tree, predictions: Array, targets: Array, weight: Array) -> Tree:
        """Add one batch: its own mean and spread first, then both merged."""
        predictions, targets = require_same_shape(self, predictions, targets)
        if predictions.ndim > 2 or (predictions.ndim == 2 and predictions.shape[1] != self.num_outputs):
            raise ShapeError(
                f"R2Score: predictions must have {self.num_outputs} values per example (num_outputs); received shape "
                f"{tuple(predictions.shape)}. Set num_outputs to the size of the last axis."
            )
        column = (predictions.shape[0], self.num_outputs)
        predictions, targets = predictions.reshape(column), targets.reshape(column)
        weights = weight[:, None]
        predictions, targets = (jnp.where(weights == 0, 0, part) for part in (predictions, targets))
        total = jnp.sum(weight)
        # first row as origin, so that the batch's mean is a small sum even for targets near 1e6
        origin = targets[0]
        mean = origin + safe_divide(jnp.sum(weights * (targets - origin), axis=0), total)
        batch = {
            "weight": total,
            "mean": mean,
            "spread": jnp.sum(weights * (targets - mean) ** 2, axis=0),
            "residual": add(
                zero_sum((self.num_outputs,)),
                jnp.sum(weights * (targets - predictions) ** 2, axis=0),
            ),
        }
        return self.merge(acc, batch)

    def merge(self, a: Tree, b: Tree) -> Tree:
        """The mean and spread of both together (Chan et al., equations 1.5)."""
        weight = a["weight"] + b["weight"]
        share = safe_divide(b["weight"], weight)
        gap = b["mean"] - a["mean"]
        return {
            "weight": weight,
            "mean": a["mean"] + gap * share,
            "spread": a["spread"] + b["spread"] + gap**2 * a["weight"] * share,
            "residual": merge_sums(a["residual"], b["residual"]),
        }

    def result(self, acc: Tree) -> Array:
        """The mean of the outputs' R²."""
        residual, spread = value_of(acc["residual"]), acc["spread"]
        constant = jnp.where(residual == 0, 1.0, 0.0)
        scores = jnp.where(spread == 0, constant, 1 - safe_divide(residual, spread))
        return jnp.where(acc["weight"] == 0, jnp.nan, jnp.mean(scores))


def mean_squared_error(predictions: Any, targets: Any, weight: Any = None) -> float:  # Any: array-likes
    """The mean of ``(y − t)²`` (NumPy, float64).

    Example:
        >>> mean_squared_error([1.0, 2.0], [0.0, 4.0])
        2.5
    """
    error, weights = _errors("mean_squared_error", predictions, targets, weight)
    return float(np.average((error**2).reshape(len(error), -1).mean(axis=1), weights=weights))


def root_mean_squared_error(predictions: Any, targets: Any, weight: Any = None) -> float:  # Any: array-likes
    """The square root of the mean squared error over all examples and outputs (NumPy, float64).

    Example:
        >>> round(root_mean_squared_error([3.0, 4.0], [0.0, 0.0]), 4)
        3.5355
    """
    return float(np.sqrt(mean_squared_error(predictions, targets, weight)))


def mean_absolute_error(predictions: Any, targets: Any, weight: Any = None) -> float:  # Any: array-likes
    """The mean of ``|y − t|`` (NumPy, float64).

    Example:
        >>> mean_absolute_error([1.0, 2.0], [0.0, 4.0])
        1.5
    """
    error, weights = _errors("mean_absolute_error", predictions, targets, weight)
    return float(np.average(np.abs(error).reshape(len(error), -1).mean(axis=1), weights=weights))


def r2_score(predictions: Any, targets: Any, weight: Any = None) -> float:  # Any: array-likes
    """``R²`` as :class:`R2Score`, several outputs averaged (NumPy, float64).

    Example:
        >>> r2_score([1.0, 2.0, 2.0], [1.0, 2.0, 3.0])
        0.5
    """
    error, weights = _errors("r2_score", predictions, targets, weight)
    truth = np.asarray(targets, np.float64).reshape(len(error), -1)
    residual = weights @ error.reshape(truth.shape) ** 2
    spread = weights @ (truth - np.average(truth, axis=0, weights=weights)) ** 2
    explained = 1 - np.divide(residual, spread, out=np.ones_like(residual), where=spread != 0)
    return float(np.where((spread == 0) & (residual == 0), 1.0, explained).mean())


def _errors(owner: str, predictions: Any, targets: Any, weight: Any) -> tuple[HostArray, HostArray]:  # Any: array-likes
    first, second = host_pair(owner, predictions, targets)
    return np.asarray(first, np.float64) - np.asarray(second, np.float64), host_weight(owner, len(first), weight)
