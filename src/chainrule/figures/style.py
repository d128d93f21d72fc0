"""The one look of every figure: sizes, colours, axes, and text that is never read as mathematics.

Figures are 4.8 inches wide with 9-point text, so that a phone shows them at about their own size and a page holds
two side by side. The colours are Okabe and Ito's, which people with the common colour blindnesses tell apart; lines
that meet in one panel differ in dashes or markers too, so that a grey print still reads.

Everything is set on the figure itself: no pyplot, no global settings changed.

References:
    Okabe, M. and Ito, K., "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from chainrule._base.errors import ArgumentError, ShapeError

FloatArray = npt.NDArray[np.float64]

BLUE, ORANGE, GREEN, SKY = "#0072B2", "#D55E00", "#009E73", "#56B4E9"
YELLOW, PINK, INK, GREY, PALE = "#E69F00", "#CC79A7", "#222222", "#767676", "#E6E6E6"
SERIES = (BLUE, ORANGE, GREEN, PINK, YELLOW, SKY, INK)
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))

WIDTH, HEIGHT = 4.8, 3.2  # inches
TEXT, SMALL, LARGE = 9.0, 8.0, 10.5  # points
MOST_POINTS = 2000  # more points than pixels only make a file heavy


def label(text: object, *, most: int = 40) -> str:
    r"""Make ``text`` safe to draw: no mathematics, no control characters, one line, at most ``most`` characters.

    Matplotlib reads what stands between two dollar signs as TeX-like mathematics, so a column called
    ``cost $ in $`` would be typeset, and an unlucky one would fail.

    Example:
        >>> label("cost $a$")
        'cost \\$a\\$'
        >>> label("a long name of a column", most=10)
        'a long na…'
    """
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in str(text))
    kept = " ".join(kept.split())
    if len(kept) > most:
        kept = kept[: most - 1] + "…"
    return kept.replace("$", r"\$")


def number(value: float, digits: int = 3) -> str:
    """A number in ``digits`` significant digits, without needless zeros or exponents.

    Example:
        >>> number(0.123456), number(52000.0), number(3e-7), number(-1.0)
        ('0.123', '52,000', '3e-7', '−1')
    """
    if not np.isfinite(value):
        return "not finite" if np.isnan(value) else ("∞" if value > 0 else "−∞")
    size = abs(value)
    if size >= 1000:
        text = f"{value:,.0f}"
    elif size == 0 or size >= 1e-4:
        text = f"{value:.{digits}g}"
    else:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−", 1) if text.startswith("-") else text


def numbers(values: Sequence[float] | FloatArray, digits: int = 3) -> list[str]:
    """Numbers to be compared, all with the decimals that give the largest of them ``digits`` significant digits.

    Example:
        >>> numbers([0.4, 0.971, 1.0]), numbers([9.5, 12.25]), numbers([52000.0, 7.0])
        (['0.400', '0.971', '1.000'], ['9.5', '12.2'], ['52,000', '7'])
    """
    largest = max((abs(float(value)) for value in values if np.isfinite(value)), default=0.0)
    if largest < 1e-4:
        return [number(float(value), digits) for value in values]
    decimals = max(digits - math.ceil(math.log10(largest)), 0)
    texts = [f"{value:,.{decimals}f}" if np.isfinite(value) else number(float(value)) for value in values]
    return [text.lstrip("-") if not text.strip("-0.") else text.replace("-", "−", 1) for text in texts]


def panels(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float = WIDTH,
    height: float | None = None,
    left: float = 0.62,
    right: float = 0.18,
    bottom: float = 0.52,
    top: float = 0.40,
    gap: float = 0.62,
) -> tuple[Figure, list[Axes]]:
    """A figure with ``rows × columns`` equal panels and fixed margins (inches), styled alike."""
    height = HEIGHT * rows if height is None else height
    figure = Figure(figsize=(width, height), facecolor="white")
    panel_width = (width - left - right - gap * (columns - 1)) / columns
    row_gap = bottom + 0.36
    panel_height = (height - bottom - top - row_gap * (rows - 1)) / rows
    made = []
    for row in range(rows):
        for column in range(columns):
            x = left + column * (panel_width + gap)
            y = height - top - (row + 1) * panel_height - row * row_gap
            axes = figure.add_axes((x / width, y / height, panel_width / width, panel_height / height))
            # Fixed places for the names of the axes: looking for them doubles the time a figure takes.
            axes.xaxis.set_label_coords(0.5, -(bottom - 0.19) / panel_height)
            axes.yaxis.set_label_coords(-(left - 0.19) / panel_width, 0.5)
            made.append(_styled(axes))
    return figure, made


def panel(**margins: float) -> tuple[Figure, Axes]:
    """A figure with a single panel; ``margins`` as in :func:`panels`."""
    figure, made = panels(1, 1, **margins)
    return figure, made[0]


def canvas(width: float = WIDTH, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """A figure without axes lines, for diagrams; data units are inches from the lower left."""
    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.set_axis_off()
    return figure, axes


def titles(axes: Axes, title: str, x: str = "", y: str = "") -> None:
    """Set title and axis names. They must be constants or have passed :func:`label`."""
    axes.set_title(title, fontsize=LARGE, color=INK, loc="left", pad=7, y=1.0, fontweight="bold")
    axes.set_xlabel(x, fontsize=TEXT, color=INK)
    axes.set_ylabel(y, fontsize=TEXT, color=INK)


def ticks(
    axes: Axes, which: Literal["x", "y"], positions: Sequence[float], names: Sequence[object], *, most: int = 22
) -> None:
    """Put ``names`` (raw; made safe here, at most ``most`` characters) at ``positions`` of one axis."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_ticks(list(positions), [label(name, most=most) for name in names])


