"""The pure training step and the pure evaluation step.

``make_train_step(graph, recipe)`` returns ``step(state, batch) -> (state, logs)``: the interface for custom loops,
and the one step that every loop here compiles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from chainrule import constraints, regularizers
from chainrule._base import tree as trees
from chainrule._base.policy import Policy
from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.core import Context, Graph, Variables
from chainrule.train.mixup import mixed
from chainrule.train.state import Batch, TrainState

_FLOAT32 = Policy()
_TINY = 1e-30  # keeps 0 / 0 of a batch that is all padding at 0
LossFunction = Callable[[Array, Array], Array]  # (predictions, targets) -> one value per example


@dataclass(frozen=True)
class Recipe:
    """How a graph is trained: what ``compile`` fixes.

    Args:
        optimizer: ``init(params)`` and ``update(grads, slots, params, step=, rate_scale=)``.
        losses: one per output, each giving one value per example.
        loss_weights: one per output.
        metrics: a tuple of metrics per output.
        metric_names: how they are called in logs.
        policy: dtypes.
        accumulate: micro-batches per update; their gradients are added with the weights of their examples, so
            the update equals that of one big batch, the last short group included.
        on_nonfinite: ``"stop"``, ``"skip"`` the step, or ``"rollback"`` to the epoch's start at half the rate.
        is_frozen: says of a path of the params whether it is not trained.
        mixup: α of mixup; 0 for none. See :func:`chainrule.train.mixup.mixed`.
    """

    optimizer: Any  # Any: the Optimizer protocol; `train` does not import `optimizers`' classes
    losses: tuple[LossFunction, ...]
    loss_weights: tuple[float, ...]
    metrics: tuple[tuple[Any, ...], ...] = ()  # Any: the Metric protocol
    metric_names: tuple[tuple[str, ...], ...] = ()
    policy: Policy = _FLOAT32
    accumulate: int = 1
    on_nonfinite: Literal["stop", "skip", "rollback"] = "stop"
    is_frozen: Callable[[str], bool] | None = None
    mixup: float = 0.0


class StepLogs(NamedTuple):
    """Sums over one step: ``loss_sum / weight`` is the data loss, ``penalty`` the regularizers' part."""

    loss_sum: Array
    weight: Array
    penalty: Array
    finite: Array


def forward(
    graph: Graph, policy: Policy, variables: Variables, x: tuple[Array, ...], context: Context
) -> tuple[tuple[Array, ...], Tree]:
    """Predictions (always a tuple, in the output dtype) and the new state."""
    x = tuple(_as_declared(array, symbol.dtype) for symbol, array in zip(graph.inputs, x, strict=True))
    cast = Variables(policy.cast_compute(variables.params), variables.state)
    predictions, state = graph.apply(cast, *policy.cast_compute(x), context=context)
    several = predictions if isinstance(predictions, tuple) else (predictions,)
    return policy.cast_output(several), state


def _as_declared(array: Array, dtype: Any) -> Array:  # Any: dtypes, as JAX types them
    """In the input's dtype (bytes stay bytes up to here); the policy alone decides how wide floats are."""
    floats = jnp.issubdtype(array.dtype, jnp.floating) and jnp.issubdtype(dtype, jnp.floating)
    return array if floats else array.astype(dtype)


def loss_per_example(recipe: Recipe, predictions: tuple[Array, ...], targets: tuple[Array, ...]) -> Array:
    """The weighted sum of the outputs' losses, one value per example: ``[batch]``."""
    total: Array | None = None
    for loss, scale, predicted, target in zip(recipe.losses, recipe.loss_weights, predictions, targets, strict=True):
        value = loss(predicted, recipe.policy.cast_output(target))
        value = value if scale == 1.0 else value * jnp.asarray(scale, value.dtype)
        total = value if total is None else total + value
    if total is None:
        raise AssertionError("a recipe has at least one loss")
    return total


