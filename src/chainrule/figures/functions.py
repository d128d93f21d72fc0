"""Figures of one function of one number: activations with their slopes, and what a bias does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy.typing as npt
from matplotlib.figure import Figure

from chainrule.figures import style
from chainrule.figures.style import BLUE, GREY, ORANGE


def activation_curves(
    z: npt.ArrayLike, curves: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike | None]], *, columns: int = 2
) -> Figure:
    """A grid of activation functions (solid) with their derivatives (dashed).

    Args:
        z: pre-activations, rising.
        curves: name -> (values at ``z``, derivatives at ``z`` or ``None``).
        columns: panels in a row.

    Example:
        >>> import numpy as np
        >>> z = np.linspace(-2, 2, 5)
        >>> figure = activation_curves(z, {"relu": (np.maximum(z, 0), (z > 0) * 1.0), "linear": (z, np.ones(5))})
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['relu', 'linear']
    """
    z = style.one_dimensional("z", z, "activation_curves")
    style.nonempty("curves", list(curves), "activation_curves")
    columns = min(columns, len(curves))
    rows = -(-len(curves) // columns)
    figure, made = style.panels(rows, columns, height=1.0 + 1.75 * rows, left=0.42, bottom=0.45, gap=0.42)
    for axes, (name, (values, slopes)) in zip(made, curves.items(), strict=False):
        values = style.one_dimensional(f"curves[{name!r}]", values, "activation_curves")
        style.same_length("activation_curves", z=z, values=values)
        axes.axhline(0, color=GREY, linewidth=0.6)
        axes.axvline(0, color=GREY, linewidth=0.6)
        axes.plot(*style.thin(z, values), color=BLUE, linewidth=1.8, label="value")
        if slopes is not None:
            slopes = style.one_dimensional(f"derivative of {name!r}", slopes, "activation_curves")
            axes.plot(*style.thin(z, slopes), color=ORANGE, linestyle="--", linewidth=1.4, label="derivative")
        style.titles(axes, style.label(name, most=22), "z")
    for axes in made[len(curves) :]:
        axes.remove()
    style.legend(made[0], "upper left")
    return figure


def bias_comparison(x: npt.ArrayLike, without: npt.ArrayLike, with_bias: Mapping[float, npt.ArrayLike]) -> Figure:
    """One neuron's output without a bias and with several: the bias moves the curve along the axis.

    Args:
        x: inputs, rising.
        without: output at each input without a bias.
        with_bias: bias -> output at each input.

    Example:
        >>> figure = bias_comparison([-1, 0, 1], [-1, 0, 1], {0.5: [-0.5, 0.5, 1.5]})
        >>> [line.get_label() for line in figure.axes[0].lines if not line.get_label().startswith("_")]
        ['no bias', 'bias 0.5']
    """
    x = style.one_dimensional("x", x, "bias_comparison")
    curves = {"no bias": without, **{f"bias {style.number(b)}": curve for b, curve in with_bias.items()}}
    figure, axes = style.panel()
    axes.axvline(0, color=GREY, linewidth=0.8)
    for index, (name, curve) in enumerate(curves.items()):
        curve = style.one_dimensional(name, curve, "bias_comparison")
        style.same_length("bias_comparison", x=x, curve=curve)
        color, dashes = style.SERIES[index % 7], style.DASHES[index % 7]
        axes.plot(*style.thin(x, curve), color=color, linestyle=dashes, linewidth=1.8, label=name)
    style.titles(axes, "What the bias does", "x", "output")
    style.legend(axes)
    return figure
