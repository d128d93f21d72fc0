"""Recurrences over a whole sequence: the simple one, LSTM and GRU, with masks that make padding invisible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from chainrule._base.errors import ShapeError
from chainrule._base.spec import Array
from chainrule.ops import recurrent_native, recurrent_scan
from chainrule.ops.recurrent_scan import Given, scan_masked

__all__ = ["gru", "lstm", "scan_masked", "simple_rnn"]


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
    """Long short-term memory over a sequence: ``c' = σ(f)·c + σ(i)·tanh(g)``, ``h' = σ(o)·tanh(c')``.

    Each gate is ``x W + h U + b``; their order in the weights is i, f, g, o, as in Keras and PyTorch. PyTorch has two
    biases, of which only the sum matters. On a CPU, 32-bit floats run in compiled kernels; everything else, and
    derivatives beyond the first, in a scan.

    Forward mode (``jax.jvp``, ``jax.hessian``): with ``CHAINRULE_NATIVE=0``; see :mod:`chainrule.ops.native`.

    Args:
        x: inputs.
        kernel: ``W``.
        recurrent_kernel: ``U``.
        bias: ``b``.
        initial: the states ``(h, c)`` before the first step; zeros if not given.
        mask: true at real steps. A masked step leaves the states as they are and repeats the last output (zeros before
            the first real step); what stands in ``x`` there does not matter.
        reverse: begin at the last step; the outputs stay where their inputs are.
        recurrent_mask: multiplies ``h`` in ``h U`` at every step: a dropout mask, scaled.

    Shapes:
        ``x: [batch, time, features]``, ``kernel: [features, 4·units]``, ``recurrent_kernel: [units, 4·units]``,
        ``bias: [4·units]``, ``mask: [batch, time]``, ``recurrent_mask: [batch, units]``
        ``-> [batch, time, units], ([batch, units], [batch, units])``

    Returns:
        The outputs ``h'`` of all steps, and the states after the last.

    Raises:
        ShapeError: weights, states or mask do not belong to the input.

    Example:
        >>> import jax.numpy as jnp
        >>> outputs, (h, c) = lstm(jnp.ones((1, 3, 1)), jnp.ones((1, 4)), jnp.zeros((1, 4)))
        >>> [round(float(y), 4) for y in outputs[0, :, 0]], round(float(c[0, 0]), 4)
        ([0.3696, 0.5453, 0.6225], 1.2614)

    References:
        S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997; F. Gers et al.,
        "Learning to Forget", 2000, for the forget gate f.
    """
    arrays = x, kernel, recurrent_kernel, bias
    given = _given(arrays, initial, mask, recurrent_mask, owner="lstm", bias_shape=(4,), number=2)
    outputs, (h, c) = _run("lstm", recurrent_scan.lstm, given, (kernel.shape[1],), reverse=reverse)
    return outputs, (h, c)


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
    """Gated recurrent unit over a sequence: ``h' = z·h + (1 − z)·ĥ``, gates in the order z, r, h.

    ``ĥ = tanh(x W + b + r·(h U + b'))`` (``reset_after``, as in Keras, PyTorch and cuDNN) or
    ``tanh(x W + (r·h) U + b)`` (as in the paper, where z and 1 − z are exchanged). PyTorch orders the gates r, z, h.
    The kernels are for ``reset_after``.

    Forward mode (``jax.jvp``, ``jax.hessian``): with ``CHAINRULE_NATIVE=0``; see :mod:`chainrule.ops.native`.

    Args:
        x: inputs.
        kernel: ``W``.
        recurrent_kernel: ``U``.
        bias: ``b`` and ``b'``, one under the other; without ``reset_after`` only ``b``.
        initial: the state before the first step; zeros if not given.
        mask: true at real steps; see :func:`lstm`.
        reverse: begin at the last step; the outputs stay where their inputs are.
        reset_after: whether the reset gate multiplies the product with the state rather than the state.
        recurrent_mask: multiplies ``h`` wherever ``U`` does; see :func:`lstm`.

    Shapes:
        ``x: [batch, time, features]``, ``kernel: [features, 3·units]``, ``recurrent_kernel: [units, 3·units]``,
        ``bias: [2, 3·units]`` (``reset_after``) or ``[3·units]`` ``-> [batch, time, units], [batch, units]``

    Returns:
        The outputs ``h'`` of all steps, and the state after the last.

    Raises:
        ShapeError: weights, state or mask do not belong to the input.

    Example:
        >>> import jax.numpy as jnp
        >>> outputs, h = gru(jnp.ones((1, 3, 1)), jnp.ones((1, 3)), jnp.zeros((1, 3)))
        >>> [round(float(y), 4) for y in outputs[0, :, 0]]
        [0.2048, 0.3546, 0.464]

    References:
        K. Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder", 2014, arXiv:1406.1078.
    """
    arrays, states = (x, kernel, recurrent_kernel, bias), None if initial is None else (initial,)
    given = _given(arrays, states, mask, recurrent_mask, owner="gru", bias_shape=(2, 3) if reset_after else (3,))
    if not reset_after:
        outputs, (h,) = recurrent_scan.gru_reset_before(given, reverse=reverse)
        return outputs, h
    outputs, (h,) = _run("gru", recurrent_scan.gru, given, (2, kernel.shape[1]), reverse=reverse)
    return outputs, h


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

    Args:
        x: inputs.
        kernel: ``W``.
        recurrent_kernel: ``U``.
        bias: ``b``.
        initial: the state before the first step; zeros if not given.
        mask: true at real steps; see :func:`lstm`.
        reverse: begin at the last step; the outputs stay where their inputs are.
        activation: a function of arrays.
        recurrent_mask: multiplies ``h`` in ``h U``; see :func:`lstm`.

    Shapes:
        ``x: [batch, time, features]``, ``kernel: [features, units]``, ``recurrent_kernel: [units, units]``,
        ``bias: [units]`` ``-> [batch, time, units], [batch, units]``

    Example:
        >>> import jax.numpy as jnp
        >>> outputs, h = simple_rnn(jnp.ones((1, 3, 1)), jnp.ones((1, 1)), jnp.ones((1, 1)), activation=lambda a: a)
        >>> outputs[0, :, 0].tolist()
        [1.0, 2.0, 3.0]

    References:
        J. Elman, "Finding Structure in Time", Cognitive Science 14, 1990.
    """
    arrays, states = (x, kernel, recurrent_kernel, bias), None if initial is None else (initial,)
    given = _given(arrays, states, mask, recurrent_mask, owner="simple_rnn", bias_shape=(1,))
    outputs, (h,) = recurrent_scan.simple_rnn(given, activation, reverse=reverse)
    return outputs, h


def _given(
    arrays: tuple[Array, Array, Array, Array | None],
    initial: tuple[Array, ...] | None,
    mask: Array | None,
    dropout: Array | None,
    *,
    owner: str,
    bias_shape: tuple[int, ...],
    number: int = 1,
) -> Given:
    """The arguments in one, checked and of one dtype, with zeros for states that are not given."""
    x, kernel, recurrent_kernel, bias = arrays
    _check_weights(owner, arrays, bias_shape)
    shape = x.shape[0], recurrent_kernel.shape[0]
    states = (None,) * number if initial is None else initial
    floats = [array for array in (*arrays, *states, dropout) if array is not None]
    dtype = jnp.result_type(*floats)
    mask = None if mask is None else jnp.asarray(mask, bool)
    for name, found, wanted in (("mask", mask, x.shape[:2]), *(("initial", state, shape) for state in states)):
        if found is not None and found.shape != wanted:
            raise ShapeError(
                f"{owner}: {name} must have shape {wanted}, for an input of shape {x.shape} and "
                f"{recurrent_kernel.shape[0]} units; received shape {found.shape}. Check its axes."
            )
    starts = tuple(jnp.zeros(shape, dtype) if state is None else state.astype(dtype) for state in states)
    dropout = None if dropout is None else jnp.broadcast_to(dropout, shape).astype(dtype)
    bias = None if bias is None else bias.astype(dtype)
    return Given(x.astype(dtype), kernel.astype(dtype), recurrent_kernel.astype(dtype), bias, starts, mask, dropout)


def _check_weights(owner: str, arrays: tuple[Array, Array, Array, Array | None], bias_shape: tuple[int, ...]) -> None:
    """Require weights that belong to the input; the last number of ``bias_shape`` counts gates, not numbers."""
    x, kernel, recurrent_kernel, bias = arrays
    *rows, gates = bias_shape
    if x.ndim == 3 and recurrent_kernel.ndim == 2:
        units = recurrent_kernel.shape[0]
        wide = gates * units
        found = kernel.shape, recurrent_kernel.shape, (*rows, wide) if bias is None else bias.shape
        if units and found == ((x.shape[2], wide), (units, wide), (*rows, wide)):
            return
    numbers = ", ".join((*map(str, rows), f"{gates}·units"))
    raise ShapeError(
        f"{owner}: input [batch, time, features], kernel [features, {gates}·units], recurrent_kernel "
        f"[units, {gates}·units] and bias [{numbers}] must belong together; received shapes {x.shape}, "
        f"{kernel.shape}, {recurrent_kernel.shape} and {None if bias is None else bias.shape}. "
        "Check the last axis of the input."
    )


def _run(
    name: str, plain: Callable[..., Any], given: Given, bias_shape: tuple[int, ...], *, reverse: bool
) -> tuple[Array, tuple[Array, ...]]:
    """In compiled kernels, or in plain JAX."""
    if not recurrent_native.runs(given):
        return plain(given, reverse=reverse)  # type: ignore[no-any-return]
    if given.bias is None:
        given = given._replace(bias=jnp.zeros(bias_shape, given.kernel.dtype))
    return recurrent_native.run(recurrent_native.Cell(name, plain, reverse), given)
