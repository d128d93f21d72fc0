"""What training carries from step to step, and what it is fed."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp

from chainrule._base import tree as trees
from chainrule._base.rng import Key
from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.core import Variables


class TrainState(NamedTuple):
    """All that changes in training; a pytree, so a pure function can take and return it.

    ``params`` are trained, ``frozen`` are not, ``state`` holds running statistics, ``slots`` belongs to the
    optimizer, ``step`` counts updates, ``key`` never changes (steps fold their number into it), ``rate_scale``
    multiplies the learning rate.
    """

    params: Tree
    frozen: Tree
    state: Tree
    slots: Any  # Any: the optimizer's own pytree (an Optax state, for instance)
    step: Array
    key: Key
    rate_scale: Array

    @property
    def variables(self) -> Variables:
        """The model's variables, trained and frozen ones together."""
        return Variables(trees.merge(self.frozen, self.params), self.state)


class Batch(NamedTuple):
    """Examples: inputs, targets (both one array for each input and output) and weights ``[batch]``; 0 is padding."""

    x: tuple[Array, ...]
    y: tuple[Array, ...]
    weight: Array


def initial_state(variables: Variables, optimizer: Any, key: Key, is_frozen: Any = None) -> TrainState:
    """The state before the first step.

    ``Any``: any optimizer with ``init(params)``; a test of paths or ``None``.
    """
    frozen, params = trees.split(variables.params, is_frozen or (lambda _path: False))
    return TrainState(
        params=params,
        frozen=frozen,
        state=variables.state,
        slots=optimizer.init(params),
        step=jnp.zeros((), jnp.int32),
        key=key,
        rate_scale=jnp.ones((), jnp.float32),
    )
