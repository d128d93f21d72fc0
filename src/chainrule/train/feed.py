"""Examples on the device: padded once, shuffled there, cut into batches inside the compiled loop."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.rng import Key, key_for
from chainrule._base.spec import Array
from chainrule.train.state import Batch

_EVALUATION_ROWS = 1024  # rows of one evaluation batch: 512 to 2,048 time alike for the MLPs measured


class Feed:
    """A data set on the device with everything the loops need to walk through it.

    Args:
        x: one array for each input, examples first.
        y: one array for each output.
        weight: ``[examples]`` weights, or ``None`` for ones.
        batch_size: rows of one update; may exceed the number of examples.

    The arrays are padded to a whole number of evaluation batches by repeating the last row with weight 0; the
    padding never counts and never causes a second compilation.
    """

    def __init__(
        self, x: tuple[np.ndarray, ...], y: tuple[np.ndarray, ...], weight: np.ndarray | None, batch_size: int
    ) -> None:
        self.size = len(x[0])
        self.batch_size = batch_size
        self.steps = math.ceil(self.size / batch_size)
        batches = max(1, math.ceil(self.size / _EVALUATION_ROWS))
        self.eval_rows = math.ceil(self.size / batches)
        self.eval_steps = batches
        weights = np.ones(self.size, np.float32) if weight is None else np.asarray(weight, np.float32)
        padding = self.eval_rows * batches - self.size
        self.data = Batch(
            tuple(jnp.asarray(_padded(array, padding)) for array in x),
            tuple(jnp.asarray(_padded(array, padding)) for array in y),
            jnp.asarray(np.concatenate([weights, np.zeros(padding, np.float32)])),
        )

    @property
    def shuffles(self) -> bool:
        """Whether an epoch has more than one batch, so that order matters."""
        return self.steps > 1

    def order(self, key: Key, epoch: int) -> Array:
        """Row numbers of every batch of this epoch, one after another: ``[steps * batch_size]``."""
        folded = jax.random.fold_in(key_for(key, "shuffle"), epoch)
        order: Array = _order(folded, self.size, self.steps * self.batch_size, self.shuffles)
        return order

    def rows(self, order: Array, step: int) -> np.ndarray:
        """Which examples were in batch ``step`` (padding left out), for reports."""
        start = step * self.batch_size
        return np.asarray(order)[start : min(start + self.batch_size, self.size)]


@functools.partial(jax.jit, static_argnums=(1, 2, 3))
def _order(key: Key, size: int, length: int, shuffles: bool) -> Array:  # noqa: FBT001 - static argument of jit
    rows = jnp.arange(length, dtype=jnp.int32) % size
    return jax.random.permutation(key, size)[rows].astype(jnp.int32) if shuffles else rows


def take_batch(data: Batch, order: Array, step: Any, batch_size: int, size: int) -> Batch:
    """Batch number ``step`` (``Any``: a traced integer) of an epoch; positions past ``size`` get weight 0."""
    start = step * batch_size
    rows = jax.lax.dynamic_slice_in_dim(order, start, batch_size)
    real = start + jnp.arange(batch_size, dtype=jnp.int32) < size
    taken: Batch = jax.tree.map(lambda array: array.at[rows].get(mode="promise_in_bounds"), data)
    return taken._replace(weight=jnp.where(real, taken.weight, 0))


def _padded(array: np.ndarray, rows: int) -> np.ndarray:
    return np.concatenate([array, np.repeat(array[-1:], rows, axis=0)]) if rows else array
