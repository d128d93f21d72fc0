"""Figures that judge a classifier on rows it has not learned from. The curves come ready-made as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chainrule._base.errors import ShapeError
from chainrule.figures import style
from chainrule.figures.style import BLUE, GREEN, GREY, INK, ORANGE, PALE, SMALL, TEXT

Curves = Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]]


def roc_curve(
    false_positive_rate: npt.ArrayLike,
    true_positive_rate: npt.ArrayLike,
    *,
    area: float | None = None,
    operating_point: tuple[float, float] | None = None,
    others: Curves | None = None,
) -> Figure:
    """Sensitivity against 1 − specificity over all thresholds; the diagonal is guessing.

    Args:
        false_positive_rate: 1 − specificity at each threshold.
        true_positive_rate: sensitivity at each threshold.
        area: area under the curve, for the title.
        operating_point: (false positive rate, true positive rate) at the threshold in use; marked.
        others: further curves by name, for example of a baseline.

    Example:
        >>> roc_curve([0, 0.1, 1], [0, 0.8, 1], area=0.85).axes[0].get_title(loc="left")
        'ROC curve, area 0.850'
    """
    others = others or {}
    figure, axes = style.panel()
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="guessing")
    _curves(axes, {"model": (false_positive_rate, true_positive_rate), **others}, "roc_curve")
    if operating_point is not None:
        axes.plot(*operating_point, "o", color=GREEN, markersize=7, zorder=5, label="threshold in use")
    _unit_square(axes)
    shown = "" if area is None else f", area {area:.3f}"
    style.titles(axes, f"ROC curve{shown}", "false positive rate (1 − specificity)", "sensitivity (true positives)")
    style.legend(axes, "lower right")
    return figure


def precision_recall_curve(
    recall: npt.ArrayLike,
    precision: npt.ArrayLike,
    *,
    average_precision: float | None = None,
    prevalence: float | None = None,
    operating_point: tuple[float, float] | None = None,
    others: Curves | None = None,
) -> Figure:
    """Precision against recall over all thresholds; the line at the prevalence is guessing.

    Args:
        recall: recall (sensitivity) at each threshold.
        precision: precision (positive predictive value) at each threshold.
        average_precision: for the title.
        prevalence: share of positive rows.
        operating_point: (recall, precision) at the threshold in use; marked.
        others: further curves by name.

    Example:
        >>> precision_recall_curve([1, 0.5, 0], [0.3, 0.8, 1], prevalence=0.3).axes[0].get_xlabel()
        'recall (sensitivity)'
    """
    others = others or {}
    figure, axes = style.panel()
    if prevalence is not None:
        axes.axhline(prevalence, color=GREY, linewidth=1, linestyle=":", label="guessing")
    _curves(axes, {"model": (recall, precision), **others}, "precision_recall_curve")
    if operating_point is not None:
        axes.plot(*operating_point, "o", color=GREEN, markersize=7, zorder=5, label="threshold in use")
    _unit_square(axes)
    shown = "" if average_precision is None else f", average precision {average_precision:.3f}"
    style.titles(axes, f"Precision and recall{shown}", "recall (sensitivity)", "precision")
    style.legend(axes, "lower left")
    return figure


def calibration_curve(predicted: npt.ArrayLike, observed: npt.ArrayLike, counts: npt.ArrayLike | None = None) -> Figure:
    """Reliability diagram: observed share of positives against the predicted probability, with rows per bin.

    Args:
        predicted: mean predicted probability of each bin, rising.
        observed: share of positive rows in each bin.
        counts: rows in each bin; drawn as bars below, since a bin of three rows proves little.

    Example:
        >>> figure = calibration_curve([0.1, 0.5, 0.9], [0.0, 0.6, 0.8], [20, 12, 25])
        >>> len(figure.axes)
        2
    """
    predicted = style.one_dimensional("predicted", predicted, "calibration_curve")
    observed = style.one_dimensional("observed", observed, "calibration_curve")
    style.same_length("calibration_curve", predicted=predicted, observed=observed)
    figure, axes = style.panel()
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="perfectly calibrated")
    axes.plot(predicted, observed, "o-", color=BLUE, linewidth=1.6, markersize=5, label="model")
    _unit_square(axes)
    style.titles(axes, "Calibration", "predicted probability", "observed share of positives")
    if counts is not None:
        counts = style.one_dimensional("counts", counts, "calibration_curve")
        style.same_length("calibration_curve", predicted=predicted, counts=counts)
        below = axes.twinx()
        below.bar(predicted, counts, width=0.05, color=PALE, zorder=0)
        below.set_ylim(0, 4.5 * max(1.0, float(counts.max())))
        below.set_axis_off()
        axes.set_zorder(below.get_zorder() + 1)
        axes.patch.set_visible(False)
        for place, count in zip(predicted, counts, strict=True):
            below.text(place, count, f"{count:.0f}", ha="center", va="bottom", fontsize=6.5, color=GREY)
    style.legend(axes, "upper left")
    return figure


def confusion_matrix(counts: npt.ArrayLike, classes: Sequence[object]) -> Figure:
    r"""True class by row, predicted class by column: counts, and the share of each row.

    Args:
        counts: ``[classes, classes]``; row = truth, column = prediction.
        classes: names in that order.

    Raises:
        ShapeError: ``counts`` is not square, or its size is not the number of classes.

    Example:
        >>> figure = confusion_matrix([[50, 10], [5, 35]], ["no", "yes"])
        >>> figure.axes[0].texts[0].get_text()
        '50\n83 %'
    """
    table = np.asarray(counts, dtype=np.float64)
    size = len(classes)
    if table.shape != (size, size):
        raise ShapeError(
            f"confusion_matrix: counts must have shape ({size}, {size}), one row and column for each class; "
            f"received shape {table.shape}. Pass row = truth, column = prediction."
        )
    totals = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, totals, out=np.zeros_like(table), where=totals > 0)
    side = float(np.clip(0.55 * size + 1.6, 2.8, 6.4))
    figure, axes = style.panel(width=max(style.WIDTH, side + 0.6), height=side, left=1.15, bottom=0.75)
    blues = np.array([1.0, 1.0, 1.0]) + shares[..., None] * (np.array([0.0, 0.447, 0.698]) - 1.0)
    if size > 30:  # so many small shapes would make a heavy file
        axes.imshow(blues, aspect="auto")
    else:
        edges = np.arange(size + 1) - 0.5
        axes.pcolormesh(edges, edges, blues)
    axes.set_ylim(size - 0.5, -0.5)
    if size <= 12:
        for row, column in np.ndindex(size, size):
            text = f"{table[row, column]:,.0f}\n{100 * shares[row, column]:.0f} %"
            color = "white" if shares[row, column] > 0.55 else INK
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize=TEXT if size < 6 else 6.5)
    axes.grid(visible=False)
    style.ticks(axes, "x", range(size), classes)
    style.ticks(axes, "y", range(size), classes, most=14)
    axes.tick_params(axis="x", labelrotation=35 if size > 4 else 0)
    style.titles(axes, "Confusion matrix", "predicted class", "true class")
    return figure


def softmax_bars(
    scores: npt.ArrayLike, probabilities: npt.ArrayLike, classes: Sequence[object], *, target: int | None = None
) -> Figure:
    """Scores, the softmax probabilities they become, and the one-hot target, side by side.

    Args:
        scores: the network's output before softmax, one a class.
        probabilities: after softmax.
        classes: names.
        target: index of the true class.

    Example:
        >>> figure = softmax_bars([1, 2, 3], [0.0900, 0.2447, 0.6652], ["cat", "dog", "owl"], target=2)
        >>> len(figure.axes)
        3
    """
    scores = style.one_dimensional("scores", scores, "softmax_bars")
    probabilities = style.one_dimensional("probabilities", probabilities, "softmax_bars")
    style.same_length("softmax_bars", scores=scores, probabilities=probabilities, classes=classes)
    columns = [("Scores", scores, BLUE), ("Probabilities", probabilities, ORANGE)]
    if target is not None:
        columns.append(("Truth (one-hot)", np.eye(len(classes))[target], GREEN))
    figure, made = style.panels(
        1, len(columns), height=max(1.6, 0.9 + 0.3 * len(classes)), left=0.85, gap=0.18, bottom=0.3
    )
    for index, (axes, (name, values, color)) in enumerate(zip(made, columns, strict=True)):
        axes.barh(range(len(values)), values, 0.7, color=color)
        low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
        room = 0.35 * (high - low or 1.0)
        for place, value in enumerate(values):
            axes.text(max(value, 0) + 0.05 * room, place, style.number(value), va="center", fontsize=SMALL)
        axes.set_xlim(low, high + room)
        axes.set_ylim(len(values) - 0.5, -0.5)
        axes.grid(visible=False)
        axes.xaxis.set_ticks([])
        shown = classes if index == 0 else [""] * len(values)
        style.ticks(axes, "y", range(len(values)), shown, most=11)
        axes.set_title(name, fontsize=TEXT, loc="left", color=INK)
    return figure


def _curves(axes: Axes, curves: Curves, owner: str) -> None:
    for index, (name, (across, up)) in enumerate(curves.items()):
        x = style.one_dimensional(f"{name} (horizontal)", across, owner)
        y = style.one_dimensional(f"{name} (vertical)", up, owner)
        style.same_length(owner, horizontal=x, vertical=y)
        x, y = style.thin(x, y)
        axes.plot(
            x,
            y,
            color=(BLUE, ORANGE, *style.SERIES[3:])[index % 6],
            linestyle=style.DASHES[index % 7],
            linewidth=1.8 if index == 0 else 1.2,
            label=style.label(name),
        )


def _unit_square(axes: Axes) -> None:
    axes.set_xlim(-0.015, 1.015)
    axes.set_ylim(-0.015, 1.03)
