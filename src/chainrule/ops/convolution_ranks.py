"""Convolutions over one and three axes of space as convolutions over two.

One axis becomes two by a window of height 1. Of three the first is folded into the channels: the layers of cells that a
window meets lie side by side, as more channels, and every layer of positions is an image of its own.
"""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
from jax import lax

from chainrule._base.spec import Array
from chainrule.ops.convolution_plain import Geometry


def flat_geometry(geometry: Geometry) -> Geometry:
    """The geometry over two axes that goes with :func:`flat_input` and :func:`flat_kernel`.

    Example:
        >>> flat_geometry(Geometry((5,), (3,), (2,), ((1, 0),), (1,))).padding
        ((0, 0), (1, 0))
    """
    if len(geometry.window) == 1:
        (size,), (window,), (stride,), (pads,), (spread,) = (
            geometry.sizes,
            geometry.window,
            geometry.strides,
            geometry.padding,
            geometry.dilation,
        )
        return Geometry((1, size), (1, window), (1, stride), ((0, 0), pads), (1, spread), geometry.groups)
    return replace(
        geometry,
        sizes=geometry.sizes[-2:],
        window=geometry.window[-2:],
        strides=geometry.strides[-2:],
        padding=geometry.padding[-2:],
        dilation=geometry.dilation[-2:],
    )


def flat_input(geometry: Geometry, x: Array) -> Array:
    """``[batch, *space, channels]`` as ``[images, h, w, more channels]``.

    Example:
        >>> import jax.numpy as jnp
        >>> flat_input(Geometry((5,), (3,), (1,), ((0, 0),), (1,)), jnp.ones((2, 5, 4))).shape
        (2, 1, 5, 4)
    """
    if len(geometry.window) == 1:
        return x[:, None]
    if len(geometry.window) == 2:
        return x
    layers, stride, spread = geometry.window[0], geometry.strides[0], geometry.dilation[0]
    count = geometry.positions[0]
    sides = ((0, 0, 0), (*geometry.padding[0], 0), (0, 0, 0), (0, 0, 0), (0, 0, 0))
    padded = lax.pad(x, jnp.zeros((), x.dtype), sides)
    starts = [k * spread for k in range(layers)]
    met = [padded[:, start : start + (count - 1) * stride + 1 : stride] for start in starts]
    # channels of a group stay together: [..., groups, layers, channels / groups]
    split = [cells.reshape(*cells.shape[:-1], geometry.groups, x.shape[-1] // geometry.groups) for cells in met]
    stacked = jnp.stack(split, axis=-2)
    return stacked.reshape(x.shape[0] * count, *x.shape[2:-1], layers * x.shape[-1])


def flat_kernel(geometry: Geometry, kernel: Array) -> Array:
    """``[*window, channels / groups, filters]`` as the kernel of the convolution over two axes.

    Example:
        >>> import jax.numpy as jnp
        >>> geometry = Geometry((5, 5, 5), (2, 3, 3), (1, 1, 1), ((0, 0),) * 3, (1, 1, 1))
        >>> flat_kernel(geometry, jnp.ones((2, 3, 3, 4, 7))).shape
        (3, 3, 8, 7)
    """
    if len(geometry.window) == 1:
        return kernel[None]
    if len(geometry.window) == 2:
        return kernel
    layers, rows, columns, channels, filters = kernel.shape
    return jnp.moveaxis(kernel, 0, 2).reshape(rows, columns, layers * channels, filters)


def full_output(geometry: Geometry, y: Array) -> Array:
    """The result of the convolution over two axes, with all axes of space again.

    Example:
        >>> import jax.numpy as jnp
        >>> full_output(Geometry((5,), (3,), (1,), ((0, 0),), (1,)), jnp.ones((2, 1, 3, 4))).shape
        (2, 3, 4)
    """
    if len(geometry.window) == 1:
        return y[:, 0]
    if len(geometry.window) == 2:
        return y
    count = geometry.positions[0]
    return y.reshape(y.shape[0] // count, count, *y.shape[1:])
