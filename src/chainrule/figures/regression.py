"""Figures that judge a regression: predicted against true values, residuals, fits of one input, capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from chainrule.figures import style
from chainrule.figures.style import BLUE, GREEN, GREY, INK, ORANGE, SMALL


def predicted_vs_actual(predictions: npt.ArrayLike, targets: npt.ArrayLike, *, name: str = "target") -> Figure:
    r"""Predictions against true values; a perfect model puts every dot on the diagonal.

    Args:
        predictions: one value a row; at most 2,000 evenly spaced rows are drawn.
        targets: the true value of each row.
        name: name and unit of the target.

    Example:
        >>> predicted_vs_actual([1.1, 1.9], [1.0, 2.0], name="price ($)").axes[0].get_xlabel()
        'true price (\\$)'
    """
    predictions, targets = _pairs(predictions, targets, "predicted_vs_actual")
    figure, axes = style.panel(left=0.8)
    low, high = _range(predictions, targets)
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, linestyle=":")
    axes.scatter(targets, predictions, s=9, color=BLUE, alpha=0.45, linewidths=0)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    style.plain_numbers(axes)
    shown = style.label(name, most=28)
    style.titles(axes, "Predicted against true", f"true {shown}", f"predicted {shown}")
    return figure


def residuals(predictions: npt.ArrayLike, targets: npt.ArrayLike, *, name: str = "target") -> Figure:
    """Error ``prediction − truth`` against the prediction: a band around zero without shape is what one wants.

    Args:
        predictions: one value a row; at most 2,000 evenly spaced rows are drawn.
        targets: the true value of each row.
        name: name and unit of the target.

    Example:
        >>> residuals([1.1, 1.9], [1.0, 2.0]).axes[0].get_ylabel()
        'predicted − true'
    """
    predictions, targets = _pairs(predictions, targets, "residuals")
    figure, axes = style.panel(left=0.8)
    axes.axhline(0, color=GREY, linewidth=1, linestyle=":")
    axes.scatter(predictions, predictions - targets, s=9, color=BLUE, alpha=0.45, linewidths=0)
    style.plain_numbers(axes)
    style.titles(axes, "Errors (residuals)", f"predicted {style.label(name, most=28)}", "predicted − true")
    return figure


def regression_fit(
    x: npt.ArrayLike, y: npt.ArrayLike, grid: npt.ArrayLike, fits: Mapping[str, npt.ArrayLike]
) -> Figure:
    """One input, one output: the data as dots, and what models make of it (a red line, a green curve, ...).

    Args:
        x: input of each data point.
        y: output of each data point.
        grid: inputs at which the fits are given, rising.
        fits: name -> output at each grid point. The first is drawn red, the second green.

    Example:
        >>> figure = regression_fit([0, 1, 2], [0, 1, 4], [0, 2], {"linear": [-0.3, 3.7], "network": [0, 4]})
        >>> [line.get_label() for line in figure.axes[0].lines]
        ['linear', 'network']
    """
    x, y = _pairs(x, y, "regression_fit")
    grid = style.one_dimensional("grid", grid, "regression_fit")
    figure, axes = style.panel()
    axes.scatter(x, y, s=12, color=INK, alpha=0.45, linewidths=0, label="data")
    for index, (name, fit) in enumerate(fits.items()):
        fit = style.one_dimensional(f"fits[{name!r}]", fit, "regression_fit")
        style.same_length("regression_fit", grid=grid, fit=fit)
        colors = (ORANGE, GREEN, *style.SERIES[3:])
        axes.plot(
            *style.thin(grid, fit),
            color=colors[index % 6],
            linestyle=style.DASHES[index % 7],
            linewidth=2,
            label=style.label(name),
        )
    style.titles(axes, "Fit", "x", "y")
    style.legend(axes)
    return figure


def capacity_triple(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    grid: npt.ArrayLike,
    fits: Sequence[tuple[str, npt.ArrayLike, float, float]],
) -> Figure:
    """Under-fit, appropriate, over-fit: the same points and three models of rising capacity.

    Args:
        x: input of each training point.
        y: output of each training point.
        grid: inputs at which the fits are given, rising.
        fits: (name, output at each grid point, training loss, validation loss) for each panel.

    Example:
        >>> fits = [("under-fit", [1, 1], 0.9, 1.0), ("good", [0, 2], 0.1, 0.12), ("over-fit", [2, 0], 0.0, 3.0)]
        >>> len(capacity_triple([0, 1], [0, 2], [0, 1], fits).axes)
        3
    """
    x, y = _pairs(x, y, "capacity_triple")
    grid = style.one_dimensional("grid", grid, "capacity_triple")
    style.nonempty("fits", fits, "capacity_triple")
    figure, made = style.panels(1, len(fits), width=1.9 * len(fits) + 0.5, height=2.5, left=0.4, gap=0.2)
    low, high = float(y.min()), float(y.max())
    room = 0.25 * (high - low or 1.0)
    for index, (axes, (name, fit, train, validation)) in enumerate(zip(made, fits, strict=True)):
        fit = style.one_dimensional(f"fits[{index}]", fit, "capacity_triple")
        style.same_length("capacity_triple", grid=grid, fit=fit)
        axes.scatter(x, y, s=10, color=INK, alpha=0.5, linewidths=0)
        axes.plot(*style.thin(grid, fit), color=(ORANGE, GREEN, BLUE)[index % 3], linewidth=1.8)
        axes.set_ylim(low - room, high + room)
        if index:
            axes.tick_params(labelleft=False)
        told = f"train {style.number(train)}   validation {style.number(validation)}"
        style.titles(axes, style.label(name, most=22), "")
        axes.set_xlabel(told, fontsize=SMALL, color=INK)
    return figure


def _pairs(first: npt.ArrayLike, second: npt.ArrayLike, owner: str) -> tuple[style.FloatArray, style.FloatArray]:
    one = style.one_dimensional("the first argument", first, owner)
    two = style.one_dimensional("the second argument", second, owner)
    style.same_length(owner, first=one, second=two)
    kept = np.isfinite(one) & np.isfinite(two)
    one, two = style.thin(one[kept], two[kept])
    return one, two


def _range(*arrays: style.FloatArray) -> tuple[float, float]:
    everything = np.concatenate(arrays)
    if everything.size == 0:
        return 0.0, 1.0
    low, high = float(everything.min()), float(everything.max())
    room = 0.04 * (high - low or 1.0)
    return low - room, high + room
