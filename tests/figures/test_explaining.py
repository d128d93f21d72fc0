"""Figures of activations, neurons, networks, descent, regions and the chain rule."""

import numpy as np
import pytest

from chainrule import figures
from chainrule._base.errors import ShapeError
from chainrule.figures.style import BLUE, ORANGE


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_activation_curves_draw_value_and_derivative_in_a_grid():
    """C223: activation curves with derivatives."""
    z = np.linspace(-2, 2, 9)
    curves = {"tanh": (np.tanh(z), 1 - np.tanh(z) ** 2), "linear": (z, None), "square": (z**2, 2 * z)}
    figure = figures.activation_curves(z, curves)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["tanh", "linear", "square"]
    drawn = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    np.testing.assert_array_equal(drawn["value"], np.tanh(z))
    np.testing.assert_array_equal(drawn["derivative"], 1 - np.tanh(z) ** 2)
    assert "derivative" not in {line.get_label() for line in figure.axes[1].lines}


def test_bias_comparison_draws_a_curve_for_each_bias():
    """C255 C15: with and without a bias."""
    figure = figures.bias_comparison([-1, 0, 1], [-1, 0, 1], {2.0: [1, 2, 3], -2.0: [-3, -2, -1]})
    drawn = {line.get_label(): line.get_ydata().tolist() for line in figure.axes[0].lines[1:]}
    assert drawn == {"no bias": [-1, 0, 1], "bias 2": [1, 2, 3], "bias −2": [-3, -2, -1]}


def test_neuron_diagram_holds_every_number_of_the_worked_example():
    """C220: the neuron of C22 with inputs, weights, bias, sum and output filled in."""
    figure = figures.neuron_diagram(
        [0.8, 0.1, 0.3], [0.3, 0.5, 0.6], bias=0.1, total=0.57, output=0.638763, activation="sigmoid"
    )
    shown = words(figure.axes[0])
    for text in ("x1", "x2", "x3", "bias", "0.8", "0.1", "0.3", "0.5", "0.6", "z = 0.57", "sigmoid", "0.639"):
        assert text in shown
    with pytest.raises(ShapeError, match="inputs 2, weights 1"):
        figures.neuron_diagram([1, 2], [1], total=1, output=1)


def test_network_diagram_draws_one_edge_a_weight_with_sign_as_colour_and_size_as_width():
    """C222 C11: 3 inputs and 2 units give 6 edges; colour is the sign, width the size of the weight."""
    kernel = np.array([[1.0, -2.0], [0.5, 0.0], [0.25, 4.0]])
    edges = figures.network_diagram([3, 2], [kernel]).axes[0].collections[0]
    assert len(edges.get_segments()) == 6
    widths = np.array(edges.get_linewidths())
    np.testing.assert_array_equal(np.argsort(widths, kind="stable"), np.argsort(np.abs(kernel).ravel(), kind="stable"))
    blue, orange = (tuple(int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)) for color in (BLUE, ORANGE))
    expected = [orange if weight < 0 else blue for weight in kernel.ravel()]
    np.testing.assert_allclose(edges.get_colors()[:, :3], expected, atol=1e-12)


def test_network_diagram_says_how_many_units_it_leaves_out():
    assert "784 (772 not drawn)" in words(figures.network_diagram([784, 3]).axes[0])
    with pytest.raises(ShapeError, match=r"\(3, 2\)"):
        figures.network_diagram([3, 2], [np.zeros((2, 3))])


def test_dropout_masks_draw_no_edge_of_a_dropped_unit():
    """C234 C119: the thinned net of each step."""
    figure = figures.dropout_masks([2, 3, 1], [[[1, 1], [1, 0, 1], [1]], [[1, 0], [0, 0, 1], [1]]])
    edges = [sum(len(c.get_segments()) for c in axes.collections) for axes in figure.axes]
    assert edges == [2 * 2 + 2 * 1, 1 * 1 + 1 * 1]
    crosses = [len(axes.lines) for axes in figure.axes]
    assert crosses == [2, 6]


def test_descent_frames_are_as_many_as_the_steps_and_the_tangent_has_the_slope():
    """C82 C227 C76: loss over one weight, one frame a step, tangent at the current point."""
    w = np.linspace(-2, 2, 21)
    steps = np.array([-1.5, -0.9, -0.54])
    frames = figures.descent_frames(w, w**2, steps, steps**2, 2 * steps)
    assert len(frames) == 3
    path, tangent = frames[1].axes[0].lines[1:]
    np.testing.assert_array_equal(path.get_xydata(), np.stack([steps[:2], steps[:2] ** 2], 1))
    (x0, y0), (x1, y1) = tangent.get_xydata()
    assert (y1 - y0) / (x1 - x0) == pytest.approx(2 * steps[1])
    assert (y0 + y1) / 2 == pytest.approx(steps[1] ** 2)


def test_contour_path_draws_each_path_over_the_surface():
    """C228 C231 C83: contours with the paths of two optimizers."""
    x, y = np.linspace(-1, 1, 5), np.linspace(-2, 2, 7)
    surface = x[None] ** 2 + y[:, None] ** 2
    paths = {"sgd": [[1, 1], [0.5, 0.5], [0, 0]], "adam": [[1, -2], [0, 0]]}
    axes = figures.contour_path(x, y, surface, paths).axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), paths["sgd"])
    np.testing.assert_array_equal(axes.lines[2].get_xydata(), paths["adam"])
    with pytest.raises(ShapeError, match=r"\(7, 5\)"):
        figures.contour_path(x, y, surface.T, paths)
    with pytest.raises(ShapeError, match="steps, 2"):
        figures.contour_path(x, y, surface, {"sgd": [1, 2]})


def test_decision_regions_draw_the_grid_right_side_up_and_the_points_by_class():
    """C224 C225 C21: regions of two models side by side with the data."""
    grid = np.array([[0, 0, 1], [1, 1, 1]])
    figure = figures.decision_regions(
        [0, 1, 2], [5, 6], {"a": grid, "b": 1 - grid}, points=[[0, 5], [2, 6], [1, 5]], labels=["n", "y", "n"]
    )
    assert len(figure.axes) == 2
    image = figure.axes[0].images[0]
    np.testing.assert_array_equal(image.get_array(), grid)
    assert image.origin == "lower"
    assert image.get_extent() == [-0.5, 2.5, 4.5, 6.5]  # pixels are centred on the places asked
    dots = {c.get_label(): c.get_offsets().tolist() for c in figure.axes[0].collections}
    assert dots == {"n": [[0, 5], [1, 5]], "y": [[2, 6]]}


def test_chain_rule_shows_values_local_gradients_and_the_product():
    """C235 C85: values forward, local gradients backward, and their product."""
    nodes = [("w1", 0.5, None), ("z1", 1.5, 3.0), ("loss", 2.25, -2.0)]
    shown = words(figures.chain_rule(nodes, gradient=-6.0).axes[0])
    assert {"w1", "z1", "loss", "0.5", "1.5", "2.25", "3", "−2"} <= set(shown)
    assert shown[-1] == "∂loss/∂w1 = −2 · 3 = −6"


def test_a_long_chain_goes_over_several_rows():
    figures.svg(figures.chain_rule([(f"h{i}", float(i), 0.25) for i in range(11)]))


def test_every_diagram_can_be_written():
    figures.svg(figures.network_diagram([3, 20, 1], names=["a$", "b$", "c"]))
    figures.svg(figures.neuron_diagram([1.0], [2.0], total=2, output=2, names=["x$y$"]))
    figures.svg(figures.decision_regions([0, 1], [0, 1], [[0, 1], [1, 0]]))
