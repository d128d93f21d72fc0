"""Convolution as one product of two matrices: each window laid out as a column, each filter as a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chainrule._base.arguments import check_function
from chainrule._base.checks import describe
from chainrule._base.errors import ShapeError
from chainrule.ops.window import Padding, check_fits, explicit_padding, output_size, per_axis

Floats = npt.NDArray[np.float64]


class Im2col(NamedTuple):
    """The matrices of one convolution; ``str()`` tells their shapes.

    Args:
        kernel: ``[filters, cells · channels]``, one filter a row.
        columns: ``[cells · channels, positions]``, the window of one position a column; channels run fastest.
        product: ``[filters, positions]``, kernel times columns.
        positions: positions along each axis of space.
    """

    kernel: Floats
    columns: Floats
    product: Floats
    positions: tuple[int, ...]

    @property
    def output(self) -> Floats:
        """The product put back in place, ``[*positions, filters]``: what the layer gives."""
        return self.product.T.reshape(*self.positions, -1)

    def __str__(self) -> str:
        left, right, made = (" × ".join(map(str, matrix.shape)) for matrix in self[:3])
        return f"{left} · {right} = {made} (filters × window cells · window cells × positions)"


@check_function
def im2col(
    x: npt.ArrayLike,
    kernel: npt.ArrayLike,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
) -> Im2col:
    """Lay out every window of ``x`` as a column, so that the convolution becomes a matrix product.

    Four filters of 3 × 3 over three channels are a matrix of 4 × 27, N positions one of 27 × N, and the output is
    4 × N. Every number of ``x`` appears in as many columns as windows hold it.

    Args:
        x: one example without batch axis.
        kernel: as the layer's weight.
        strides: step of the window.
        padding: as of the layer.
        dilation: distance of the window's cells.

    Shapes:
        x: [*space, channels]; kernel: [*window, channels, filters].

    Raises:
        ShapeError: the two do not belong together, or the window does not fit.

    Example:
        >>> x, kernel = np.ones((8, 8, 3)), np.ones((3, 3, 3, 4))
        >>> made = im2col(x, kernel)
        >>> print(made)
        4 × 27 · 27 × 36 = 4 × 36 (filters × window cells · window cells × positions)
        >>> made.output.shape
        (6, 6, 4)

    References:
        Chellapilla, Puri, Simard, "High Performance Convolutional Neural Networks for Document Processing", 2006.
    """
    image, weights = np.asarray(x, np.float64), np.asarray(kernel, np.float64)
    rank = weights.ndim - 2
    if rank not in (1, 2, 3):
        example = (2, 2, image.shape[-1] if image.ndim else 1, 4)
        raise ShapeError(
            f"im2col: kernel must be an array [*window, channels, filters]; received {describe(kernel)}. To lay out "
            f"windows of 2 × 2 for 4 filters, whatever their weights, type im2col(x, np.ones({example}))."
        )
    if image.ndim != rank + 1 or image.shape[-1] != weights.shape[-2]:
        advice = "Pass one example without its batch axis: x[0]."
        if image.ndim == rank + 1:
            advice = f"Give the kernel {image.shape[-1]} channels, or put the channels of x last."
        raise ShapeError(
            "im2col: x [*space, channels] and kernel [*window, channels, filters] must belong together; received "
            f"shapes {image.shape} and {weights.shape}. {advice}"
        )
    window = weights.shape[:-2]
    steps, spread = per_axis("strides", strides, rank, "im2col"), per_axis("dilation", dilation, rank, "im2col")
    pads = explicit_padding(padding, image.shape[:-1], window, steps, spread, owner="im2col")
    for size, k, pad, d in zip(image.shape, window, pads, spread, strict=False):
        check_fits(size, k, pad, d, "im2col")
    axes = zip(image.shape, window, steps, pads, spread, strict=False)
    positions = tuple(int(output_size(n, k, s, pad, d)) for n, k, s, pad, d in axes)
    padded = np.pad(image, [*pads, (0, 0)], mode="reflect" if padding == "reflect" else "constant")
    columns = np.stack(
        [
            padded[
                tuple(slice(d * c, d * c + s * n, s) for c, d, s, n in zip(cell, spread, steps, positions, strict=True))
            ]
            for cell in np.ndindex(*window)
        ],
        axis=-2,
    )  # [*positions, cells, channels]
    flat = columns.reshape(int(np.prod(positions)), -1).T
    rows = weights.reshape(-1, weights.shape[-1]).T
    return Im2col(rows, flat, rows @ flat, positions)
