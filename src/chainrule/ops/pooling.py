"""Pooling: the largest or the mean value of each window, over one, two or three axes, channels last.

A box is a product of its sides: the maximum over a window of three axes is the maximum along one of the maxima over
the other two, and the number of cells of it that lie inside is the product of the numbers along each axis. So
everything here is pooling over two axes, once or twice.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.spec import Array, Spec, has_symbolic
from chainrule.ops import native
from chainrule.ops.window import Padding, as_array, check_fits, explicit_padding, output_size, per_axis

_MOST_INDEXED = 255  # cells of a window whose winner a byte can name
_MOST_SLICES = 64  # cells of a window up to which a slice each is faster than XLA's reduce_window on a CPU


class Window(NamedTuple):
    """A pooling window over two axes: cells, steps, and cells of padding before and after."""

    cells: tuple[int, int]
    steps: tuple[int, int]
    pads: tuple[tuple[Any, Any], tuple[Any, Any]]  # Any: integers, or symbolic dimensions in shape inference

    def attributes(self) -> dict[str, Any]:  # Any: tuples of integers
        """As the kernels take them."""
        return {"window": self.cells, "strides": self.steps, "padding": (*self.pads[0], *self.pads[1])}

    def pooled(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:  # Any: as in pads
        """The shape that pooling gives to an array ``[n, h, w, c]``."""
        axes = zip(shape[1:3], self.cells, self.steps, self.pads, strict=True)
        return shape[0], *(output_size(n, k, s, p) for n, k, s, p in axes), shape[3]

    def reduction(self) -> tuple[Any, Any, Any]:  # Any: as in pads
        """As ``lax.reduce_window`` takes it."""
        return (1, *self.cells, 1), (1, *self.steps, 1), ((0, 0), *self.pads, (0, 0))


def max_pool(
    x: Array, window: int | Sequence[int], *, strides: int | Sequence[int] | None = None, padding: Padding = "valid"
) -> Array:
    """The largest value of each window; cells of padding never win, NaN always does.

    The gradient goes to the first of equal values. Without the compiled kernels equal values share it, which is as
    good a subgradient and several times faster in plain JAX.

    Forward mode (``jax.jvp``, ``jax.hessian``): with ``CHAINRULE_NATIVE=0``; see :mod:`chainrule.ops.native`.

    Args:
        x: input, with one to three axes of space.
        window: cells of the window, for each axis of space.
        strides: step of the window; the window itself if not given.
        padding: ``"valid"``, ``"same"``, or cells per axis, fewer than the window has.

    Shapes:
        ``x: [batch, *space, channels] -> [batch, *positions, channels]``

    Raises:
        ShapeError: the window does not fit into the input.

    Example:
        >>> import jax.numpy as jnp
        >>> x = jnp.array([[0, 0, 5, 1], [0, 2, 4, 0], [1, 0, 1, 0], [0, 0, 0, 3.0]])
        >>> max_pool(x[None, :, :, None], 2)[0, :, :, 0].tolist()
        [[2.0, 5.0], [1.0, 3.0]]
    """
    return _pool(as_array("x", x, "pooling"), window, strides, padding, _max)


def avg_pool(
    x: Array,
    window: int | Sequence[int],
    *,
    strides: int | Sequence[int] | None = None,
    padding: Padding = "valid",
    count_padding: bool = False,
) -> Array:
    """The mean of each window; cells of padding are not counted, unless ``count_padding``.

    Keras and TensorFlow do not count them, PyTorch does unless told otherwise (``count_include_pad``). Narrow numbers
    are summed in float32; the mean of integers is float32.

    Forward mode (``jax.jvp``, ``jax.hessian``): with ``CHAINRULE_NATIVE=0``; see :mod:`chainrule.ops.native`.

    Args:
        x: input, with one to three axes of space.
        window: cells of the window, for each axis of space.
        strides: step of the window; the window itself if not given.
        padding: ``"valid"``, ``"same"``, or cells per axis, fewer than the window has.
        count_padding: divide by the cells of the window, however many of them lie inside.

    Shapes:
        ``x: [batch, *space, channels] -> [batch, *positions, channels]``

    Raises:
        ShapeError: the window does not fit into the input.

    Example:
        >>> import jax.numpy as jnp
        >>> avg_pool(jnp.arange(4.0).reshape(1, 4, 1), 2)[0, :, 0].tolist()
        [0.5, 2.5]
        >>> avg_pool(jnp.ones((1, 3, 1)), 2, padding="same")[0, :, 0].tolist()
        [1.0, 1.0]
    """
    wide, dtype = widened(x)
    mean = functools.partial(_mean, count_padding=count_padding)
    return _pool(wide, window, strides, padding, mean).astype(dtype)


def lowest(dtype: Any) -> Any:  # Any: a dtype; a number of any type
    """What is below every value of ``dtype``.

    Example:
        >>> lowest(jnp.dtype("float32")), lowest(jnp.dtype("int8")), lowest(jnp.dtype("bool"))
        (-inf, -128, False)
    """
    if jnp.issubdtype(dtype, jnp.floating):
        return -math.inf
    return False if dtype == jnp.bool_ else int(np.iinfo(dtype).min)


def widened(x: Array) -> tuple[Array, Any]:  # Any: a dtype
    """``x`` in the dtype that it is summed in, and the dtype of its mean.

    Example:
        >>> wide, dtype = widened(jnp.ones(1, jnp.float16))
        >>> wide.dtype.name, dtype.name
        ('float32', 'float16')
    """
    array = as_array("x", x, "pooling")
    dtype = array.dtype if jnp.issubdtype(array.dtype, jnp.inexact) else jnp.dtype("float32")
    return array.astype(dtype if dtype.itemsize >= 4 else jnp.float32), dtype


def space_rank(x: Array) -> int:
    """The number of axes of space, one to three.

    Example:
        >>> space_rank(jnp.ones((2, 7, 5, 3)))
        2
    """
    if x.ndim not in (3, 4, 5):
        raise ShapeError(
            f"pooling: the input must be [batch, *space, channels] with one to three axes of space; received "
            f"{x.ndim} axes. Add or remove axes."
        )
    return x.ndim - 2


def _pool(
    x: Array,
    window: int | Sequence[int],
    strides: int | Sequence[int] | None,
    padding: Padding,
    pool: Callable[[Array, Window], Array],
) -> Array:
    """Pool over the axes of space, two at a time: ``pool`` takes ``[n, h, w, c]``."""
    rank = space_rank(x)
    cells = per_axis("window", window, rank, "pooling")
    steps = cells if strides is None else per_axis("strides", strides, rank, "pooling")
    known = ("valid", "same")
    pads = explicit_padding(padding, x.shape[1:-1], cells, steps, (1,) * rank, owner="pooling", named=known)
    for axis in range(rank):
        _check_axis(x.shape[1 + axis], cells[axis], pads[axis])
    n, *space, c = x.shape
    if rank == 3:  # first over height and width of every slice, then over depth
        flat = pool(x.reshape(n * space[0], *space[1:], c), Window(cells[1:], steps[1:], pads[1:]))  # type: ignore[arg-type]
        h, w = flat.shape[1:3]
        x, space, cells, steps, pads = flat.reshape(n, space[0], h * w * c), space[:1], cells[:1], steps[:1], pads[:1]
        y = pool(x[:, :, None], Window((*cells, 1), (*steps, 1), (*pads, (0, 0))))  # type: ignore[arg-type]
        return y.reshape(n, y.shape[1], h, w, c)
    if rank == 1:
        return pool(x[:, :, None], Window((*cells, 1), (*steps, 1), (*pads, (0, 0))))[:, :, 0]  # type: ignore[arg-type]
    return pool(x, Window(cells, steps, pads))  # type: ignore[arg-type]  # two axes each


def _check_axis(size: Any, cells: int, pads: tuple[Any, Any]) -> None:  # Any: integers, or symbolic dimensions
    check_fits(size, cells, pads, 1, "pooling")
    if any(isinstance(pad, int) and pad >= cells for pad in pads):
        raise ArgumentError(
            f"pooling: padding must be smaller than the window, or some windows would hold nothing; received padding "
            f"{pads} for a window of {cells}. Use less padding."
        )


def _max(x: Array, window: Window) -> Array:
    if not _has_kernel(x) or math.prod(window.cells) > _MOST_INDEXED:
        return _plain_max(x, window)
    return _native_max(x, window)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _native_max(x: Array, window: Window) -> Array:
    spec = native.result(window.pooled(x.shape), x)
    return native.on_cpu(  # type: ignore[no-any-return]
        lambda x: native.call("max_pool", spec, x, **window.attributes()), lambda x: _plain_max(x, window), x
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _max_and_winner(x: Array, window: Window) -> tuple[Array, Array]:
    """Pooled values, and the number of each window's winning cell; differentiable by itself for second derivatives."""
    spec = native.result(window.pooled(x.shape), x)
    winners = Spec(spec.shape, jnp.uint8)
    return native.on_cpu(  # type: ignore[no-any-return]
        lambda x: tuple(native.call("max_pool_index", (spec, winners), x, **window.attributes())),
        lambda x: (_plain_max(x, window), jnp.zeros(winners.shape, winners.dtype)),
        x,
    )


