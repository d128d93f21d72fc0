"""Weights of classes: how much an example counts because of the class it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from chainrule._base.checks import check_number, describe
from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule.losses.base import HostArray

ClassWeight = Mapping[int, float] | Sequence[float] | Literal["balanced"]


def balanced_class_weight(labels: HostArray) -> dict[int, float]:
    """``w_c = n / (k n_c)``: ``n`` labels, ``k`` classes that occur, ``n_c`` labels of class ``c``.

    Every class then has the same total weight ``n/k`` and the weights of all examples sum to ``n``, so the size of the
    loss stays what it was. The rule of scikit-learn's ``class_weight="balanced"``.

    Args:
        labels: integer labels of the *training* part, any shape.

    Example:
        >>> balanced_class_weight([0, 0, 0, 1])
        {0: 0.6666666666666666, 1: 2.0}

    References:
        King and Zeng, Logistic regression in rare events data, Political Analysis 9, 2001.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iub" or labels.size == 0:
        raise ArgumentTypeError(
            f"balanced_class_weight: labels must be integers, at least one; received {describe(labels)}. "
            "Encode the classes as 0, 1, 2, ... first."
        )
    classes, counts = np.unique(labels, return_counts=True)
    weights = labels.size / (len(classes) * counts)
    return {int(c): float(w) for c, w in zip(classes, weights, strict=True)}


def check_class_weight(value: Any, owner: str) -> None:  # Any: this looks at what the user typed
    """Require ``None``, ``"balanced"``, a mapping class -> weight or a sequence of weights, none negative."""
    if value is None or (isinstance(value, str) and value == "balanced"):
        return
    if isinstance(value, str) or not isinstance(value, Mapping | Sequence):
        raise ArgumentTypeError(
            f"{owner}: class_weight must be 'balanced', a mapping such as {{0: 1.0, 1: 5.0}} or a sequence with one "
            f"weight per class; received {describe(value)}. Use balanced_class_weight(labels) to compute it."
        )
    weights = value.values() if isinstance(value, Mapping) else value
    for weight in weights:
        check_number("each class_weight", weight, owner, at_least=0)


def class_weight_vector(class_weight: ClassWeight | None, num_classes: int, owner: str) -> HostArray | None:
    """One weight per class in float32, ``[classes]``; a class that a mapping leaves out has weight 1.

    Example:
        >>> class_weight_vector({1: 5.0}, 3, "example").tolist()
        [1.0, 5.0, 1.0]
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str):
        raise ArgumentError(
            f"{owner}: class_weight='balanced' must be computed from the training labels first; received "
            "predictions before that. Type loss = losses.resolve_class_weight(loss, labels)."
        )
    if isinstance(class_weight, Mapping):
        unknown = [key for key in class_weight if key not in range(num_classes)]
        if unknown:
            raise ArgumentError(
                f"{owner}: the keys of class_weight must be classes from 0 to {num_classes - 1}; "
                f"received {unknown[0]!r}. Remove it, or give the output layer more units."
            )
        weights = [class_weight.get(index, 1.0) for index in range(num_classes)]
    else:
        weights = list(class_weight)
    if len(weights) != num_classes:
        raise ArgumentError(
            f"{owner}: class_weight must have one weight for each of the {num_classes} classes; "
            f"received {len(weights)}. Add or remove weights."
        )
    return np.asarray(weights, np.float32)
