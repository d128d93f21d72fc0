import pytest

from chainrule import figures
from chainrule.errors import ArgumentError


def test_words_stand_under_their_class_with_their_contribution():
    figure = figures.telling_words({"neg": [("dull", 1.25), ("weak", 0.5)], "pos": [("fine", 0.75)]})
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dull", "weak", "fine"]
    assert [bar.get_width() for bar in axes.patches] == [1.25, 0.5, 0.75]
    assert [text.get_text().strip() for text in axes.texts] == ["for neg", "for pos"]
    heights = {bar.get_width(): bar.get_y() for bar in axes.patches}
    assert heights[1.25] < heights[0.5] < heights[0.75]  # the axis points down


def test_names_are_drawn_as_they_are_and_classes_without_words_left_out():
    figure = figures.telling_words({"$a$": [("$x_1$", 1.0)], "none": []})
    assert figure.axes[0].get_yticklabels()[0].get_text() == "\\$x_1\\$"
    assert len(figure.axes[0].texts) == 1


def test_many_classes_are_said_to_be_left_out():
    figure = figures.telling_words({f"c{n}": [("w", 1.0)] for n in range(11)})
    assert "of 8 classes" in figure.axes[0].get_title(loc="left")


def test_nothing_to_draw_is_an_error():
    with pytest.raises(ArgumentError, match="words"):
        figures.telling_words({"a": []})
