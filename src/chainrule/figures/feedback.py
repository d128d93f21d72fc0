"""The feedback loop of training, with the numbers of one step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from chainrule.figures import style
from chainrule.figures.style import BLUE, GREEN, GREY, INK, ORANGE, SMALL, TEXT

_SHOWN = 3  # numbers written out of a longer vector


def feedback_loop(
    *,
    prediction: npt.ArrayLike,
    target: npt.ArrayLike,
    loss: float,
    rate: float,
    weights: npt.ArrayLike | Mapping[str, float],
    step: int | None = None,
) -> Figure:
    r"""How a network learns: inputs through layers to predictions, their loss, and the optimizer back to the weights.

    The loss score is the feedback signal: it says how far predictions are from the true targets, and the optimizer
    moves the weights a little against its gradient. The picture shows one step of that loop in numbers; draw one a
    step to see the loss fall. Nothing is computed here.

    Args:
        prediction: what the network gives, one number or several (the first three are written).
        target: what it should give, as many numbers.
        loss: the loss score of the two.
        rate: learning rate of the optimizer.
        weights: the weights in use, as numbers or name -> number (the first three are written).
        step: number of the step, for the title.

    Raises:
        ShapeError: prediction and target differ in length.

    Example:
        >>> figure = feedback_loop(prediction=0.57, target=1, loss=0.1849, rate=0.1, weights={"w1": 0.3, "w2": 0.5})
        >>> [text.get_text() for text in figure.axes[0].texts][:4]
        ['Input x', 'Layers', 'w1 = 0.3\nw2 = 0.5', 'Prediction']

    References:
        Chollet, F., "Deep Learning with Python", 2nd edition, 2021, figures 1.7 to 1.9, redrawn with numbers.
    """
    predicted = style.one_dimensional("prediction", np.atleast_1d(np.asarray(prediction)), "feedback_loop")
    wanted = style.one_dimensional("target", np.atleast_1d(np.asarray(target)), "feedback_loop")
    style.same_length("feedback_loop", prediction=predicted, target=wanted)
    told = _told(weights)
    figure, axes = style.canvas(style.WIDTH, 3.9)
    _box(axes, (0.55, 2.75), (0.8, 0.5), ("Input x", ""), GREY)
    _box(axes, (1.75, 2.75), (1.2, 1.2), ("Layers", told), BLUE)
    _box(axes, (3.0, 2.75), (0.95, 1.2), ("Prediction", _lines([style.number(v) for v in predicted])), BLUE)
    _box(axes, (4.17, 2.75), (0.95, 1.2), ("Target", _lines([style.number(v) for v in wanted])), GREEN)
    _box(axes, (3.58, 1.5), (1.25, 0.62), ("Loss", style.number(loss)), ORANGE)
    _box(axes, (1.75, 0.75), (1.5, 0.62), ("Optimizer", f"rate {style.number(rate)}"), INK)
    _arrows(axes)
    title = "Training feedback loop" + ("" if step is None else f", step {step:,}")
    axes.text(0.15, 3.62, title, fontsize=style.LARGE, fontweight="bold", color=INK)
    return figure


def _told(weights: npt.ArrayLike | Mapping[str, float]) -> str:
    if isinstance(weights, Mapping):
        names, given = list(weights), np.array(list(weights.values()))
    else:
        given = np.atleast_1d(np.asarray(weights))
        names = [f"w{number + 1}" for number in range(len(given))]
    values = style.one_dimensional("weights", given, "feedback_loop")
    return _lines([f"{style.label(n, most=10)} = {style.number(v)}" for n, v in zip(names, values, strict=True)])


def _arrows(axes: Axes) -> None:
    straight = [((0.95, 2.75), (1.14, 2.75)), ((2.36, 2.75), (2.51, 2.75))]
    straight += [((3.1, 2.14), (3.34, 1.83)), ((4.06, 2.14), (3.82, 1.83)), ((1.75, 1.07), (1.75, 2.13))]
    for start, end in straight:
        _arrow(axes, start, end, "arc3")
    _arrow(axes, (3.58, 1.18), (2.51, 0.75), "angle,angleA=-90,angleB=0,rad=8")
    axes.text(1.67, 1.6, "weight update", ha="right", va="center", fontsize=SMALL, color=GREY)
    axes.text(3.65, 0.68, "feedback signal", ha="left", va="center", fontsize=SMALL, color=GREY)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], bend: str) -> None:
    look = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0, "connectionstyle": bend}
    axes.annotate("", end, start, arrowprops=look)


def _box(
    axes: Axes, centre: tuple[float, float], size: tuple[float, float], words: tuple[str, str], color: str
) -> None:
    x, y = centre[0] - size[0] / 2, centre[1] - size[1] / 2
    rounded = "round,pad=0,rounding_size=0.06"
    axes.add_patch(FancyBboxPatch((x, y), *size, boxstyle=rounded, facecolor="white", edgecolor=color, linewidth=1.4))
    name, detail = words
    top = centre[1] if not detail else y + size[1] - 0.2
    axes.text(centre[0], top, name, ha="center", va="center", fontsize=TEXT, color=color, fontweight="bold")
    if detail:
        middle = y + (size[1] - 0.32) / 2 + 0.02
        axes.text(centre[0], middle, detail, ha="center", va="center", fontsize=SMALL, color=INK)


def _lines(told: list[str]) -> str:
    """The first of several numbers, one a line, and how many there are."""
    more = [f"… {len(told):,} in all"] if len(told) > _SHOWN else []
    return "\n".join(told[:_SHOWN] + more)