def whole_numbers(axes: Axes) -> None:
    """Allow only integers on the horizontal axis (epochs, steps)."""
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))


def percent(axes: Axes, which: Literal["x", "y"]) -> None:
    """Show fractions of one axis as percentages."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.0f} %"))


def plain_numbers(axes: Axes) -> None:
    """Show the numbers of both axes in full (``52,000``), without a factor at the end of the axis."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def log_ticks(axes: Axes, which: Literal["x", "y"]) -> None:
    """Turn one axis logarithmic with plain numbers (no typeset powers)."""
    if which == "x":
        axes.set_xscale("log")
    else:
        axes.set_yscale("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_tick_params(which="minor", length=0)


def legend(
    axes: Axes, where: Literal["best", "upper left", "upper right", "lower left", "lower right"] = "best"
) -> None:
    """A small legend without a frame line, for panels where a direct label would collide."""
    axes.legend(loc=where, fontsize=SMALL, frameon=True, framealpha=0.85, edgecolor="none")


def legend_above(axes: Axes) -> None:
    """A legend in one line beside a short title, where it cannot hide a curve."""
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.02, 0.98),
        ncols=4,
        fontsize=SMALL,
        frameon=False,
        columnspacing=1.0,
        handlelength=1.8,
        handletextpad=0.5,
        borderpad=0.1,
    )


def one_dimensional(name: str, values: npt.ArrayLike, owner: str) -> FloatArray:
    """``values`` as a float64 vector; anything else is refused by name and shape."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ShapeError(
            f"{owner}: {name} must have one axis and at least one value; received shape {array.shape}. "
            "Pass a plain list or vector."
        )
    return array


def same_length(owner: str, **arrays: npt.NDArray[Any] | Sequence[Any]) -> None:  # Any: only lengths are read
    """Refuse named sequences that are not equally long."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ShapeError(f"{owner}: lengths must be equal; received {told}. Pass one value of each per item.")


def thin(*arrays: FloatArray, most: int = MOST_POINTS) -> tuple[FloatArray, ...]:
    """Keep at most ``most`` evenly spaced entries of equally long arrays, first and last included.

    Example:
        >>> [a.tolist() for a in thin(np.arange(9.0), most=3)]
        [[0.0, 4.0, 8.0]]
    """
    count = len(arrays[0])
    if count <= most:
        return arrays
    keep = np.linspace(0, count - 1, most).round().astype(int)
    return tuple(array[keep] for array in arrays)


def nonempty(name: str, values: Sequence[Any], owner: str) -> None:  # Any: only the length is read
    """Refuse an empty sequence."""
    if len(values) == 0:
        raise ArgumentError(f"{owner}: {name} must hold at least one item; received none. Pass what to draw.")


def _styled(axes: Axes) -> Axes:
    axes.set_facecolor("white")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#AAAAAA")
        axes.spines[side].set_linewidth(0.8)
    axes.grid(visible=True, color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=SMALL, labelcolor=INK, length=0, pad=4)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    return axes


def box(x: float, y: float, width: float, height: float, color: str) -> Rectangle:
    """A filled rectangle for diagrams."""
    return Rectangle((x, y), width, height, facecolor=color, edgecolor="none")
