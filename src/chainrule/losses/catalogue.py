"""Finding the right loss: by name, by list, and by the output activation and targets it goes with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule._base.checks import describe
from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule.losses.base import FunctionLoss, Loss, losses
from chainrule.losses.class_weight import balanced_class_weight


class LossRow(NamedTuple):
    """One line of the table of losses."""

    name: str
    formula: str
    target: str
    use: str


def get(loss: str | Loss | Callable[..., Any]) -> Loss:
    """The loss meant by a name, a loss object or a function ``(predictions, targets) -> [batch]``.

    Names are those of :func:`chainrule.losses.list`; Keras's strings are synonyms. As all losses here, those of a
    name take *logits*.

    Raises:
        UnknownNameError: no loss has that name; the nearest one is suggested.

    Example:
        >>> get("mse")
        MeanSquaredError()
        >>> get("sparse_categorical_crossentropy").name
        'cross_entropy'
    """
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, type):
        raise ArgumentTypeError(
            f"loss must be a name, a loss object or a function; received the class {loss.__name__}. "
            f"Type {loss.__name__}() with its arguments."
        )
    if callable(loss):
        return FunctionLoss(loss)
    return losses[loss]()


def list_losses() -> list[LossRow]:
    """Every registered loss: its name, its formula, the targets it wants and when to use it.

    Available as ``chainrule.losses.list()``. In the formulas ``y`` is the prediction and ``t`` the target.

    Example:
        >>> for row in list_losses()[:2]:
        ...     print(row.name, "|", row.formula)
        binary_cross_entropy | −1/m Σ [w₁ t log p + w₀ (1 − t) log(1 − p)],  p = σ(logit)
        binary_focal | −1/m Σ [α t (1−p)^γ log p + (1−α)(1−t) p^γ log(1−p)]
    """
    return [
        LossRow(name, *(getattr(cls, part, "") for part in ("formula", "target", "use")))
        for name, cls in losses.items()
    ]


def check_targets(loss: Loss, targets: Any, num_classes: int | None = None) -> None:  # Any: array-likes
    """Refuse targets with which ``loss`` has no meaning, before training, by the number of the first bad row.

    One vectorised pass in NumPy over all targets: missing values, labels outside the classes, fractional labels, rows
    that are no distribution, binary targets outside [0, 1], negative counts.

    Args:
        loss: the loss that will see these targets.
        targets: all targets, batch first.
        num_classes: size of the model's last axis, when it stands for classes.

    Raises:
        ArgumentError: names the row (counted from 0), the value and what to do.
        ArgumentTypeError: the targets are no numbers, or class labels are not integers.

    Example:
        >>> import numpy as np
        >>> from chainrule.losses import CrossEntropy
        >>> try:
        ...     check_targets(CrossEntropy(), np.array([0, 2, 3]), num_classes=3)
        ... except ValueError as error:
        ...     print(error)
        CrossEntropy: each target must be a class from 0 to 2; received 3 in row 2 (1 bad of 3 rows, counted from 0).
        Number the classes from 0, and give the output layer one unit per class.
    """
    values = np.asarray(targets)
    if values.ndim == 0:
        raise ArgumentError(
            f"{type(loss).__name__}: targets must have a batch axis first; received {describe(values)}. "
            "Pass one target per example."
        )
    loss.check_targets(values, num_classes)


def resolve_class_weight(loss: Loss, targets: Any) -> Loss:  # Any: array-likes
    """``loss`` with ``class_weight="balanced"`` turned into numbers from the training targets; others unchanged.

    Example:
        >>> from chainrule.losses import CrossEntropy
        >>> resolve_class_weight(CrossEntropy(class_weight="balanced"), [0, 0, 0, 1]).class_weight
        {0: 0.6666666666666666, 1: 2.0}
    """
    if getattr(loss, "class_weight", None) != "balanced":
        return loss
    values = np.asarray(targets)
    if loss.expects.startswith("class") and (values.ndim > 1 and values.dtype.kind == "f"):
        values = values.argmax(axis=-1)
    ignored = getattr(loss, "ignore_class", None)
    if ignored is not None:
        values = values[values != ignored]
    if loss.expects.startswith("binary"):
        values = (values > 0.5).astype(int)
    return dataclasses.replace(loss, class_weight=balanced_class_weight(values))  # type: ignore[type-var]  # every loss is a dataclass


def check_output_activation(loss: Loss, activation: str | None) -> str | None:
    """A warning if the model's last activation and the loss do not belong together, else ``None``.

    The text begins with the warning's name: ``double-softmax``, ``double-sigmoid``, ``softmax-with-binary``,
    ``sigmoid-with-categorical``, ``logits-as-probabilities``, ``bounded-logits`` or ``negative-rate``.

    Args:
        loss: the loss.
        activation: registered name of the last layer's activation; ``None`` or ``"linear"`` for none.

    Example:
        >>> from chainrule.losses import CrossEntropy
        >>> print(check_output_activation(CrossEntropy(), "softmax"))
        double-softmax: cross_entropy takes logits and applies the softmax itself; the output layer applies it too.
        Remove the output's activation, or use CrossEntropy(from_logits=False).
        >>> check_output_activation(CrossEntropy(), "linear") is None
        True
    """
    kind = (activation or "linear").lower()
    kind = "bounded" if kind in _BOUNDED else kind
    text = _MISMATCHES.get((loss.expects, kind))
    return text.format(name=loss.name, cls=type(loss).__name__, activation=activation or "linear") if text else None


# Outputs that cannot reach every real number, so that some probabilities are out of reach.
_BOUNDED = frozenset({"relu", "tanh", "softplus", "softsign", "hard_sigmoid", "step", "exponential"})

_SOFTMAX_WITH_BINARY = (
    "softmax-with-binary: {name} asks one yes/no question per output, but softmax makes the outputs exclude each "
    "other. Use 'cross_entropy' for exclusive classes, or {hint} here."
)
_SIGMOID_WITH_CATEGORICAL = (
    "sigmoid-with-categorical: {name} wants probabilities that sum to 1 over the classes, but sigmoid treats every "
    "output alone. Use 'binary_cross_entropy' for labels that do not exclude each other, or {hint} here."
)
_AS_PROBABILITIES = (
    "logits-as-probabilities: {name} was told from_logits=False and takes outputs for probabilities, but "
    "'{activation}' gives other numbers. Use {cls}(from_logits=True), or the output activation '{hint}'."
)
_BOUNDED_LOGITS = (
    "bounded-logits: {name} takes any real numbers, but '{activation}' cannot give all of them, so some predictions "
    "are out of reach. Remove the output's activation."
)


def _with(text: str, hint: str) -> str:
    return text.replace("{hint}", hint)


# (what the loss expects, output activation) -> warning
_MISMATCHES = {
    ("class logits", "softmax"): "double-softmax: {name} takes logits and applies the softmax itself; the output "
    "layer applies it too. Remove the output's activation, or use {cls}(from_logits=False).",
    ("class logits", "sigmoid"): _with(_SIGMOID_WITH_CATEGORICAL, "no activation"),
    ("class logits", "bounded"): _BOUNDED_LOGITS,
    ("class probabilities", "sigmoid"): _with(_SIGMOID_WITH_CATEGORICAL, "'softmax'"),
    ("class probabilities", "linear"): _with(_AS_PROBABILITIES, "softmax"),
    ("class probabilities", "log_softmax"): _with(_AS_PROBABILITIES, "softmax"),
    ("class probabilities", "bounded"): _with(_AS_PROBABILITIES, "softmax"),
    ("binary logits", "sigmoid"): "double-sigmoid: {name} takes logits and applies the sigmoid itself; the output "
    "layer applies it too. Remove the output's activation, or use {cls}(from_logits=False).",
    ("binary logits", "softmax"): _with(_SOFTMAX_WITH_BINARY, "no activation"),
    ("binary logits", "bounded"): _BOUNDED_LOGITS,
    ("binary probabilities", "softmax"): _with(_SOFTMAX_WITH_BINARY, "'sigmoid'"),
    ("binary probabilities", "linear"): _with(_AS_PROBABILITIES, "sigmoid"),
    ("binary probabilities", "bounded"): _with(_AS_PROBABILITIES, "sigmoid"),
    ("margin", "sigmoid"): _BOUNDED_LOGITS,
    ("margin", "softmax"): _BOUNDED_LOGITS,
    ("margin", "bounded"): _BOUNDED_LOGITS,
    ("rate", "linear"): "negative-rate: {name} takes rates, which are positive, but a linear output may be negative. "
    "Use {cls}(from_log=True), or the output activation 'softplus'.",
    ("rate", "tanh"): "negative-rate: {name} takes rates, which are positive. Use the output activation 'softplus'.",
}
