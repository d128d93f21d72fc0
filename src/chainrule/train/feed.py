"""Examples on the device: padded once, shuffled there, cut into batches inside the compiled loop."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.rng import Key, key_for
from chainrule._base.spec import Array
from chainrule.train.state import Batch

EVALUATION_ROWS = 1024  # rows of one evaluation batch: 512 to 2,048 time alike for the MLPs measured
_HOST_ROWS = 4096  # from here on the CPU's rows are shuffled by NumPy
_GATHERED_BYTES = 1 << 28  # up to here an epoch's rows are put in order by one gather, which small batches repay


class Feed:
    """A data set on the device with everything the loops need to walk through it.

    Args:
        x: one array for each input, examples first.
        y: one array for each output.
        weight: ``[examples]`` weights, or ``None`` for ones.
        batch_size: rows of one update; may exceed the number of examples.
        eval_rows: most rows of one evaluation batch.
        shuffle: deal the rows anew every epoch.

    The arrays are padded to a whole number of evaluation batches by repeating the last row with weight 0; the
    padding never counts and never causes a second compilation.
    """

    def __init__(
        self,
        x: tuple[np.ndarray, ...],
        y: tuple[np.ndarray, ...],
        weight: np.ndarray | None,
        batch_size: int,
        *,
        eval_rows: int = EVALUATION_ROWS,
        shuffle: bool = True,
    ) -> None:
        self.size = len(x[0])
        self.batch_size = batch_size
        self.steps = math.ceil(self.size / batch_size)
        self.shuffle = shuffle
        batches = max(1, math.ceil(self.size / eval_rows))
        self.eval_rows = math.ceil(self.size / batches)
        self.eval_steps = batches
        self.uniform = weight is None
        self.gathers = sum(array.nbytes for array in (*x, *y)) <= _GATHERED_BYTES
        weights = np.ones(self.size, np.float32) if weight is None else np.asarray(weight, np.float32)
        padding = self.eval_rows * batches - self.size
        self.data = Batch(
            tuple(jnp.asarray(_padded(array, padding)) for array in x),
            tuple(jnp.asarray(_padded(array, padding)) for array in y),
            jnp.asarray(np.concatenate([weights, np.zeros(padding, np.float32)])),
        )

    def epoch(self, key: Key, epoch: int) -> EpochView:
        """The examples in the order of this epoch: their own, or one that hangs on ``key`` and ``epoch`` alone."""
        layout = Layout(self.batch_size, self.size, self.uniform, self.gathers, self.shuffle)
        many = self.shuffle and self.steps > 1 and self.size >= _HOST_ROWS
        rows = _host_order(key, epoch, self.size) if many else None
        order, ordered = _ordered(key, np.int32(epoch), rows, self.data if self.gathers else None, layout)
        return EpochView(self.data if ordered is None else ordered, order, layout)

    def rows(self, order: Array, step: int) -> np.ndarray:
        """Which examples were in batch ``step`` (padding left out), for reports."""
        start = step * self.batch_size
        return np.asarray(order)[start : min(start + self.batch_size, self.size)]


class Layout(NamedTuple):
    """How batches lie in an :class:`EpochView`; static, so compiled code holds only what it needs."""

    batch_size: int
    size: int
    uniform: bool  # all examples weigh 1
    gathered: bool  # the arrays are already in the epoch's order
    shuffle: bool = True


class EpochView(NamedTuple):
    """The examples of one epoch: arrays, the order of their rows, and the layout."""

    data: Batch
    order: Array
    layout: Layout


def _host_order(key: Key, epoch: int, size: int) -> np.ndarray | None:
    """A permutation by NumPy on the CPU, where XLA's takes 20 times as long (10^6 rows: 0.04 s and 0.7 s)."""
    if jax.default_backend() != "cpu":
        return None
    seeds = [*np.asarray(jax.random.key_data(key)).tolist(), epoch]
    return np.random.default_rng(seeds).permutation(np.arange(size, dtype=np.int32))


@functools.partial(jax.jit, static_argnums=4)
def _ordered(
    key: Key, epoch: Array, rows: np.ndarray | None, data: Batch | None, layout: Layout
) -> tuple[Array, Batch | None]:
    """The order of an epoch's rows and, if given, the data in it: one call, as folding a key outside costs 0.5 ms."""
    size, steps = layout.size, math.ceil(layout.size / layout.batch_size)
    order = jnp.arange(steps * layout.batch_size, dtype=jnp.int32) % size
    if rows is not None:
        order = jnp.asarray(rows)[order]
    elif layout.shuffle and steps > 1:
        folded = jax.random.fold_in(key_for(key, "shuffle"), epoch)
        order = jax.random.permutation(folded, size)[order].astype(jnp.int32)
    return order, None if data is None else _gathered(data, order)


def _gathered(data: Batch, order: Array) -> Batch:
    taken: Batch = jax.tree.map(lambda array: array.at[order].get(mode="promise_in_bounds"), data)
    return taken


def take_batch(data: Batch, order: Array, step: Any, layout: Layout) -> Batch:
    """Batch number ``step`` (``Any``: a traced integer) of an epoch; positions past its size get weight 0."""
    rows, size = layout.batch_size, layout.size
    start = step * rows

    def cut(array: Array) -> Array:
        return jax.lax.dynamic_slice_in_dim(array, start, rows)

    if layout.gathered:
        taken: Batch = jax.tree.map(cut, data)
    else:
        taken = _gathered(data, cut(order))
    weight = jnp.ones(rows, jnp.float32) if layout.uniform else taken.weight
    if size % rows:
        weight = jnp.where(start + jnp.arange(rows, dtype=jnp.int32) < size, weight, 0)
    return taken._replace(weight=weight)


def _padded(array: np.ndarray, rows: int) -> np.ndarray:
    return np.concatenate([array, np.repeat(array[-1:], rows, axis=0)]) if rows else array
