"""What every metric is: an accumulator that is exact over uneven batches, workers and devices."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, TypeVar

import jax.numpy as jnp

from chainrule._base.errors import ArgumentTypeError, ShapeError
from chainrule._base.registry import Registry, register_class, snake_case
from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.metrics.inputs import HostArray
from chainrule.metrics.sums import add, merge_sums, value_of, zero_sum
from chainrule.ops.stable import at_least_float32

MetricFunction = Callable[[Array, Array], Array]
M = TypeVar("M", bound="type[Metric]")

metrics: Registry[type[Metric]] = Registry("metric")


class Metric:
    """A measure of a whole data set. Subclasses are frozen dataclasses.

    A metric is either *streaming* (``needs_all`` is false) or wants all predictions at once (``needs_all`` is true;
    see :class:`chainrule.metrics.WholeMetric`). A streaming metric never averages averages: ``update`` adds sums,
    ``result`` divides once. Rows of weight 0 (padding) take no part. With no rows the result is NaN.

    Example:
        >>> import jax.numpy as jnp
        >>> from chainrule.metrics import Accuracy
        >>> metric = Accuracy()
        >>> first = metric.update(metric.init(), jnp.array([2.0, -1.0]), jnp.array([1, 1]), jnp.ones(2))
        >>> second = metric.update(metric.init(), jnp.array([3.0]), jnp.array([1]), jnp.ones(1))
        >>> round(float(metric.result(metric.merge(first, second))), 4)
        0.6667
    """

    higher_is_better: ClassVar[bool] = True
    needs_all: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The name used in logs, such as ``accuracy``."""
        return metrics.name_of(type(self)) or snake_case(type(self).__name__)

    def for_model(self, *, from_logits: bool, num_outputs: int | None, multi_label: bool) -> Self:
        """This metric adapted to what a model puts out; used when the user gave only a name."""
        known = {field.name for field in dataclasses.fields(self)}  # type: ignore[arg-type]  # all are dataclasses
        offered: dict[str, Any] = {"from_logits": from_logits, "multi_label": multi_label}  # Any: bools and integers
        if num_outputs is not None:
            offered |= {"num_classes": num_outputs, "num_outputs": num_outputs}
        fitting = {name: value for name, value in offered.items() if name in known}
        return dataclasses.replace(self, **fitting)  # type: ignore[type-var]  # all are dataclasses


class StreamingMetric(Metric, abc.ABC):
    """A metric of sums: pure JAX, usable under ``jit`` and inside ``lax`` loops."""

    @abc.abstractmethod
    def init(self) -> Tree:
        """The accumulator of no rows."""

    @abc.abstractmethod
    def update(self, acc: Tree, predictions: Array, targets: Array, weight: Array) -> Tree:
        """The accumulator with one more batch; ``weight: [batch]``."""

    @abc.abstractmethod
    def result(self, acc: Tree) -> Array | Mapping[str, Array]:
        """The measure of all rows accumulated."""

    def merge(self, a: Tree, b: Tree) -> Tree:
        """The accumulator of the rows of both."""
        return {key: merge_sums(a[key], b[key]) for key in a}

    def __call__(self, predictions: Array, targets: Array, weight: Array | None = None) -> Array | Mapping[str, Array]:
        """The measure of one set of predictions."""
        predictions = jnp.asarray(predictions)
        weight = jnp.ones(predictions.shape[:1]) if weight is None else jnp.asarray(weight)
        return self.result(self.update(self.init(), predictions, jnp.asarray(targets), weight))


class MeanMetric(StreamingMetric):
    """A metric that is the weighted mean of one value per example; subclasses give that value."""

    @abc.abstractmethod
    def values(self, predictions: Array, targets: Array) -> Array:
        """One value per example, ``[batch]``."""

    def init(self) -> Tree:
        """Two sums at 0."""
        return {"total": zero_sum(), "weight": zero_sum()}

    def update(self, acc: Tree, predictions: Array, targets: Array, weight: Array) -> Tree:
        """Add ``Σ w v`` and ``Σ w``."""
        values = at_least_float32(self.values(predictions, targets))
        weighted = jnp.where(weight == 0, 0, weight * values)
        return {"total": add(acc["total"], jnp.sum(weighted)), "weight": add(acc["weight"], jnp.sum(weight))}

    def result(self, acc: Tree) -> Array:
        """``Σ w v / Σ w``."""
        return value_of(acc["total"]) / value_of(acc["weight"])


