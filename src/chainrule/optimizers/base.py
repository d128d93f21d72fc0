"""What every optimizer is: a pure pair, ``init(params) -> state`` and ``update(...) -> increments, state``.

Increments are *added* to the weights. The state mirrors the weights' names, with one dict of slots in the place of
each weight: ``dense/kernel/m``, ``dense/kernel/v``. Weights without slots have no entry, so a state survives being
flattened to paths and back. A bare array is a tree of one weight.

Precision: gradients and weights are widened to at least float32 before anything is computed, slots are kept so (also
for bfloat16 weights), and the increment is rounded to the weight's dtype.

A gradient that is NaN makes the increment and the slots of that weight NaN, and of no other. Nothing is hidden: the
training loop looks for it.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from chainrule._base import tree as trees
from chainrule._base.checks import check_number
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule._base.policy import widen
from chainrule._base.registry import Registry, register_class
from chainrule._base.spec import Array, DType
from chainrule._base.tree import Tree

Schedule = Callable[[Array], Array]  # step, counted from 0 -> rate
Scalar = float | Array
Slots = dict[str, Array]
Weights = Any  # Any: a nested dict of arrays, or one array; mypy has no such recursive type
O = TypeVar("O", bound="type[Optimizer]")  # noqa: E741 - one letter, as type variables go

optimizers: Registry[type[Optimizer]] = Registry("optimizer")


class Optimizer(abc.ABC):
    """A rule that turns gradients into increments of the weights. Subclasses are frozen dataclasses.

    For a rule that treats every weight on its own, subclass :class:`LeafOptimizer`.
    """

    @abc.abstractmethod
    def init(self, params: Weights) -> Tree:
        """The state before the first step."""

    @abc.abstractmethod
    def update(
        self, grads: Weights, state: Tree, params: Weights, *, step: Scalar, rate_scale: Scalar = 1.0
    ) -> tuple[Weights, Tree]:
        """Increments, to be added to the weights, and the new state.

        Args:
            grads: gradients of the loss, with the names and shapes of ``params``.
            state: what :meth:`init` or the last update returned.
            params: the weights.
            step: number of updates done before this one: 0 at the first.
            rate_scale: factor of the learning rate; may change from step to step without compiling again.
        """

    @abc.abstractmethod
    def rate(self, step: Scalar) -> Scalar | None:
        """The learning rate at ``step``, or ``None`` where it is not known (a foreign optimizer)."""

    def apply_gradients(
        self, grads: Weights, state: Tree, params: Weights, *, step: Scalar, rate_scale: Scalar = 1.0
    ) -> tuple[Weights, Tree]:
        """The new weights and the new state: :meth:`update`, with the increments added.

        Example:
            >>> from chainrule.optimizers import SGD
            >>> optimizer, weights = SGD(0.1, momentum=0.5), jnp.array([1.0])
            >>> state = optimizer.init(weights)
            >>> for step in range(2):
            ...     weights, state = optimizer.apply_gradients(jnp.array([1.0]), state, weights, step=step)
            >>> round(float(weights[0]), 6)
            0.75
        """
        increments, state = self.update(grads, state, params, step=step, rate_scale=rate_scale)
        return add(params, increments), state

    def update_weights(self, weights: Weights, gradients: Weights) -> Weights:
        """One step on any arrays, outside of training: for plain SGD, ``W - learning_rate · g``.

        Lists, NumPy and JAX arrays and nested dicts of them are taken. Only for optimizers that remember nothing
        from step to step.

        Raises:
            ArgumentError: if the optimizer has a memory, which this call would lose.

        Example:
            >>> from chainrule.optimizers import SGD
            >>> SGD(0.5).update_weights([1.0, 2.0], [2.0, -2.0]).tolist()
            [0.0, 3.0]
        """
        weights, gradients = _arrays(weights), _arrays(gradients)
        state = self.init(weights)
        if jax.tree.leaves(state):
            raise ArgumentError(
                f"{type(self).__name__}: update_weights is for optimizers without memory; this one keeps "
                f"{', '.join(sorted({path.split('/')[-1] for path in trees.flatten(state)}))} from step to step. "
                "Type state = optimizer.init(weights), then "
                "weights, state = optimizer.apply_gradients(gradients, state, weights, step=step) in your loop."
            )
        return self.apply_gradients(gradients, state, weights, step=0)[0]


class LeafOptimizer(Optimizer):
    """Base of optimizers that treat every weight on its own: a subclass is :meth:`slots` and :meth:`step_leaf`.

    Both see arrays of at least float32. ``step_leaf`` computes in the dtype of its ``grad``.

    Example:
        >>> from dataclasses import dataclass
        >>> from chainrule.optimizers import LeafOptimizer
        >>> @dataclass(frozen=True)
        ... class SignDescent(LeafOptimizer):
        ...     learning_rate: float = 0.5
        ...     def step_leaf(self, grad, param, slots, step, rate):
        ...         return -rate * jnp.sign(grad), {}
        >>> SignDescent().update_weights([1.0, 2.0], [7.0, -0.1]).tolist()
        [0.5, 2.5]
    """

    learning_rate: float | Schedule

    def __post_init__(self) -> None:
        check_rate("learning_rate", self.learning_rate, self)

    def slots(self, param: Array) -> Slots:  # noqa: ARG002 - the default has none
        """The memory kept for one weight, before the first step."""
        return {}

    @abc.abstractmethod
    def step_leaf(self, grad: Array, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> tuple[Array, Slots]:
        """Increment and new slots of one weight; ``rate`` is the learning rate at ``step``, scaled."""

    def rate_leaf(self, param: Array, slots: Slots, step: Scalar, rate: Scalar) -> Array:  # noqa: ARG002
        """What each entry of the (averaged) gradient of one weight is multiplied by; the rate itself by default."""
        return jnp.full_like(param, rate)

    def init(self, params: Weights) -> Tree:
        """The slots of every weight."""
        if not isinstance(params, Mapping):
            return self.slots(_floating(params, self))
        state = {name: self.init(param) for name, param in params.items()}
        return {name: slots for name, slots in state.items() if slots}

    def rate(self, step: Scalar) -> Scalar:
        """The learning rate at ``step``."""
        return self.learning_rate(jnp.asarray(step)) if callable(self.learning_rate) else self.learning_rate

    def update(
        self, grads: Weights, state: Tree, params: Weights, *, step: Scalar, rate_scale: Scalar = 1.0
    ) -> tuple[Weights, Tree]:
        """Increments and new state; see :meth:`Optimizer.update`."""
        rate = scaled(self.rate(step), rate_scale)

        def walk(grad: Weights, slots: Tree, param: Weights, path: str) -> tuple[Weights, Tree]:
            if not isinstance(param, Mapping):
                return self._update_leaf((grad, slots, param), step, rate, path)
            check_same_names(grad, param, path, self)
            pairs = {
                name: walk(grad[name], slots.get(name, {}), param[name], f"{path}/{name}" if path else name)
                for name in param
            }
            increments = {name: increment for name, (increment, _) in pairs.items()}
            return increments, {name: kept for name, (_, kept) in pairs.items() if kept}

        return walk(grads, state, params, "")

    def effective_rate(self, state: Tree, params: Weights, *, step: Scalar, rate_scale: Scalar = 1.0) -> Weights:
        """The step size of every single weight: what its (averaged) gradient was multiplied by at ``step``.

        Args:
            state: the state *after* the update number ``step``.
            params: the weights.
            step: number of the update, counted from 0.
            rate_scale: as given to that update.

        Example:
            >>> from chainrule.optimizers import Adagrad
            >>> optimizer, weights = Adagrad(0.5, epsilon=0.0), jnp.zeros(2)
            >>> _, state = optimizer.update(jnp.array([1.0, 4.0]), optimizer.init(weights), weights, step=0)
            >>> optimizer.effective_rate(state, weights, step=0).tolist()
            [0.5, 0.125]
        """
        rate = scaled(self.rate(step), rate_scale)

        def walk(slots: Tree, param: Weights) -> Weights:
            if isinstance(param, Mapping):
                return {name: walk(slots.get(name, {}), param[name]) for name in param}
            wide = widen(param)
            return self.rate_leaf(wide, slots, step, as_dtype(rate, wide.dtype))

        return walk(state, params)

    def _update_leaf(
        self, arrays: tuple[Array, Slots, Array], step: Scalar, rate: Scalar, path: str
    ) -> tuple[Array, Slots]:
        grad, slots, param = arrays
        if grad.shape != param.shape:
            raise ShapeError(
                f"{path or 'weight'} ({type(self).__name__}): the gradient must have the weight's shape {param.shape}; "
                f"received {grad.shape}. Take gradients of a scalar loss with respect to these weights."
            )
        wide = widen(param)
        try:
            increment, kept = self.step_leaf(grad.astype(wide.dtype), wide, slots, step, as_dtype(rate, wide.dtype))
        except KeyError as error:
            raise ArgumentError(
                f"{path or 'weight'} ({type(self).__name__}): the state must have the slot {error}; "
                f"received {sorted(slots) or 'none'}. Make a new state with optimizer.init(params)."
            ) from error
        return increment.astype(param.dtype), kept


def register(name: str, *synonyms: str) -> Callable[[O], O]:
    """Class decorator: make an optimizer known by ``name`` and its synonyms, and storable in files.

    Example:
        >>> from chainrule.optimizers import get
        >>> get("sgd")
        SGD(learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=0.0)
    """

    def add_class(cls: O) -> O:
        register_class(cls)
        return optimizers.register(cls, name, synonyms=synonyms)

    return add_class


def add(params: Weights, increments: Weights) -> Weights:
    """``params + increments``, leaf by leaf.

    Example:
        >>> add({"w": jnp.array([1.0])}, {"w": jnp.array([0.5])})["w"].tolist()
        [1.5]
    """
    return jax.tree.map(lambda param, increment: param + increment, params, increments)


def bias_correction(beta: float, step: Scalar, dtype: DType) -> Array:
    """``1 - beta^(step + 1)``: the total weight in a moving average that began at 0.

    Written as ``-expm1((step + 1) · log beta)``: ``1 - 0.999`` itself would lose four digits in float32.

    Example:
        >>> f"{bias_correction(0.999, 0, jnp.float32):.7f}"
        '0.0010000'
    """
    if beta == 0:
        return jnp.ones((), dtype)
    return -jnp.expm1((jnp.asarray(step, dtype) + 1) * math.log(beta))


def scaled(rate: Scalar, scale: Scalar) -> Scalar:
    """``rate · scale``, in the dtype of whichever is an array."""
    if isinstance(rate, jax.Array) and isinstance(scale, jax.Array):
        scale = scale.astype(rate.dtype)
    return rate * scale


def as_dtype(scalar: Scalar, dtype: DType) -> Scalar:
    """An array in ``dtype``; a Python number, which takes on any dtype, as it is."""
    return scalar.astype(dtype) if isinstance(scalar, jax.Array) else scalar


def check_rate(name: str, rate: object, owner: object) -> None:
    """Require a number of at least 0, or a schedule."""
    if not callable(rate) or isinstance(rate, type):
        check_number(name, rate, owner, at_least=0)


def check_same_names(grads: object, params: Mapping[str, Any], path: str, owner: object) -> None:
    """Require gradients for exactly the weights that are given."""
    if not isinstance(grads, Mapping) or grads.keys() != params.keys():
        received = sorted(grads) if isinstance(grads, Mapping) else type(grads).__name__
        raise ArgumentError(
            f"{path or 'weights'} ({type(owner).__name__}): the gradients must have the weights' names "
            f"{sorted(params)}; received {received}. Differentiate with respect to these weights."
        )


def _floating(param: Any, owner: object) -> Array:  # Any: an array of any library
    if not jnp.issubdtype(param.dtype, jnp.floating):
        raise ArgumentTypeError(
            f"{type(owner).__name__}: weights must be floating-point arrays; received dtype {param.dtype}. "
            "Keep integers in the state of a layer, or cast them."
        )
    return widen(param)


def _arrays(values: Any) -> Weights:  # Any: numbers, lists, arrays, or nested dicts of them
    if isinstance(values, Mapping):
        return {name: _arrays(value) for name, value in values.items()}
    array = jnp.asarray(values)
    return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(jnp.float32)