def penalty_of(graph: Graph) -> Callable[[Tree], Array] | None:
    """The sum of the weights' regularizers as a function of the params, or ``None`` where there is none."""
    terms = {path: w.regularizer for path, w in trees.flatten(graph.weights()).items() if w.regularizer is not None}
    if not terms:
        return None

    def of(params: Tree) -> Array:
        leaves = trees.flatten(params)
        return regularizers.penalty(params, {path: term for path, term in terms.items() if path in leaves})

    return of


def make_gradient(graph: Graph, recipe: Recipe) -> Callable[[TrainState, Batch], tuple[Tree, Tree, StepLogs]]:
    """``(state, batch) -> (gradient, new layer state, logs)`` of the weighted mean loss plus the penalty."""
    penalty = penalty_of(graph)

    def weighted_sum(params: Tree, state: TrainState, layer_state: Tree, batch: Batch, key: Any) -> Any:
        variables = Variables(trees.merge(state.frozen, params), layer_state)
        context = Context(training=True, key=key, weight=batch.weight, frozen=recipe.is_frozen)
        x, others, share = mixed(batch, key, recipe.mixup) if recipe.mixup else (batch.x, batch.y, None)
        predictions, new_state = forward(graph, recipe.policy, variables, x, context)
        values = loss_per_example(recipe, predictions, batch.y)
        if share is not None:
            values = share * values + (1 - share) * loss_per_example(recipe, predictions, others)
        counts = batch.weight.sum() > 0  # a batch of padding alone teaches running statistics nothing
        new_state = jax.tree.map(lambda new, old: jnp.where(counts, new, old), new_state, layer_state)
        return (values * batch.weight.astype(values.dtype)).sum(), new_state

    def gradient(state: TrainState, batch: Batch) -> tuple[Tree, Tree, StepLogs]:
        key = jax.random.fold_in(state.key, state.step)
        weight = batch.weight.sum()
        scale = 1 / jnp.maximum(weight, _TINY)

        def mean_of(params: Tree) -> Any:  # Any: loss and (sum, state)
            total, new_state = weighted_sum(params, state, state.state, batch, key)
            return total * scale, (total, new_state)

        if recipe.accumulate == 1:
            (_, (total, new_state)), grads = jax.value_and_grad(mean_of, has_aux=True)(state.params)
        else:
            total, new_state, grads = _accumulated(weighted_sum, state, batch, key, recipe.accumulate)
            grads = jax.tree.map(lambda g: g * scale.astype(g.dtype), grads)
        extra = jnp.zeros(())
        if penalty is not None:
            extra, pull = jax.value_and_grad(penalty)(state.params)
            grads = jax.tree.map(jnp.add, grads, pull)
        return grads, new_state, StepLogs(total, weight, extra, jnp.isfinite(total + extra))

    return gradient


