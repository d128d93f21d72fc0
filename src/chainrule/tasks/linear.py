"""The classical baseline: linear, logistic and multinomial logistic regression with a light L2 penalty.

Solved exactly by Newton's method in NumPy float64, so that its figures beside a network's hang on no learning rate,
no seed and no number of epochs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from chainrule._base.checks import check_choice, check_number
from chainrule._base.errors import ShapeError

Kind = Literal["binary", "multiclass", "multilabel", "regression"]
KINDS = ("binary", "multiclass", "multilabel", "regression")
_ITERATIONS = 50
_TOLERANCE = 1e-8  # largest change of a coefficient at which Newton's method has converged
_LARGEST_HESSIAN = 1500  # coefficients; above, one class against the rest: the Hessian would fill 18 MB and more
_OPERATIONS = 10_000_000_000  # multiply-adds of one Hessian
_Z95 = 1.959963984540054  # the 97.5 % point of the standard normal distribution


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A fitted linear model: ``features @ weights + bias``, then sigmoid or softmax for classes.

    Args:
        kind: the task.
        weights: [features, outputs].
        bias: [outputs].
        deviation: standard errors of ``weights``, of the same shape (Wald, from the curvature of the penalised
            likelihood); 95 % intervals are ``weights ± 1.96 deviation``.
    """

    kind: Kind
    weights: np.ndarray = field(repr=False)
    bias: np.ndarray = field(repr=False)
    deviation: np.ndarray = field(repr=False)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Probabilities of class 1 ``[rows]``, of all classes ``[rows, classes]``, or amounts ``[rows]``."""
        scores: np.ndarray = np.asarray(features, np.float64) @ self.weights + self.bias
        if self.kind == "regression":
            amounts: np.ndarray = scores[:, 0]
            return amounts
        if self.kind == "multiclass":
            return softmax(scores)
        probabilities = sigmoid(scores)
        return probabilities[:, 0] if self.kind == "binary" else probabilities

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper 95 % bounds of ``weights``."""
        return self.weights - _Z95 * self.deviation, self.weights + _Z95 * self.deviation


def fit_linear(
    features: np.ndarray, targets: np.ndarray, kind: Kind, *, l2: float = 1.0, num_classes: int | None = None
) -> LinearModel:
    """Fit by minimising ``sum of losses + l2/2 · |weights|²``; the bias is not penalised.

    With ``l2 = 1/C`` this is scikit-learn's ``LogisticRegression(C)``, and with ``l2 = alpha`` its ``Ridge(alpha)``.

    Args:
        features: [rows, features], standardised.
        targets: [rows] of 0/1, of class numbers or of amounts; [rows, labels] of 0/1 for ``"multilabel"``.
        kind: the task.
        l2: strength of the penalty.
        num_classes: for ``"multiclass"``; classes may be absent from the training rows.

    Example:
        >>> x = np.array([[-1.0], [0.0], [1.0], [2.0]])
        >>> model = fit_linear(x, 3 * x[:, 0] + 5, "regression", l2=1e-9)
        >>> model.weights.round(3).tolist(), model.bias.round(3).tolist()
        ([[3.0]], [5.0])
    """
    check_choice("kind", kind, KINDS, "fit_linear")
    check_number("l2", l2, "fit_linear", above=0)
    x = np.asarray(features, np.float64)
    y = np.asarray(targets)
    if x.ndim != 2 or len(x) != len(y) or not len(x):
        raise ShapeError(
            f"fit_linear: features must be [rows, features] with one target per row; received {x.shape} and {y.shape}."
        )
    design = np.hstack([x, np.ones((len(x), 1))])
    penalty = np.full(design.shape[1], l2)
    penalty[-1] = 0.0
    if kind == "regression":
        return _split(kind, *_ridge(design, y.astype(np.float64), penalty))
    if kind == "multiclass":
        classes = num_classes or int(y.max()) + 1
        if classes * design.shape[1] <= _LARGEST_HESSIAN:
            return _split(kind, *_multinomial(design, y.astype(int), penalty, classes))
        y = y.astype(int)[:, None] == np.arange(classes)
    columns = y.reshape(len(y), -1).astype(np.float64)
    pairs = [_logistic(design, column, penalty) for column in columns.T]
    return _split(kind, *(np.column_stack(parts) for parts in zip(*pairs, strict=True)))


