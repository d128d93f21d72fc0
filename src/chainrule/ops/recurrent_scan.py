"""Recurrences in plain JAX: one product for the inputs of all steps, then a scan over the steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from chainrule._base.spec import Array

State = Any  # Any: an array, or a tuple of arrays
Step = Callable[[State, Array], tuple[State, Array]]


class Given(NamedTuple):
    """What a recurrence takes: ``x: [batch, time, features]``, weights, the state before the first step."""

    x: Array
    kernel: Array
    recurrent_kernel: Array
    bias: Array | None
    initial: tuple[Array, ...]
    mask: Array | None  # [batch, time], true: a real step
    dropout: Array | None  # [batch, units], multiplies the state wherever the recurrent kernel does


def scan_masked(
    step: Step, inputs: Array, start: State, *, mask: Array | None = None, reverse: bool = False
) -> tuple[Array, State]:
    """Carry a state over the time axis of ``inputs``; masked steps leave the state and repeat the last output.

    Before the first real step the output is zero. Neither results nor gradients depend on what stands in masked steps,
    even if it is not a number.

    Shapes:
        ``inputs: [batch, time, ...] -> [batch, time, units]``, and the state as given
    """
    if mask is None:
        state, outputs = lax.scan(step, start, jnp.swapaxes(inputs, 0, 1), reverse=reverse)
        return jnp.swapaxes(outputs, 0, 1), state
    swapped = jnp.swapaxes(_without_masked(inputs, mask), 0, 1)

    def masked(carry: State, given: tuple[Array, Array]) -> tuple[State, Array]:
        state, last = carry
        here, real = given
        new, output = step(state, here)
        keep = real[:, None]
        new = jax.tree.map(lambda a, b: jnp.where(keep, a, b), new, state)
        output = jnp.where(keep, output, last)
        return (new, output), output

    out = jax.eval_shape(step, start, jax.ShapeDtypeStruct(swapped.shape[1:], swapped.dtype))[1]
    blank = jnp.zeros(out.shape, out.dtype)
    (state, _), outputs = lax.scan(masked, (start, blank), (swapped, mask.T), reverse=reverse)
    return jnp.swapaxes(outputs, 0, 1), state


def lstm(given: Given, *, reverse: bool) -> tuple[Array, tuple[Array, ...]]:
    """The plain form of :func:`chainrule.ops.lstm`."""
    recurrent_kernel, dropout = given.recurrent_kernel, given.dropout

    def step(state: State, z: Array) -> tuple[State, Array]:
        h, c = state
        z = z + _dropped(h, dropout) @ recurrent_kernel
        i, f, g, o = jnp.split(z, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    return scan_masked(step, _project(given, given.bias), given.initial, mask=given.mask, reverse=reverse)


def gru(given: Given, *, reverse: bool) -> tuple[Array, tuple[Array, ...]]:
    """The plain form of :func:`chainrule.ops.gru` that resets after the product; ``bias: [2, 3·units]``."""
    recurrent_kernel, bias, dropout = given.recurrent_kernel, given.bias, given.dropout
    units = recurrent_kernel.shape[0]

    def step(state: State, x: Array) -> tuple[State, Array]:
        (h,) = state
        hidden = _dropped(h, dropout) @ recurrent_kernel
        hidden = hidden if bias is None else hidden + bias[1][None]
        z, r = jnp.split(jax.nn.sigmoid(x[:, : 2 * units] + hidden[:, : 2 * units]), 2, axis=-1)
        candidate = jnp.tanh(x[:, 2 * units :] + r * hidden[:, 2 * units :])
        h = z * h + (1 - z) * candidate
        return (h,), h

    projected = _project(given, None if bias is None else bias[0])
    return scan_masked(step, projected, given.initial, mask=given.mask, reverse=reverse)


def gru_reset_before(given: Given, *, reverse: bool) -> tuple[Array, tuple[Array, ...]]:
    """:func:`chainrule.ops.gru` that resets before the product; ``bias: [3·units]``."""
    kernel, dropout = given.recurrent_kernel, given.dropout
    units = kernel.shape[0]

    def step(state: State, x: Array) -> tuple[State, Array]:
        (h,) = state
        seen = _dropped(h, dropout)
        gates = jax.nn.sigmoid(x[:, : 2 * units] + seen @ kernel[:, : 2 * units])
        z, r = jnp.split(gates, 2, axis=-1)
        candidate = jnp.tanh(x[:, 2 * units :] + (r * seen) @ kernel[:, 2 * units :])
        h = z * h + (1 - z) * candidate
        return (h,), h

    return scan_masked(step, _project(given, given.bias), given.initial, mask=given.mask, reverse=reverse)


def simple_rnn(given: Given, activation: Callable[[Array], Array], *, reverse: bool) -> tuple[Array, tuple[Array, ...]]:
    """:func:`chainrule.ops.simple_rnn`."""

    def step(state: State, x: Array) -> tuple[State, Array]:
        h = activation(x + _dropped(state[0], given.dropout) @ given.recurrent_kernel)
        return (h,), h

    return scan_masked(step, _project(given, given.bias), given.initial, mask=given.mask, reverse=reverse)


def _project(given: Given, bias: Array | None) -> Array:
    """``x W + b`` of all steps in one product."""
    y = _without_masked(given.x, given.mask) @ given.kernel
    return y if bias is None else y + bias[None, None]


def _without_masked(x: Array, mask: Array | None) -> Array:
    """``x`` with zeros in masked steps."""
    if mask is None:
        return x
    return jnp.where(mask.reshape(*mask.shape, *(1,) * (x.ndim - 2)), x, jnp.zeros((), x.dtype))


def _dropped(h: Array, dropout: Array | None) -> Array:
    return h if dropout is None else h * dropout
