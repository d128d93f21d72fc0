"""Recurrent layers: gates over time as heat maps, and the folded and the unrolled picture of a network with memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from chainrule._base.checks import check_positive_int
from chainrule._base.errors import ShapeError
from chainrule.figures import style
from chainrule.figures.style import BLUE, GREY, INK, ORANGE, PALE, SMALL, TEXT

_SIGNED = LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE])
_MOST_STEPS = 8  # boxes of an unrolled picture
_TITLES = {
    "f": "f: forget gate",
    "g": "g: gain",
    "i": "i: input gate",
    "o": "o: output gate",
    "c": "c: memory (carrier)",
    "z": "z: update gate",
    "r": "r: reset gate",
    "h": "h: output",
}


def gates(values: Mapping[str, npt.ArrayLike], steps: Sequence[object] | None = None) -> Figure:
    """One heat map for each gate: time from left to right, one row a unit; blue is above zero, orange below.

    All panels share one scale, from −1 to 1, which only the memory of an LSTM may leave (then it reaches further).

    Args:
        values: name -> ``[steps, units]``, as :func:`chainrule.explain.gates` has them in ``values``.
        steps: what stands under each column (words, numbers); by default 0, 1, ...

    Raises:
        ArgumentError: no values.
        ShapeError: arrays of different shapes, or not as many names of steps as steps.

    Example:
        >>> figure = gates({"f": [[0.9, 0.1], [0.8, 0.5]], "h": [[-0.5, 0.1], [0.2, 0.0]]}, ["not", "good"])
        >>> [axes.get_title(loc="left") for axes in figure.axes[:2]]
        ['f: forget gate', 'h: output']
    """
    style.nonempty("values", list(values), "gates")
    arrays = {name: np.asarray(given, dtype=np.float64) for name, given in values.items()}
    shape = next(iter(arrays.values())).shape
    if any(array.ndim != 2 or array.shape != shape for array in arrays.values()) or 0 in shape:
        raise ShapeError(
            "gates: all values must have one shape [steps, units], with at least one of each; received shapes "
            f"{', '.join(f'{name} {array.shape}' for name, array in arrays.items())}. "
            "Pass explain.gates(model, x).values."
        )
    names = list(range(shape[0])) if steps is None else list(steps)
    style.same_length("gates", steps=names, values=next(iter(arrays.values())))
    columns = 1 if len(arrays) == 1 else 2
    lines = -(-len(arrays) // columns)
    figure, made = style.panels(lines, columns, height=0.75 + 1.55 * lines, bottom=0.66, left=0.5, gap=0.5)
    reach = max(1.0, *(float(np.abs(array).max()) for array in arrays.values()))
    for axes, (name, array) in zip(made, arrays.items(), strict=False):
        _heat(axes, array, names, reach)
        title = _TITLES.get(name, style.label(name))
        style.titles(axes, title, "step" if axes in made[-columns:] else "", "unit")
    for axes in made[len(arrays) :]:
        axes.set_visible(False)
    scale = f"blue above zero, orange below, full colour at ±{style.number(reach)}"
    figure.text(0.02, 0.06 / figure.get_figheight(), scale, fontsize=SMALL, color=GREY)
    return figure


def _heat(axes: Axes, array: npt.NDArray[np.float64], names: Sequence[object], reach: float) -> None:
    axes.imshow(array.T, cmap=_SIGNED, vmin=-reach, vmax=reach, aspect="auto", interpolation="nearest")
    axes.grid(visible=False)
    every = max(1, -(-len(names) // 8))
    style.ticks(axes, "x", range(0, len(names), every), names[::every], most=8)
    units = array.shape[1]
    style.ticks(axes, "y", range(0, units, max(1, -(-units // 4))), range(0, units, max(1, -(-units // 4))))


def unrolled(steps: int = 4, *, kind: str = "RNN") -> Figure:
    """A recurrent network folded (one box with a loop) and unrolled (the same box once for each step), side by side.

    All boxes are one set of weights; the arrow between them is the memory ``h``.

    Args:
        steps: boxes of the unrolled picture, at most 8.
        kind: what stands in the box.

    Example:
        >>> figure = unrolled(3, kind="LSTM")
        >>> [text.get_text() for text in figure.axes[0].texts].count("LSTM")
        4
    """
    check_positive_int("steps", steps, "unrolled")
    shown = min(steps, _MOST_STEPS)
    width = 2.3 + 1.05 * shown
    figure, axes = style.canvas(width, 2.5)
    word = style.label(kind, most=8)
    _column(axes, 0.75, word, "x", "y")
    _arrow(axes, (1.08, 1.3), (1.08, 1.1), bend=-2.2)
    axes.text(1.42, 1.14, "h", fontsize=TEXT, color=BLUE)
    axes.text(1.75, 1.12, "=", fontsize=16, color=INK, ha="center")
    for step in range(shown):
        x = 2.45 + 1.05 * step
        subscript = str(step + 1)
        _column(axes, x, word, f"x{subscript}", f"y{subscript}")
        if step + 1 < shown:
            _arrow(axes, (x + 0.34, 1.2), (x + 0.71, 1.2))
            axes.text(x + 0.52, 1.28, f"h{subscript}", fontsize=SMALL, color=BLUE, ha="center")
    axes.text(0.75, 0.1, "folded", fontsize=SMALL, color=GREY, ha="center")
    middle = 2.45 + 1.05 * (shown - 1) / 2
    rest = f" ({steps} steps, {shown} shown)" if steps > shown else ""
    axes.text(middle, 0.1, f"unrolled: the same weights at every step{rest}", fontsize=SMALL, color=GREY, ha="center")
    return figure


def _column(axes: Axes, x: float, word: str, below: str, above: str) -> None:
    box = FancyBboxPatch(
        (x - 0.3, 1.0), 0.6, 0.4, boxstyle="round,pad=0.02,rounding_size=0.06", facecolor=PALE, edgecolor=INK
    )
    axes.add_patch(box)
    axes.text(x, 1.2, word, fontsize=SMALL, color=INK, ha="center", va="center")
    _arrow(axes, (x, 0.62), (x, 0.98))
    _arrow(axes, (x, 1.42), (x, 1.82))
    axes.text(x, 0.48, below, fontsize=TEXT, color=INK, ha="center", va="center")
    axes.text(x, 1.98, above, fontsize=TEXT, color=INK, ha="center", va="center")


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], *, bend: float = 0.0) -> None:
    arrow = FancyArrowPatch(
        start,
        end,
        arrowstyle="-|>",
        mutation_scale=9,
        color=BLUE if bend or start[1] == end[1] else INK,
        linewidth=1.2,
        connectionstyle=f"arc3,rad={bend}",
        shrinkA=0,
        shrinkB=0,
    )
    axes.add_patch(arrow)
