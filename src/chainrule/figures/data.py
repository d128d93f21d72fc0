"""Figures of data: how rows are divided and folded, how many there are of each class, how values spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from chainrule._base.errors import ArgumentError
from chainrule.figures import style
from chainrule.figures.style import BLUE, GREEN, ORANGE, SMALL, TEXT


def split_bar(parts: Mapping[str, int]) -> Figure:
    """One bar divided into training, validation and test rows, with numbers and percentages.

    Args:
        parts: part -> number of rows, in the order to draw.

    Raises:
        ArgumentError: no rows at all, or a negative number.

    Example:
        >>> figure = split_bar({"training": 180, "validation": 60, "test": 60})
        >>> figure.axes[0].texts[0].get_text()
        'training'
    """
    total = sum(parts.values())
    if total <= 0 or min(parts.values()) < 0:
        raise ArgumentError(
            f"split_bar: parts must be numbers of rows, not negative and not all 0; received {dict(parts)!r:.80}. "
            "Pass for example {'training': 180, 'test': 60}."
        )
    figure, axes = style.canvas(style.WIDTH, 1.15)
    x, full = 0.1, style.WIDTH - 0.2
    least = 0.75  # inches: every part keeps room for its number
    widths = np.maximum([full * rows / total for rows in parts.values()], min(least, full / len(parts)))
    widths *= full / widths.sum()
    for index, ((name, rows), width) in enumerate(zip(parts.items(), widths, strict=True)):
        axes.add_patch(style.box(x, 0.28, width - 0.03, 0.42, style.SERIES[index % 7]))
        centre = x + width / 2
        axes.text(centre, 0.8, style.label(name, most=14), ha="center", fontsize=TEXT, color=style.INK)
        shown = f"{rows:,}"
        axes.text(centre, 0.49, shown, ha="center", va="center", color="white", fontsize=TEXT, fontweight="bold")
        axes.text(centre, 0.09, f"{100 * rows / total:.0f} %", ha="center", fontsize=SMALL, color=style.GREY)
        x += width
    return figure


def kfold_grid(folds: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]]) -> Figure:
    """K-fold cross-validation as a grid: one line a fold, one column a row of the data, coloured by what it is for.

    Args:
        folds: for each fold the numbers of its training and of its validation rows, counted from 0. A row in neither
            stays grey.

    Raises:
        ArgumentError: no folds, or row numbers that are negative or in both parts of a fold.

    Example:
        >>> figure = kfold_grid([([2, 3, 4, 5], [0, 1]), ([0, 1, 4, 5], [2, 3]), ([0, 1, 2, 3], [4, 5])])
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['fold 1', 'fold 2', 'fold 3']
    """
    style.nonempty("folds", folds, "kfold_grid")
    parts = [(np.asarray(train, dtype=np.int64), np.asarray(held, dtype=np.int64)) for train, held in folds]
    everything = np.concatenate([rows.ravel() for pair in parts for rows in pair])
    if everything.size == 0 or everything.min() < 0 or any(np.intersect1d(*pair).size for pair in parts):
        raise ArgumentError(
            "kfold_grid: each fold must be (training rows, validation rows), whole numbers from 0, no row in both; "
            "received none, a negative one or one in both. Pass the folds of chainrule.data.kfold."
        )
    grid = np.zeros((len(parts), int(everything.max()) + 1))
    for line, (train, held) in zip(grid, parts, strict=True):
        line[train], line[held] = 1, 2
    figure, axes = style.panel(left=0.62, top=0.62, height=1.3 + 0.26 * len(parts))
    colors = ListedColormap([style.PALE, BLUE, ORANGE])
    edges = np.arange(grid.shape[1] + 1) - 0.5
    axes.pcolormesh(edges, np.arange(len(parts) + 1) - 0.5, grid, cmap=colors, vmin=-0.5, vmax=2.5, rasterized=True)
    axes.hlines(np.arange(1, len(parts)) - 0.5, edges[0], edges[-1], color="white", linewidth=3)
    axes.set_ylim(len(parts) - 0.5, -0.5)
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    style.ticks(axes, "y", range(len(parts)), [f"fold {number + 1}" for number in range(len(parts))])
    style.whole_numbers(axes)
    style.titles(axes, f"{len(parts)}-fold cross-validation", "row")
    axes.bar([0], [0], color=BLUE, label="training")
    axes.bar([0], [0], color=ORANGE, label="validation")
    axes.set_xlim(edges[0], edges[-1])
    style.legend_above(axes)
    return figure


def class_counts(
    classes: Sequence[object],
    counts: npt.ArrayLike,
    *,
    after: npt.ArrayLike | None = None,
    names: tuple[str, str] = ("before", "after"),
    unit: str = "rows",
) -> Figure:
    """Number of rows (or what ``unit`` says) of each class, and beside it the number after resampling, if given.

    Example:
        >>> figure = class_counts(["cats", "axolotls"], [5000, 25], after=[25, 25])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['5,000', '25', '25', '25']
    """
    rows = [style.one_dimensional("counts", counts, "class_counts")]
    if after is not None:
        rows.append(style.one_dimensional("after", after, "class_counts"))
    for row in rows:
        style.same_length("class_counts", classes=classes, counts=row)
    figure, axes = style.panel(left=1.25, bottom=0.45, height=max(1.5, 0.9 + 0.32 * len(classes) * len(rows)))
    thickness = 0.8 / len(rows)
    top = max(1.0, *(float(row.max()) for row in rows))
    for index, row in enumerate(rows):
        places = np.arange(len(row)) - 0.4 + thickness * (index + 0.5)
        axes.barh(places, row, thickness * 0.92, color=(BLUE, ORANGE)[index], label=style.label(names[index]))
        for place, count in zip(places, row, strict=True):
            axes.text(count + 0.012 * top, place, f"{count:,.0f}", va="center", fontsize=SMALL, color=style.INK)
    axes.set_xlim(0, top * 1.16)
    axes.set_ylim(len(classes) - 0.5, -0.5)
    style.ticks(axes, "y", range(len(classes)), classes, most=18)
    axes.grid(visible=False, axis="y")
    style.titles(axes, f"{style.label(unit.capitalize())} of each class", style.label(unit))
    if len(rows) > 1:
        style.legend(axes, "lower right")
    return figure


def histogram(
    values: npt.ArrayLike | Mapping[str, npt.ArrayLike],
    *,
    bins: int = 20,
    title: str = "Predictions",
    name: str = "predicted value",
    threshold: float | None = None,
) -> Figure:
    """Counts of values (predictions, probabilities, a column), one outline for each group.

    Args:
        values: one vector, or group -> vector (for example true class -> predicted probability).
        bins: number of equally wide bins over the whole range.
        title: title of the figure.
        name: name and unit of the horizontal axis.
        threshold: a vertical line, for example the probability above which the answer is yes.

    Example:
        >>> figure = histogram({"no": [0.1, 0.2], "yes": [0.7, 0.9]}, threshold=0.5)
        >>> len(figure.axes[0].patches)
        2
    """
    groups = dict(values) if isinstance(values, Mapping) else {"": values}
    arrays = {key: style.one_dimensional("values", group, "histogram") for key, group in groups.items()}
    arrays = {key: group[np.isfinite(group)] for key, group in arrays.items()}
    everything = np.concatenate(list(arrays.values()))
    if everything.size == 0:
        raise ArgumentError("histogram: values must hold a finite number; received none. Check the predictions.")
    edges = np.histogram_bin_edges(everything, bins)
    figure, axes = style.panel()
    for index, (group, members) in enumerate(arrays.items()):
        heights, _ = np.histogram(members, edges)
        color = (BLUE, ORANGE, GREEN, *style.SERIES[3:])[index % 7]
        axes.stairs(
            heights,
            edges,
            fill=True,
            facecolor=color + "40",
            edgecolor=color,
            linewidth=1.4,
            linestyle=style.DASHES[index % 7],
            label=style.label(group),
        )
    if threshold is not None:
        axes.axvline(threshold, color=style.INK, linewidth=1, linestyle=":")
        axes.annotate(
            f"threshold {style.number(threshold)}",
            (threshold, 0.94),
            xycoords=("data", "axes fraction"),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=SMALL,
            color=style.INK,
        )
    style.titles(axes, style.label(title), style.label(name), "rows")
    if len(arrays) > 1:
        style.legend(axes)
    return figure
