"""The chain rule as a picture: values forward, local gradients backward."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from chainrule.figures import style
from chainrule.figures.style import BLUE, GREY, INK, ORANGE, PALE, SMALL, TEXT


def chain_rule(nodes: Sequence[tuple[str, float, float | None]], *, gradient: float | None = None) -> Figure:
    """A chain of values from a weight to the loss: forward values (blue), local gradients backward (orange).

    Args:
        nodes: (name, value, local gradient) in forward order, the weight first and the loss last. The local
            gradient of a node is its derivative by the node before it; ``None`` for the first.
        gradient: the product of the local gradients, as computed elsewhere; written below.

    Example:
        >>> figure = chain_rule([("w", 0.5, None), ("z", 1.0, 2.0), ("loss", 1.0, 2.0)], gradient=4.0)
        >>> figure.axes[0].texts[-1].get_text()
        '∂loss/∂w = 2 · 2 = 4'
    """
    style.nonempty("nodes", nodes, "chain_rule")
    names = [style.label(name, most=9) for name, _, _ in nodes]
    rows = -(-len(nodes) // 6)
    per_row = -(-len(nodes) // rows)
    height = 0.7 + 1.15 * rows
    figure, axes = style.canvas(style.WIDTH, height)
    slot = style.WIDTH / min(per_row, len(nodes))
    places = [
        (slot * (index % per_row + 0.5), height - 0.75 - 1.15 * (index // per_row)) for index in range(len(nodes))
    ]
    for index, ((_, value, local), (x, y)) in enumerate(zip(nodes, places, strict=True)):
        box = {"boxstyle": "round,pad=0.35", "facecolor": PALE, "edgecolor": GREY, "linewidth": 0.8}
        axes.text(x, y, names[index], ha="center", va="center", fontsize=TEXT, color=INK, bbox=box, fontweight="bold")
        axes.text(x, y + 0.27, style.number(value), ha="center", fontsize=TEXT, color=BLUE)
        if index and local is not None and index % per_row:
            middle = (x + places[index - 1][0]) / 2
            arrow = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1}
            axes.annotate("", (x - 0.27, y), (places[index - 1][0] + 0.27, y), arrowprops=arrow)
            axes.text(middle, y - 0.36, style.number(local), ha="center", fontsize=TEXT, color=ORANGE)
        elif index and local is not None:
            axes.text(x, y - 0.36, f"← {style.number(local)}", ha="center", fontsize=TEXT, color=ORANGE)
    axes.text(0.12, height - 0.2, "value, forward", fontsize=SMALL, color=BLUE)
    axes.text(style.WIDTH - 0.12, height - 0.2, "local gradient, backward", ha="right", fontsize=SMALL, color=ORANGE)
    if gradient is not None:
        factors = " · ".join(style.number(local) for _, _, local in reversed(nodes) if local is not None)
        told = f"∂{names[-1]}/∂{names[0]} = {factors} = {style.number(gradient)}"
        size = float(np.clip(330 / len(told), 5.0, TEXT))
        axes.text(style.WIDTH / 2, 0.12, told, ha="center", fontsize=size, color=INK)
    return figure
