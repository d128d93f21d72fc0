"""Figures that compare: which column matters, and whether the network beats simpler models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from chainrule.figures import style
from chainrule.figures.style import BLUE, GREY, INK, SMALL, YELLOW


def permutation_importance(
    columns: Sequence[object],
    importance: npt.ArrayLike,
    spread: npt.ArrayLike | None = None,
    *,
    metric: str = "score",
    higher_is_better: bool = True,
    most: int = 20,
) -> Figure:
    """How much worse a metric gets when one column's values are shuffled, largest first, with the spread of repeats.

    Args:
        columns: names.
        importance: by how much the metric gets worse for each column, on average (negative: shuffling helped).
        spread: standard deviation over repeats, drawn as a line to both sides.
        metric: name of the metric.
        higher_is_better: whether the metric gets worse by falling (accuracy) or by rising (an error).
        most: number of columns drawn.

    Example:
        >>> figure = permutation_importance(["age", "sex"], [0.01, 0.09], [0.01, 0.02], metric="ROC-AUC")
        >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
        ['sex', 'age']
    """
    importance = style.one_dimensional("importance", importance, "permutation_importance")
    style.same_length("permutation_importance", columns=columns, importance=importance)
    order = np.argsort(-importance, kind="stable")[:most]
    error = None
    if spread is not None:
        error = style.one_dimensional("spread", spread, "permutation_importance")
        style.same_length("permutation_importance", columns=columns, spread=error)
        error = error[order]
    figure, axes = style.panel(left=1.4, height=0.95 + 0.21 * max(len(order), 3))
    places = np.arange(len(order))
    axes.barh(
        places,
        importance[order],
        0.66,
        color=BLUE,
        xerr=error,
        error_kw={"ecolor": INK, "elinewidth": 1.0, "capsize": 2},
    )
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    style.ticks(axes, "y", places.tolist(), [columns[index] for index in order], most=20)
    left_out = len(importance) - len(order)
    title = "Which columns matter" + (f" (first {len(order)} of {len(importance)})" if left_out else "")
    worse = "fall" if higher_is_better else "rise"
    style.titles(axes, title, f"{worse} of {style.label(metric)} when the column is shuffled")
    return figure


def baseline_comparison(
    scores: Mapping[str, float],
    *,
    metric: str = "score",
    intervals: Mapping[str, tuple[float, float]] | None = None,
    model: str | None = None,
) -> Figure:
    """One bar a model for one metric: the network beside what it has to beat.

    Args:
        scores: model name -> value.
        metric: name of the metric, with its unit and whether high or low is good.
        intervals: model name -> (low, high), drawn as a line.
        model: the name to stress; by default the first.

    Example:
        >>> figure = baseline_comparison({"network": 0.91, "logistic regression": 0.90, "majority class": 0.5})
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['0.910', '0.900', '0.500']
    """
    style.nonempty("scores", list(scores), "baseline_comparison")
    stressed = next(iter(scores)) if model is None else model
    values = style.one_dimensional("scores", list(scores.values()), "baseline_comparison")
    figure, axes = style.panel(left=1.5, height=0.95 + 0.34 * max(len(scores), 2))
    low, high = min(0.0, float(np.nanmin(values))), max(0.0, float(np.nanmax(values)))
    reach, texts = high, style.numbers(values)
    for place, (name, value) in enumerate(scores.items()):
        axes.barh(place, value, 0.62, color=BLUE if name == stressed else YELLOW)
        end = max(value, 0.0)
        if intervals and name in intervals:
            axes.plot(intervals[name], [place, place], color=INK, linewidth=1.2)
            end = max(end, *intervals[name])
        reach = max(reach, end)
        axes.text(end + 0.015 * (high - low or 1.0), place, texts[place], va="center", fontsize=SMALL, color=INK)
    axes.set_xlim(low, reach + 0.14 * (high - low or 1.0))
    axes.set_ylim(len(scores) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    style.ticks(axes, "y", range(len(scores)), list(scores))
    style.titles(axes, "Against simpler models", style.label(metric, most=60))
    return figure
