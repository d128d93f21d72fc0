"""What each layer makes of an example, one panel a layer; and of many examples, projected to the plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from chainrule._base.errors import ShapeError
from chainrule.figures import style
from chainrule.figures.style import BLUE, GREY, INK, ORANGE, SMALL, TEXT

Numbers = npt.NDArray[np.float64]

_SIGNED = LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE])
_LEFT, _RIGHT = 1.75, 0.2  # inches: words on the left, the picture on the right
_WORDS, _BARS, _STRIP, _IMAGE, _GAP = 0.62, 0.85, 0.3, 1.35, 0.28  # heights in inches
_MOST_BARS, _MOST_CHANNELS = 24, 32
_PROBABILITIES = ("softmax", "sigmoid", "output")  # kinds of the last row; layers' kinds are class names
_MARKERS = "o^s"  # a second and third round of the seven colours


def representations(rows: Sequence[tuple[str, str, npt.ArrayLike]]) -> Figure:
    r"""One panel a layer, from the input down to the class probabilities.

    Two axes are drawn as an image; three (height, width, channels) as one image of three colours, if the row is an
    input with three channels, else as the channels side by side; a vector as bars, or as a strip from 25 numbers
    on. Blue is above zero, orange below, each layer on a scale of its own whose ends stand beside it.

    Args:
        rows: (path, kind, values) in order, as from :func:`chainrule.explain.representations`.

    Raises:
        ArgumentError: no rows.

    Example:
        >>> rows = [("input", "Input", [[0.0, 1.0], [1.0, 0.0]]), ("dense", "Dense", [0.5, -1.0, 2.0])]
        >>> figure = representations(rows)
        >>> len(figure.axes), [text.get_text() for text in figure.texts]
        (2, ['input\nInput, 2 × 2\n0 to 1', 'dense\nDense, 3\n−1 to 2'])
    """
    style.nonempty("rows", rows, "representations")
    arrays = [np.asarray(values, dtype=np.float64) for _, _, values in rows]
    heights = [_height(array, kind) for array, (_, kind, _) in zip(arrays, rows, strict=True)]
    total = sum(max(height, _WORDS) + _GAP for height in heights) + 0.1
    figure = Figure(figsize=(style.WIDTH, total), facecolor="white")
    top = total - 0.12
    for (path, kind, _), values, height in zip(rows, arrays, heights, strict=True):
        room = max(height, _WORDS)
        low = top - (room + height) / 2
        width = style.WIDTH - _LEFT - _RIGHT
        axes = figure.add_axes((_LEFT / style.WIDTH, low / total, width / style.WIDTH, height / total))
        _panel(axes, values, kind, is_probability=kind in _PROBABILITIES)
        size = " × ".join(map(str, values.shape)) or "one number"
        words = (
            f"{style.label(path, most=22)}\n{style.label(kind, most=18)}, {size}\n{_ends(values)}{_left_out(values)}"
        )
        x, y = 0.12 / style.WIDTH, (top - room / 2) / total
        figure.text(x, y, words, va="center", fontsize=SMALL, color=INK, linespacing=1.35)
        top -= room + _GAP
    return figure


def projections(layers: Mapping[str, npt.ArrayLike], labels: Sequence[object] | npt.ArrayLike) -> Figure:
    """Examples as each layer sees them, projected to the plane, one panel a layer and one colour a class.

    Args:
        layers: title -> points ``[examples, 2]``, in order of depth (from :func:`chainrule.explain.projection`).
        labels: the class of each example.

    Raises:
        ArgumentError: no layers.
        ShapeError: points of another shape, or not as many as labels.

    Example:
        >>> figure = projections({"input": [[0, 0], [1, 1]], "dense": [[-1, 0], [1, 0]]}, ["no", "yes"])
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['input', 'dense']
    """
    style.nonempty("layers", list(layers), "projections")
    classes = np.asarray(labels)
    columns = 2 if len(layers) == 4 else min(3, len(layers))
    lines = -(-len(layers) // columns)
    figure, made = style.panels(
        lines, columns, height=0.45 + lines * 1.9, left=0.2, right=0.2, bottom=0.12, top=0.62, gap=0.18
    )
    for axes, (title, given) in zip(made, layers.items(), strict=False):
        points = np.asarray(given, dtype=np.float64)
        if points.shape != (len(classes), 2):
            raise ShapeError(
                f"projections: points of {title!r} must have shape ({len(classes)}, 2), one for each label; received "
                f"shape {points.shape}. Pass explain.projection(model, x, path).points."
            )
        for index, name in enumerate(np.unique(classes)):
            members = points[classes == name]
            look: dict[str, Any] = {
                "color": style.SERIES[index % 7],
                "marker": _MARKERS[index // 7 % 3],
            }  # Any: keywords
            axes.scatter(
                members[:, 0], members[:, 1], s=10, alpha=0.8, linewidths=0, label=style.label(name, most=12), **look
            )
        axes.set_xticks([])
        axes.set_yticks([])
        axes.margins(0.08)
        axes.set_title(style.label(title, most=24), fontsize=TEXT, loc="left", color=INK)
    for axes in made[len(layers) :]:
        axes.remove()
    handles, names = made[0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc="upper right", ncols=10, fontsize=SMALL, frameon=False, handletextpad=0, columnspacing=0.6
    )
    return figure


def _ends(values: Numbers) -> str:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "not finite"
    low, high = style.number(finite.min()), style.number(finite.max())
    return low if finite.size == 1 else f"{low} to {high}"


def _left_out(values: Numbers) -> str:
    is_cut = values.ndim == 3 and values.shape[2] > _MOST_CHANNELS
    return f"\nfirst {_MOST_CHANNELS} channels" if is_cut else ""


def _height(values: Numbers, kind: str) -> float:
    if values.ndim in (2, 3):
        height, width = _tiled(values, kind).shape[:2]
        full = style.WIDTH - _LEFT - _RIGHT
        return float(np.clip(full * height / width, _STRIP, _IMAGE))
    return _BARS if values.size <= _MOST_BARS else _STRIP


def _panel(axes: Axes, values: Numbers, kind: str, *, is_probability: bool) -> None:
    axes.tick_params(labelsize=6.5, labelcolor=GREY, length=0, pad=2)
    for side in axes.spines.values():
        side.set_color("#AAAAAA")
        side.set_linewidth(0.6)
    if values.ndim not in (2, 3) and values.size <= _MOST_BARS:
        _bars(axes, values.ravel(), is_probability=is_probability)
        return
    shown = _tiled(values, kind) if values.ndim in (2, 3) else values.reshape(1, -1)
    axes.set_xticks([])
    axes.set_yticks([])
    finite = np.abs(shown[np.isfinite(shown)])
    most = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    aspect: Literal["equal", "auto"] = "equal" if values.ndim in (2, 3) else "auto"
    if shown.ndim == 3:
        axes.imshow(np.clip(shown / most, 0, 1), aspect=aspect, interpolation="nearest")
    else:
        axes.imshow(shown, cmap=_SIGNED, vmin=-most, vmax=most, aspect=aspect, interpolation="nearest")
    axes.set_anchor("W")


def _bars(axes: Axes, values: Numbers, *, is_probability: bool) -> None:
    values = np.where(np.isfinite(values), values, 0.0)
    places = np.arange(len(values))
    colors = np.where(values < 0, ORANGE, BLUE).tolist()
    if is_probability and len(values) > 1:
        colors = [GREY] * len(values)
        colors[int(values.argmax())] = style.GREEN
    axes.bar(places, values, 0.75, color=colors)
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.set_xlim(-0.6, max(len(values), 4) - 0.4)
    axes.set_xticks(places if len(values) <= 12 else places[::4])
    axes.set_yticks([])
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    if is_probability:
        axes.set_ylim(0, 1.25)
        best = int(values.argmax())
        axes.text(best, values[best] + 0.03, style.number(float(values[best])), ha="center", fontsize=6.5, color=INK)


def _tiled(values: Numbers, kind: str) -> Numbers:
    """An image ``[height, width]`` or ``[height, width, 3]`` of a grid, with channels side by side."""
    if values.ndim == 2 or (kind == "Input" and values.shape[2] == 3):
        return values
    height, width, channels = values.shape
    shown = min(channels, _MOST_CHANNELS)
    columns = min(shown, 8)
    lines = -(-shown // columns)
    picture = np.full((lines * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for channel in range(shown):
        line, column = divmod(channel, columns)
        y, x = line * (height + 1), column * (width + 1)
        picture[y : y + height, x : x + width] = values[:, :, channel]
    return picture
