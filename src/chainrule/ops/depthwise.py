"""Depthwise convolution: every channel is convolved by itself, with filters of its own."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule._base.errors import ShapeError
from chainrule._base.spec import Array
from chainrule.ops.convolution import arrays, check_bias, check_window, conv
from chainrule.ops.window import Padding


def depthwise_conv(
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
) -> Array:
    """One small convolution per channel, ``y[p, c·m + j] = Σ x[s·p + d·k, c] · kernel[k, c, j] + bias[c·m + j]``.

    It is :func:`conv` with as many groups as channels, which on a CPU has kernels of its own. A 3×3 window costs 9
    multiplications per result, where :func:`conv` costs 9 for every channel.

    Forward mode (``jax.jvp``, ``jax.hessian``): with ``CHAINRULE_NATIVE=0``; see :mod:`chainrule.ops.native`.

    Args:
        x: input.
        kernel: one, two or three window axes, then channels, then the filters of each channel (the multiplier ``m``).
        bias: added to every position.
        strides: step of the window. Keras and TensorFlow take only equal steps on all axes here.
        padding: ``"valid"``, ``"same"``, ``"causal"``, ``"reflect"``, or cells per axis.
        dilation: distance of the window's cells.

    Shapes:
        ``x: [batch, *space, channels]``, ``kernel: [*window, channels, multiplier]``, ``bias: [channels · multiplier]``
        ``-> [batch, *positions, channels · multiplier]``

    Raises:
        ShapeError: the kernel is for another number of channels or axes, or the window does not fit into the input.

    Example:
        >>> import jax.numpy as jnp
        >>> depthwise_conv(jnp.ones((1, 3, 2)), jnp.array([[[1.0], [10.0]]]))[0, 0].tolist()
        [1.0, 10.0]

    References:
        Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017,
        https://arxiv.org/abs/1704.04861, equation 3.
    """
    x, kernel, bias = arrays(x, kernel, bias, "depthwise_conv")
    if kernel.ndim not in (3, 4, 5) or x.ndim != kernel.ndim or x.shape[-1] != kernel.shape[-2]:
        raise ShapeError(
            "depthwise_conv: input [batch, *space, channels] and kernel [*window, channels, multiplier] must belong "
            f"together; received shapes {x.shape} and {kernel.shape}. Check the last axis of the input."
        )
    check_window(kernel, "depthwise_conv")
    *window, channels, multiplier = kernel.shape
    check_bias(bias, channels * multiplier, "depthwise_conv")
    dense = kernel.reshape(*window, min(channels, 1), channels * multiplier)
    return conv(x, dense, bias, strides=strides, padding=padding, dilation=dilation, groups=max(channels, 1))
