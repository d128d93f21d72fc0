"""Recurrences over a whole sequence: the simple one, LSTM and GRU, with masks that make padding invisible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from chainrule._base.spec import Array

State = Any  # Any: an array, or a tuple of arrays
Step = Callable[[State, Array], tuple[State, Array]]


def lstm(
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    *,
    initial: tuple[Array, Array] | None = None,
    mask: Array | None = None,
    reverse: bool = False,
    recurrent_mask: Array | None = None,
) -> tuple[Array, tuple[Array, Array]]:
    """Long short-term memory over a sequence, gates in the order i, f, c, o.

    ``c' = σ(f)·c + σ(i)·tanh(g)`` and ``h' = σ(o)·tanh(c')``, each gate being ``x W + h U + b``.

    Shapes:
        ``x: [batch, time, features]``, ``kernel: [features, 4·units]``, ``recurrent_kernel: [units, 4·units]``,
        ``bias: [4·units]``, ``mask: [batch, time]`` ``-> [batch, time, units], ([batch, units], [batch, units])``
    """
    units = recurrent_kernel.shape[0]
    projected = _project(x, kernel, bias)
    start = initial if initial is not None else (_zeros(x, units), _zeros(x, units))

    def step(state: State, z: Array) -> tuple[State, Array]:
        h, c = state
        z = z + _dropped(h, recurrent_mask) @ recurrent_kernel
        i, f, g, o = jnp.split(z, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    return scan_masked(step, projected, start, mask=mask, reverse=reverse)


def gru(
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    *,
    initial: Array | None = None,
    mask: Array | None = None,
    reverse: bool = False,
    reset_after: bool = True,
    recurrent_mask: Array | None = None,
) -> tuple[Array, Array]:
    """Gated recurrent unit over a sequence, gates in the order z, r, h.

    ``h' = z·h + (1 − z)·ĥ`` with ``ĥ = tanh(x W + r·(h U + b))`` (``reset_after``) or ``tanh(x W + (r·h) U)``.

    Shapes:
        ``x: [batch, time, features]``, ``kernel: [features, 3·units]``, ``recurrent_kernel: [units, 3·units]``,
        ``bias: [2, 3·units]`` (``reset_after``) or ``[3·units]`` ``-> [batch, time, units], [batch, units]``
    """
    units = recurrent_kernel.shape[0]
    outer = None if bias is None else bias[0] if reset_after else bias
    inner = bias[1] if bias is not None and reset_after else None
    projected = _project(x, kernel, outer)
    start = initial if initial is not None else _zeros(x, units)

    def step(h: State, given: Array) -> tuple[State, Array]:
        seen = _dropped(h, recurrent_mask)
        if reset_after:
            hidden = seen @ recurrent_kernel + (0 if inner is None else inner[None])
            z, r = jnp.split(jax.nn.sigmoid(given[..., : 2 * units] + hidden[..., : 2 * units]), 2, axis=-1)
            candidate = jnp.tanh(given[..., 2 * units :] + r * hidden[..., 2 * units :])
        else:
            gates = given[..., : 2 * units] + seen @ recurrent_kernel[:, : 2 * units]
            z, r = jnp.split(jax.nn.sigmoid(gates), 2, axis=-1)
            candidate = jnp.tanh(given[..., 2 * units :] + (r * seen) @ recurrent_kernel[:, 2 * units :])
        h = z * h + (1 - z) * candidate
        return h, h

    return scan_masked(step, projected, start, mask=mask, reverse=reverse)


def simple_rnn(
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    *,
    initial: Array | None = None,
    mask: Array | None = None,
    reverse: bool = False,
    activation: Callable[[Array], Array] = jnp.tanh,
    recurrent_mask: Array | None = None,
) -> tuple[Array, Array]:
    """The simple recurrence ``h' = activation(x W + h U + b)``.

    Shapes:
        ``x: [batch, time, features]`` ``-> [batch, time, units], [batch, units]``
    """
    start = initial if initial is not None else _zeros(x, recurrent_kernel.shape[0])

    def step(h: State, given: Array) -> tuple[State, Array]:
        h = activation(given + _dropped(h, recurrent_mask) @ recurrent_kernel)
        return h, h

    return scan_masked(step, _project(x, kernel, bias), start, mask=mask, reverse=reverse)


def scan_masked(
    step: Step, inputs: Array, start: State, *, mask: Array | None = None, reverse: bool = False
) -> tuple[Array, State]:
    """Carry a state over the time axis of ``inputs``; masked steps leave the state and repeat the last output.

    Shapes:
        ``inputs: [batch, time, ...] -> [batch, time, units]``, and the state as given
    """
    swapped = jnp.swapaxes(inputs, 0, 1)
    if mask is None:
        state, outputs = lax.scan(step, start, swapped, reverse=reverse)
        return jnp.swapaxes(outputs, 0, 1), state

    def masked(carry: State, given: tuple[Array, Array]) -> tuple[State, Array]:
        state, last = carry
        here, real = given
        new, output = step(state, here)
        keep = real[:, None]
        new = jax.tree.map(lambda a, b: jnp.where(keep, a, b), new, state)
        output = jnp.where(keep, output, last)
        return (new, output), output

    out = jax.eval_shape(step, start, swapped[0])[1]
    blank = jnp.zeros(out.shape, out.dtype)
    (state, _), outputs = lax.scan(masked, (start, blank), (swapped, mask.T), reverse=reverse)
    return jnp.swapaxes(outputs, 0, 1), state


def _project(x: Array, kernel: Array, bias: Array | None) -> Array:
    """``x W + b`` of all steps in one product."""
    y = x @ kernel
    return y if bias is None else y + bias[None, None]


def _dropped(h: Array, recurrent_mask: Array | None) -> Array:
    return h if recurrent_mask is None else h * recurrent_mask


def _zeros(x: Array, units: int) -> Array:
    return jnp.zeros((x.shape[0], units), x.dtype)
