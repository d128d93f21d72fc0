"""What every loss is: a frozen configuration that turns predictions and targets into one value per example."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import shapes_agree
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule._base.registry import Registry, register_class, snake_case
from chainrule._base.spec import Array
from chainrule.ops.stable import at_least_float32, safe_divide

LossFunction = Callable[[Array, Array], Array]
HostArray = np.ndarray[Any, Any]  # Any: targets of every shape and dtype are looked at
L = TypeVar("L", bound="type[Loss]")

losses: Registry[type[Loss]] = Registry("loss")


class Loss(abc.ABC):
    """A loss ``L(prediction, target)``: how wrong each single example is. Smaller is better.

    Subclasses are frozen dataclasses. A loss never averages over examples: weights of examples, padded rows and
    the mean over the batch are the business of :func:`chainrule.losses.reduce` alone. Axes after the first
    (time, outputs, labels) are averaged within the example unless the class says otherwise.

    Half-precision predictions are widened to float32 before anything is computed. Predictions and targets of
    different shapes are refused, never broadcast.
    """

    formula: ClassVar[str]
    target: ClassVar[str]
    use: ClassVar[str]

    @property
    def name(self) -> str:
        """The name used in logs and files, such as ``mean_squared_error``."""
        return losses.name_of(type(self)) or snake_case(type(self).__name__)

    @property
    def expects(self) -> str:
        """What the predictions mean: ``real``, ``binary logits``, ``class probabilities``, ``margin``, ..."""
        return "real"

    @abc.abstractmethod
    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The loss of each example, ``[batch]``."""

    def check_targets(self, targets: HostArray, num_classes: int | None = None) -> None:  # noqa: ARG002  # for subclasses
        """Refuse targets with which this loss has no meaning, naming the first bad row (NumPy, before training)."""
        if targets.dtype.kind not in "fiub":
            raise ArgumentTypeError(
                f"{type(self).__name__}: targets must be numbers; received dtype {targets.dtype}. "
                "Encode them as numbers first."
            )
        refuse_row(self, ~np.isfinite(targets), targets, "a finite number", "Fill or drop missing targets")


def register(name: str, *synonyms: str) -> Callable[[L], L]:
    """Class decorator: make a loss known by ``name`` and its synonyms, and storable in files.

    Example:
        >>> from dataclasses import dataclass
        >>> import chainrule.losses as losses
        >>> @losses.register("signed_error_for_the_example")
        ... @dataclass(frozen=True)
        ... class SignedError(losses.Loss):
        ...     def __call__(self, predictions, targets):
        ...         return predictions - targets
        >>> losses.get("signed_error_for_the_example").name
        'signed_error_for_the_example'
    """

    def add(cls: L) -> L:
        register_class(cls)
        return losses.register(cls, name, synonyms=synonyms)

    return add


@register_class
@dataclass(frozen=True)
class FunctionLoss(Loss):
    """A user's function ``(predictions, targets) -> [batch]`` as a loss.

    Args:
        function: returns one value per example; a function that averages by itself is refused, for then
            padded rows and sample weights would be counted wrongly.

    Example:
        >>> import jax.numpy as jnp
        >>> def absolute(predictions, targets):
        ...     return jnp.abs(predictions - targets)
        >>> loss = FunctionLoss(absolute)
        >>> loss.name, loss(jnp.array([1.0, 2.0]), jnp.array([0.0, 4.0])).tolist()
        ('absolute', [1.0, 2.0])
    """

    function: LossFunction

    @property
    def name(self) -> str:
        """The function's own name."""
        return getattr(self.function, "__name__", "loss")

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The function's values, checked to be one per example."""
        values = jnp.asarray(self.function(predictions, targets))
        if values.ndim != 1:
            raise ShapeError(
                f"{self.name}: a loss function must return one value per example, shape (batch,); "
                f"received shape {tuple(values.shape)}. Average over the axes after the first, not over the batch."
            )
        return at_least_float32(values)


def same_shape(owner: object, predictions: Array, targets: Array) -> tuple[Array, Array]:
    """Both arrays in at least float32, after refusing unequal shapes and scalars."""
    predictions, targets = at_least_float32(predictions), at_least_float32(targets)
    if predictions.ndim == 0 or not shapes_agree(predictions.shape, targets.shape):
        raise ShapeError(
            f"{type(owner).__name__}: predictions and targets must have the same shape, batch first; received "
            f"predictions of shape {_text(predictions)} and targets of shape {_text(targets)}. "
            f"{_advice(predictions.shape, targets.shape)}"
        )
    return predictions, targets


def require_axes(owner: object, predictions: Array, count: int) -> None:
    """Refuse predictions with fewer than ``count`` axes: the last one must hold the classes or features."""
    if predictions.ndim < count:
        raise ShapeError(
            f"{type(owner).__name__}: predictions must have {count} axes or more, batch first and classes or features "
            f"last; received shape {_text(predictions)}. Give the model's last layer one output per class or feature."
        )


def require_classes(owner: object, predictions: Array) -> None:
    """Refuse predictions whose last axis cannot be a choice between classes."""
    require_axes(owner, predictions, 2)
    if predictions.shape[-1] == 1:
        raise ShapeError(
            f"{type(owner).__name__}: the last axis of the predictions must hold 2 classes or more; received shape "
            f"{_text(predictions)}. Use 'binary_cross_entropy' for a single output, or one unit per class."
        )


def example_mean(values: Array, kept: Array | None = None) -> Array:
    """The mean over all axes but the first, of what is ``kept`` (0 where nothing is): ``[batch, ...] -> [batch]``."""
    axes = tuple(range(1, values.ndim))
    if kept is None:
        return jnp.mean(values, axis=axes)
    return safe_divide(jnp.sum(jnp.where(kept, values, 0), axis=axes), jnp.sum(kept, axis=axes).astype(values.dtype))


def refuse_row(owner: object, bad: Any, targets: HostArray, expected: str, advice: str) -> None:
    """Raise, with the number of the first bad row and its value, if anything in ``bad`` is true."""
    bad = np.asarray(bad)  # Any: NumPy types a comparison as an array or a scalar
    if not bad.any():
        return
    rows = bad.reshape(len(bad), -1).any(axis=1)
    row = int(np.argmax(rows))
    value = targets[row][bad[row]].flat[0] if np.ndim(targets[row]) else targets[row]
    raise ArgumentError(
        f"{type(owner).__name__}: each target must be {expected}; received {value} in row {row} "
        f"({int(rows.sum())} bad of {len(rows)} rows, counted from 0). {advice}."
    )


def _text(array: Array) -> str:
    return "(" + ", ".join(map(str, array.shape)) + ("," if array.ndim == 1 else "") + ")"


def _advice(predictions: tuple[Any, ...], targets: tuple[Any, ...]) -> str:
    if len(predictions) == len(targets) + 1 and predictions[-1] == 1:
        return "Type targets[..., None], or predictions[..., 0]."
    if len(targets) == len(predictions) + 1 and targets[-1] == 1:
        return "Type targets[..., 0], or predictions[..., None]."
    return "Give the model's last layer as many outputs as each target has values."
