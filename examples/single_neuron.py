"""A single neuron in five steps, trained for 1,000 epochs: which input decides the answer?

1. variables, 2. hyperparameters, 3. the activation and its derivative, 4. training, 5. prediction.
"""

from __future__ import annotations

import numpy as np

from chainrule import activations

# 1. Variables: three yes/no inputs; the answer is the first of them.
INPUTS = np.array([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]], dtype=np.float32)
TARGETS = np.array([[0], [1], [1], [0]], dtype=np.float32)
NEW = np.array([[1, 0, 0]], dtype=np.float32)

# 2. Hyperparameters: one epoch is one pass over all four examples, here in one step.
EPOCHS = 1_000
LEARNING_RATE = 1.0

# 3. The activation and its derivative.
sigmoid = activations.sigmoid
slope = activations.derivative("sigmoid")


def train() -> tuple[np.ndarray, list[float]]:
    """4. Forward, compare, and back: every weight is moved by its share in the error."""
    weights = np.random.default_rng(0).normal(size=(3, 1)).astype(np.float32)
    losses = []
    for _ in range(EPOCHS):
        z = INPUTS @ weights  # weighted inputs, [4, 1]
        prediction = np.asarray(sigmoid(z))
        error = prediction - TARGETS
        losses.append(float(np.mean(error**2)))
        gradient = INPUTS.T @ (2 * error * np.asarray(slope(z))) / len(INPUTS)  # the chain rule
        weights = weights - LEARNING_RATE * gradient
    return weights, losses


def predict(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """5. The probability of a yes."""
    return np.asarray(sigmoid(x @ weights))


def rounded(numbers: np.ndarray) -> list[float]:
    """To two places, for print."""
    return [round(float(number), 2) for number in numbers.ravel()]


def main() -> None:
    """Train, and ask about a combination that was never shown."""
    weights, losses = train()
    for epoch in (1, 10, 100, EPOCHS):
        print(f"epoch {epoch:>5}: mean squared error {losses[epoch - 1]:.4f}")
    print(f"weights {rounded(weights)}: the first input decides")
    print(f"answers {rounded(predict(weights, INPUTS))} for {rounded(TARGETS)}")
    print(f"[1, 0, 0] → {predict(weights, NEW).item():.4f}")


if __name__ == "__main__":
    main()
