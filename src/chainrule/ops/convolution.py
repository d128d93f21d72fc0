"""Convolution (cross-correlation, as the field uses the word) and its relatives, in one, two or three dimensions.

All arrays have their channels last. Convolution is bilinear in input and kernel, so that its three products (forward,
gradient to the input, gradient to the kernel) are each other's derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import lax

from chainrule._base.checks import check_choice, check_int, check_positive_int, owner_name
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.spec import Array, has_symbolic
from chainrule.ops import convolution_products as products
from chainrule.ops.convolution_plain import Geometry, lax_forward, lax_transposed, pulled
from chainrule.ops.convolution_plain import forward as plain_forward
from chainrule.ops.convolution_ranks import flat_geometry, flat_input, flat_kernel, full_output
from chainrule.ops.window import Padding, as_array, check_fits, explicit_padding, extent, per_axis

Activation = Literal["linear", "relu"]

# The kernels lay out what a window reaches over; of one that reaches over so many times the input, and so many cells,
# nearly all is padding.
_REACH, _LEAST_REACH = 4, 64


def conv(
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    activation: Activation = "linear",
) -> Array:
    """Slide ``kernel`` over ``x`` and multiply, ``y[p, f] = Σ x[s·p + d·k, c] · kernel[k, c, f] + bias[f]``.

    On a CPU large 3 × 3 convolutions of stride 1 are computed in tiles of 4 × 4 results (Winograd), to a relative error
    of a few 1e-6; an infinite value then makes the whole of its tiles NaN. ``jax.default_matmul_precision("highest")``
    chooses the direct sum.

    Forward mode (``jax.jvp``, ``jax.hessian``): with ``CHAINRULE_NATIVE=0``; see :mod:`chainrule.ops.native`.

    Args:
        x: input.
        kernel: one, two or three window axes, then channels of a group, then filters.
        bias: added to every position.
        strides: step of the window.
        padding: ``"valid"``, ``"same"``, ``"causal"``, ``"reflect"``, or cells per axis.
        dilation: distance of the window's cells.
        groups: channels are dealt to so many separate convolutions.
        activation: ``"linear"``, or ``"relu"`` which is applied in the same pass.

    Shapes:
        ``x: [batch, *space, channels]``, ``kernel: [*window, channels / groups, filters]``, ``bias: [filters]``
        ``-> [batch, *positions, filters]``

    Raises:
        ShapeError: the arrays do not belong together, or the window does not fit into the input.
        ArgumentError: a setting has a value that it must not have.

    Example:
        >>> import jax.numpy as jnp
        >>> conv(jnp.arange(5.0).reshape(1, 5, 1), jnp.array([1.0, 0, -1]).reshape(3, 1, 1))[0, :, 0].tolist()
        [-2.0, -2.0, -2.0]
    """
    x, kernel, bias = arrays(x, kernel, bias, "conv")
    _check(x, kernel, groups)
    check_bias(bias, kernel.shape[-1], "conv")
    check_choice("activation", activation, ("linear", "relu"), "conv")
    rank = kernel.ndim - 2
    window = kernel.shape[:rank]
    steps = per_axis("strides", strides, rank, "conv")
    spread = per_axis("dilation", dilation, rank, "conv")
    pads = explicit_padding(padding, x.shape[1:-1], window, steps, spread)
    if padding == "reflect":
        x = jnp.pad(x, ((0, 0), *pads, (0, 0)), mode="reflect")
        pads = ((0, 0),) * rank
    for axis in range(rank):
        check_fits(x.shape[1 + axis], window[axis], pads[axis], spread[axis], "conv")
    geometry = Geometry(x.shape[1:-1], window, steps, pads, spread, groups)
    if has_symbolic(x.shape[1:-1]):  # in shape inference; at run time the sizes are known
        return _finish(lax_forward(geometry, x, kernel), bias, activation)
    return _convolved(geometry, x, kernel, bias, activation)


def conv_transpose(
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    output_padding: int | Sequence[int] | None = None,
    dilation: int | Sequence[int] = 1,
) -> Array:
    """The gradient of :func:`conv` to its input, as a layer: stride ``s`` makes maps ``s`` times as large.

    Output sizes for ``n`` cells: ``"valid"`` ``(n − 1)·s + max(d·(k − 1) + 1, s)``, ``"same"`` ``n·s``, cells of
    padding ``(n − 1)·s − p_low − p_high + d·(k − 1) + 1``; ``output_padding`` adds to the sum with explicit padding
    (and, for the two names, replaces the surplus) and lies below the larger of stride and dilation.

    Forward mode (``jax.jvp``, ``jax.hessian``): with ``CHAINRULE_NATIVE=0``; see :mod:`chainrule.ops.native`.

    Shapes:
        ``x: [batch, *space, channels]``, ``kernel: [*window, filters, channels]``, ``bias: [filters]``
        ``-> [batch, *larger, filters]``

    Example:
        >>> import jax.numpy as jnp
        >>> conv_transpose(jnp.ones((1, 2, 1)), jnp.ones((2, 1, 1)), strides=2)[0, :, 0].tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    x, kernel, bias = arrays(x, kernel, bias, "conv_transpose")
    _check_transposed(x, kernel)
    check_bias(bias, kernel.shape[-2], "conv_transpose")
    rank = kernel.ndim - 2
    window = kernel.shape[:rank]
    steps = per_axis("strides", strides, rank, "conv_transpose")
    spread = per_axis("dilation", dilation, rank, "conv_transpose")
    sizes, pads = transposed_sizes(x.shape[1:-1], window, steps, spread, padding=padding, output_padding=output_padding)
    if any(isinstance(size, int) and size < 1 for size in sizes):
        raise ShapeError(
            f"conv_transpose: padding must leave at least one cell of the output; received padding={padding!r} and an "
            f"input of shape {x.shape}, which leave {sizes}. Use less padding or a larger input."
        )
    # the cells after an axis such that the reversed convolution has exactly the positions of x
    reach = [extent(k, d) for k, d in zip(window, spread, strict=True)]
    axes = zip(x.shape[1:-1], sizes, steps, reach, pads, strict=True)
    exact = tuple((low, (n - 1) * s + r - low - size) for n, size, s, r, (low, _) in axes)
    geometry = Geometry(sizes, window, steps, exact, spread)
    if has_symbolic(x.shape[1:-1]):  # in shape inference; at run time the sizes are known
        return _finish(lax_transposed(geometry, x, kernel), bias, "linear")
    return _transposed(geometry, x, kernel, bias)


