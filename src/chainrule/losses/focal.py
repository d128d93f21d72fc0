"""Focal losses: cross-entropy in which examples that are right already count less."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import jax.numpy as jnp

from chainrule._base.checks import check_number
from chainrule._base.spec import Array
from chainrule.losses.base import HostArray, Loss, example_mean, refuse_row, register, require_classes, same_shape
from chainrule.losses.class_weight import ClassWeight, check_class_weight, class_weight_vector
from chainrule.losses.classification import as_labels, check_class_targets, is_label_array, nan_outside_unit
from chainrule.ops import stable


@register("binary_focal", "binary_focal_loss", "binary_focal_crossentropy", "binary_focal_cross_entropy")
@dataclass(frozen=True)
class BinaryFocalLoss(Loss):
    """``L = −1/m Σ [α t (1 − p)^γ log p + (1 − α)(1 − t) p^γ log(1 − p)]`` with ``p = σ(logit)``.

    With ``gamma=0`` and no ``alpha`` it is :class:`chainrule.losses.BinaryCrossEntropy`.

    Args:
        gamma: γ ≥ 0, how fast easy examples lose weight (2 in the paper).
        alpha: α in (0, 1), weight of the positive class; ``None`` weighs both by 1. The paper uses 0.25.
        from_logits: predictions are logits (Keras's default is probabilities).

    Shapes:
        predictions, targets: ``[batch]``, ``[batch, labels]``, ... -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 5) for v in BinaryFocalLoss()(jnp.array([0.0, 3.0]), jnp.array([1, 1])).tolist()]
        [0.17329, 0.00011]

    References:
        Lin et al., Focal loss for dense object detection, 2017, equations 4 and 5.
    """

    gamma: float = 2.0
    alpha: float | None = None
    from_logits: bool = True

    formula: ClassVar[str] = "−1/m Σ [α t (1−p)^γ log p + (1−α)(1−t) p^γ log(1−p)]"
    target: ClassVar[str] = "0 or 1 for each output"
    use: ClassVar[str] = "two classes, or labels, of which one is rare and most examples are easy"

    def __post_init__(self) -> None:
        check_number("gamma", self.gamma, "BinaryFocalLoss", at_least=0)
        if self.alpha is not None:
            check_number("alpha", self.alpha, "BinaryFocalLoss", above=0, below=1)

    @property
    def expects(self) -> str:
        """``binary logits`` or ``binary probabilities``."""
        return "binary logits" if self.from_logits else "binary probabilities"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The focal loss of each example."""
        predictions, targets = same_shape(self, predictions, targets)
        targets = nan_outside_unit(targets)
        log_yes, log_no = stable.binary_log_probabilities(predictions, from_logits=self.from_logits)
        positive, negative = (1.0, 1.0) if self.alpha is None else (self.alpha, 1 - self.alpha)
        # (1 − p)^γ = exp(γ log(1 − p)): its derivative is finite at p = 1 for every γ, that of the power is not
        yes = positive * targets * jnp.exp(self.gamma * log_no) * log_yes
        no = negative * (1 - targets) * jnp.exp(self.gamma * log_yes) * log_no
        return example_mean(-(yes + no))

    def check_targets(self, targets: HostArray, num_classes: int | None = None) -> None:
        """Refuse targets outside [0, 1]."""
        super().check_targets(targets, num_classes)
        bad = (targets < 0) | (targets > 1)
        refuse_row(self, bad, targets, "0 or 1", "Encode the two classes as 0 and 1")


@register("focal", "focal_loss", "categorical_focal_crossentropy", "categorical_focal_cross_entropy")
@dataclass(frozen=True)
class FocalLoss(Loss):
    """``L = −Σ_c w_c t_c (1 − q_c)^γ log q_c`` with ``q = softmax(logits)``, for exactly one class per example.

    With ``gamma=0`` it is :class:`chainrule.losses.CrossEntropy`. Targets as there.

    Args:
        gamma: γ ≥ 0, how fast easy examples lose weight.
        class_weight: ``w_c`` (the paper's α) as in :class:`chainrule.losses.CrossEntropy`; Keras's default is 0.25
            for every class, here 1.
        from_logits: predictions are logits (Keras's default is probabilities).

    Shapes:
        predictions: ``[batch, ..., classes]``; targets: integers ``[batch, ...]`` or one-hot -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 5) for v in FocalLoss()(jnp.array([[1.0, 2.0, 3.0]]), jnp.array([2])).tolist()]
        [0.04568]

    References:
        Lin et al., Focal loss for dense object detection, 2017.
    """

    gamma: float = 2.0
    class_weight: ClassWeight | None = field(default=None, hash=False)
    from_logits: bool = True

    formula: ClassVar[str] = "−Σ w_c t_c (1 − q_c)^γ log q_c"
    target: ClassVar[str] = "one class per example: integers or one-hot"
    use: ClassVar[str] = "exclusive classes, some rare, most examples easy"

    def __post_init__(self) -> None:
        check_number("gamma", self.gamma, "FocalLoss", at_least=0)
        check_class_weight(self.class_weight, "FocalLoss")

    @property
    def expects(self) -> str:
        """``class logits`` or ``class probabilities``."""
        return "class logits" if self.from_logits else "class probabilities"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The focal loss of each example."""
        predictions = stable.at_least_float32(predictions)
        require_classes(self, predictions)
        logs = stable.class_log_probabilities(predictions, from_logits=self.from_logits)
        costs = -jnp.exp(self.gamma * stable.log_complement(jnp.exp(logs))) * logs
        weights = class_weight_vector(self.class_weight, costs.shape[-1], "FocalLoss")
        if weights is not None:
            costs = costs * weights
        if is_label_array(predictions, targets):
            return example_mean(stable.pick_class(costs, as_labels(self, targets)))
        _, shares = same_shape(self, predictions, targets)
        return example_mean(jnp.sum(stable.weighted_logs(shares, costs), axis=-1))

    def check_targets(self, targets: HostArray, num_classes: int | None = None) -> None:
        """Refuse labels out of range and rows that are no distribution."""
        super().check_targets(targets, num_classes)
        check_class_targets(self, targets, num_classes)
