"""Weights by path: replace some of them, check patterns that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base import tree as trees
from chainrule._base.checks import describe
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError, did_you_mean
from chainrule.core import Graph, Variables


def replaced(variables: Variables, weights: Mapping[str, Any]) -> Variables:  # Any: array-likes
    """``variables`` with the named weights replaced; all paths and shapes are checked before any is taken."""
    if not isinstance(weights, Mapping):
        raise ArgumentTypeError(
            f"set_weights: must be a mapping from path to array, as get_weights() gives; received {describe(weights)}."
        )
    params, state = trees.flatten(variables.params), trees.flatten(variables.state)
    for path, value in weights.items():
        old = params.get(path, state.get(path))
        if old is None:
            raise ArgumentError(
                f"set_weights: there is no weight {path!r}.{did_you_mean(path, [*params, *state])} "
                "get_weights() lists them."
            )
        if np.shape(value) != old.shape:
            raise ShapeError(f"set_weights: {path} must have shape {old.shape}; received {np.shape(value)}.")
        if not jnp.issubdtype(np.asarray(value).dtype, jnp.number):
            raise ArgumentTypeError(f"set_weights: {path} must hold numbers; received {describe(np.asarray(value))}.")
    for path, value in weights.items():
        target = params if path in params else state
        target[path] = jnp.asarray(value, target[path].dtype)
    return Variables(trees.unflatten(params), trees.unflatten(state))


def with_trained_parts(graph: Graph, variables: Variables) -> Variables:
    """``variables``, with the newest weights of every model that ``graph`` calls as a layer in that layer's place."""
    params, state = dict(variables.params), dict(variables.state)
    for name, layer in graph.layers.items():
        if not isinstance(layer, Graph):
            continue
        fresh = Variables(params.get(name, {}), state.get(name, {}))
        newest = with_trained_parts(layer, fresh) if layer.start is None else layer.start()
        if _shapes(newest) == _shapes(fresh):  # a Sequential may have grown since it was called
            cast = jax.tree.map(lambda old, new: new.astype(old.dtype), fresh, newest)
            params |= {name: cast.params} if cast.params else {}
            state |= {name: cast.state} if cast.state else {}
    return Variables(params, state)


def _shapes(variables: Variables) -> list[dict[str, tuple[int, ...]]]:
    return [{path: leaf.shape for path, leaf in trees.flatten(tree).items()} for tree in variables]


def check_patterns(patterns: Sequence[str], variables: Variables) -> None:
    """Refuse a pattern that matches no trained weight, with the nearest path."""
    paths = list(trees.flatten(variables.params))
    for pattern in patterns:
        if not any(map(trees.matcher(pattern), paths)):
            near = did_you_mean(pattern, [*variables.params, *paths])
            raise ArgumentError(f"freeze: {pattern!r} matches no weight.{near} get_weights() lists them.")