def _max_forward(x: Array, window: Window) -> tuple[Array, tuple[Array, Array]]:
    y, winner = _max_and_winner(x, window)
    return y, (x, winner)


def _max_backward(window: Window, kept: tuple[Array, Array], dy: Array) -> tuple[Array]:
    return (_max_gradient(dy, *kept, window),)


_native_max.defvjp(_max_forward, _max_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def _max_gradient(dy: Array, x: Array, winner: Array, window: Window) -> Array:
    spec = Spec(x.shape, x.dtype)
    return native.on_cpu(  # type: ignore[no-any-return]
        lambda dy, _, winner: native.call("max_pool_gradient", spec, dy, winner, **window.attributes()),
        lambda dy, x, _: jax.vjp(lambda x: _plain_max(x, window), x)[1](dy)[0],
        dy,
        x,
        winner,
    )


def _max_gradient_forward(dy: Array, x: Array, winner: Array, window: Window) -> tuple[Array, tuple[Array, Array]]:
    return _max_gradient(dy, x, winner, window), (x, winner)


def _max_gradient_backward(window: Window, kept: tuple[Array, Array], ddx: Array) -> tuple[Array, None, None]:
    """The gradient is linear in ``dy`` and, but for ties, constant in ``x``: the answer is ``ddx`` of the winners."""
    taken = native.on_cpu(
        lambda ddx, _, winner: _winners(ddx, winner, window),
        lambda ddx, x, _: jax.jvp(lambda x: _plain_max(x, window), (x,), (ddx,))[1],
        ddx,
        *kept,
    )
    return taken, None, None


_max_and_winner.defvjp(
    lambda x, window: ((kept := _max_and_winner(x, window)), (x, kept[1])),
    lambda window, kept, slopes: (_max_gradient(slopes[0], *kept, window),),
)
_max_gradient.defvjp(_max_gradient_forward, _max_gradient_backward)


def _mean(x: Array, window: Window, *, count_padding: bool) -> Array:
    if not _has_kernel(x):
        return _plain_mean(x, window, count_padding)
    return _native_mean(x, window, count_padding, x.shape)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def _native_mean(x: Array, window: Window, count_padding: bool, shape: tuple[Any, ...]) -> Array:  # noqa: FBT001
    spec = native.result(window.pooled(shape), x)
    return native.on_cpu(  # type: ignore[no-any-return]
        lambda x: native.call("mean_pool", spec, x, **window.attributes(), count_padding=count_padding),
        lambda x: _plain_mean(x, window, count_padding),
        x,
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def _mean_gradient(dy: Array, window: Window, count_padding: bool, shape: tuple[Any, ...]) -> Array:  # noqa: FBT001
    spec = native.result(shape, dy)
    plain = functools.partial(_plain_mean, window=window, count_padding=count_padding)
    return native.on_cpu(  # type: ignore[no-any-return]
        lambda dy: native.call("mean_pool_gradient", spec, dy, **window.attributes(), count_padding=count_padding),
        lambda dy: jax.linear_transpose(plain, spec)(dy)[0],
        dy,
    )


# linear in their argument, and each the transpose of the other
_native_mean.defvjp(
    lambda x, *setting: (_native_mean(x, *setting), None), lambda *given: (_mean_gradient(given[-1], *given[:3]),)
)
_mean_gradient.defvjp(
    lambda dy, *setting: (_mean_gradient(dy, *setting), None), lambda *given: (_native_mean(given[-1], *given[:3]),)
)


def _has_kernel(x: Array) -> bool:
    """Whether the kernels take ``x``: float32 of known size; sizes vary in shape inference only."""
    return native.enabled() and x.dtype == jnp.float32 and not has_symbolic(x.shape[1:])


def _plain_max(x: Array, window: Window) -> Array:
    least = lowest(x.dtype)
    return _plain(
        x,
        window,
        lambda x: functools.reduce(jnp.maximum, _slices(x, window, least)),
        lambda x: lax.reduce_window(x, np.asarray(least, x.dtype)[()], lax.max, *window.reduction()),
    )


def _plain_mean(x: Array, window: Window, count_padding: bool) -> Array:  # noqa: FBT001
    def total(x: Array) -> Array:
        return _plain(
            x,
            window,
            lambda x: functools.reduce(jnp.add, _slices(x, window, 0)),
            lambda x: lax.reduce_window(x, np.zeros((), x.dtype)[()], lax.add, *window.reduction()),
        )

    if count_padding or not any(pad != 0 for pair in window.pads for pad in pair):
        return total(x) / math.prod(window.cells)
    return total(x) / jnp.maximum(total(jnp.ones((1, *x.shape[1:3], 1), x.dtype)), 1)


def _plain(x: Array, window: Window, by_slices: Callable[[Array], Array], by_window: Callable[[Array], Array]) -> Array:
    """One slice per cell is several times faster on a CPU, ``reduce_window`` elsewhere."""
    if math.prod(window.cells) > _MOST_SLICES or has_symbolic(x.shape[1:3]):
        return by_window(x)
    return lax.platform_dependent(x, cpu=by_slices, default=by_window)  # type: ignore[no-any-return]


def _slices(x: Array, window: Window, filling: float) -> list[Array]:
    """For each cell of the window, row by row, its value at every position."""
    wide = jnp.pad(x, ((0, 0), *window.pads, (0, 0)), constant_values=filling)
    _, high, broad, _ = window.pooled(x.shape)
    n, c = x.shape[0], x.shape[3]
    return [
        lax.slice(
            wide,
            (0, i, j, 0),
            (n, i + (high - 1) * window.steps[0] + 1, j + (broad - 1) * window.steps[1] + 1, c),
            (1, *window.steps, 1),
        )
        for i in range(window.cells[0])
        for j in range(window.cells[1])
    ]


def _winners(values: Array, winner: Array, window: Window) -> Array:
    """The value in each window's winning cell."""
    cells = _slices(values, window, 0)
    return functools.reduce(jnp.add, [jnp.where(winner == number, cell, 0) for number, cell in enumerate(cells)])
