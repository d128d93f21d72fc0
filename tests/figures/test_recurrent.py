"""Pictures of recurrent layers say what they are given."""

import numpy as np
import pytest

from chainrule import figures
from chainrule._base.errors import ArgumentError, ShapeError


def test_heat_maps_show_gates_over_time():
    """C188, C250: one panel a gate, time from left to right, one row a unit, one scale for all."""
    values = {name: np.random.default_rng(i).uniform(-1, 1, (6, 4)) for i, name in enumerate("fgio")}
    values["c"] = np.arange(24.0).reshape(6, 4) - 20
    figure = figures.gates(values, list("abcdef"))
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left")[0] for axes in panels] == list("fgioc")
    for axes, array in zip(panels, values.values(), strict=True):
        (image,) = axes.images
        np.testing.assert_array_equal(image.get_array(), array.T)
        assert image.get_clim() == (-20, 20)
        assert [text.get_text() for text in axes.get_xticklabels()] == list("abcdef")
    assert "full colour at ±20" in figure.texts[-1].get_text()
    assert "<svg" in figures.svg(figure)


def test_many_steps_and_hostile_words_fit():
    figure = figures.gates({"h": np.zeros((40, 9))}, ["$x$ " * 20] * 40)
    labels = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert len(labels) <= 8
    assert all("\\$" in label for label in labels)


def test_gates_that_do_not_fit_are_refused():
    with pytest.raises(ArgumentError, match="values must hold at least one item"):
        figures.gates({})
    with pytest.raises(ShapeError, match=r"one shape \[steps, units\].*f \(2, 3\), h \(3, 2\)"):
        figures.gates({"f": np.zeros((2, 3)), "h": np.zeros((3, 2))})
    with pytest.raises(ShapeError, match="lengths must be equal; received steps 1, values 2"):
        figures.gates({"f": np.zeros((2, 3))}, ["one"])


@pytest.mark.parametrize(("steps", "boxes"), [(1, 1), (3, 3), (20, 8)])
def test_folded_and_unrolled_pictures_stand_side_by_side(steps, boxes):
    """C185, C250: the box with a loop, and one box a step with the memory passed on."""
    figure = figures.unrolled(steps, kind="GRU")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("GRU") == 1 + boxes
    assert [f"h{i}" for i in range(1, boxes)] == [text for text in texts if text[0] == "h" and text != "h"]
    assert {"x", "y", "h", f"x{boxes}", f"y{boxes}", "folded"} <= set(texts)
    assert any("20 steps, 8 shown" in text for text in texts) == (steps == 20)
