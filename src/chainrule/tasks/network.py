"""The default network for tables: hidden layers beside a linear path, in one graph."""

from __future__ import annotations

from typing import Any

from chainrule.core import Symbol
from chainrule.data import Task
from chainrule.layers import (
    Activation,
    Add,
    BatchNormalization,
    Dense,
    Dropout,
    Input,
    LayerNormalization,
)
from chainrule.models import Model
from chainrule.optimizers import SGD, Adam, AdamW, RMSProp
from chainrule.tasks.settings import TableConfig

# Task -> loss, output layer and the reason, as they are printed.
LOSSES: dict[Task, tuple[str, str, str]] = {
    "binary": (
        "binary_cross_entropy",
        "one logit through a sigmoid",
        "two classes: one probability is enough, and the binary cross-entropy is its likelihood",
    ),
    "multiclass": (
        "cross_entropy",
        "one logit for each class through a softmax",
        "several classes that exclude each other: their probabilities must add up to 1",
    ),
    "multilabel": (
        "binary_cross_entropy",
        "one logit for each label, each through its own sigmoid",
        "labels that do not exclude each other: each is a yes/no question of its own",
    ),
    "regression": (
        "mse",
        "one number, linear",
        "a number: the squared error makes the network predict its mean",
    ),
}


def build_network(config: TableConfig, num_features: int, num_outputs: int, *, seed: int = 0) -> Model:
    """The network ``linear(x) + output(hidden(... hidden(x)))``; it puts out logits or a scaled number.

    With ``linear_start`` the hidden layers' output starts at 0, so that the first predictions are those of the linear
    path alone, which training sets to a linear regression; otherwise the linear path starts at 0.

    Example:
        >>> build_network(TableConfig(width=4, depth=1, dropout=0.0), 3, 1).graph.output_names
        ('output',)
    """
    x = Input(num_features, name="features")
    parts: list[Symbol] = []
    if config.depth:
        hidden = x
        for number in range(1, config.depth + 1):
            hidden = _hidden(config, hidden, number)
        start = "zeros" if config.linear_path and config.linear_start else "glorot_uniform"
        parts.append(Dense(num_outputs, kernel_initializer=start, name="deep")(hidden))
    if config.linear_path:
        parts.append(Dense(num_outputs, kernel_initializer="zeros", name="linear")(x))
    output = Add(name="output")(*parts) if len(parts) > 1 else parts[0]
    return Model(x, output, name="table", seed=seed)


def make_optimizer(config: TableConfig) -> Any:  # Any: the Optimizer protocol
    """The optimizer that ``config`` names."""
    match config.optimizer:
        case "adamw":
            return AdamW(config.learning_rate, weight_decay=config.weight_decay, exclude_vectors=True)
        case "adam":
            return Adam(config.learning_rate)
        case "rmsprop":
            return RMSProp(config.learning_rate)
        case _:
            return SGD(config.learning_rate, momentum=0.9)


def _hidden(config: TableConfig, x: Symbol, number: int) -> Symbol:
    if config.normalization == "none":
        x = Dense(config.width, config.activation, kernel_initializer="he_uniform", name=f"hidden_{number}")(x)
    else:
        x = Dense(config.width, kernel_initializer="he_uniform", name=f"hidden_{number}")(x)
        layer = BatchNormalization if config.normalization == "batch" else LayerNormalization
        x = layer(name=f"normalization_{number}")(x)
        x = Activation(config.activation, name=f"activation_{number}")(x)
    return Dropout(config.dropout, name=f"dropout_{number}")(x) if config.dropout else x
