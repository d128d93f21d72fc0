"""Fully connected against local shared connections, drawn neuron by neuron."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from chainrule._base.checks import check_positive_int
from chainrule._base.errors import ArgumentError
from chainrule.figures import style
from chainrule.figures.style import GREY, INK, SMALL, TEXT

_HEIGHT = 2.5
_MOST_COLORS = 7


def connectivity(dense_in: int, units: int, kernel_size: int) -> Figure:
    """Which neurons feed which: all of the next layer (dense), or a few neighbours with the same weights (convolution).

    On the left every input has a line to every unit, each with a weight of its own. On the right unit ``j`` sees the
    ``kernel_size`` inputs from ``j`` on; lines of one colour are one shared weight. Below stand the numbers of weights
    (biases left out): ``n·m`` against ``k``.

    Args:
        dense_in: inputs ``n``.
        units: units ``m`` of the next layer; at most ``n − k + 1``.
        kernel_size: inputs ``k`` that one unit of the convolution sees.

    Raises:
        ArgumentError: the kernel does not fit that often into the inputs, or more than 16 inputs are asked for.

    Example:
        >>> figure = connectivity(6, 4, 3)
        >>> [len(axes.collections[0].get_segments()) for axes in figure.axes]
        [24, 12]
    """
    for name, value in {"dense_in": dense_in, "units": units, "kernel_size": kernel_size}.items():
        check_positive_int(name, value, "connectivity")
    if dense_in > 16 or units > dense_in - kernel_size + 1:
        raise ArgumentError(
            "connectivity: dense_in must be at most 16 and units at most dense_in − kernel_size + 1; received dense_in "
            f"{dense_in}, units {units}, kernel_size {kernel_size}. Draw a small example: connectivity(8, 6, 3)."
        )
    figure = Figure(figsize=(style.WIDTH, _HEIGHT), facecolor="white")
    everywhere = [(i, j, GREY) for j in range(units) for i in range(dense_in)]
    colors = style.SERIES[:_MOST_COLORS]
    local = [(j + k, j, colors[k % _MOST_COLORS]) for j in range(units) for k in range(kernel_size)]
    counted = f"{dense_in} · {units} = {_weights(dense_in * units)}"
    shared = f"{_weights(kernel_size)}, shared by {units} unit{'' if units == 1 else 's'}"
    sides = [("Dense: to all neurons", everywhere, counted), ("Convolution: to neighbours", local, shared)]
    for side, (title, edges, note) in enumerate(sides):
        axes = figure.add_axes((side / 2, 0.0, 0.5, 1.0))
        axes.set_xlim(0, style.WIDTH / 2)
        axes.set_ylim(0, _HEIGHT)
        axes.set_axis_off()
        _draw(axes, (dense_in, units), edges)
        axes.text(0.12, _HEIGHT - 0.25, title, fontsize=TEXT, fontweight="bold", color=INK)
        axes.text(style.WIDTH / 4, 0.14, note, ha="center", fontsize=SMALL, color=INK)
    return figure


def _draw(axes: Axes, sizes: tuple[int, int], edges: list[tuple[int, int, str]]) -> None:
    inputs, units = sizes
    room = style.WIDTH / 2 - 0.4
    gap = min(0.36, room / inputs)
    radius = min(0.1, 0.36 * gap)
    left = style.WIDTH / 4 - gap * (inputs - 1) / 2
    shift = gap * (inputs - units) / 2  # the units stand in the middle above the inputs
    below = [(left + i * gap, 0.6) for i in range(inputs)]
    above = [(left + shift + j * gap, 1.85) for j in range(units)]
    axes.add_collection(
        LineCollection(
            [[below[i], above[j]] for i, j, _ in edges],
            colors=[color for _, _, color in edges],
            linewidths=[0.8 if color == GREY else 1.5 for _, _, color in edges],
            zorder=1,
        )
    )
    for x, y in below + above:
        axes.add_patch(Circle((x, y), radius, facecolor="white", edgecolor=INK, linewidth=1.1, zorder=3))


def _weights(count: int) -> str:
    return f"{count:,} weight{'' if count == 1 else 's'}"