def _accumulated(weighted_sum: Any, state: TrainState, batch: Batch, key: Any, groups: int) -> Any:
    """Sum of loss, last layer state and sum of gradients over ``groups`` micro-batches.

    ``Any``: functions and trees whose types :func:`make_gradient` gives.
    """
    micro = jax.tree.map(lambda a: a.reshape(groups, a.shape[0] // groups, *a.shape[1:]), batch)
    differentiate = jax.value_and_grad(weighted_sum, has_aux=True)

    def add(carry: Any, item: Any) -> Any:
        total, layer_state, grads = carry
        number, part = item
        folded = jax.random.fold_in(key, number)
        (value, layer_state), more = differentiate(state.params, state, layer_state, part, folded)
        return (total + value, layer_state, jax.tree.map(jnp.add, grads, more)), None

    zeros = jax.tree.map(jnp.zeros_like, state.params)
    start = (jnp.zeros(()), state.state, zeros)
    (total, new_state, grads), _ = jax.lax.scan(add, start, (jnp.arange(groups), micro))
    return total, new_state, grads


def make_train_step(graph: Graph, recipe: Recipe) -> Callable[[TrainState, Batch], tuple[TrainState, StepLogs]]:
    """The pure training step: gradient, optimizer, constraints.

    Example:
        >>> import jax, numpy as np
        >>> from chainrule.core import Graph, Input
        >>> from chainrule.layers import Dense
        >>> from chainrule.losses import MeanSquaredError
        >>> from chainrule.optimizers import SGD
        >>> from chainrule.train.state import initial_state
        >>> x = Input(2)
        >>> graph = Graph((x,), (Dense(1)(x),))
        >>> recipe = Recipe(SGD(0.1), (MeanSquaredError(),), (1.0,))
        >>> state = initial_state(graph.init(jax.random.key(0)), recipe.optimizer, jax.random.key(1))
        >>> batch = Batch((np.ones((4, 2), "float32"),), (np.ones((4, 1), "float32"),), np.ones(4, "float32"))
        >>> state, logs = jax.jit(make_train_step(graph, recipe))(state, batch)
        >>> int(state.step)
        1
    """
    gradient = make_gradient(graph, recipe)
    declared = trees.flatten(graph.weights())
    limits = {path: w.constraint for path, w in declared.items() if w.constraint is not None}

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, StepLogs]:
        grads, layer_state, logs = gradient(state, batch)
        increments, slots = recipe.optimizer.update(
            grads, state.slots, state.params, step=state.step, rate_scale=state.rate_scale
        )
        params = jax.tree.map(lambda p, d: p + d.astype(p.dtype), state.params, increments)
        if limits:
            trained = trees.flatten(params)
            params = constraints.project(params, {path: limit for path, limit in limits.items() if path in trained})
        new = state._replace(params=params, state=layer_state, slots=slots, step=state.step + 1)
        if recipe.on_nonfinite == "skip":
            finite = logs.finite & all_finite(grads)
            kept = state._replace(step=state.step + 1)
            new = jax.tree.map(lambda a, b: jnp.where(finite, a, b) if _is_plain(a) else a, new, kept)
            logs = logs._replace(finite=finite)
        return new, logs

    return step


def _is_plain(leaf: Any) -> bool:  # Any: an array
    return not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def all_finite(tree: Any) -> Array:  # Any: any pytree of arrays
    """Whether no floating leaf holds NaN or Inf, as a scalar on the device."""
    leaves = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    checks = [jnp.isfinite(leaf).all() for leaf in leaves]
    return jnp.stack(checks).all() if checks else jnp.ones((), bool)


class EvalSums(NamedTuple):
    """Accumulators of an evaluation: loss, weight and the metrics' own."""

    loss_sum: Array
    weight: Array
    metrics: tuple[tuple[Any, ...], ...]  # Any: each metric's own tree


def make_eval_step(graph: Graph, recipe: Recipe) -> tuple[Callable[[], EvalSums], Callable[..., Any]]:
    """``(init, step)`` with ``step(variables, sums, batch) -> (sums, predictions, layer state)``; inference mode.

    The sums are exact; the layer state is new only where stateful recurrent layers are.
    """
    streamed = tuple(tuple(m for m in group if not m.needs_all) for group in recipe.metrics)

    def init() -> EvalSums:
        return EvalSums(jnp.zeros(()), jnp.zeros(()), tuple(tuple(m.init() for m in group) for group in streamed))

    def step(variables: Variables, sums: EvalSums, batch: Batch) -> tuple[EvalSums, tuple[Array, ...], Tree]:
        predictions, state = forward(graph, recipe.policy, variables, batch.x, Context())
        values = loss_per_example(recipe, predictions, batch.y)
        values = values * batch.weight.astype(values.dtype)
        updated = tuple(
            tuple(m.update(acc, p, y, batch.weight) for m, acc in zip(group, accs, strict=True))
            for group, accs, p, y in zip(streamed, sums.metrics, predictions, batch.y, strict=True)
        )
        return EvalSums(sums.loss_sum + values.sum(), sums.weight + batch.weight.sum(), updated), predictions, state

    return init, step
