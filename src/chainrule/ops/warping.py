"""Images drawn anew at other positions, each of a batch at its own: bilinear, with four ways to go on past the edge.

Positions are in pixels: 0 is the middle of the first row, ``size − 1`` the middle of the last. What lies past the edge
of ``a b c d``::

    reflect   d c b a | a b c d | d c b a          nearest   a a a a | a b c d | d d d d
    wrap      a b c d | a b c d | a b c d          constant  k k k k | a b c d | k k k k

The names and their meaning are Keras's (``reflect`` is half-sample symmetric, NumPy's ``symmetric``).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import jax.numpy as jnp

from chainrule._base.spec import Array

FillMode = Literal["reflect", "nearest", "wrap", "constant"]
Interpolation = Literal["bilinear", "nearest"]
FILL_MODES = ("reflect", "nearest", "wrap", "constant")
INTERPOLATIONS = ("bilinear", "nearest")


class _Taps(NamedTuple):
    """The two neighbours of a position along one axis, and what each weighs."""

    low: Array
    high: Array
    low_weight: Array
    high_weight: Array


def warp_axes(
    x: Array,
    rows: Array,
    columns: Array,
    *,
    fill_mode: FillMode = "reflect",
    interpolation: Interpolation = "bilinear",
    fill_value: float = 0.0,
) -> Array:
    """``y[b, i, j] = x[b, rows[b, i], columns[b, j]]``: shifts, scales and mirrors, which leave rows rows.

    Two batched matrix products with interpolation matrices: on a CPU several times faster than gathering pixels.

    Args:
        x: [batch, height, width, channels], floats.
        rows: [batch, new height], positions.
        columns: [batch, new width], positions.
        fill_mode: what lies past the edge.
        interpolation: ``"bilinear"``, or ``"nearest"`` for the nearest pixel.
        fill_value: for ``fill_mode="constant"``.

    Returns:
        [batch, new height, new width, channels].

    Example:
        >>> x = jnp.arange(4.0).reshape(1, 1, 4, 1)
        >>> moved = warp_axes(x, jnp.zeros((1, 1)), jnp.array([[0.5, 1.5, 2.5, 3.5]]))
        >>> moved[0, 0, :, 0].tolist()
        [0.5, 1.5, 2.5, 3.0]
    """
    down = _matrix(_taps(rows, x.shape[1], fill_mode, interpolation), x.shape[1], x.dtype)
    across = _matrix(_taps(columns, x.shape[2], fill_mode, interpolation), x.shape[2], x.dtype)
    y = jnp.einsum("bih,bhwc->biwc", down, x)
    y = jnp.einsum("bjw,biwc->bijc", across, y)
    if fill_mode != "constant" or fill_value == 0:
        return y
    covered = down.sum(axis=2)[:, :, None] * across.sum(axis=2)[:, None, :]  # [batch, new height, new width]
    return y + fill_value * (1 - covered)[..., None]


def warp_points(
    x: Array,
    rows: Array,
    columns: Array,
    *,
    fill_mode: FillMode = "reflect",
    interpolation: Interpolation = "bilinear",
    fill_value: float = 0.0,
) -> Array:
    """``y[b, i, j] = x[b, rows[b, i, j], columns[b, i, j]]``: any map of the plane, by gathering four neighbours.

    Args:
        x: [batch, height, width, channels], floats.
        rows: [batch, new height, new width], positions.
        columns: likewise.
        fill_mode: what lies past the edge.
        interpolation: as in :func:`warp_axes`.
        fill_value: for ``fill_mode="constant"``.

    Returns:
        [batch, new height, new width, channels].

    Example:
        >>> x = jnp.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
        >>> middle = jnp.full((1, 1, 1), 0.5)
        >>> warp_points(x, middle, middle).ravel().tolist()
        [2.5]
    """
    down = _taps(rows, x.shape[1], fill_mode, interpolation)
    across = _taps(columns, x.shape[2], fill_mode, interpolation)
    batch = jnp.arange(x.shape[0], dtype=jnp.int32)[:, None, None]
    y, covered = jnp.zeros((), x.dtype), jnp.zeros((), x.dtype)
    for row, row_weight in ((down.low, down.low_weight), (down.high, down.high_weight)):
        for column, column_weight in ((across.low, across.low_weight), (across.high, across.high_weight)):
            weight = (row_weight * column_weight).astype(x.dtype)
            y = y + weight[..., None] * x.at[batch, row, column].get(mode="promise_in_bounds")
            covered = covered + weight
    return y if fill_mode != "constant" or fill_value == 0 else y + fill_value * (1 - covered)[..., None]


def _taps(positions: Array, size: int, fill_mode: FillMode, interpolation: Interpolation) -> _Taps:
    if interpolation == "nearest":
        positions = jnp.floor(positions + 0.5)
    floor = jnp.floor(positions)
    share = positions - floor
    low = floor.astype(jnp.int32)
    low_weight, high_weight = 1 - share, share
    if fill_mode == "constant":
        low_weight = jnp.where((low >= 0) & (low < size), low_weight, 0)
        high_weight = jnp.where((low >= -1) & (low < size - 1), high_weight, 0)
    return _Taps(_folded(low, size, fill_mode), _folded(low + 1, size, fill_mode), low_weight, high_weight)


def _folded(index: Array, size: int, fill_mode: FillMode) -> Array:
    """The pixel that stands for ``index``, between 0 and ``size − 1``."""
    if fill_mode == "wrap":
        return index % size
    if fill_mode == "reflect":
        turned = index % (2 * size)
        return jnp.minimum(turned, 2 * size - 1 - turned)
    return jnp.clip(index, 0, size - 1)


def _matrix(taps: _Taps, size: int, dtype: jnp.dtype) -> Array:
    """[batch, new size, size]: each row holds the weights of its two neighbours."""
    places = jnp.arange(size, dtype=jnp.int32)[None, None, :]
    low = jnp.where(taps.low[..., None] == places, taps.low_weight[..., None], 0)
    high = jnp.where(taps.high[..., None] == places, taps.high_weight[..., None], 0)
    return (low + high).astype(dtype)
