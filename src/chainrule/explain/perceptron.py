"""The classic perceptron: a threshold unit with its own learning rule, decades before gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule._base.checks import check_number, check_positive_int, describe
from chainrule._base.errors import ArgumentError, ShapeError

Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class PerceptronReport:
    """How training went.

    Args:
        converged: whether a whole epoch passed without a mistake.
        mistakes: how many examples were wrong in each epoch.
        message: the same in words.
    """

    converged: bool
    mistakes: tuple[int, ...]
    message: str

    @property
    def epochs(self) -> int:
        """How many epochs were run, the last one without mistakes included."""
        return len(self.mistakes)


class Perceptron:
    """``ŷ = 1 if Σ x_i w_i + b > 0 else 0``: Rosenblatt's unit with the learning rule ``w ← w + η (t − ŷ) x``.

    The same unit is often written with a threshold: 1 if ``Σ x_i w_i > threshold``, with ``threshold = −bias``. At
    equality the output is 0. All numbers are NumPy's, in float64.

    Args:
        use_bias: whether there is a bias; without it the line goes through the origin.
        learning_rate: ``η``; starting from zeros it only scales the weights.

    References:
        Rosenblatt, "The Perceptron: A Probabilistic Model for Information Storage and Organization in the Brain",
        Psychological Review 65(6), 1958. Novikoff, "On Convergence Proofs on Perceptrons", 1962: if the classes can
        be separated with margin ``γ`` and ``‖x‖ ≤ R``, at most ``(R/γ)²`` mistakes are made, in all epochs together.

    Example:
        >>> x = [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> neuron = Perceptron()
        >>> print(neuron.fit(x, [0, 0, 0, 1]).message)
        converged: no mistake in epoch 6; Σ x·w > threshold with w = [2.0, 1.0], threshold = −bias = 2.0.
        >>> neuron.predict(x).tolist()
        [0, 0, 0, 1]
        >>> Perceptron().fit(x, [0, 1, 1, 0]).converged
        False
    """

    def __init__(self, *, use_bias: bool = True, learning_rate: float = 1.0) -> None:
        check_number("learning_rate", learning_rate, "Perceptron", above=0)
        self.use_bias = use_bias
        self.learning_rate = learning_rate
        self.weights: Numbers = np.zeros(0)
        self.bias = 0.0

    @classmethod
    def from_weights(cls, weights: Any, bias: float | None = None) -> Perceptron:  # Any: array-like
        """A perceptron that is not trained but given, as ``W = [−5, 3], w₀ = 1``.

        Example:
            >>> neuron = Perceptron.from_weights([-5, 3], bias=1)
            >>> neuron.weighted_input([[1, 2], [1, 0]]).tolist(), neuron.predict([[1, 2], [1, 0]]).tolist()
            ([2.0, -4.0], [1, 0])
        """
        made = cls(use_bias=bias is not None)
        made.weights, made.bias = np.asarray(weights, np.float64), 0.0 if bias is None else float(bias)
        return made

    @property
    def threshold(self) -> float:
        """The sum above which the unit fires: ``−bias``."""
        return 0.0 - self.bias

    def weighted_input(self, x: Any) -> Numbers:  # Any: array-like
        """``z = Σ x_i w_i + b``, ``[batch, features] -> [batch]``."""
        values = _examples(x, len(self.weights))
        z: Numbers = values @ self.weights + self.bias
        return z

    def predict(self, x: Any) -> np.ndarray[Any, np.dtype[np.int64]]:  # Any: array-like
        """0 or 1 for each example; exactly at the threshold 0."""
        return (self.weighted_input(x) > 0).astype(np.int64)

    def line(self) -> tuple[float, float]:
        """Slope and intercept of the decision line ``x₂ = slope · x₁ + intercept`` of two features.

        Example:
            >>> slope, intercept = Perceptron.from_weights([-5, 3], bias=1).line()
            >>> round(slope, 4), round(intercept, 4)
            (1.6667, -0.3333)
        """
        if self.weights.shape != (2,) or self.weights[1] == 0:
            raise ArgumentError(
                f"Perceptron: a line x2 = slope·x1 + intercept needs two weights, the second not 0; "
                f"received weights {self.weights.tolist()}."
            )
        return float(-self.weights[0] / self.weights[1]), float(-self.bias / self.weights[1])

    def fit(self, x: Any, t: Any, *, epochs: int = 100) -> PerceptronReport:  # Any: array-like
        """Learn from examples one at a time, in order; stops after the first epoch without a mistake.

        Fitting starts from zeros. On data that no line separates (XOR) it never stops making mistakes, which the
        report says; that some epoch count was too small cannot be told apart from that.
        """
        check_positive_int("epochs", epochs, "Perceptron")
        values, targets = _examples(x), _targets(t)
        if len(values) != len(targets):
            raise ShapeError(
                f"Perceptron: x and t must be of equal length; received {len(values)} and {len(targets)} examples."
            )
        self.weights, self.bias = np.zeros(values.shape[1]), 0.0
        mistakes: list[int] = []
        while len(mistakes) < epochs and (not mistakes or mistakes[-1] > 0):
            mistakes.append(sum(self._learn(one, target) for one, target in zip(values, targets, strict=True)))
        return PerceptronReport(mistakes[-1] == 0, tuple(mistakes), self._message(mistakes))

    def _learn(self, x: Numbers, target: float) -> bool:
        """One step of the rule; says whether the example was wrong."""
        error = target - float(x @ self.weights + self.bias > 0)
        self.weights = self.weights + self.learning_rate * error * x
        if self.use_bias:
            self.bias += self.learning_rate * error
        return bool(error != 0)

    def _message(self, mistakes: list[int]) -> str:
        if mistakes[-1] == 0:
            return (
                f"converged: no mistake in epoch {len(mistakes)}; Σ x·w > threshold with "
                f"w = {self.weights.tolist()}, threshold = −bias = {self.threshold}."
            )
        return (
            f"not converged: {mistakes[-1]} mistakes in epoch {len(mistakes)}. Either no line separates the classes "
            "(as with XOR, which needs a hidden layer), or more epochs are needed."
        )


def _examples(x: Any, features: int | None = None) -> Numbers:  # Any: array-like
    values = np.asarray(x, np.float64)
    if values.ndim != 2 or len(values) == 0 or (features is not None and values.shape[1] != features):
        wanted = "(examples, features)" if features is None else f"(examples, {features})"
        raise ShapeError(f"Perceptron: x must have shape {wanted}; received {values.shape}. Pass one row per example.")
    if not np.isfinite(values).all():
        raise ArgumentError("Perceptron: x must be finite; received NaN or Inf. Fill or drop those rows.")
    return values


def _targets(t: Any) -> Numbers:  # Any: array-like
    targets = np.asarray(t, np.float64)
    if targets.ndim != 1 or not np.isin(targets, (0.0, 1.0)).all():
        raise ArgumentError(f"Perceptron: t must hold one 0 or 1 per example; received {describe(targets)}.")
    return targets
