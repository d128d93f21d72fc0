"""Recurrences in compiled kernels, with gradients of every order.

Forward keeps the activated gates (and cell states) for backward; backward gives the gradients of the gates' sums, of
which those of the weights are one product and that of ``x`` another. Derivatives of the gradients themselves are those
of the plain form.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from chainrule._base.spec import Array, Spec
from chainrule.ops import native
from chainrule.ops.recurrent_scan import Given

Result = tuple[Array, tuple[Array, ...]]  # outputs [batch, time, units], states [batch, units]
Kept = tuple[Array, ...]  # activated gates [time, batch, 4·units]; LSTM: cell states [time, batch, units]

# One row cannot be shared between threads: from some size of the weights on XLA's scan, which shares each product, is
# faster without a gradient. On two cores 1.1 times at 100,000 weights, twice at 1,300,000; at 6,000 it is 1.3 slower.
_MOST_WEIGHTS_FOR_ONE_ROW = 1 << 16
_FEWEST_STEPS = 4  # a kernel first reorders its weights, which does not pay for fewer


class Cell(NamedTuple):
    """A recurrence: the name of its handlers, its plain form, its direction."""

    name: str
    plain_form: Callable[..., Result]
    reverse: bool

    def plain(self, given: Given) -> Result:
        """The recurrence in plain JAX."""
        return self.plain_form(given, reverse=self.reverse)


def runs(given: Given) -> bool:
    """Whether the kernels are there, and are for arguments like these: 32-bit floats, more than a few steps."""
    floats = jax.tree.leaves(given._replace(mask=None))
    time = given.x.shape[1]
    few = isinstance(time, int) and time < _FEWEST_STEPS
    return (
        not few
        and all(array.dtype == jnp.float32 for array in floats)
        and native.enabled()
        and jax.default_backend() == "cpu"
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def run(cell: Cell, given: Given) -> Result:
    """The recurrence, in compiled kernels where the platform is the CPU; the bias must be there."""
    if _is_one_row_of_many_units(given):
        return cell.plain(given)
    return _on_cpu(lambda given: _forward(cell, given, keep=False)[0], cell.plain, given)  # type: ignore[no-any-return]


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _run_keeping(cell: Cell, given: Given) -> tuple[Result, Kept]:
    def plain(given: Given) -> tuple[Result, Kept]:
        return cell.plain(given), tuple(jnp.zeros(spec.shape, spec.dtype) for spec in _kept_specs(given))

    return _on_cpu(lambda given: _forward(cell, given, keep=True), plain, given)  # type: ignore[no-any-return]


def _is_one_row_of_many_units(given: Given) -> bool:
    batch = given.x.shape[0]  # may be symbolic
    weights = given.kernel.size + given.recurrent_kernel.size
    return isinstance(batch, int) and batch == 1 and weights > _MOST_WEIGHTS_FOR_ONE_ROW


def _on_cpu(*arguments: Any) -> Any:  # Any: two functions, trees of arrays
    return native.on_cpu(*arguments)


def _start(cell: Cell, given: Given) -> tuple[Result, Any]:  # Any: residuals
    result, kept = _run_keeping(cell, given)
    return result, (given, result[0], kept)


def _finish(cell: Cell, residuals: Any, cotangents: Result) -> tuple[Given]:  # Any: of _start
    given, outputs, kept = residuals
    return (_gradient(cell, given, jax.lax.stop_gradient((outputs, kept)), cotangents),)


run.defvjp(_start, _finish)


def _start_keeping(cell: Cell, given: Given) -> tuple[tuple[Result, Kept], Any]:  # Any: residuals
    result, kept = _run_keeping(cell, given)
    return (result, kept), (given, result[0], kept)


_run_keeping.defvjp(_start_keeping, lambda cell, residuals, cotangents: _finish(cell, residuals, cotangents[0]))


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _gradient(cell: Cell, given: Given, kept: tuple[Array, Kept], cotangents: Result) -> Given:
    """The gradient of ``given``, ``None`` for the mask; ``kept`` holds the outputs and what forward kept."""

    def plain(given: Given, _: Any, cotangents: Result) -> Given:  # Any: as kept
        return _plain_gradient(cell, given, cotangents)

    return _on_cpu(functools.partial(_backward, cell), plain, given, kept, cotangents)  # type: ignore[no-any-return]


def _plain_gradient(cell: Cell, given: Given, cotangents: Result) -> Given:
    def plain(floats: Given) -> Result:
        return cell.plain(floats._replace(mask=given.mask))

    return jax.vjp(plain, given._replace(mask=None))[1](cotangents)[0]  # type: ignore[no-any-return]


def _start_gradient(cell: Cell, given: Given, kept: Any, cotangents: Result) -> tuple[Given, Any]:  # Any: residuals
    return _gradient(cell, given, kept, cotangents), (given, kept, cotangents)


def _finish_gradient(cell: Cell, residuals: Any, cotangents: Given) -> tuple[Given, Any, Result]:  # Any: residuals
    given, kept, upstream = residuals

    def again(floats: Given, upstream: Result) -> Given:
        return _plain_gradient(cell, floats._replace(mask=given.mask), upstream)

    d_given, d_upstream = jax.vjp(again, given._replace(mask=None), upstream)[1](cotangents)
    return d_given, jax.tree.map(jnp.zeros_like, kept), d_upstream


_gradient.defvjp(_start_gradient, _finish_gradient)


def _kept_specs(given: Given) -> list[Spec]:
    batch, time, _ = given.x.shape
    units = given.recurrent_kernel.shape[0]
    return [native.result((time, batch, n * units), given.x) for n in (4, 1)[: len(given.initial)]]


def _floats(given: Given) -> tuple[Array, ...]:
    """``x`` and the weights."""
    return tuple(jax.tree.leaves((given.x, given.kernel, given.recurrent_kernel, given.bias)))


def _optional(given: Given) -> tuple[Array, Array]:
    """Mask and dropout as the handlers take them: without elements where there is none."""
    mask = jnp.zeros((0, 0), bool) if given.mask is None else given.mask
    dropout = jnp.zeros((0, 0), jnp.float32) if given.dropout is None else given.dropout
    return mask, dropout


def _forward(cell: Cell, given: Given, *, keep: bool) -> tuple[Result, Kept]:
    states = [native.result(state.shape, state) for state in given.initial]
    kept = _kept_specs(given) if keep else [native.result((0, 0, 0), given.x) for _ in states]
    outputs = native.result((*given.x.shape[:2], given.recurrent_kernel.shape[0]), given.x)
    results = native.call(
        cell.name,
        (outputs, *states, *kept),
        *_floats(given),
        *given.initial,
        *_optional(given),
        reverse=cell.reverse,
        keep=keep,
    )
    last = 1 + len(states)
    return (results[0], tuple(results[1:last])), tuple(results[last:])


def _backward(cell: Cell, given: Given, kept: tuple[Array, Kept], cotangents: Result) -> Given:
    outputs, saved = kept
    mask, dropout = _optional(given)
    like = [native.result(array.shape, array) for array in (saved[0], *given.initial, dropout)]
    d_outputs, d_states = cotangents
    d_gates, *d_initial, d_dropout = native.call(
        f"{cell.name}_gradient",
        like,
        given.recurrent_kernel,
        *given.initial,
        mask,
        dropout,
        outputs,
        *saved,
        d_outputs,
        *d_states,
        overwritten=len(given.initial) + 4,  # the kept gates: XLA copies them where somebody else still needs them
        reverse=cell.reverse,
    )
    d_kernel, d_recurrent_kernel, d_bias = native.call(
        f"{cell.name}_weights",
        [native.result(array.shape, array) for array in _floats(given)[1:]],
        given.x,
        given.initial[0],
        outputs,
        mask,
        dropout,
        d_gates,
        reverse=cell.reverse,
    )
    of_sums = d_gates[:, :, : given.kernel.shape[1]]
    d_x = jnp.swapaxes(of_sums @ given.kernel.T, 0, 1)
    d_dropout = None if given.dropout is None else d_dropout
    return Given(d_x, d_kernel, d_recurrent_kernel, d_bias, tuple(d_initial), None, d_dropout)