class WholeMetric(Metric, abc.ABC):
    """A metric that cannot be summed over batches: it is computed from all predictions, in NumPy float64."""

    needs_all: ClassVar[bool] = True

    @abc.abstractmethod
    def compute(self, predictions: HostArray, targets: HostArray, weight: HostArray | None = None) -> float:
        """The measure; NaN where it is undefined, so that a validation part without positives stops no training."""


def register(name: str, *synonyms: str) -> Callable[[M], M]:
    """Class decorator: make a metric known by ``name`` and its synonyms, and storable in files.

    Example:
        >>> import dataclasses
        >>> import chainrule.metrics as metrics
        >>> @metrics.register("share_above_zero_for_the_example")
        ... @dataclasses.dataclass(frozen=True)
        ... class ShareAboveZero(metrics.MeanMetric):
        ...     def values(self, predictions, targets):
        ...         return predictions > 0
        >>> metrics.get("share_above_zero_for_the_example").name
        'share_above_zero_for_the_example'
    """

    def add_class(cls: M) -> M:
        # losses have classes of the same names (MeanSquaredError): files tell them apart by the prefix
        register_class(cls, f"metrics.{cls.__name__}")
        return metrics.register(cls, name, synonyms=synonyms)

    return add_class


@dataclasses.dataclass(frozen=True)
class FunctionMetric(MeanMetric):
    """A user's function ``(predictions, targets) -> [batch]`` as the metric that is its mean.

    Example:
        >>> import jax.numpy as jnp
        >>> def within_one(predictions, targets):
        ...     return jnp.abs(predictions - targets) < 1
        >>> metric = FunctionMetric(within_one)
        >>> metric.name, float(metric(jnp.array([1.0, 5.0]), jnp.array([1.5, 2.0])))
        ('within_one', 0.5)
    """

    function: MetricFunction

    @property
    def name(self) -> str:
        """The function's own name."""
        return getattr(self.function, "__name__", "metric")

    def values(self, predictions: Array, targets: Array) -> Array:
        """The function's values, checked to be one per example."""
        values = jnp.asarray(self.function(predictions, targets))
        if values.ndim != 1:
            raise ShapeError(
                f"{self.name}: a metric function must return one value per example, shape (batch,); received shape "
                f"{tuple(values.shape)}. Average over the axes after the first, not over the batch."
            )
        return values


def get(
    metric: str | Metric | Callable[..., Any],
    *,
    from_logits: bool = True,
    num_outputs: int | None = None,
    multi_label: bool = False,
    ignore_class: int | None = None,
) -> Metric:
    """The metric meant by a name, a metric object or a function ``(predictions, targets) -> [batch]``.

    Objects are returned as they are and functions are averaged over the examples; the other arguments adapt a metric
    that was given by name only.

    Args:
        metric: name (Keras's strings are synonyms), object or function.
        from_logits: whether the model puts out logits, as its loss says.
        num_outputs: size of the model's last axis.
        multi_label: whether the outputs are labels that do not exclude each other.
        ignore_class: label that does not count, as the loss says.

    Raises:
        UnknownNameError: no metric has that name; the nearest one is suggested.

    Example:
        >>> get("acc").name, get("f1", num_outputs=3).average, get("auc", from_logits=False).from_logits
        ('accuracy', 'macro', False)
    """
    if isinstance(metric, Metric):
        return metric
    if isinstance(metric, type):
        raise ArgumentTypeError(
            f"metric must be a name, a metric object or a function; received the class {metric.__name__}. "
            f"Type {metric.__name__}() with its arguments."
        )
    if callable(metric):
        return FunctionMetric(metric)
    adapted = metrics[metric]().for_model(from_logits=from_logits, num_outputs=num_outputs, multi_label=multi_label)
    if ignore_class is not None and hasattr(adapted, "ignore_class"):
        adapted = dataclasses.replace(adapted, ignore_class=ignore_class)  # type: ignore[type-var]  # all are dataclasses
    return adapted


register_class(FunctionMetric, "metrics.FunctionMetric")