def transposed_sizes(
    sizes: Sequence[Any],  # Any: integers, or symbolic dimensions in shape inference
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    *,
    padding: Padding = "valid",
    output_padding: int | Sequence[int] | None = None,
) -> tuple[tuple[Any, ...], tuple[tuple[int, int], ...]]:
    """Output sizes of :func:`conv_transpose`, and the padding of the convolution that it reverses.

    Example:
        >>> transposed_sizes((4,), (3,), (2,), (1,), padding="same")
        ((8,), ((0, 1),))
    """
    rank = len(window)
    reach = [extent(k, d) for k, d in zip(window, dilation, strict=True)]
    extra: Any = output_padding
    if extra is not None:
        extra = tuple(extra) if isinstance(extra, list | tuple) else (extra,) * rank
        check_output_padding(extra, strides, dilation, "conv_transpose")
    if padding == "valid" and extra is None:
        extra = tuple(max(s - r, 0) for s, r in zip(strides, reach, strict=True))
    if padding == "valid":
        pads: Any = ((0, 0),) * rank
    elif padding == "same" and extra is None:
        totals = [max(r - s, 0) for r, s in zip(reach, strides, strict=True)]
        extra = tuple(max(s - r, 0) for s, r in zip(strides, reach, strict=True))
        pads = tuple((t // 2, t - t // 2) for t in totals)
    elif padding == "same":  # Keras: twice ⌊r / 2⌋, of which what the added cells take away goes off the front first
        totals = [r - r % 2 for r in reach]
        lows = [max(total - added, 0) // 2 for total, added in zip(totals, extra or (), strict=True)]
        pads = tuple((low, total - low) for low, total in zip(lows, totals, strict=True))
    else:
        known = ("valid", "same")
        pads = explicit_padding(padding, sizes, window, strides, dilation, owner="conv_transpose", named=known)
    added = (0,) * rank if extra is None else tuple(extra)
    grown = zip(sizes, strides, reach, pads, added, strict=True)
    return tuple((n - 1) * s + r - low - high + e for n, s, r, (low, high), e in grown), pads


def check_output_padding(added: Sequence[int], strides: Sequence[int], dilation: Sequence[int], owner: object) -> None:
    """Require for each axis a number below the larger of stride and dilation, as PyTorch does.

    That many output sizes there are from which a convolution comes to one size; cells beyond are reached by no input.
    """
    if len(added) != len(strides):
        raise ArgumentError(
            f"{owner_name(owner)}: output_padding must be one number for each of {len(strides)} axes; received "
            f"{len(added)}. Write for example output_padding=1."
        )
    for extra, stride, spread in zip(added, strides, dilation, strict=True):
        check_int("output_padding", extra, owner, minimum=0)
        if extra >= max(stride, spread):
            kind = f"the stride, {stride}" if spread <= stride else f"the dilation, {spread}"
            raise ArgumentError(
                f"{owner_name(owner)}: output_padding must be below {kind}; received {extra}. "
                "Cells beyond that are reached by no input; use ZeroPadding for them."
            )


def _convolved(geometry: Geometry, x: Array, kernel: Array, bias: Array | None, activation: Activation) -> Array:
    """The convolution with its bias and activation, in the form that suits dtype and platform."""

    def flat(x: Array, kernel: Array, shift: Array) -> Array:
        plane, cells, weights = flat_geometry(geometry), flat_input(geometry, x), flat_kernel(geometry, kernel)
        if products.usable(x, kernel):
            y = products.finished(plane, activation == "relu", cells, weights, shift)
        else:
            y = _finish(plain_forward(plane, cells, weights), bias, activation)
        return full_output(geometry, y)

    def whole(x: Array, kernel: Array, shift: Array) -> Array:
        return _finish(lax_forward(geometry, x, kernel), shift if shift.size else None, activation)

    shift = jnp.zeros(0, x.dtype) if bias is None else bias
    if _reaches_far(geometry):
        return whole(x, kernel, shift)
    if len(geometry.window) < 3:
        return flat(x, kernel, shift)
    y: Array = lax.platform_dependent(x, kernel, shift, cpu=flat, default=whole)
    return y


def _transposed(geometry: Geometry, x: Array, kernel: Array, bias: Array | None) -> Array:
    """The gradient of the convolution to its input at ``x``, with a bias."""
    if _reaches_far(geometry) or not jnp.issubdtype(x.dtype, jnp.inexact):  # integers have no gradients
        return _finish(lax_transposed(geometry, x, kernel), bias, "linear")
    if len(geometry.window) == 3 or not products.usable(x, kernel):
        shape = (x.shape[0], *geometry.sizes, kernel.shape[-2])
        y = pulled(lambda cells: _convolved(geometry, cells, kernel, None, "linear"), shape, x)
        return _finish(y, bias, "linear")
    shift = jnp.zeros(0, x.dtype) if bias is None else bias
    plane, weights = flat_geometry(geometry), flat_kernel(geometry, kernel)
    grown = products.transposed(plane, x[:, None] if len(geometry.window) == 1 else x, weights, shift)
    return grown[:, 0] if len(geometry.window) == 1 else grown


def _finish(y: Array, bias: Array | None, activation: Activation) -> Array:
    if bias is not None:
        y = y + jnp.expand_dims(bias, tuple(range(y.ndim - 1)))
    return jax.nn.relu(y) if activation == "relu" else y


def _reaches_far(geometry: Geometry) -> bool:
    """Whether the window, spread out, is so much longer than the input that it had better not be laid out."""
    axes = zip(geometry.sizes, geometry.window, geometry.dilation, strict=True)
    return any(extent(k, d) > _REACH * size + _LEAST_REACH for size, k, d in axes)


def arrays(x: Any, kernel: Any, bias: Any, owner: str) -> tuple[Array, Array, Array | None]:  # Any: see as_array
    """The arrays in the dtype that JAX promotes theirs to, so that each gradient comes back in its array's own.

    Example:
        >>> [array.dtype.name for array in arrays([[[1]]], [[[0.5]]], jnp.zeros(1, "int8"), "conv")]
        ['float32', 'float32', 'float32']
    """
    x, kernel = as_array("x", x, owner), as_array("kernel", kernel, owner)
    if bias is None:
        dtype = jnp.result_type(x, kernel)
        return x.astype(dtype), kernel.astype(dtype), None
    bias = as_array("bias", bias, owner)
    dtype = jnp.result_type(x, kernel, bias)
    return x.astype(dtype), kernel.astype(dtype), bias.astype(dtype)


def check_bias(bias: Array | None, filters: int, owner: str) -> None:
    """Require a number for each filter, if there is a bias."""
    if bias is not None and bias.shape != (filters,):
        raise ShapeError(
            f"{owner}: bias must be one number for each of {filters} filters, of shape {(filters,)}; received shape "
            f"{bias.shape}. Leave it out, or give it the number of filters that the kernel has."
        )


def check_window(kernel: Array, owner: str) -> None:
    """Require a window of at least one cell."""
    if 0 in kernel.shape[:-2]:
        raise ShapeError(
            f"{owner}: kernel must have a window of at least one cell along each axis; received shape {kernel.shape}. "
            "Its first axes are those of the window, the last two channels and filters."
        )


def _check(x: Array, kernel: Array, groups: int) -> None:
    check_positive_int("groups", groups, "conv")
    fits = kernel.ndim in (3, 4, 5) and x.ndim == kernel.ndim
    if not fits or x.shape[-1] != kernel.shape[-2] * groups or kernel.shape[-1] % groups:
        raise ShapeError(
            "conv: input [batch, *space, channels] and kernel [*window, channels / groups, filters] must belong "
            f"together; received shapes {x.shape} and {kernel.shape} with groups={groups}. Check the last axis of "
            "the input."
        )
    check_window(kernel, "conv")


def _check_transposed(x: Array, kernel: Array) -> None:
    if kernel.ndim not in (3, 4, 5) or x.ndim != kernel.ndim or x.shape[-1] != kernel.shape[-1]:
        raise ShapeError(
            "conv_transpose: input [batch, *space, channels] and kernel [*window, filters, channels] must belong "
            f"together; received shapes {x.shape} and {kernel.shape}. Check the last axis of both."
        )
    check_window(kernel, "conv_transpose")
