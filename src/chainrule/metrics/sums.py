"""Running sums in float32 that carry their rounding error along, so that millions of rows add up exactly enough."""

from __future__ import annotations

import jax.numpy as jnp

from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.ops.stable import two_sum


def zero_sum(shape: tuple[int, ...] = ()) -> Tree:
    """A running sum at 0, with the rounding error it carries along (see :func:`chainrule.ops.stable.two_sum`)."""
    return {"sum": jnp.zeros(shape), "error": jnp.zeros(shape)}


def add(running: Tree, value: Array) -> Tree:
    """The running sum with ``value`` added."""
    total, error = two_sum(running["sum"], value)
    return {"sum": total, "error": running["error"] + error}


def merge_sums(a: Tree, b: Tree) -> Tree:
    """The sum of two running sums."""
    both = add(a, b["sum"])
    return {"sum": both["sum"], "error": both["error"] + b["error"]}


def value_of(running: Tree) -> Array:
    """The sum itself."""
    return jnp.asarray(running["sum"] + running["error"])
