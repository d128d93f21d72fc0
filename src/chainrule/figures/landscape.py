"""Figures of descent: the loss over one weight or two, with the steps that were taken; regions a classifier makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from chainrule._base.errors import ShapeError
from chainrule.figures import style
from chainrule.figures.style import BLUE, GREY, INK, ORANGE, SMALL


def descent_1d(
    weights: npt.ArrayLike,
    losses: npt.ArrayLike,
    steps: npt.ArrayLike,
    step_losses: npt.ArrayLike,
    *,
    slope: float | None = None,
    name: str = "weight",
) -> Figure:
    """Loss over one weight, the steps taken so far, and the tangent at the last of them.

    Args:
        weights: places at which the loss is known, rising.
        losses: the loss there.
        steps: the weight before the first step, after it, and so on.
        step_losses: the loss at each of these.
        slope: derivative at the last of ``steps``; draws the tangent.
        name: name of the weight.

    Example:
        >>> figure = descent_1d([-1, 0, 1], [1, 0, 1], [-1, -0.5], [1, 0.25], slope=-1.0)
        >>> figure.axes[0].get_xlabel()
        'weight'
    """
    weights = style.one_dimensional("weights", weights, "descent_1d")
    losses = style.one_dimensional("losses", losses, "descent_1d")
    steps = style.one_dimensional("steps", steps, "descent_1d")
    step_losses = style.one_dimensional("step_losses", step_losses, "descent_1d")
    style.same_length("descent_1d", weights=weights, losses=losses)
    style.same_length("descent_1d", steps=steps, step_losses=step_losses)
    figure, axes = style.panel()
    axes.plot(*style.thin(weights, losses), color=BLUE, linewidth=1.8)
    axes.plot(steps, step_losses, "o-", color=ORANGE, markersize=5, linewidth=1, alpha=0.9)
    room = 0.08 * (float(losses.max() - losses.min()) or 1.0)
    axes.set_xlim(float(weights.min()), float(weights.max()))
    axes.set_ylim(float(losses.min()) - room, float(losses.max()) + room)
    if slope is not None:
        reach = 0.14 * float(weights.max() - weights.min())
        ends = np.array([-reach, reach])
        axes.plot(steps[-1] + ends, step_losses[-1] + slope * ends, color=INK, linewidth=1.4, linestyle="--")
        told = f"slope {style.number(slope)}"
        axes.annotate(
            told, (steps[-1], step_losses[-1]), xytext=(8, 8), textcoords="offset points", fontsize=SMALL, color=INK
        )
    style.titles(axes, f"Descent, step {len(steps) - 1}", style.label(name), "loss")
    return figure


def descent_frames(
    weights: npt.ArrayLike,
    losses: npt.ArrayLike,
    steps: npt.ArrayLike,
    step_losses: npt.ArrayLike,
    slopes: npt.ArrayLike,
    *,
    name: str = "weight",
) -> list[Figure]:
    """The pictures of :func:`descent_1d` one after another: one for each entry of ``steps``.

    Example:
        >>> frames = descent_frames([-1, 0, 1], [1, 0, 1], [-1, -0.5, -0.25], [1, 0.25, 0.0625], [-2, -1, -0.5])
        >>> len(frames)
        3
    """
    steps = style.one_dimensional("steps", steps, "descent_frames")
    step_losses = style.one_dimensional("step_losses", step_losses, "descent_frames")
    slopes = style.one_dimensional("slopes", slopes, "descent_frames")
    style.same_length("descent_frames", steps=steps, step_losses=step_losses, slopes=slopes)
    return [
        descent_1d(weights, losses, steps[:count], step_losses[:count], slope=float(slopes[count - 1]), name=name)
        for count in range(1, len(steps) + 1)
    ]


def contour_path(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    losses: npt.ArrayLike,
    paths: Mapping[str, npt.ArrayLike],
    *,
    names: tuple[str, str] = ("weight 1", "weight 2"),
) -> Figure:
    """Contours of a loss over two weights with the paths of one or more descents.

    Args:
        x: places of the first weight.
        y: places of the second weight.
        losses: ``[len(y), len(x)]``.
        paths: name (an optimizer, a learning rate) -> ``[steps, 2]``.
        names: names of the two weights.

    Raises:
        ShapeError: ``losses`` or a path has another shape.

    Example:
        >>> bowl = [[2, 1, 2], [1, 0, 1]]
        >>> figure = contour_path([-1, 0, 1], [-1, 0], bowl, {"sgd": [[1, -1], [0.2, 0]]})
        >>> figure.axes[0].get_ylabel()
        'weight 2'
    """
    x = style.one_dimensional("x", x, "contour_path")
    y = style.one_dimensional("y", y, "contour_path")
    surface = np.asarray(losses, dtype=np.float64)
    if surface.shape != (len(y), len(x)):
        raise ShapeError(
            f"contour_path: losses must have shape {(len(y), len(x))}, [y, x]; received {surface.shape}. "
            "Use numpy.meshgrid(x, y)."
        )
    figure, axes = style.panel(height=3.6)
    axes.contourf(x, y, surface, levels=14, cmap="Greys", alpha=0.35)
    axes.contour(x, y, surface, levels=14, colors=GREY, linewidths=0.5)
    for index, (name, path) in enumerate(paths.items()):
        points = np.asarray(path, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2:
            raise ShapeError(
                f"contour_path: paths[{name!r}] must have shape (steps, 2); received {points.shape}. "
                "Pass one pair of weights a step."
            )
        across, up = style.thin(points[:, 0], points[:, 1])
        color = (ORANGE, BLUE, *style.SERIES[2:])[index % 7]
        dashes = style.DASHES[index % 7]
        axes.plot(across, up, color=color, linestyle=dashes, marker=".", markersize=4, linewidth=1.2)
        axes.plot(across[-1:], up[-1:], "o", color=color, markersize=6, label=style.label(name))
    axes.set_xlim(float(x.min()), float(x.max()))
    axes.set_ylim(float(y.min()), float(y.max()))
    style.titles(axes, "Loss and path", style.label(names[0]), style.label(names[1]))
    style.legend(axes)
    return figure


def decision_regions(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    predictions: npt.ArrayLike | Mapping[str, npt.ArrayLike],
    *,
    points: npt.ArrayLike | None = None,
    labels: Sequence[object] | None = None,
    names: tuple[str, str] = ("x1", "x2"),
) -> Figure:
    """What a classifier answers over a plane, with the data on top; several classifiers side by side.

    Args:
        x: places on the horizontal axis.
        y: places on the vertical axis.
        predictions: ``[len(y), len(x)]`` of class numbers 0, 1, ...; or model -> such a grid.
        points: ``[rows, 2]`` of the data.
        labels: class of each row of ``points``; drawn in the colour (and marker) of its class in sorted order.
        names: names of the two inputs.

    Example:
        >>> grid = [[0, 1, 1], [0, 0, 1]]
        >>> figure = decision_regions([0, 1, 2], [0, 1], {"linear": grid, "network": grid})
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['linear', 'network']
    """
    x = style.one_dimensional("x", x, "decision_regions")
    y = style.one_dimensional("y", y, "decision_regions")
    grids = dict(predictions) if isinstance(predictions, Mapping) else {"Decision regions": predictions}
    width = style.WIDTH if len(grids) == 1 else 2.6 * len(grids) + 0.4
    figure, made = style.panels(1, len(grids), width=width, height=3.2, gap=0.45)
    for axes, (name, values) in zip(made, grids.items(), strict=True):
        grid = np.asarray(values, dtype=np.float64)
        if grid.shape != (len(y), len(x)):
            raise ShapeError(
                f"decision_regions: predictions must have shape {(len(y), len(x))}, [y, x]; received {grid.shape}. "
                "Use numpy.meshgrid(x, y)."
            )
        count = max(2, int(np.nanmax(grid)) + 1)
        colors = ListedColormap([style.SERIES[index % 7] for index in range(count)])
        edges = (*_outer_edges(x), *_outer_edges(y))
        axes.imshow(grid, extent=edges, origin="lower", aspect="auto", cmap=colors, vmin=0, vmax=count - 1, alpha=0.25)
        if points is not None:
            _scatter(axes, np.asarray(points, dtype=np.float64), labels)
        axes.set_xlim(float(x[0]), float(x[-1]))
        axes.set_ylim(float(y[0]), float(y[-1]))
        axes.grid(visible=False)
        style.titles(axes, style.label(name, most=24), style.label(names[0]), style.label(names[1]))
    return figure


def _scatter(axes: Axes, points: style.FloatArray, labels: Sequence[object] | None) -> None:
    if points.ndim != 2 or points.shape[1] != 2:
        raise ShapeError(
            f"decision_regions: points must have shape (rows, 2); received {points.shape}. Pass two inputs a row."
        )
    groups = np.zeros(len(points), int)
    classes: list[object] = ["data"]
    if labels is not None:
        style.same_length("decision_regions", points=points, labels=labels)
        found, groups = np.unique(np.asarray(labels), return_inverse=True)
        classes = list(found)
    for index, name in enumerate(classes):
        own = points[groups == index]
        across, up = style.thin(own[:, 0], own[:, 1])
        axes.scatter(
            across,
            up,
            s=14,
            color=style.SERIES[index % 7],
            marker="os^Dvp*"[index % 7],
            linewidths=0.3,
            edgecolors="white",
            label=style.label(name),
        )
    if len(classes) > 1:
        style.legend(axes)


def _outer_edges(places: style.FloatArray) -> tuple[float, float]:
    """Ends of an image whose pixels are centred on evenly spaced ``places``."""
    half = float(places[-1] - places[0]) / max(1, len(places) - 1) / 2
    return float(places[0]) - half, float(places[-1]) + half
