"""What a convolutional network looks for and where it finds it: filters, maps by layer, receptive fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from chainrule._base.checks import check_positive_int
from chainrule._base.errors import ShapeError
from chainrule.figures import style
from chainrule.figures.style import BLUE, INK, ORANGE, SMALL, TEXT

Numbers = npt.NDArray[np.float64]

_SIGNED = LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE])
_SIDE, _HEAD = 0.55, 0.3  # inches


def filters(kernel: npt.ArrayLike, *, most: int = 32) -> Figure:
    """The weights of a layer's filters as small pictures, one a filter, on one scale: blue above zero, orange below.

    Filters over three channels are drawn in colour (0 is grey); over other numbers, their mean over channels.

    Args:
        kernel: ``[height, width, in, filters]``.
        most: how many filters to draw.

    Raises:
        ShapeError: the kernel is not one of images.

    Example:
        >>> figure = filters(np.random.default_rng(0).normal(size=(3, 3, 1, 6)))
        >>> len(figure.axes)
        6
    """
    check_positive_int("most", most, "filters")
    weights = np.asarray(kernel, np.float64)
    if weights.ndim != 4:
        raise ShapeError(
            f"filters: kernel must be [height, width, in, filters]; received shape {weights.shape}. "
            "Pass model.get_weights()['conv2d/kernel']."
        )
    shown = [
        weights[..., i] if weights.shape[2] == 3 else weights[..., i].mean(axis=-1) for i in range(weights.shape[3])
    ]
    count = f"first {most} of {len(shown)}" if len(shown) > most else str(len(shown))
    title = f"{count} filters of {weights.shape[0]} × {weights.shape[1]} over {weights.shape[2]} channels"
    return _rows([(title, shown[:most])], signed_colors=True)


def feature_maps(layers: Mapping[str, npt.ArrayLike], *, most: int = 7) -> Figure:
    """The feature hierarchy: for one example, the maps of each layer in a row, from edges to parts of things.

    Args:
        layers: title -> maps ``[height, width, channels]`` (or an image of three channels, drawn in its colours), in
            order of depth, as from ``model.intermediate(x)`` for one example.
        most: how many channels of each to draw.

    Raises:
        ShapeError: maps of another rank.

    Example:
        >>> figure = feature_maps({"input": np.ones((8, 8, 3)), "conv2d": np.ones((8, 8, 5))})
        >>> len(figure.axes)
        6
    """
    check_positive_int("most", most, "feature_maps")
    style.nonempty("layers", list(layers), "feature_maps")
    rows = []
    for name, given in layers.items():
        maps = np.asarray(given, np.float64)
        if maps.ndim != 3:
            raise ShapeError(
                f"feature_maps: the maps of {name!r} must be [height, width, channels] of one example; received shape "
                f"{maps.shape}. Leave out dense layers, and take one example: value[0]."
            )
        height, width, channels = maps.shape
        title = f"{style.label(name, most=24)}: {height} × {width} × {channels}"
        rows.append((title, [maps] if channels == 3 else [maps[..., i] for i in range(min(most, channels))]))
    return _rows(rows, signed_colors=False)


def receptive_fields(
    image: npt.ArrayLike, windows: Mapping[str, Sequence[tuple[int, int]]], *, effective: npt.ArrayLike | None = None
) -> Figure:
    """Receptive fields as nested frames on the input, one a layer; and the effective field as shades.

    Args:
        image: ``[height, width]``, or ``[height, width, 3]`` between 0 and 1.
        windows: layer -> ((first row, row after the last), (first column, column after the last)), as from
            :meth:`chainrule.explain.ReceptiveField.window`; what lies in the padding is drawn outside the image.
        effective: ``[height, width]``, as from :func:`chainrule.explain.effective_field`; drawn over the image.

    Raises:
        ShapeError: the image or the effective field has another shape.

    Example:
        >>> figure = receptive_fields(np.zeros((9, 9)), {"conv2d": ((3, 6), (3, 6)), "conv2d_1": ((2, 7), (2, 7))})
        >>> [patch.get_width() for patch in figure.axes[0].patches]
        [3.0, 5.0]
    """
    picture = np.asarray(image, np.float64)
    if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] not in (1, 3)):
        raise ShapeError(
            f"receptive_fields: image must be [height, width] or [height, width, 3]; received shape {picture.shape}. "
            "Pass one example."
        )
    style.nonempty("windows", list(windows), "receptive_fields")
    figure, axes = style.panel(left=0.2, right=1.7, bottom=0.2, top=0.2)
    axes.grid(visible=False)
    shown = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    axes.imshow(shown, cmap="gray", alpha=0.6 if effective is not None else 1.0, interpolation="nearest")
    if effective is not None:
        strength = np.asarray(effective, np.float64)
        if strength.shape != picture.shape[:2]:
            raise ShapeError(
                f"receptive_fields: effective must have shape {picture.shape[:2]}, as the image; received "
                f"{strength.shape}. Pass explain.effective_field(model, x, path)."
            )
        axes.imshow(strength, cmap="Blues", alpha=0.75, interpolation="nearest")
    for number, (name, (rows, columns)) in enumerate(windows.items()):
        color = style.SERIES[number % 7]
        height, width = rows[1] - rows[0], columns[1] - columns[0]
        corner = (columns[0] - 0.5, rows[0] - 0.5)
        words = f"{style.label(name, most=14)} {height} × {width}"
        look: dict[str, Any] = {"linestyle": style.DASHES[number % 7], "linewidth": 1.6}  # Any: keywords
        frame = Rectangle(corner, float(width), float(height), fill=False, edgecolor=color, label=words, **look)
        axes.add_patch(frame)
    _fit(axes, picture.shape[:2], [rows for rows, _ in windows.values()], [columns for _, columns in windows.values()])
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), fontsize=SMALL, frameon=False, borderaxespad=0)
    return figure


def _fit(axes: Axes, size: tuple[int, ...], rows: list[tuple[int, int]], columns: list[tuple[int, int]]) -> None:
    """Show the whole image and every frame, those in the padding too."""
    axes.set_xlim(min(0, *(low for low, _ in columns)) - 1, max(size[1], *(high for _, high in columns)))
    axes.set_ylim(max(size[0], *(high for _, high in rows)), min(0, *(low for low, _ in rows)) - 1)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)


def _rows(rows: Sequence[tuple[str, Sequence[Numbers]]], *, signed_colors: bool) -> Figure:
    """A title and a row (or several) of small pictures each."""
    columns = int((style.WIDTH - 0.2) // (_SIDE + 0.04))
    lines = [-(-len(pictures) // columns) for _, pictures in rows]
    total = sum(_HEAD + count * (_SIDE + 0.04) for count in lines) + 0.1
    figure = Figure(figsize=(style.WIDTH, total), facecolor="white")
    top = total - 0.05
    for (title, pictures), count in zip(rows, lines, strict=True):
        figure.text(0.1 / style.WIDTH, (top - 0.17) / total, title, fontsize=TEXT, color=INK)
        top -= _HEAD
        most = max((float(np.abs(p).max(initial=0)) for p in pictures), default=1.0) or 1.0
        for number, picture in enumerate(pictures):
            line, column = divmod(number, columns)
            x, y = 0.1 + column * (_SIDE + 0.04), top - (line + 1) * (_SIDE + 0.04) + 0.04
            axes = figure.add_axes((x / style.WIDTH, y / total, _SIDE / style.WIDTH, _SIDE / total))
            _picture(axes, picture, most, signed_colors=signed_colors)
        top -= count * (_SIDE + 0.04)
    return figure


def _picture(axes: Axes, picture: Numbers, most: float, *, signed_colors: bool) -> None:
    if picture.ndim == 3:
        colors = picture / most / 2 + 0.5 if signed_colors else picture / most
        axes.imshow(np.clip(colors, 0, 1), interpolation="nearest")
    else:
        axes.imshow(picture, cmap=_SIGNED, vmin=-most, vmax=most, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_linewidth(0.4)
        side.set_color("#AAAAAA")
