"""Prediction in batches of few sizes, so that few are compiled.

JAX computes on another thread than the one that calls, and on a CPU waking it can take longer than a prediction of one
row. A program that makes many such predictions gets them sooner with
``jax.config.update("jax_cpu_enable_async_dispatch", False)`` before its first computation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.policy import Policy
from chainrule.core import Context, Graph, Variables
from chainrule.models.arrays import Arrays
from chainrule.train import Engine
from chainrule.train.carried import check_carried
from chainrule.train.step import forward


def outputs_by_path(graph: Graph, policy: Policy, variables: Variables, inputs: Arrays) -> dict[str, Any]:
    """The output of every layer by path (``Any``: an array, or a tuple of arrays), in inference mode."""
    record: dict[str, Any] = {}
    forward(graph, policy, variables, tuple(map(jnp.asarray, inputs)), Context(record=record))
    return {path: jax.tree.map(np.asarray, value) for path, value in record.items()}


def predict_in_batches(engine: Engine, variables: Variables, inputs: Arrays, batch_size: int) -> Arrays:
    """The outputs for all rows of ``inputs``, ``batch_size`` at once or as many as stateful layers take."""
    if engine.carried_rows is not None:
        return _predict_in_order(engine, variables, inputs, engine.carried_rows)
    parts = []
    for batch, real in batches(inputs, batch_size):
        outputs = engine.predict(variables, batch)  # type: ignore[arg-type]  # NumPy's go to the device
        parts.append(tuple(np.asarray(output)[:real] for output in outputs))
    if len(parts) == 1:
        return tuple(output.copy() for output in parts[0])
    return tuple(np.concatenate(pieces) for pieces in zip(*parts, strict=True))


def _predict_in_order(engine: Engine, variables: Variables, inputs: Arrays, rows: int) -> Arrays:
    """The outputs for all rows of ``inputs`` where stateful layers carry their state from batch to batch."""
    check_carried(len(inputs[0]), rows)
    parts = []
    for start in range(0, len(inputs[0]), rows):
        batch = tuple(jnp.asarray(array[start : start + rows]) for array in inputs)
        outputs, state = engine.predict_on(variables, batch)
        variables = Variables(variables.params, state)
        parts.append(tuple(map(np.asarray, outputs)))
    return tuple(np.concatenate(pieces) for pieces in zip(*parts, strict=True))


def batches(inputs: Arrays, batch_size: int) -> Iterator[tuple[Arrays, int]]:
    """Batches and how many of their rows are real; the last is padded to a power of two by repeating its last row.

    Example:
        >>> [(len(x), real) for (x,), real in batches((np.zeros((13, 2)),), 8)]
        [(8, 8), (8, 5)]
    """
    for start in range(0, len(inputs[0]), batch_size):
        part = tuple(array[start : start + batch_size] for array in inputs)
        real = len(part[0])
        padded = min(batch_size, 1 << (real - 1).bit_length())
        if padded > real:
            part = tuple(np.concatenate([a, np.repeat(a[-1:], padded - real, axis=0)]) for a in part)
        yield part, real
