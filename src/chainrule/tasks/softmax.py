"""Multinomial logistic regression for many features (pixels, words), by L-BFGS in NumPy.

:mod:`chainrule.tasks.linear` solves the same problem by Newton's method, whose Hessian of ``(classes · features)²``
numbers does not fit here. L-BFGS keeps the last few gradients instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from chainrule._base.checks import check_number, check_positive_int
from chainrule._base.errors import ShapeError
from chainrule.tasks.linear import softmax

_MEMORY = 10  # pairs of steps and gradient differences
_HALVINGS = 30
_SUFFICIENT = 1e-4  # Armijo's share of the promised descent
_Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


class Matrix(Protocol):
    """What is asked of the features: a NumPy array, or anything sparse with products from both sides."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def T(self) -> Matrix: ...  # noqa: D102
    def __matmul__(self, other: np.ndarray, /) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class SoftmaxModel:
    """``softmax(features @ weights + bias)``.

    Args:
        weights: [features, classes].
        bias: [classes].
    """

    weights: np.ndarray = field(repr=False)
    bias: np.ndarray = field(repr=False)

    def predict(self, features: Matrix) -> np.ndarray:
        """Probabilities: [rows, classes], float64."""
        return softmax(features @ self.weights + self.bias)


def fit_softmax(
    features: Matrix, labels: np.ndarray, num_classes: int, *, l2: float = 1.0, iterations: int = 100
) -> SoftmaxModel:
    """Minimise ``sum of log losses + l2/2 · |weights|²``; the bias is not penalised.

    With ``l2 = 1/C`` this is scikit-learn's ``LogisticRegression(C)``. It stops after ``iterations`` steps, which for a
    baseline is near enough: the loss then hardly moves any more.

    Args:
        features: [rows, features], centred and of about unit size.
        labels: class numbers [rows].
        num_classes: number of classes; some may be absent.
        l2: strength of the penalty.
        iterations: steps at most.

    References:
        Nocedal, "Updating quasi-Newton matrices with limited storage", 1980 (the two-loop recursion).

    Example:
        >>> x = np.array([[-2.0], [-1.0], [1.0], [2.0]])
        >>> fit_softmax(x, np.array([0, 0, 1, 1]), 2, l2=0.1).predict(x).round(2)[:, 1].tolist()
        [0.0, 0.06, 0.94, 1.0]
    """
    check_number("l2", l2, "fit_softmax", above=0)
    check_positive_int("iterations", iterations, "fit_softmax")
    rows, width = features.shape
    if labels.shape != (rows,) or not rows:
        raise ShapeError(f"fit_softmax: labels must have shape ({rows},), one per row; received {labels.shape}.")
    shape = (width + 1, num_classes)

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        solution = flat.reshape(shape)
        weights, bias = solution[:-1], solution[-1]
        scores = np.asarray(features @ weights.astype(np.float32), np.float64) + bias
        scores -= scores.max(axis=1, keepdims=True)
        powers = np.exp(scores)
        total = powers.sum(axis=1, keepdims=True)
        loss = float(np.log(total).sum() - scores[np.arange(rows), labels].sum() + 0.5 * l2 * np.sum(weights**2))
        error = powers / total
        error[np.arange(rows), labels] -= 1
        pull = np.asarray(features.T @ error.astype(np.float32), np.float64) + l2 * weights
        return loss, np.concatenate([pull, error.sum(axis=0, keepdims=True)]).ravel()

    solution = _minimise(loss_and_gradient, np.zeros(shape[0] * shape[1]), iterations).reshape(shape)
    return SoftmaxModel(solution[:-1].astype(np.float32), solution[-1])


def _minimise(function: _Function, start: np.ndarray, iterations: int) -> np.ndarray:
    """L-BFGS with halved steps; ends where no step lowers the function."""
    point, (value, gradient) = start, function(start)
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(iterations):
        direction = -_preconditioned(gradient, pairs)
        slope, length = float(gradient @ direction), 1.0
        if not pairs:
            length = 1 / max(1.0, float(np.abs(gradient).max()))
        for _ in range(_HALVINGS):
            new = point + length * direction
            new_value, new_gradient = function(new)
            if new_value <= value + _SUFFICIENT * length * slope:
                break
            length /= 2
        else:
            return point
        step, change = new - point, new_gradient - gradient
        if step @ change > 1e-10 * (change @ change):  # else the curvature is not positive, by rounding
            pairs = [*pairs[-_MEMORY + 1 :], (step, change)]
        if value - new_value <= 1e-7 * max(abs(value), 1.0):
            return new
        point, value, gradient = new, new_value, new_gradient
    return point


def _preconditioned(gradient: np.ndarray, pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The two-loop recursion: the inverse Hessian that the pairs tell of, times the gradient."""
    result, shares = gradient.copy(), []
    for step, change in reversed(pairs):
        share = (step @ result) / (step @ change)
        result -= share * change
        shares.append(share)
    if pairs:
        step, change = pairs[-1]
        result *= (step @ change) / (change @ change)
    for (step, change), share in zip(pairs, reversed(shares), strict=True):
        result += (share - (change @ result) / (step @ change)) * step
    return result
