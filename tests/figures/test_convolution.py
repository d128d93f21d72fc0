"""Figures of convolution: what is drawn is what the arrays say."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from chainrule import figures
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule.figures.style import BLUE, ORANGE

EXAMPLE = np.array([[0, 0, 5, 1], [0, 2, 4, 0], [1, 0, 1, 0], [0, 0, 0, 3]])


def cells(axes, color):
    """Row and column of every cell of that colour."""
    return {(int(p.get_y()), int(p.get_x())) for p in axes.patches if to_hex(p.get_facecolor()) == color.lower()}


def test_window_covers_the_cells_of_its_position():
    """C241 C164 C165 C166 C168: stride, padding and dilation move and spread the cells."""
    figure = figures.convolution_window(5, 2, stride=2, padding=(1, 0), dilation=3, position=(1, 0))
    left, right = figure.axes
    assert cells(left, BLUE) == {(2, 0), (2, 3), (5, 0), (5, 3)}
    assert cells(right, ORANGE) == {(1, 0)}
    assert len(left.patches) == 36
    assert len(right.patches) == 4
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["input 5 × 5, padding 1 + 0", "output 2 × 2"]


def test_frames_visit_every_position_in_order():
    """C241 C164: the animation of the window."""
    frames = figures.convolution_frames(5, 3, stride=2)
    assert [cells(frame.axes[1], ORANGE) for frame in frames] == [{(0, 0)}, {(0, 1)}, {(1, 0)}, {(1, 1)}]
    assert cells(frames[3].axes[0], BLUE) == {(i, j) for i in (2, 3, 4) for j in (2, 3, 4)}


def test_window_says_what_cannot_be_drawn():
    with pytest.raises(ArgumentError, match=r"position must lie in the output of 3 × 3; received \(3, 0\)"):
        figures.convolution_window(5, 3, position=(3, 0))
    with pytest.raises(ArgumentError, match="between 5, what the window reaches over, and 24; received 4"):
        figures.convolution_window(4, 3, dilation=2)


def test_matrices_are_drawn_as_they_are():
    """C242 C163."""
    kernel, columns = np.arange(12.0).reshape(2, 6), np.arange(24.0).reshape(6, 4) - 9
    figure = figures.im2col(kernel, columns, kernel @ columns)
    for axes, matrix in zip(figure.axes, (kernel, columns, kernel @ columns), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), matrix)
    with pytest.raises(ShapeError, match=r"m × k, k × n and m × n; received shapes \[\(2, 6\), \(6, 4\), \(4, 2\)\]"):
        figures.im2col(kernel, columns, (kernel @ columns).T)


def test_pooling_grid_gives_a_window_and_its_result_one_tint():
    """C243 C170."""
    figure = figures.pooling_grid(EXAMPLE, [[2, 5], [1, 3]], 2, title="max")
    left, right = figure.axes
    assert [text.get_text() for text in left.texts] == [str(n) for n in EXAMPLE.ravel()]
    tints = [to_hex(patch.get_facecolor()) for patch in right.patches]
    assert len(set(tints)) == 4
    for number, tint in enumerate(tints):
        row, column = divmod(number, 2)
        assert cells(left, tint) == {(2 * row + i, 2 * column + j) for i in range(2) for j in range(2)}
    with pytest.raises(ShapeError, match=r"received shapes \(4, 4\) and \(1, 2\)"):
        figures.pooling_grid(EXAMPLE, [[2, 5]], 2)
    with pytest.raises(ArgumentError, match="at most 12 cells"):
        figures.pooling_grid(np.zeros((14, 14)), np.zeros((7, 7)), 2)


def test_filters_share_one_scale_and_colour_filters_keep_their_colours():
    """C245."""
    kernel = np.random.default_rng(0).normal(size=(3, 2, 4, 5))
    figure = figures.filters(kernel)
    assert len(figure.axes) == 5
    np.testing.assert_allclose(figure.axes[2].images[0].get_array(), kernel[..., 2].mean(-1))
    assert len({axes.images[0].get_clim() for axes in figure.axes}) == 1
    colors = figures.filters(kernel[:, :, :3]).axes[1].images[0].get_array()
    assert colors.shape == (3, 2, 3)
    assert np.argmax(colors[..., 0]) == np.argmax(kernel[:, :, 0, 1])
    many = figures.filters(np.ones((1, 1, 2, 40)), most=7)
    assert len(many.axes) == 7
    assert many.texts[0].get_text() == "first 7 of 40 filters of 1 × 1 over 2 channels"
    with pytest.raises(ShapeError, match=r"\[height, width, in, filters\]; received shape \(3, 4\)"):
        figures.filters(np.ones((3, 4)))


def test_feature_maps_have_a_panel_for_each_channel_of_each_layer():
    """C160 C245: the feature hierarchy; the input of three channels is one picture."""
    rng = np.random.default_rng(1)
    maps = {
        "input": rng.uniform(size=(8, 6, 3)),
        "conv2d": rng.normal(size=(8, 6, 5)),
        "pool": rng.normal(size=(4, 3, 12)),
    }
    figure = figures.feature_maps(maps)
    assert len(figure.axes) == 1 + 5 + 7
    np.testing.assert_array_equal(figure.axes[3].images[0].get_array(), maps["conv2d"][..., 2])
    assert [text.get_text() for text in figure.texts] == ["input: 8 × 6 × 3", "conv2d: 8 × 6 × 5", "pool: 4 × 3 × 12"]
    with pytest.raises(ShapeError, match=r"maps of 'dense' must be .*received shape \(10,\)"):
        figures.feature_maps({"dense": np.ones(10)})


def test_receptive_fields_are_frames_around_their_cells():
    """C244 C173: the field in the padding is drawn outside the image, the effective field over it."""
    strength = np.zeros((9, 7))
    strength[4, 3] = 1
    windows = {"conv2d": ((3, 6), (2, 5)), "conv2d_1": ((-1, 4), (0, 5))}
    figure = figures.receptive_fields(np.zeros((9, 7)), windows, effective=strength)
    (axes,) = figure.axes
    frames = [(p.get_y(), p.get_x(), p.get_height(), p.get_width()) for p in axes.patches]
    assert frames == [(2.5, 1.5, 3, 3), (-1.5, -0.5, 5, 5)]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["conv2d 3 × 3", "conv2d_1 5 × 5"]
    np.testing.assert_array_equal(axes.images[1].get_array(), strength)
    assert axes.get_ylim()[1] <= -1.5
    with pytest.raises(ShapeError, match=r"effective must have shape \(9, 7\), as the image"):
        figures.receptive_fields(np.zeros((9, 7)), windows, effective=strength.T)