def affordable_rows(num_rows: int, num_features: int) -> int:
    """How many of ``num_rows`` to fit on, so that a step of Newton's method takes about a second at most.

    Training rows are in random order; ten times as many rows as features already fix a linear model well.

    Example:
        >>> affordable_rows(500, 30), affordable_rows(1_000_000, 300)
        (500, 110374)
    """
    return min(num_rows, max(_OPERATIONS // (num_features + 1) ** 2, 10 * num_features, 1))


def sigmoid(scores: np.ndarray) -> np.ndarray:
    """``1 / (1 + exp(-scores))`` without overflow."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(scores, np.float64)))


def softmax(scores: np.ndarray) -> np.ndarray:
    """``exp(scores) / sum(exp(scores))`` along the last axis, without overflow."""
    powers = np.exp(np.asarray(scores, np.float64) - np.max(scores, axis=-1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _split(kind: Kind, solution: np.ndarray, deviation: np.ndarray) -> LinearModel:
    return LinearModel(kind, solution[:-1], solution[-1], deviation[:-1])


def _ridge(design: np.ndarray, y: np.ndarray, penalty: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gram = design.T @ design + np.diag(penalty)
    solution = _solve(gram, design.T @ y)
    residual = y - design @ solution
    variance = residual @ residual / max(len(y) - design.shape[1], 1)
    return solution[:, None], np.sqrt(np.maximum(variance * _diagonal_of_inverse(gram), 0.0))[:, None]


def _logistic(design: np.ndarray, y: np.ndarray, penalty: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Newton's method (iteratively reweighted least squares), halving steps that do not lower the loss."""
    solution = np.zeros(design.shape[1])

    def loss(candidate: np.ndarray) -> float:
        scores = design @ candidate
        return float(np.sum(np.logaddexp(0.0, scores) - y * scores) + 0.5 * penalty @ candidate**2)

    hessian = np.diag(penalty)
    for _ in range(_ITERATIONS):
        chance = sigmoid(design @ solution)
        gradient = design.T @ (chance - y) + penalty * solution
        hessian = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(penalty)
        step = _solve(hessian, gradient)
        solution, moved = _descend(loss, solution, step)
        if moved < _TOLERANCE:
            break
    return solution, np.sqrt(np.maximum(_diagonal_of_inverse(hessian), 0.0))


def _multinomial(design: np.ndarray, y: np.ndarray, penalty: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Newton's method on all classes at once; the penalty makes the solution unique but for a shared bias."""
    width = design.shape[1]
    truth = (y[:, None] == np.arange(classes)).astype(np.float64)  # [rows, classes]
    solution = np.zeros(width * classes)  # class by class
    weight = np.tile(penalty, classes)

    def loss(candidate: np.ndarray) -> float:
        scores = design @ candidate.reshape(classes, width).T
        top = scores.max(axis=1)
        total = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
        return float(np.sum(total - (truth * scores).sum(axis=1)) + 0.5 * weight @ candidate**2)

    hessian = np.diag(weight)
    for _ in range(_ITERATIONS):
        chance = softmax(design @ solution.reshape(classes, width).T)
        gradient = ((chance - truth).T @ design).ravel() + weight * solution
        hessian = _softmax_hessian(design, chance) + np.diag(weight)
        solution, moved = _descend(loss, solution, _solve(hessian, gradient))
        if moved < _TOLERANCE:
            break
    deviation = np.sqrt(np.maximum(_diagonal_of_inverse(hessian), 0.0))
    return solution.reshape(classes, width).T, deviation.reshape(classes, width).T


def _softmax_hessian(design: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Blocks ``X' diag(p_a (1[a=b] - p_b)) X`` of the negative log-likelihood's curvature."""
    classes, width = chance.shape[1], design.shape[1]
    hessian = np.empty((classes, width, classes, width))
    for a in range(classes):
        for b in range(a, classes):
            curvature = chance[:, a] * ((a == b) - chance[:, b])
            block = (design * curvature[:, None]).T @ design
            hessian[a, :, b, :] = block
            hessian[b, :, a, :] = block
    return hessian.reshape(classes * width, classes * width)


def _descend(loss: Callable[[np.ndarray], float], solution: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, float]:
    before = loss(solution)
    for halvings in range(30):
        candidate = solution - step * 0.5**halvings
        if loss(candidate) <= before:
            return candidate, float(np.abs(candidate - solution).max())
    return solution, 0.0


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """``matrix⁻¹ right`` for a symmetric matrix that may be singular (columns that repeat each other)."""
    ridge = 1e-10 * max(float(np.trace(matrix)) / len(matrix), 1e-12)
    solved: np.ndarray = np.linalg.solve(matrix + ridge * np.eye(len(matrix)), right)
    return solved


def _diagonal_of_inverse(matrix: np.ndarray) -> np.ndarray:
    ridge = 1e-10 * max(float(np.trace(matrix)) / len(matrix), 1e-12)
    inverse: np.ndarray = np.linalg.inv(matrix + ridge * np.eye(len(matrix)))
    return np.diag(inverse)
