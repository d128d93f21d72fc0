"""The truth that every framework has to meet before it is timed: the same training in NumPy, in float64."""

from collections.abc import Sequence

import numpy as np

from benchmarks.workloads.definitions import ADAM

Weights = Sequence[np.ndarray]  # kernel, bias, kernel, bias, ...


def logits(weights: Weights, x: np.ndarray) -> np.ndarray:
    """The network's outputs: ReLU between the layers, none at the end."""
    return _layers(weights, x)[-1]


def mean_loss(weights: Weights, x: np.ndarray, labels: np.ndarray) -> float:
    """Mean cross-entropy over all rows."""
    wide = [np.asarray(weight, np.float64) for weight in weights]
    return float(-_log_softmax(logits(wide, x.astype(np.float64)))[np.arange(len(labels)), labels].mean())


def one_logit(weights: Weights) -> list[np.ndarray]:
    """The same function of two classes with the first logit 0: what one logistic output is.

    Example:
        >>> one_logit([np.array([[2.0, 5.0]]), np.array([0.5, 0.0])])
        [array([[0., 3.]]), array([ 0. , -0.5])]
    """
    last = [array - array[..., :1] for array in weights[-2:]]
    return [*weights[:-2], *last]


def trained(
    weights: Weights, x: np.ndarray, labels: np.ndarray, batch: int, *, fixed_first: bool = False
) -> list[np.ndarray]:
    """The weights after one epoch of Adam over the rows as they stand; the last batch may be short.

    With ``fixed_first`` the first logit's weights stay as they are.
    """
    params = [np.asarray(weight, np.float64) for weight in weights]
    means, squares = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    beta_1, beta_2 = ADAM["beta_1"], ADAM["beta_2"]
    for step, start in enumerate(range(0, len(x), batch), 1):
        rows = slice(start, start + batch)
        gradients = _gradients(params, x[rows].astype(np.float64), labels[rows], fixed_first=fixed_first)
        for index, gradient in enumerate(gradients):
            means[index] = beta_1 * means[index] + (1 - beta_1) * gradient
            squares[index] = beta_2 * squares[index] + (1 - beta_2) * gradient**2
            root = np.sqrt(squares[index] / (1 - beta_2**step)) + ADAM["epsilon"]
            params[index] = params[index] - ADAM["rate"] * means[index] / (1 - beta_1**step) / root
    return params


def softmax(values: np.ndarray) -> np.ndarray:
    """Probabilities of logits."""
    return np.exp(_log_softmax(values.astype(np.float64)))


def _layers(weights: Weights, x: np.ndarray) -> list[np.ndarray]:
    """The input and the output of every layer, activations included."""
    values = [x]
    for index in range(0, len(weights), 2):
        z = values[-1] @ weights[index] + weights[index + 1]
        values.append(z if index == len(weights) - 2 else np.maximum(z, 0))
    return values


def _log_softmax(values: np.ndarray) -> np.ndarray:
    shifted = values - values.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _gradients(weights: Weights, x: np.ndarray, labels: np.ndarray, *, fixed_first: bool) -> list[np.ndarray]:
    values = _layers(weights, x)
    error = np.exp(_log_softmax(values[-1]))
    error[np.arange(len(labels)), labels] -= 1
    error /= len(labels)
    if fixed_first:
        error[:, 0] = 0
    found: list[np.ndarray] = []
    for layer in reversed(range(len(weights) // 2)):
        found = [values[layer].T @ error, error.sum(axis=0), *found]
        error = (error @ weights[2 * layer].T) * (values[layer] > 0)
    return found
