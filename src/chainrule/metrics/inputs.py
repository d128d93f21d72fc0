"""What metrics do to predictions and targets before they count: shapes, labels, thresholds, weights."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import shapes_agree
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule._base.spec import Array
from chainrule.ops.stable import at_least_float32, safe_divide

HostArray = np.ndarray[Any, Any]  # Any: predictions and targets of every shape and dtype


def require_same_shape(owner: object, predictions: Array, targets: Array) -> tuple[Array, Array]:
    """Both arrays in at least float32, after refusing unequal shapes."""
    predictions, targets = at_least_float32(predictions), at_least_float32(targets)
    if not shapes_agree(predictions.shape, targets.shape):
        raise _unequal(owner, predictions, targets)
    return predictions, targets


def class_indices(owner: object, predictions: Array, targets: Array) -> Array:
    """True classes as integers from integer labels or one-hot rows; refuses shapes that fit neither."""
    targets = jnp.asarray(targets)
    if shapes_agree(predictions.shape[:-1], targets.shape) and predictions.shape[-1] != 1:
        if jnp.issubdtype(targets.dtype, jnp.floating):
            raise ArgumentTypeError(
                f"{type(owner).__name__}: class labels must be integers; received dtype {targets.dtype} with shape "
                f"{tuple(targets.shape)}. Type targets.astype(int)."
            )
        return targets.astype(jnp.int32)
    if shapes_agree(predictions.shape, targets.shape) and predictions.shape[-1] != 1:
        return jnp.argmax(targets, axis=-1)
    raise _unequal(owner, predictions, targets)


def example_mean(values: Array, kept: Array | None = None) -> Array:
    """The mean over all axes but the first, of what is ``kept`` (0 where nothing is): ``[batch, ...] -> [batch]``."""
    axes = tuple(range(1, values.ndim))
    values = at_least_float32(values)
    if kept is None:
        return jnp.mean(values, axis=axes)
    return safe_divide(jnp.sum(jnp.where(kept, values, 0), axis=axes), jnp.sum(kept, axis=axes).astype(values.dtype))


def host_weight(owner: str, count: int, weight: Any) -> HostArray:  # Any: array-like
    """Weights of ``count`` examples in float64; ``None`` is one each."""
    if weight is None:
        return np.ones(count)
    values = np.asarray(weight, np.float64)
    if values.shape != (count,):
        raise ShapeError(
            f"{owner}: weight must have one number per example, shape ({count},); received shape {values.shape}. "
            "Type weight.reshape(-1) if that is what it holds."
        )
    if not (values >= 0).all() or values.sum() == 0:
        raise ArgumentError(
            f"{owner}: weights must be at least 0 with a positive sum; received a minimum of {values.min()} and a "
            f"sum of {values.sum()}. Drop the rows that should not count."
        )
    return values


def host_targets(owner: str, columns: HostArray, targets: Any) -> HostArray:  # Any: array-like
    """Integer classes ``[n]`` for predictions ``[n, classes]``, from labels or one-hot rows; refuses all else."""
    values = np.asarray(targets)
    if values.shape == columns.shape and values.ndim == 2:
        values = values.argmax(axis=1)
    if values.shape != columns.shape[:1] or values.size == 0:
        raise ShapeError(
            f"{owner}: targets must be {len(columns)} class labels, at least one; received shape {values.shape}. "
            "Give one target for each prediction."
        )
    num_classes = columns.shape[1]
    bad = (values != np.floor(values)) | (values < 0) | (values >= num_classes)
    if bad.any():
        row = int(bad.argmax())
        raise ArgumentError(
            f"{owner}: each target must be a class from 0 to {num_classes - 1}; received {values[row]} in row {row}. "
            "Number the classes from 0."
        )
    return values.astype(np.int64)


def host_pair(owner: str, predictions: Any, targets: Any) -> tuple[HostArray, HostArray]:  # Any: array-likes
    """Both arrays in NumPy, after refusing unequal shapes and empty ones."""
    first, second = np.asarray(predictions), np.asarray(targets)
    if first.shape != second.shape or first.size == 0:
        raise ShapeError(
            f"{owner}: predictions and targets must have the same shape with at least one example; received "
            f"{first.shape} and {second.shape}. Give one prediction for each target."
        )
    return first, second


def is_binary(predictions: Array, targets: Array, *, multi_label: bool) -> bool:
    """Whether each output is its own yes/no question, told by the shapes and by ``multi_label``."""
    return predictions.ndim == jnp.ndim(targets) and (
        multi_label or predictions.ndim == 1 or predictions.shape[-1] == 1
    )


def broadcast_weight(weight: Array, like: Array) -> Array:
    """``[batch]`` weights with as many axes as ``like``."""
    return jnp.broadcast_to(weight.reshape(weight.shape + (1,) * (like.ndim - 1)), like.shape)


def is_above(predictions: Array, threshold: float, *, from_logits: bool) -> Array:
    """Whether the probability of each prediction is above ``threshold`` (a logit is compared with logit(threshold))."""
    # σ(x) > c is x > log(c / (1 − c)); that logarithm is exact to the last digit where σ(x) would be rounded
    cut = float(np.log(threshold) - np.log1p(-threshold)) if from_logits else threshold
    return predictions > cut


def class_probabilities(predictions: HostArray, *, from_logits: bool) -> HostArray:
    """Probabilities in float64 of class predictions ``[n, classes]``, from logits if told so."""
    values = np.asarray(predictions, np.float64)
    if not from_logits:
        return values
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    shares: HostArray = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _unequal(owner: object, predictions: Array, targets: Array) -> ShapeError:
    return ShapeError(
        f"{type(owner).__name__}: targets must have the shape of the predictions, or that shape without its last axis "
        f"for integer labels of 2 classes or more; received predictions of shape {tuple(predictions.shape)} "
        f"and targets of shape {tuple(targets.shape)}. Reshape the targets, or change the number of outputs."
    )
