"""Optimizers by name, as objects, or from Optax."""

from __future__ import annotations

from typing import Any

from chainrule._base.checks import describe
from chainrule._base.errors import ArgumentTypeError
from chainrule.optimizers.base import Optimizer, optimizers
from chainrule.optimizers.optax import from_optax, is_transformation


def get(optimizer: str | Optimizer | Any) -> Optimizer:  # Any: an Optax GradientTransformation, known by its methods
    """The optimizer of that name with its default arguments; an optimizer as it is; an Optax transformation wrapped.

    Raises:
        UnknownNameError: for a name that is not registered; suggests the nearest.

    Example:
        >>> get("adagrad")
        Adagrad(learning_rate=0.01, initial_accumulator_value=0.0, epsilon=1e-10)
    """
    if isinstance(optimizer, str):
        return optimizers[optimizer]()
    if isinstance(optimizer, Optimizer):
        return optimizer
    if is_transformation(optimizer):
        return from_optax(optimizer)
    raise ArgumentTypeError(
        f"optimizer must be a name, an optimizer or an Optax transformation; received {describe(optimizer)}. "
        "Type 'adam', or Adam(0.001) with its parentheses."
    )
