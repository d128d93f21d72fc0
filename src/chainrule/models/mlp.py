"""The multi-layer perceptron as one call."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule._base.checks import check_number
from chainrule._base.errors import ArgumentError
from chainrule.core import Layer, Symbol
from chainrule.layers import Dense, Dropout, Input
from chainrule.models.sequential import Sequential


def mlp(
    sizes: Sequence[int],
    activation: str = "relu",
    *,
    output_activation: str = "linear",
    dropout: float = 0.0,
    seed: int = 0,
) -> Sequential:
    """A multi-layer perceptron: fully connected layers with an activation between them.

    Args:
        sizes: features in, units of each hidden layer, outputs.
        activation: after each hidden layer.
        output_activation: after the last layer; ``"linear"`` gives logits or plain numbers.
        dropout: share of each hidden layer's outputs set to 0 in training.
        seed: initial weights, order of examples and dropout hang on it.

    Raises:
        ArgumentError: fewer than two sizes, or a size below 1.

    Example:
        >>> import chainrule as cr
        >>> model = cr.mlp([13, 32, 32, 2])
        >>> [layer.units for layer in model.layers]
        [32, 32, 2]
    """
    if len(sizes) < 2:
        raise ArgumentError(
            f"mlp: sizes must name features and outputs at least; received {list(sizes)}. Type mlp([13, 32, 2])."
        )
    check_number("dropout", dropout, "mlp", at_least=0, below=1)
    stack: list[Layer | Symbol] = [Input(sizes[0])]
    for units in sizes[1:-1]:
        stack.append(Dense(units, activation))
        if dropout > 0:
            stack.append(Dropout(dropout))
    return Sequential([*stack, Dense(sizes[-1], output_activation)], seed=seed)
