"""Hinge losses: losses on the margin by which the right side wins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp

from chainrule._base.spec import Array
from chainrule.losses.base import HostArray, Loss, example_mean, refuse_row, register, require_classes, same_shape
from chainrule.losses.classification import as_labels, check_class_targets, is_label_array
from chainrule.ops.stable import at_least_float32, pick_class


@register("hinge")
@dataclass(frozen=True)
class Hinge(Loss):
    """``L = 1/m Σ_j max(0, 1 − s_j y_j)`` with the side ``s`` = +1 or −1: the loss of a support vector machine.

    Targets are 1 for the positive class and 0 or −1 for the negative one (as in Keras).

    Shapes:
        predictions, targets: ``[batch, ...]`` -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> Hinge()(jnp.array([2.0, 0.5, 0.5]), jnp.array([1, 1, 0])).tolist()
        [0.0, 0.5, 1.5]

    References:
        Cortes and Vapnik, Support-vector networks, Machine Learning 20, 1995.
    """

    formula: ClassVar[str] = "1/m Σ max(0, 1 − s y),  s = ±1"
    target: ClassVar[str] = "1 or −1 (or 1 or 0)"
    use: ClassVar[str] = "two classes with a margin; gives no probabilities"

    @property
    def expects(self) -> str:
        """``margin``."""
        return "margin"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The hinge loss of each example."""
        return example_mean(_shortfall(self, predictions, targets))

    def check_targets(self, targets: HostArray, num_classes: int | None = None) -> None:
        """Refuse targets other than −1, 0 and 1."""
        super().check_targets(targets, num_classes)
        bad = (targets != 1) & (targets != 0) & (targets != -1)
        refuse_row(self, bad, targets, "1, 0 or −1", "Encode the two classes as −1 and 1")


@register("squared_hinge")
@dataclass(frozen=True)
class SquaredHinge(Hinge):
    """``L = 1/m Σ_j max(0, 1 − s_j y_j)²``: the hinge without its corner. Targets as for :class:`Hinge`.

    Shapes:
        predictions, targets: ``[batch, ...]`` -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> SquaredHinge()(jnp.array([2.0, 0.5, 0.5]), jnp.array([1, 1, 0])).tolist()
        [0.0, 0.25, 2.25]
    """

    formula: ClassVar[str] = "1/m Σ max(0, 1 − s y)²,  s = ±1"
    use: ClassVar[str] = "two classes with a margin, smooth at the margin"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The squared hinge loss of each example."""
        return example_mean(_shortfall(self, predictions, targets) ** 2)


@register("categorical_hinge", "multiclass_hinge")
@dataclass(frozen=True)
class CategoricalHinge(Loss):
    """``L = max(0, 1 + max_{c ≠ t} y_c − y_t)``: the right class must win by 1.

    Keras multiplies the scores by ``1 − one_hot`` before the maximum, so that the right class takes part with score 0
    and the loss is larger when all other scores are negative; here, as in Optax, it takes no part.

    Shapes:
        predictions: ``[batch, ..., classes]``; targets: integers ``[batch, ...]`` or one-hot -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> CategoricalHinge()(jnp.array([[3.0, 1.0], [0.5, 0.0]]), jnp.array([0, 1])).tolist()
        [0.0, 1.5]

    References:
        Crammer and Singer, On the algorithmic implementation of multiclass kernel-based vector machines, JMLR 2, 2001.
    """

    formula: ClassVar[str] = "max(0, 1 + max_{c≠t} y_c − y_t)"
    target: ClassVar[str] = "one class per example: integers or one-hot"
    use: ClassVar[str] = "exclusive classes with a margin; gives no probabilities"

    @property
    def expects(self) -> str:
        """``margin``."""
        return "margin"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The multi-class hinge loss of each example."""
        predictions = at_least_float32(predictions)
        require_classes(self, predictions)
        if is_label_array(predictions, targets):
            labels = as_labels(self, targets)
        else:
            labels = jnp.argmax(same_shape(self, predictions, targets)[1], axis=-1)
        own = pick_class(predictions, labels)
        is_own = jnp.arange(predictions.shape[-1]) == labels[..., None]
        best_other = jnp.max(jnp.where(is_own, -jnp.inf, predictions), axis=-1)
        # maximum, not a comparison with 0: a NaN from a label out of range must come through
        return example_mean(jnp.maximum(1 + best_other - own, 0))

    def check_targets(self, targets: HostArray, num_classes: int | None = None) -> None:
        """Refuse labels out of range and rows that are not one-hot."""
        super().check_targets(targets, num_classes)
        check_class_targets(self, targets, num_classes)


def _shortfall(owner: object, predictions: Array, targets: Array) -> Array:
    """``max(0, 1 − s y)``: how much is missing to a margin of 1."""
    predictions, targets = same_shape(owner, predictions, targets)
    side = jnp.where(targets > 0, 1, -1)
    return jnp.maximum(1 - side * predictions, 0)
