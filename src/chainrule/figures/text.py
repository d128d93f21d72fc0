"""Figures about texts: the words that speak for each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from chainrule.figures import style
from chainrule.figures.style import BLUE, GREY, SMALL, YELLOW

_MOST_CLASSES = 8
_TONES = (BLUE, YELLOW)


def telling_words(words: Mapping[str, Sequence[tuple[str, float]]], *, measure: str = "rise of the log-odds") -> Figure:
    """The words that speak most for each class, as bars under the class's name.

    Args:
        words: class -> (word, contribution), the strongest first.
        measure: what a contribution is.

    Example:
        >>> figure = telling_words({"neg": [("dull", 1.2)], "pos": [("moving", 0.9), ("fine", 0.4)]})
        >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
        ['dull', 'moving', 'fine']
    """
    shown = [(label, list(own)) for label, own in words.items() if own][:_MOST_CLASSES]
    style.nonempty("words", shown, "telling_words")
    number = sum(len(own) for _, own in shown) + len(shown)
    figure, axes = style.panel(left=1.5, height=0.95 + 0.2 * max(number, 4))
    places, names, place = [], [], 0
    for index, (label, own) in enumerate(shown):
        axes.text(0, place, f" for {style.label(label)}", va="center", fontsize=SMALL, fontweight="bold")
        for word, value in own:
            place += 1
            axes.barh(place, value, 0.68, color=_TONES[index % len(_TONES)])
            places.append(place)
            names.append(word)
        place += 1
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_ylim(place - 0.4, -0.7)
    axes.grid(visible=False, axis="y")
    style.ticks(axes, "y", places, names)
    left_out = len([own for own in words.values() if own]) - len(shown)
    title = "Telling words" + (f" (of {len(shown)} classes)" if left_out > 0 else "")
    style.titles(axes, title, measure)
    return figure
