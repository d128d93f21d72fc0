"""Figures of training: learning curves, rates, gradients, accumulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from chainrule._base.checks import check_int, check_positive_int
from chainrule.figures import style
from chainrule.figures.style import BLUE, GREEN, GREY, ORANGE, SMALL

_DECADES = 100  # largest over smallest loss, from which the axis is logarithmic


def learning_curves(
    train_loss: npt.ArrayLike,
    validation_loss: npt.ArrayLike | None = None,
    *,
    train_metric: npt.ArrayLike | None = None,
    validation_metric: npt.ArrayLike | None = None,
    loss_name: str = "loss",
    metric_name: str = "accuracy",
    best_epoch: int | None = None,
    stopped_epoch: int | None = None,
    baseline_loss: float | None = None,
) -> Figure:
    """Training and validation loss (and metric, in a panel of its own) by epoch, with the early-stopping lines.

    A loss that spans more than two decades gets a logarithmic axis: on a linear one its peak would flatten the rest.

    Args:
        train_loss: one value an epoch.
        validation_loss: one value an epoch, or ``None``.
        train_metric: one value an epoch; with it or ``validation_metric`` a second panel is drawn.
        validation_metric: one value an epoch, or ``None``.
        loss_name: what the loss is called on the axis.
        metric_name: what the metric is called on the axis.
        best_epoch: the epoch whose weights were kept, counted from 1; marked with a dot.
        stopped_epoch: the last epoch that ran because early stopping ended the training; a vertical line.
        baseline_loss: loss of a model that ignores its inputs; a horizontal line.

    Raises:
        ShapeError: a curve has no values or more than one axis.

    Example:
        >>> figure = learning_curves([0.9, 0.5, 0.3], [0.9, 0.6, 0.7], best_epoch=2, stopped_epoch=3)
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['best: epoch 2', 'stopped early']
    """
    has_metric = train_metric is not None or validation_metric is not None
    figure, made = style.panels(2 if has_metric else 1, 1, height=5.0 if has_metric else style.HEIGHT)
    curves: list[tuple[npt.ArrayLike | None, npt.ArrayLike | None, str]]
    curves = [(train_loss, validation_loss, loss_name)]
    if has_metric:
        curves.append((train_metric, validation_metric, metric_name))
    for axes, (train, validation, name) in zip(made, curves, strict=True):
        _curve(axes, train, "training", BLUE, "-")
        _curve(axes, validation, "validation", ORANGE, "--")
        shown = style.label(name)
        style.titles(axes, shown[:1].upper() + shown[1:], "epoch", shown)
        lengths = [np.size(curve) for curve in (train, validation) if curve is not None]
        _from_epoch_one(axes, max(lengths, default=1))
    if baseline_loss is not None and np.isfinite(baseline_loss):
        made[0].axhline(baseline_loss, color=GREY, linewidth=1, linestyle=":", label="baseline")
    _loss_scale(made[0], loss_name)
    for index, axes in enumerate(made):
        _mark_epochs(axes, best_epoch, stopped_epoch, words=index == 0)
        style.legend_above(axes)
    return figure


def _curve(axes: Axes, values: npt.ArrayLike | None, name: str, color: str, dashes: str) -> None:
    if values is None:
        return
    values = style.one_dimensional(f"{name} curve", values, "learning_curves")
    epochs, values = style.thin(np.arange(1.0, len(values) + 1), values)
    marker = "o" if len(values) < 3 else None
    axes.plot(epochs, values, color=color, linestyle=dashes, linewidth=1.6, marker=marker, label=name)


def _loss_scale(axes: Axes, name: str) -> None:
    """A linear or logarithmic axis, with room for words at the top."""
    values = np.concatenate([np.asarray(line.get_ydata(), np.float64) for line in axes.lines])
    values = values[np.isfinite(values) & (values > 0)]
    if values.size and values.max() > _DECADES * values.min():
        style.log_ticks(axes, "y")
        axes.set_ylabel(f"{style.label(name)} (log scale)")
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * (high / low) ** 0.16)
        return
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.16 * (high - low))


def _from_epoch_one(axes: Axes, last: int) -> None:
    """Whole epochs on the horizontal axis, the first of them 1."""
    inside = [tick for tick in MaxNLocator(nbins=6, integer=True).tick_values(1, last) if 1 < tick <= last]
    margin = 0.02 * max(last - 1, 1)  # half a dot
    axes.set_xlim(max(1 - margin, 0.5), last + margin)
    axes.set_xticks([1, *inside], [f"{tick:,.0f}" for tick in (1, *inside)])


def _mark_epochs(axes: Axes, best: int | None, stopped: int | None, *, words: bool) -> None:
    if best is not None:
        check_positive_int("best_epoch", best, "learning_curves")
        shown = axes.lines[1] if len(axes.lines) > 1 and axes.lines[1].get_label() == "validation" else axes.lines[0]
        epochs, values = np.asarray(shown.get_xdata()), np.asarray(shown.get_ydata())
        height = float(values[np.argmin(np.abs(epochs - best))])
        axes.axvline(best, color=GREEN, linewidth=1)
        axes.plot([best], [height], "o", color=GREEN, markersize=6, zorder=5)
        if words:
            _beside_line(axes, best, f"best: epoch {best}", GREEN, 0.94)
    if stopped is not None:
        check_positive_int("stopped_epoch", stopped, "learning_curves")
        axes.axvline(stopped, color=GREY, linewidth=1, linestyle=(0, (4, 2)))
        if words:
            _beside_line(axes, stopped, "stopped early", GREY, 0.88)


def _beside_line(axes: Axes, epoch: float, text: str, color: str, height: float) -> None:
    """Write on the side of a vertical line that has more room."""
    low, high = axes.get_xlim()
    is_right_half = epoch > (low + high) / 2
    axes.annotate(
        text,
        (epoch, height),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if is_right_half else 4, 0),
        textcoords="offset points",
        ha="right" if is_right_half else "left",
        fontsize=SMALL,
        color=color,
    )


def schedule(rates: npt.ArrayLike, *, name: str = "learning rate", unit: str = "step") -> Figure:
    """The learning rate at each step of a schedule, before training spends any time on it.

    Args:
        rates: the rate at steps 0, 1, 2, ...
        name: title of the figure.
        unit: what one entry is: ``step`` or ``epoch``.

    Example:
        >>> schedule([0.1, 0.05, 0.025]).axes[0].get_ylabel()
        'learning rate'
    """
    rates = style.one_dimensional("rates", rates, "schedule")
    figure, axes = style.panel(left=0.75)
    steps, shown = style.thin(np.arange(float(len(rates))), rates)
    axes.plot(steps, shown, color=BLUE, linewidth=1.8)
    axes.set_ylim(bottom=min(0.0, float(rates.min())))
    style.titles(axes, style.label(name), style.label(unit), "learning rate")
    style.whole_numbers(axes)
    return figure


def learning_rates(losses: Mapping[float, npt.ArrayLike], *, ceiling: float | None = None) -> Figure:
    """Loss by step for several learning rates from one start: too small crawls, too large overshoots or diverges.

    Args:
        losses: learning rate -> loss at each step. Curves are cut where they stop being finite.
        ceiling: top of the axis; by default three times the largest starting loss, so that a diverging curve
            leaves the picture instead of flattening the others.

    Example:
        >>> figure = learning_rates({0.01: [4, 3.9], 0.3: [4, 1], 1.1: [4, 5.8]})
        >>> [line.get_label() for line in figure.axes[0].lines]
        ['rate 0.01', 'rate 0.3', 'rate 1.1']
    """
    style.nonempty("losses", list(losses), "learning_rates")
    figure, axes = style.panel()
    starts = []
    for index, (rate, curve) in enumerate(losses.items()):
        curve = style.one_dimensional(f"losses[{rate}]", curve, "learning_rates")
        curve = np.where(np.isfinite(curve), curve, np.nan)
        starts.append(curve[0])
        steps, shown = style.thin(np.arange(float(len(curve))), curve)
        axes.plot(
            steps,
            shown,
            color=style.SERIES[index % 7],
            linestyle=style.DASHES[index % 7],
            linewidth=1.6,
            label=f"rate {style.number(rate)}",
        )
    top = 3 * float(np.nanmax(starts)) if ceiling is None else ceiling
    axes.set_ylim(0, top if np.isfinite(top) and top > 0 else None)
    style.titles(axes, "Learning rate: too small, good, too large", "step", "loss")
    style.whole_numbers(axes)
    style.legend(axes, "upper right")
    return figure


def rate_finder(rates: npt.ArrayLike, losses: npt.ArrayLike, *, suggestion: float | None = None) -> Figure:
    """Loss while the learning rate grows step by step (a range test), with the suggested rate marked.

    Args:
        rates: positive rates in the order tried.
        losses: loss after the step with each rate; what is not finite is left out.
        suggestion: the rate to mark.

    References:
        Smith, L. N., "Cyclical Learning Rates for Training Neural Networks", 2017, https://arxiv.org/abs/1506.01186

    Example:
        >>> rate_finder([1e-4, 1e-3, 1e-2], [0.7, 0.6, 2.0], suggestion=1e-3).axes[0].texts[0].get_text()
        'suggested: 0.001'
    """
    rates = style.one_dimensional("rates", rates, "rate_finder")
    losses = style.one_dimensional("losses", losses, "rate_finder")
    style.same_length("rate_finder", rates=rates, losses=losses)
    figure, axes = style.panel()
    kept = np.isfinite(losses)
    shown_rates, shown_losses = style.thin(rates[kept], losses[kept])
    axes.plot(shown_rates, shown_losses, color=BLUE, linewidth=1.6)
    style.log_ticks(axes, "x")
    if len(shown_losses):
        low, start = float(shown_losses.min()), float(shown_losses[0])
        axes.set_ylim(low - 0.1 * abs(start - low), start + 1.5 * max(start - low, 0.1 * abs(start), 1e-9))
    if suggestion is not None:
        axes.axvline(suggestion, color=GREEN, linewidth=1)
        axes.annotate(
            f"suggested: {style.number(suggestion)}",
            (suggestion, 0.93),
            xycoords=("data", "axes fraction"),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            fontsize=SMALL,
            color=GREEN,
        )
    style.titles(axes, "Learning-rate range test", "learning rate (log scale)", "loss")
    return figure


def gradient_norms(layers: Sequence[str], norms: npt.ArrayLike | Mapping[str, npt.ArrayLike]) -> Figure:
    """Gradient norm of each layer from input to output: falling to the left is vanishing, rising is exploding.

    Args:
        layers: names in the order of the forward pass.
        norms: one norm a layer, or several such rows by name (for example ``{"sigmoid": ..., "relu": ...}``).

    Example:
        >>> figure = gradient_norms(["dense", "dense_1"], {"sigmoid": [1e-3, 0.1], "relu": [0.2, 0.3]})
        >>> figure.axes[0].get_yscale()
        'log'
    """
    rows = norms if isinstance(norms, Mapping) else {"gradient": norms}
    style.nonempty("layers", layers, "gradient_norms")
    figure, axes = style.panel(left=0.75, bottom=0.8)
    for index, (name, row) in enumerate(rows.items()):
        row = style.one_dimensional(f"norms[{name!r}]", row, "gradient_norms")
        style.same_length("gradient_norms", layers=layers, norms=row)
        axes.plot(
            np.arange(len(row)),
            np.maximum(row, np.finfo(np.float64).tiny),
            color=style.SERIES[index % 7],
            linestyle=style.DASHES[index % 7],
            marker="o",
            markersize=4,
            label=style.label(name),
        )
    style.log_ticks(axes, "y")
    style.ticks(axes, "x", range(len(layers)), layers)
    axes.tick_params(axis="x", labelrotation=25 if len(layers) > 4 else 0)
    style.titles(axes, "Gradient norm per layer", "", "norm (log scale)")
    if len(rows) > 1:
        style.legend(axes)
    return figure


def accumulation_timeline(micro_batches: int, updates: int = 2) -> Figure:
    """Gradient accumulation: ``micro_batches`` forward and backward passes with the same weights, then one update.

    Example:
        >>> figure = accumulation_timeline(3, updates=2)
        >>> sum("update" in text.get_text() for text in figure.axes[0].texts)
        2
    """
    check_positive_int("micro_batches", micro_batches, "accumulation_timeline")
    check_int("updates", updates, "accumulation_timeline", minimum=1)
    figure, axes = style.canvas(style.WIDTH, 1.9)
    slots = updates * (micro_batches + 1)
    width = (style.WIDTH - 0.3) / slots
    size = min(SMALL, max(4.0, 26 * width))
    for slot in range(slots):
        group, place = divmod(slot, micro_batches + 1)
        x, is_update = 0.15 + slot * width, place == micro_batches
        color, text = (ORANGE, "update") if is_update else (BLUE, f"{place + 1}")
        axes.add_patch(style.box(x + 0.02, 0.75, width - 0.04, 0.5, color))
        rotation = 90 if is_update and width < 0.5 else 0
        axes.text(x + width / 2, 1.0, text, ha="center", va="center", color="white", fontsize=size, rotation=rotation)
        if place == 0:
            middle = x + micro_batches * width / 2
            axes.text(middle, 0.52, f"weights {group}", ha="center", fontsize=SMALL, color=style.INK)
    axes.text(0.15, 1.55, "Gradient accumulation", fontsize=style.LARGE, fontweight="bold", color=style.INK)
    note = f"{micro_batches} micro-batches add their gradients; then the weights change once"
    axes.text(0.15, 0.2, note, fontsize=SMALL, color=GREY)
    return figure
