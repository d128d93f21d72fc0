"""Convolution (cross-correlation, as the field uses the word) and its relatives, in one, two or three dimensions.

All arrays have their channels last. Convolution is bilinear in input and kernel, so that its three products (forward,
gradient to the input, gradient to the kernel) are each other's derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import jax.numpy as jnp
from jax import lax

from chainrule._base.errors import ShapeError
from chainrule._base.spec import Array
from chainrule.ops.window import Padding, check_fits, explicit_padding, extent, per_axis

Activation = Literal["linear", "relu"]


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

    Args:
        x: input.
        kernel: one, two or three window axes, then channels of a group, then filters.
        bias: added to every position.
        strides: step of the window.
        padding: ``"valid"``, ``"same"``, ``"causal"``, ``"reflect"``, or cells per axis.
        dilation: distance of the window's cells.
        groups: channels are dealt to so many separate convolutions.
        activation: ``"relu"`` is applied in the same pass.

    Shapes:
        ``x: [batch, *space, channels]``, ``kernel: [*window, channels / groups, filters]``
        ``-> [batch, *positions, filters]``

    Example:
        >>> import jax.numpy as jnp
        >>> conv(jnp.arange(5.0).reshape(1, 5, 1), jnp.array([1.0, 0, -1]).reshape(3, 1, 1))[0, :, 0].tolist()
        [-2.0, -2.0, -2.0]
    """
    rank = kernel.ndim - 2
    window = kernel.shape[:rank]
    steps = per_axis("strides", strides, rank, "conv")
    spread = per_axis("dilation", dilation, rank, "conv")
    _check(x, kernel, groups)
    pads = explicit_padding(padding, x.shape[1:-1], window, steps, spread)
    if padding == "reflect":
        x = jnp.pad(x, ((0, 0), *pads, (0, 0)), mode="reflect")
        pads = ((0, 0),) * rank
    for axis in range(rank):
        check_fits(x.shape[1 + axis], window[axis], pads[axis], spread[axis], "conv")
    is_known = all(isinstance(cells, int) for pair in pads for cells in pair)
    y = lax.conv_general_dilated(
        x,
        kernel,
        steps,
        pads if is_known else "SAME",  # in shape inference with sizes that vary; the same cells at run time
        rhs_dilation=spread,
        dimension_numbers=_numbers(rank),
        feature_group_count=groups,
    )
    return _finish(y, bias, activation)


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

    Output sizes for ``n`` cells: ``"valid"`` ``(n − 1)·s + max(d·(k − 1) + 1, s)``, ``"same"`` ``n·s``, cells of padding
    ``(n − 1)·s − p_low − p_high + d·(k − 1) + 1``; ``output_padding`` adds to the sum with explicit padding (and, for
    the two names, replaces the surplus).

    Shapes:
        ``x: [batch, *space, channels]``, ``kernel: [*window, filters, channels] -> [batch, *larger, filters]``

    Example:
        >>> import jax.numpy as jnp
        >>> conv_transpose(jnp.ones((1, 2, 1)), jnp.ones((2, 1, 1)), strides=2)[0, :, 0].tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    rank = kernel.ndim - 2
    window = kernel.shape[:rank]
    steps = per_axis("strides", strides, rank, "conv_transpose")
    spread = per_axis("dilation", dilation, rank, "conv_transpose")
    sizes, pads = transposed_sizes(x.shape[1:-1], window, steps, spread, padding=padding, output_padding=output_padding)
    # each output cell p gathers input cells (p + low - d·k) / s: a convolution of the spread-out input
    before = [extent(k, d) - 1 - low for k, d, (low, _) in zip(window, spread, pads, strict=True)]
    after = [
        size - 1 + extent(k, d) - (n - 1) * s - 1 - low
        for size, k, d, n, s, low in zip(sizes, window, spread, x.shape[1:-1], steps, before, strict=True)
    ]
    flipped = jnp.flip(jnp.swapaxes(kernel, -1, -2), tuple(range(rank)))  # [*window, channels, filters]
    y = lax.conv_general_dilated(
        x,
        flipped,
        (1,) * rank,
        list(zip(before, after, strict=True)),
        lhs_dilation=steps,
        rhs_dilation=spread,
        dimension_numbers=_numbers(rank),
    )
    return _finish(y, bias, "linear")


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
    extra = (output_padding,) * rank if isinstance(output_padding, int) else output_padding
    if padding == "valid" and extra is None:
        extra = tuple(max(s - r, 0) for s, r in zip(strides, reach, strict=True))
    if padding == "valid":
        pads: Any = ((0, 0),) * rank
    elif padding == "same":
        totals = [max(r - s, 0) if extra is None else r - 1 for r, s in zip(reach, strides, strict=True)]
        if extra is None:
            extra = tuple(max(s - r, 0) for s, r in zip(strides, reach, strict=True))
        pads = tuple((t // 2, t - t // 2) for t in totals)
    else:
        pads = explicit_padding(padding, sizes, window, strides, dilation, owner="conv_transpose")
    added = (0,) * rank if extra is None else tuple(extra)
    grown = zip(sizes, strides, reach, pads, added, strict=True)
    return tuple((n - 1) * s + r - low - high + e for n, s, r, (low, high), e in grown), pads


def depthwise_conv(
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
) -> Array:
    """One small convolution per channel, ``y[p, c·m + j] = Σ x[s·p + d·k, c] · kernel[k, c, j]``.

    Shapes:
        ``x: [batch, *space, channels]``, ``kernel: [*window, channels, multiplier]``
        ``-> [batch, *positions, channels · multiplier]``

    Example:
        >>> import jax.numpy as jnp
        >>> depthwise_conv(jnp.ones((1, 3, 2)), jnp.array([[[1.0], [10.0]]]))[0, 0].tolist()
        [1.0, 10.0]
    """
    *window, channels, multiplier = kernel.shape
    dense = kernel.reshape(*window, 1, channels * multiplier)
    y = conv(x, dense, strides=strides, padding=padding, dilation=dilation, groups=channels)
    return _finish(y, bias, "linear")


def _finish(y: Array, bias: Array | None, activation: Activation) -> Array:
    if bias is not None:
        y = y + jnp.expand_dims(bias, tuple(range(y.ndim - 1)))
    return jnp.maximum(y, 0) if activation == "relu" else y


def _numbers(rank: int) -> tuple[str, str, str]:
    space = "DHW"[3 - rank :]
    return f"N{space}C", f"{space}IO", f"N{space}C"


def _check(x: Array, kernel: Array, groups: int) -> None:
    rank, inside, filters = kernel.ndim - 2, kernel.shape[-2], kernel.shape[-1]
    if rank not in (1, 2, 3) or x.ndim != rank + 2 or x.shape[-1] != inside * groups or filters % groups:
        raise ShapeError(
            "conv: input [batch, *space, channels] and kernel [*window, channels / groups, filters] must belong together; "
            f"received shapes {x.shape} and {kernel.shape} with groups={groups}. Check the last axis of the input."
        )
