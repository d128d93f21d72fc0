"""Diagrams of neurons and networks with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from chainrule._base.errors import ShapeError
from chainrule.figures import style
from chainrule.figures.style import BLUE, GREEN, GREY, INK, ORANGE, PALE, SMALL, TEXT

MOST_UNITS = 12  # circles drawn in a layer; the rest becomes an ellipsis


def neuron_diagram(
    inputs: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    total: float,
    output: float,
    bias: float | None = None,
    activation: str = "g",
    names: Sequence[str] | None = None,
    simplified: bool = False,
) -> Figure:
    """One neuron with its numbers: inputs times weights, plus bias, sum ``z``, activation, output.

    Args:
        inputs: one value an input.
        weights: one weight an input.
        total: the sum ``z`` (nothing is computed here).
        output: the activation of ``z``.
        bias: the constant, or ``None`` for a neuron without one.
        activation: name of the activation.
        names: names of the inputs; by default x1, x2, ...
        simplified: the short notation of network pictures: weights and bias go into one node ``z = w0 + Σ xj wj``,
            and ``y = g(z)`` leaves it.

    Example:
        >>> figure = neuron_diagram([0.8, 0.1], [0.3, 0.5], total=0.29, output=0.57, activation="sigmoid")
        >>> "z = 0.29" in [text.get_text() for text in figure.axes[0].texts]
        True
        >>> short = neuron_diagram([0.8, 0.1], [0.3, 0.5], total=0.29, output=0.57, simplified=True)
        >>> short.axes[0].texts[-1].get_text()
        'z = Σ xj wj = 0.8 · 0.3 + 0.1 · 0.5 = 0.29'
    """
    inputs = style.one_dimensional("inputs", inputs, "neuron_diagram")
    weights = style.one_dimensional("weights", weights, "neuron_diagram")
    shown = [f"x{index + 1}" for index in range(len(inputs))] if names is None else list(names)
    style.same_length("neuron_diagram", inputs=inputs, weights=weights, names=shown)
    terms = [(style.label(name, most=9), value, w) for name, value, w in zip(shown, inputs, weights, strict=True)]
    if simplified:
        return _simplified_neuron(terms, bias, total=total, output=output, activation=activation)
    has_bias = bias is not None
    if bias is not None:
        terms.append(("bias", 1.0, bias))
    height = max(2.2, 0.62 * len(terms) + 0.5)
    figure, axes = style.canvas(style.WIDTH, height)
    middle = height / 2
    for place, ((name, value, weight), y) in enumerate(zip(terms, _heights(len(terms), height), strict=True)):
        _arrow(axes, (1.13, y), (2.18, middle), _weight_color(weight), 1.2 + min(2.0, abs(weight)))
        _input(axes, y, name, value, face=PALE if has_bias and place == len(terms) - 1 else "white")
        x_text, y_text = 1.13 + 0.42 * 1.05, y + 0.42 * (middle - y)
        _tag(axes, x_text, y_text, style.number(weight), _weight_color(weight))
    _unit(axes, 2.5, middle, 0.32, "Σ")
    axes.text(2.5, middle - 0.52, f"z = {style.number(total)}", ha="center", fontsize=TEXT, color=INK)
    _arrow(axes, (2.82, middle), (3.25, middle), INK, 1.2)
    axes.text(3.6, middle + 0.42, style.label(activation, most=16), ha="center", fontsize=SMALL, color=GREY)
    _unit(axes, 3.58, middle, 0.32, "g(z)")
    _arrow(axes, (3.9, middle), (4.2, middle), INK, 1.2)
    axes.text(4.24, middle, style.number(output), va="center", fontsize=style.LARGE, color=GREEN, fontweight="bold")
    axes.text(4.24, middle - 0.25, "output", va="center", fontsize=SMALL, color=GREY)
    return figure


def _simplified_neuron(
    terms: list[tuple[str, float, float]], bias: float | None, *, total: float, output: float, activation: str
) -> Figure:
    height = max(2.2, 0.62 * len(terms) + 0.85)
    figure, axes = style.canvas(style.WIDTH, height)
    low = 0.45  # room for the sum in figures
    middle = low + (height - low) / 2
    for (name, value, _), y in zip(terms, _heights(len(terms), height - low), strict=True):
        _arrow(axes, (1.13, y + low), (2.22, middle), INK, 1.2)
        _input(axes, y + low, name, value)
    _unit(axes, 2.6, middle, 0.38, f"z = {style.number(total)}")
    _arrow(axes, (2.98, middle), (3.45, middle), INK, 1.2)
    axes.text(4.18, middle, "y = g(z) =", ha="right", va="center", fontsize=TEXT, color=INK)
    axes.text(4.24, middle, style.number(output), va="center", fontsize=style.LARGE, color=GREEN, fontweight="bold")
    axes.text(3.52, middle - 0.25, f"g: {style.label(activation, most=16)}", va="center", fontsize=SMALL, color=GREY)
    products = [f"{_operand(value)} · {_operand(weight)}" for _, value, weight in terms]
    if len(products) > 4:
        products = [*products[:3], "…"]
    symbols, first = ("Σ xj wj", []) if bias is None else ("w0 + Σ xj wj", [_operand(bias)])
    words = f"z = {symbols} = {' + '.join([*first, *products])} = {style.number(total)}"
    axes.text(style.WIDTH / 2, 0.18, words, ha="center", fontsize=SMALL, color=GREY)
    return figure


def _operand(value: float) -> str:
    return f"({style.number(value)})" if value < 0 else style.number(value)


def _heights(count: int, height: float) -> list[float]:
    """Evenly spaced heights from the top, half an inch from both ends."""
    if count == 1:
        return [height / 2]
    return [height - 0.5 - place * (height - 1.0) / (count - 1) for place in range(count)]


def _input(axes: Axes, y: float, name: str, value: float, *, face: str = "white") -> None:
    _unit(axes, 0.86, y, 0.26, style.number(value), face=face)
    axes.text(0.54, y, name, ha="right", va="center", fontsize=SMALL, color=GREY)


def network_diagram(
    sizes: Sequence[int],
    weights: Sequence[npt.ArrayLike] | None = None,
    *,
    names: Sequence[str] | None = None,
) -> Figure:
    """A dense network: one circle a unit, one line a weight; colour is the sign and width the size.

    Args:
        sizes: units of each layer, the input first.
        weights: kernels ``[units in, units out]`` between layers; without them all lines are alike.
        names: a name under each layer.

    Raises:
        ShapeError: a kernel does not fit its two layers.

    Example:
        >>> figure = network_diagram([3, 4, 2], names=["input", "hidden", "output"])
        >>> sum(len(lines.get_segments()) for lines in figure.axes[0].collections)
        20
    """
    style.nonempty("sizes", sizes, "network_diagram")
    kernels = [None] * (len(sizes) - 1) if weights is None else [np.asarray(w, dtype=np.float64) for w in weights]
    wanted = list(pairwise(sizes))
    shapes = [pair if kernel is None else kernel.shape for kernel, pair in zip(kernels, wanted, strict=False)]
    if len(kernels) != len(wanted) or any(tuple(a) != b for a, b in zip(shapes, wanted, strict=True)):
        raise ShapeError(
            f"network_diagram: weights must have the shapes {wanted}; received {shapes}. "
            "Pass one kernel [units in, units out] between each two layers."
        )
    figure, axes = style.canvas(style.WIDTH, style.HEIGHT)
    places = [_places(size, 0.55 + i * (style.WIDTH - 1.1) / max(1, len(sizes) - 1)) for i, size in enumerate(sizes)]
    radius = min(0.13, 0.36 * (style.HEIGHT - 0.8) / max(1, *(len(layer) for layer in places)))
    largest = max((float(np.abs(k).max()) for k in kernels if k is not None and k.size), default=1.0) or 1.0
    for kernel, left, right in zip(kernels, places, places[1:], strict=False):
        _edges(axes, left, right, None if kernel is None else kernel / largest)
    for index, layer in enumerate(places):
        for _, x, y in layer:
            axes.add_patch(Circle((x, y), radius, facecolor="white", edgecolor=INK, linewidth=1.1, zorder=3))
        x, hidden = layer[0][1], sizes[index] - len(layer)
        below = f"{sizes[index]}" + (f" ({hidden} not drawn)" if hidden else "")
        axes.text(x, 0.1, below, ha="center", fontsize=SMALL, color=GREY)
        if names is not None and index < len(names):
            axes.text(x, style.HEIGHT - 0.22, style.label(names[index], most=14), ha="center", fontsize=TEXT, color=INK)
    return figure


def dropout_masks(sizes: Sequence[int], masks: Sequence[Sequence[npt.ArrayLike]]) -> Figure:
    """The thinned networks of several training steps: units that dropout set to zero are crossed out.

    Args:
        sizes: units of each layer, the input first.
        masks: for each step, one vector a layer: 1 for a kept unit, 0 for a dropped one.

    Example:
        >>> figure = dropout_masks([2, 3], [[[1, 1], [1, 0, 1]], [[1, 1], [0, 1, 1]]])
        >>> len(figure.axes)
        2
    """
    style.nonempty("masks", masks, "dropout_masks")
    width = style.WIDTH / len(masks)
    figure = Figure(figsize=(style.WIDTH, 2.4), facecolor="white")
    for step, kept in enumerate(masks):
        axes = figure.add_axes((step / len(masks), 0.0, 1 / len(masks), 1.0))
        axes.set_xlim(0, width)
        axes.set_ylim(0, 2.4)
        axes.set_axis_off()
        layers = [style.one_dimensional("mask", mask, "dropout_masks") > 0 for mask in kept]
        for size, mask in zip(sizes, layers, strict=True):
            style.same_length("dropout_masks", units=range(size), mask=mask)
        room = (width - 0.5) / max(1, len(sizes) - 1)
        places = [_places(size, 0.25 + i * room, height=2.2) for i, size in enumerate(sizes)]
        for left, right, a, b in zip(places, places[1:], layers, layers[1:], strict=False):
            _edges(axes, [p for p in left if a[p[0]]], [p for p in right if b[p[0]]], None)
        for layer, mask in zip(places, layers, strict=True):
            for unit, x, y in layer:
                _masked_unit(axes, x, y, is_kept=bool(mask[unit]))
        axes.text(width / 2, 2.2, f"step {step + 1}", ha="center", fontsize=TEXT, color=INK)
    return figure


def _masked_unit(axes: Axes, x: float, y: float, *, is_kept: bool) -> None:
    face, edge = ("white", INK) if is_kept else (PALE, GREY)
    axes.add_patch(Circle((x, y), 0.09, facecolor=face, edgecolor=edge, linewidth=1, zorder=3))
    if not is_kept:
        for slope in (-1, 1):
            ends = [y - slope * 0.06, y + slope * 0.06]
            axes.plot([x - 0.06, x + 0.06], ends, color=ORANGE, linewidth=1.4, zorder=4)


def _places(size: int, x: float, *, height: float = style.HEIGHT) -> list[tuple[int, float, float]]:
    """(unit, x, y) of the units drawn, from the top."""
    count = min(size, MOST_UNITS)
    gap = min(0.5, (height - 0.85) / max(1, count))
    top = height / 2 + gap * (count - 1) / 2
    return [(unit, x, top - unit * gap) for unit in range(count)]


def _edges(
    axes: Axes,
    left: list[tuple[int, float, float]],
    right: list[tuple[int, float, float]],
    kernel: npt.NDArray[np.float64] | None,
) -> None:
    lines, colors, widths = [], [], []
    for unit, x0, y0 in left:
        for next_unit, x1, y1 in right:
            weight = None if kernel is None else float(kernel[unit, next_unit])
            lines.append([(x0, y0), (x1, y1)])
            colors.append(GREY if weight is None else _weight_color(weight))
            widths.append(0.6 if weight is None else 0.2 + 2.4 * abs(weight))
    axes.add_collection(LineCollection(lines, colors=colors, linewidths=widths, alpha=0.75, zorder=1))


def _weight_color(weight: float) -> str:
    return BLUE if weight >= 0 else ORANGE


def _unit(axes: Axes, x: float, y: float, radius: float, text: str, *, face: str = "white") -> None:
    axes.add_patch(Circle((x, y), radius, facecolor=face, edgecolor=INK, linewidth=1.1, zorder=3))
    axes.text(x, y, text, ha="center", va="center", fontsize=TEXT, color=INK, zorder=4)


def _tag(axes: Axes, x: float, y: float, text: str, color: str) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    axes.text(x, y, text, ha="center", va="center", fontsize=SMALL, color=color, bbox=box, zorder=4)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str, width: float) -> None:
    axes.annotate(
        "", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
    )
