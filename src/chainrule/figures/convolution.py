"""Convolution and pooling drawn cell by cell: the window as it slides, the matrices, the pooled grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from chainrule._base.checks import check_positive_int
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule.figures import style
from chainrule.figures.style import BLUE, GREY, INK, ORANGE, SMALL, TEXT

Numbers = npt.NDArray[np.float64]

_SIGNED = LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE])
_TINTS = ("#D6E8F5", "#FBE3D2", "#D3EEE5", "#F6E3EE")  # of pooling windows, pale enough to read numbers on
_MOST_CELLS = 24  # along one side, above which no cell is told from another


def convolution_window(
    size: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int = 1,
    position: tuple[int, int] = (0, 0),
) -> Figure:
    """One place of a sliding window: the cells of the input it touches, and the cell of the output they make.

    The square input stands on the left with its padding (dashed), the output on the right.

    Args:
        size: rows and columns of the input.
        kernel_size: rows and columns of the window.
        stride: step of the window.
        padding: cells around the input, or (before, after).
        dilation: distance of the window's cells.
        position: row and column of the output.

    Raises:
        ArgumentError: the window does not fit, the output has no such position, or the picture would be too fine.

    Example:
        >>> figure = convolution_window(5, 3, stride=2, padding=1, position=(1, 2))
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['input 5 × 5, padding 1 + 1', 'output 3 × 3']
    """
    low, high = (padding, padding) if isinstance(padding, int) else padding
    made = _positions(size, (kernel_size, stride, dilation), (low, high))
    row, column = position
    if not (0 <= row < made and 0 <= column < made):
        raise ArgumentError(
            f"convolution_window: position must lie in the output of {made} × {made}; received {position}. "
            "Count from 0."
        )
    figure = Figure(figsize=(style.WIDTH, 2.75), facecolor="white")
    left = figure.add_axes((0.03, 0.04, 0.56, 0.84))
    right = figure.add_axes((0.66, 0.04, 0.31, 0.84))
    wide = size + low + high
    taken = {
        (row * stride + dilation * i, column * stride + dilation * j)
        for i in range(kernel_size)
        for j in range(kernel_size)
    }
    for i, j in np.ndindex(wide, wide):
        is_real = low <= i < low + size and low <= j < low + size
        color = BLUE if (i, j) in taken else ("white" if is_real else "#F4F4F4")
        _cell(left, (i, j), color, dashed=not is_real)
    for i, j in np.ndindex(made, made):
        _cell(right, (i, j), ORANGE if (i, j) == position else "white")
    padded = f", padding {low} + {high}" if low or high else ""
    _grid(left, wide, f"input {size} × {size}{padded}")
    _grid(right, made, f"output {made} × {made}")
    return figure


def convolution_frames(
    size: int, kernel_size: int, *, stride: int = 1, padding: int | tuple[int, int] = 0, dilation: int = 1
) -> list[Figure]:
    """The pictures of :func:`convolution_window` for every position, row by row: the window's way over the input.

    Example:
        >>> len(convolution_frames(4, 3))
        4
    """
    pads = (padding, padding) if isinstance(padding, int) else padding
    made = _positions(size, (kernel_size, stride, dilation), pads)
    return [
        convolution_window(
            size, kernel_size, stride=stride, padding=pads, dilation=dilation, position=(place // made, place % made)
        )
        for place in range(made * made)
    ]


def im2col(kernel: npt.ArrayLike, columns: npt.ArrayLike, product: npt.ArrayLike) -> Figure:
    """Convolution as a matrix product: filters as rows, windows as columns, and what they make.

    Blue is above zero, orange below, each matrix on its own scale; the same side of two matrices is equally long.

    Args:
        kernel: ``[filters, window cells]``, as from :func:`chainrule.explain.im2col`.
        columns: ``[window cells, positions]``.
        product: ``[filters, positions]``.

    Raises:
        ShapeError: the shapes are not those of a product.

    Example:
        >>> figure = im2col(np.ones((4, 27)), np.ones((27, 36)), np.ones((4, 36)))
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['kernel 4 × 27', 'windows 27 × 36', 'output 4 × 36']
    """
    left, right, made = (np.asarray(matrix, np.float64) for matrix in (kernel, columns, product))
    shapes = [matrix.shape for matrix in (left, right, made)]
    fits = all(len(shape) == 2 for shape in shapes) and left.shape[1] == right.shape[0]
    if not fits or made.shape != (left.shape[0], right.shape[1]):
        raise ShapeError(
            f"im2col: kernel, columns and product must be m × k, k × n and m × n; received shapes {shapes}. "
            "Pass the first three parts of explain.im2col(x, kernel)."
        )
    # the windows above the output, the kernel beside the output, so that rows and columns line up
    figure = Figure(figsize=(style.WIDTH, 3.4), facecolor="white")
    across = (0.38, 0.58)  # shares of the width for the kernel's columns and for the positions
    down = (0.60, 0.20)  # shares of the height for the window's cells and for the filters
    places = [
        (left, (0.02, 0.03, across[0], down[1]), "kernel"),
        (right, (0.42, 0.33, across[1] - 0.02, down[0]), "windows"),
        (made, (0.42, 0.03, across[1] - 0.02, down[1]), "output"),
    ]
    for matrix, place, name in places:
        axes = figure.add_axes(place)
        most = float(np.abs(matrix).max(initial=0)) or 1.0
        axes.imshow(matrix, cmap=_SIGNED, vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
        axes.set_title(f"{name} {matrix.shape[0]} × {matrix.shape[1]}", fontsize=TEXT, loc="left", color=INK, pad=4)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def pooling_grid(x: npt.ArrayLike, pooled: npt.ArrayLike, pool_size: int, *, title: str = "pooled") -> Figure:
    """The numbers of a map and of what pooling makes of them, one tint for each window.

    Args:
        x: ``[height, width]``.
        pooled: ``[height / pool_size, width / pool_size]``.
        pool_size: rows and columns of a window; windows do not overlap.
        title: what stands over the right side, such as ``max`` or ``mean``.

    Raises:
        ShapeError: the two do not fit together.
        ArgumentError: there are too many numbers to read.

    Example:
        >>> x = [[0, 0, 5, 1], [0, 2, 4, 0], [1, 0, 1, 0], [0, 0, 0, 3]]
        >>> figure = pooling_grid(x, [[2, 5], [1, 3]], 2, title="max")
        >>> [text.get_text() for text in figure.axes[1].texts]
        ['2', '5', '1', '3']
    """
    check_positive_int("pool_size", pool_size, "pooling_grid")
    given, made = np.asarray(x, np.float64), np.asarray(pooled, np.float64)
    if given.ndim != 2 or made.shape != tuple(size // pool_size for size in given.shape):
        raise ShapeError(
            f"pooling_grid: pooled must have one number for each window of {pool_size} × {pool_size}; received shapes "
            f"{given.shape} and {made.shape}. Pass one channel: x[0, :, :, 0]."
        )
    if max(given.shape) > _MOST_CELLS // 2:
        raise ArgumentError(
            f"pooling_grid: a side must be at most {_MOST_CELLS // 2} cells, or nobody can read the numbers; received "
            f"{given.shape}. Cut out a part."
        )
    figure = Figure(figsize=(style.WIDTH, 2.6), facecolor="white")
    sides = [(given, 1.0, (0.03, 0.04, 0.52, 0.84), "input"), (made, pool_size, (0.62, 0.04, 0.35, 0.84), title)]
    for values, share, place, name in sides:
        axes = figure.add_axes(place)
        for i, j in np.ndindex(*values.shape):
            window = (int(i * share) // pool_size, int(j * share) // pool_size)
            _cell(axes, (i, j), _TINTS[(window[0] % 2) * 2 + window[1] % 2])
            number = style.number(float(values[i, j]))
            axes.text(j + 0.5, i + 0.5, number, ha="center", va="center", fontsize=SMALL, color=INK)
        _grid(axes, max(values.shape), style.label(name, most=16))
    return figure


def _positions(size: int, window: tuple[int, int, int], pads: tuple[int, int]) -> int:
    kernel, stride, dilation = window
    for name, value in {"size": size, "kernel_size": kernel, "stride": stride, "dilation": dilation}.items():
        check_positive_int(name, value, "convolution_window")
    reach = dilation * (kernel - 1) + 1
    if min(pads) < 0 or size + sum(pads) < reach or size + sum(pads) > _MOST_CELLS:
        raise ArgumentError(
            f"convolution_window: size + padding must lie between {reach}, what the window reaches over, and "
            f"{_MOST_CELLS}; received {size} + {pads}. Draw a small example: convolution_window(5, 3)."
        )
    return (size + sum(pads) - reach) // stride + 1


def _cell(axes: Axes, place: tuple[int, int], color: str, *, dashed: bool = False) -> None:
    look: dict[str, Any] = {"linestyle": ":" if dashed else "-", "linewidth": 0.6}  # Any: keywords
    axes.add_patch(Rectangle((place[1], place[0]), 1, 1, facecolor=color, edgecolor=GREY if dashed else INK, **look))


def _grid(axes: Axes, cells: int, title: str) -> None:
    axes.set_xlim(-0.1, cells + 0.1)
    axes.set_ylim(cells + 0.1, -0.1)
    axes.set_aspect("equal", anchor="W")
    axes.set_axis_off()
    axes.set_title(title, fontsize=TEXT, loc="left", color=INK, pad=4)
