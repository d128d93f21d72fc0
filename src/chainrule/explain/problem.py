"""A compiled model and some examples as one function of the weights, in double precision.

Explanations compare numbers that should be equal; in float64 they agree to some 15 digits, so what differs is an
error and not rounding. Weights are read from the model as they are, and the model is never changed.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base import tree as trees
from chainrule._base.checks import check_int
from chainrule._base.errors import ArgumentError, UnknownNameError, did_you_mean
from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.core import Context, Graph, Variables
from chainrule.models.arrays import as_inputs, as_targets
from chainrule.models.model import Model


@dataclass(frozen=True)
class Problem:
    """The loss of ``graph`` on fixed examples, as a function of its weights (inference mode, no weight penalty)."""

    graph: Graph
    variables: Variables
    inputs: tuple[Array, ...]
    targets: tuple[Array, ...]
    losses: tuple[Callable[[Array, Array], Array], ...]
    loss_weights: tuple[float, ...]

    @property
    def num_examples(self) -> int:
        """How many examples there are."""
        return int(self.targets[0].shape[0])

    def loss_of(self, predictions: Any) -> Array:  # Any: an array, or a tuple of arrays for several outputs
        """The loss of each example, ``[batch]``; several outputs are added with their loss weights."""
        several = predictions if isinstance(predictions, tuple) else (predictions,)
        terms = (
            loss(prediction, target) * scale
            for scale, loss, prediction, target in zip(
                self.loss_weights, self.losses, several, self.targets, strict=True
            )
        )
        return functools.reduce(jnp.add, terms)

    def per_example(
        self, params: Tree, *, record: dict[str, Any] | None = None, perturb: Mapping[str, Array] | None = None
    ) -> Array:
        """The loss of each example for these weights, ``[batch]``."""
        variables = Variables(params, self.variables.state)
        context = Context(record=record, perturb=perturb)
        return self.loss_of(self.graph.apply(variables, *self.inputs, context=context)[0])

    def objective(self, params: Tree) -> Array:
        """``J``: the mean of the examples' losses."""
        return jnp.mean(self.per_example(params))

    def only(self, example: int) -> Problem:
        """The same with one example."""
        check_int("example", example, "explain", minimum=0)
        if example >= self.num_examples:
            raise ArgumentError(
                f"explain: example must be below the number of examples, {self.num_examples}; received {example}."
            )
        row = slice(example, example + 1)
        return dataclasses.replace(
            self,
            inputs=tuple(array[row] for array in self.inputs),
            targets=tuple(array[row] for array in self.targets),
        )


def make_problem(model: Model, x: Any, y: Any) -> Problem:  # Any: arrays, lists or dicts, as in fit
    """The model's loss on ``x`` and ``y``; call it, and all that follows, under :func:`double_precision`."""
    recipe = model.recipe
    inputs = as_inputs(model.graph, x)
    targets = as_targets(model.graph, recipe.losses, y, len(inputs[0]))
    return Problem(
        model.graph,
        doubled(model.variables),
        tuple(_double(array) for array in inputs),
        tuple(_double(array) for array in targets),
        recipe.losses,
        recipe.loss_weights,
    )


def double_precision() -> Any:  # Any: JAX's context manager has no public type
    """A context in which JAX computes in float64."""
    return jax.enable_x64(True)


def doubled(variables: Variables) -> Variables:
    """The same variables in float64."""
    return Variables(*(jax.tree.map(_double, tree) for tree in variables))


def _double(array: Any) -> Array:  # Any: NumPy or JAX array
    values = np.asarray(array)
    return jnp.asarray(values.astype(np.float64) if jnp.issubdtype(values.dtype, jnp.floating) else values)


def find_weight(params: Tree, weight: str) -> tuple[str, tuple[int, ...]]:
    """Path and index of one number among the weights, such as ``dense/kernel[0,3]``.

    Raises:
        UnknownNameError: no weight has this path; the nearest is suggested.
        ArgumentError: the index is missing, of the wrong length or outside the weight.

    Example:
        >>> import jax.numpy as jnp
        >>> find_weight({"dense": {"kernel": jnp.zeros((2, 5))}}, "dense/kernel[0,3]")
        ('dense/kernel', (0, 3))
    """
    leaves = trees.flatten(params)
    parts = re.fullmatch(r"\s*([^\[\]]+?)\s*(?:\[([\d,\s]*)\])?\s*", weight)
    if parts is None:
        raise ArgumentError(f"weight must read like 'dense/kernel[0,3]'; received {weight!r}. Counting starts at 0.")
    path = parts[1]
    if path not in leaves:
        raise UnknownNameError(
            f"{path!r} is not a weight of the model.{did_you_mean(path, leaves)} Its weights: {', '.join(leaves)}."
        )
    index = tuple(int(part) for part in (parts[2] or "").split(",") if part.strip())
    shape = tuple(leaves[path].shape)
    if not index and leaves[path].size == 1:
        index = (0,) * len(shape)
    if len(index) != len(shape) or any(i >= size for i, size in zip(index, shape, strict=True)):
        example = ",".join(str(size - 1) for size in shape)
        raise ArgumentError(
            f"weight {path!r} has shape {shape}; received the index [{parts[2] or ''}]. "
            f"Name one number of it, at most '{path}[{example}]'."
        )
    return path, index


def changed(params: Tree, path: str, index: tuple[int, ...], amount: float) -> Tree:
    """``params`` with ``amount`` added to one number; the tree passed in stays as it is."""
    leaves = trees.flatten(params)
    leaves[path] = jnp.asarray(leaves[path]).at[index].add(amount)
    return trees.unflatten(leaves)
