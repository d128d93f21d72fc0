"""Convolution over two axes in plain JAX: as ``lax`` has it, and as products of shifted inputs, for the CPU.

XLA's convolutions for the CPU are slow, their gradients more so, and inside ``lax.scan`` they run on one thread, thirty
times slower still; products of matrices are fast everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from chainrule._base.spec import Array
from chainrule.ops.window import Pairs, extent, output_size

# Windows of at most so many numbers are gathered into one array for one product; wider ones make a product for each
# cell of the window.
_GATHERED = 64


@dataclass(frozen=True)
class Geometry:
    """What a convolution needs to know beside its arrays, for two axes of space.

    Args:
        sizes: cells of the input (they may be symbolic).
        window: cells of the window.
        strides: step of the window.
        padding: cells before and after each axis; negative ones after an axis leave cells out.
        dilation: distance of the window's cells.
        groups: separate convolutions, to which the channels are dealt.
    """

    sizes: tuple[Any, ...]  # Any: integers, or symbolic dimensions in shape inference
    window: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Pairs
    dilation: tuple[int, ...]
    groups: int = 1

    @property
    def positions(self) -> tuple[Any, ...]:
        """Positions of the window along each axis."""
        axes = zip(self.sizes, self.window, self.strides, self.padding, self.dilation, strict=True)
        return tuple(output_size(*axis) for axis in axes)


def forward(geometry: Geometry, x: Array, kernel: Array) -> Array:
    """``y[p, f] = Σ x[s·p + d·k, c] · kernel[k, c, f]`` in the form that suits the platform.

    Shapes:
        ``x: [batch, h, w, channels]``, ``kernel: [*window, channels / groups, filters]``
        ``-> [batch, *positions, filters]``

    Example:
        >>> import jax.numpy as jnp
        >>> geometry = Geometry((1, 3), (1, 2), (1, 1), ((0, 0), (0, 0)), (1, 1))
        >>> forward(geometry, jnp.arange(3.0).reshape(1, 1, 3, 1), jnp.ones((1, 2, 1, 1))).ravel().tolist()
        [1.0, 3.0]
    """

    def by_shifts(x: Array, kernel: Array) -> Array:
        return _by_shifts(geometry, x, kernel)

    def by_lax(x: Array, kernel: Array) -> Array:
        return lax_forward(geometry, x, kernel)

    y: Array = lax.platform_dependent(x, kernel, cpu=by_shifts, default=by_lax)
    return y


def lax_forward(geometry: Geometry, x: Array, kernel: Array) -> Array:
    """The same as one ``lax`` convolution, over one to three axes."""
    space = "DHW"[3 - len(geometry.window) :]
    # cells that depend on a symbolic size are those of "same" with a stride
    is_known = all(isinstance(cells, int) for pair in geometry.padding for cells in pair)
    return lax.conv_general_dilated(
        x,
        kernel,
        geometry.strides,
        geometry.padding if is_known else "SAME",
        rhs_dilation=geometry.dilation,
        dimension_numbers=(f"N{space}C", f"{space}IO", f"N{space}C"),
        feature_group_count=geometry.groups,
    )


def lax_transposed(geometry: Geometry, x: Array, kernel: Array) -> Array:
    """The gradient of the convolution to its input at ``x``, as a convolution of ``x`` with zeros between its cells."""
    rank = len(geometry.window)
    space = "DHW"[3 - rank :]
    axes = zip(geometry.window, geometry.dilation, geometry.padding, strict=True)
    flipped = jnp.flip(jnp.swapaxes(kernel, -1, -2), tuple(range(rank)))  # [*window, channels, filters]
    return lax.conv_general_dilated(
        x,
        flipped,
        (1,) * rank,
        [(extent(k, d) - 1 - low, extent(k, d) - 1 - high) for k, d, (low, high) in axes],
        lhs_dilation=geometry.strides,
        rhs_dilation=geometry.dilation,
        dimension_numbers=(f"N{space}C", f"{space}IO", f"N{space}C"),
    )


def pulled(function: Callable[[Array], Array], shape: Sequence[Any], cotangent: Array) -> Array:
    """The transpose of a linear function of an array of ``shape``, at ``cotangent``."""
    # Any: integers, or symbolic dimensions in shape inference
    _, pull = jax.vjp(function, jnp.zeros(shape, cotangent.dtype))
    result: Array = pull(cotangent)[0]
    return result


def _by_shifts(geometry: Geometry, x: Array, kernel: Array) -> Array:
    rows, columns = geometry.window
    padded = lax.pad(
        x, jnp.zeros((), x.dtype), ((0, 0, 0), *((low, high, 0) for low, high in geometry.padding), (0, 0, 0))
    )
    shifted = [_cells(geometry, padded, (a, b)) for a in range(rows) for b in range(columns)]
    if not shifted:
        return jnp.zeros((x.shape[0], *geometry.positions, kernel.shape[-1]), x.dtype)
    flat = kernel.reshape(rows * columns, *kernel.shape[2:])
    if geometry.groups == 1 and flat.shape[0] * flat.shape[1] <= _GATHERED:
        return jnp.concatenate(shifted, axis=-1) @ flat.reshape(flat.shape[0] * flat.shape[1], flat.shape[2])
    y = _product(shifted[0], flat[0], geometry.groups)
    for cells, weights in zip(shifted[1:], flat[1:], strict=True):
        y = y + _product(cells, weights, geometry.groups)
    return y


def _cells(geometry: Geometry, padded: Array, tap: tuple[int, int]) -> Array:
    """The cell that one weight of the window meets, at all positions: ``[batch, *positions, channels]``."""
    first = [k * d for k, d in zip(tap, geometry.dilation, strict=True)]
    axes = zip(first, geometry.positions, geometry.strides, strict=True)
    ranges = tuple(slice(start, start + (count - 1) * stride + 1, stride) for start, count, stride in axes)
    return padded[(slice(None), *ranges)]


def _product(cells: Array, weights: Array, groups: int) -> Array:
    """``cells @ weights``, each group of channels with its own filters."""
    if groups == 1:
        return cells @ weights
    if weights.shape[0] == 1:  # one channel a group, so that there is nothing to sum
        dealt = weights.reshape(groups, weights.shape[1] // groups)
        return (cells[..., None] * jnp.expand_dims(dealt, tuple(range(cells.ndim - 1)))).reshape(
            *cells.shape[:-1], weights.shape[1]
        )
    split = cells.reshape(*cells.shape[:-1], groups, cells.shape[-1] // groups)
    dealt = weights.reshape(weights.shape[0], groups, weights.shape[1] // groups)
    return jnp.einsum("...gc,cgf->...gf", split, dealt).reshape(*cells.shape[:-1], weights.shape[1])
