"""Penalties on weights, added to the loss in training: ``total = data loss + Σ penalty(weight)``.

A regularizer maps one weight to a scalar. It is never divided by the batch size or the number of weights, so its
strength is meant relative to the *mean* loss over the examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from chainrule._base import tree as trees
from chainrule._base.checks import check_number, describe
from chainrule._base.errors import ArgumentError, ArgumentTypeError, did_you_mean
from chainrule._base.policy import widen
from chainrule._base.registry import Registry, register_class
from chainrule._base.spec import Array, Regularizer

__all__ = ["L1", "L1L2", "L2", "get", "penalty"]

regularizers: Registry[type[Any]] = Registry("regularizer")  # Any: each a class of Regularizer


def get(regularizer: str | Regularizer | None) -> Regularizer | None:
    """The regularizer of that name, with its default strength; a callable and ``None`` are passed on.

    Raises:
        UnknownNameError: for a name that is not registered; suggests the nearest.

    Example:
        >>> get("l2")
        L2(l2=0.01)
    """
    if regularizer is None:
        return None
    if isinstance(regularizer, str):
        made: Regularizer = regularizers[regularizer]()
        return made
    if callable(regularizer) and not isinstance(regularizer, type):
        return regularizer
    raise ArgumentTypeError(
        f"regularizer must be None, a name, a regularizer or a function weight -> penalty; received "
        f"{describe(regularizer)}. Type L2(0.01), with its strength."
    )


def penalty(params: Mapping[str, Any], by_path: Mapping[str, Regularizer]) -> Array:
    """The sum of the penalties of the weights at the given paths, a float32 scalar.

    Args:
        params: nested dict of weights.
        by_path: ``{"dense/kernel": L2(0.01), ...}``; weights that are not named are free.

    Raises:
        ArgumentError: if there is no weight at a path.

    Example:
        >>> params = {"dense": {"kernel": jnp.array([[3.0], [-4.0]]), "bias": jnp.array([7.0])}}
        >>> float(penalty(params, {"dense/kernel": L2(0.1)}))
        2.5
    """
    leaves = trees.flatten(params)
    total = jnp.zeros((), jnp.float32)
    for path, regularizer in by_path.items():
        if path not in leaves:
            raise ArgumentError(f"regularizer: there is no weight at {path!r}.{did_you_mean(path, leaves)}")
        total = total + regularizer(leaves[path]).astype(jnp.float32)
    return total


@register_class
@dataclass(frozen=True)
class L1:
    """Lasso: ``l1 · Σ |w|``. Draws weights to 0 at a constant speed, so that many end there.

    Gradient descent steps over 0 rather than onto it: for weights that are exactly 0 use the optimizer wrapper
    ``Proximal``. The derivative at 0 is taken as 0.

    Args:
        l1: strength, at least 0.

    Example:
        >>> float(L1(0.5)(jnp.array([1.0, -2.0])))
        1.5

    References:
        Tibshirani, "Regression shrinkage and selection via the lasso", 1996.
    """

    l1: float = 0.01

    def __post_init__(self) -> None:
        check_number("l1", self.l1, self, at_least=0)

    def __call__(self, weight: Array) -> Array:
        """The penalty."""
        return self.l1 * _absolute_sum(widen(weight))


@register_class
@dataclass(frozen=True)
class L2:
    """Ridge: ``l2 · Σ w²``. Draws large weights to 0 the most.

    Without a factor ½, as in Keras: the gradient is ``2 · l2 · w``. The ``weight_decay`` of PyTorch and of the
    optimizers here is the factor of ``w`` itself, hence ``weight_decay = 2 · l2`` for plain gradient descent.

    Args:
        l2: strength, at least 0.

    Example:
        >>> float(L2(0.5)(jnp.array([1.0, -2.0])))
        2.5
    """

    l2: float = 0.01

    def __post_init__(self) -> None:
        check_number("l2", self.l2, self, at_least=0)

    def __call__(self, weight: Array) -> Array:
        """The penalty."""
        return self.l2 * jnp.sum(jnp.square(widen(weight)))


@register_class
@dataclass(frozen=True)
class L1L2:
    """Elastic net: ``l1 · Σ |w| + l2 · Σ w²``.

    Args:
        l1: strength of the lasso part, at least 0.
        l2: strength of the ridge part, at least 0.

    Example:
        >>> float(L1L2(l1=1.0, l2=0.5)(jnp.array([1.0, -2.0])))
        5.5

    References:
        Zou and Hastie, "Regularization and variable selection via the elastic net", 2005.
    """

    l1: float = 0.01
    l2: float = 0.01

    def __post_init__(self) -> None:
        check_number("l1", self.l1, self, at_least=0)
        check_number("l2", self.l2, self, at_least=0)

    def __call__(self, weight: Array) -> Array:
        """The penalty."""
        weight = widen(weight)
        return self.l1 * _absolute_sum(weight) + self.l2 * jnp.sum(jnp.square(weight))


regularizers.register(L1, "l1", synonyms=("lasso",))
regularizers.register(L2, "l2", synonyms=("ridge",))
regularizers.register(L1L2, "l1_l2", synonyms=("l1l2", "elastic_net"))


def _absolute_sum(weight: Array) -> Array:
    return jnp.sum(weight * jnp.sign(weight))  # the derivative of jnp.abs at 0 would be 1
