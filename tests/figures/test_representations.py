"""Figures of representations, connectivity, the feedback loop and folds."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import explain, figures
from chainrule.data import kfold
from chainrule.errors import ArgumentError, ShapeError
from chainrule.figures.style import GREEN
from chainrule.layers import Dense, Flatten, Input


def words(axes):
    return [text.get_text() for text in axes.texts]


def colors_of(collection):
    return ["#" + "".join(f"{round(255 * part):02X}" for part in color[:3]) for color in collection.get_colors()]


def test_one_panel_a_layer_with_the_layers_numbers():
    """C45 C246: grids as images, long vectors as strips, short ones as bars, probabilities as bars; shapes match."""
    model = cr.Sequential([Input((6, 7)), Flatten(), Dense(5, "tanh"), Dense(3)], seed=2)
    model.compile(loss="cross_entropy")
    rows = explain.representations(model, np.random.default_rng(1).normal(size=(2, 6, 7)), example=1)
    figure = figures.representations(rows)
    assert len(figure.axes) == len(rows) == 5
    image, strip, *bars = figure.axes
    np.testing.assert_array_equal(image.images[0].get_array(), rows[0].values.astype(float))
    np.testing.assert_array_equal(strip.images[0].get_array(), rows[1].values.astype(float)[None])
    for axes, row in zip(bars, rows[2:], strict=True):
        np.testing.assert_allclose([bar.get_height() for bar in axes.patches], row.values, rtol=1e-6)
    named = [text.get_text().split("\n")[:2] for text in figure.texts]
    assert named[0] == ["input", "Input, 6 × 7"]
    assert named[3:] == [["dense_1", "Dense, 3"], ["probabilities", "softmax, 3"]]
    likely = bars[-1].patches[int(rows[-1].values.argmax())]
    assert tuple(likely.get_facecolor()[:3]) == pytest.approx([int(GREEN[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def test_images_keep_their_colours_and_channels_stand_side_by_side():
    """C246: three channels of an input are one picture; ten channels of a layer are ten."""
    picture = np.random.default_rng(2).random((4, 6, 3))
    maps = np.arange(3 * 2 * 10, dtype=float).reshape(3, 2, 10)
    rows = [("x", "Input", picture), ("conv", "Conv2D", maps), ("h", "LSTM", np.zeros((2, 3))), ("c", "Dense", np.nan)]
    shown = [axes.images[0].get_array() for axes in figures.representations(rows).axes[:3]]
    np.testing.assert_allclose(shown[0], picture / picture.max())
    assert shown[1].shape == (3 + 1 + 3, 8 * (2 + 1) - 1)
    np.testing.assert_array_equal(shown[1][:3, 3:5], maps[:, :, 1])
    np.testing.assert_array_equal(shown[1][4:, 3:5], maps[:, :, 9])
    (cut,) = figures.representations([("conv", "Conv2D", np.zeros((2, 2, 40)))]).texts
    assert cut.get_text().endswith("first 32 channels")
    with pytest.raises(ArgumentError, match="rows must hold at least one"):
        figures.representations([])


def test_projections_draw_each_class_in_each_layer():
    """C278: one panel a layer, one colour a class."""
    points = np.arange(10.0).reshape(5, 2)
    figure = figures.projections({"input": points, "dense": -points}, ["b", "a", "b", "a", "a"])
    for axes, sign in zip(figure.axes, (1, -1), strict=True):
        drawn = {cloud.get_label(): cloud.get_offsets().tolist() for cloud in axes.collections}
        assert drawn == {"a": (sign * points[[1, 3, 4]]).tolist(), "b": (sign * points[[0, 2]]).tolist()}
    with pytest.raises(ShapeError, match=r"'input' must have shape \(4, 2\)"):
        figures.projections({"input": points}, [0, 1, 0, 1])
    many = figures.projections({"input": np.zeros((9, 2))}, range(9)).axes[0].collections
    looks = {(tuple(cloud.get_facecolor()[0]), cloud.get_paths()[0].vertices.size) for cloud in many}
    assert len(looks) == 9  # seven colours, then another marker


def test_connectivity_draws_every_edge_and_counts_the_weights():
    """C56 C280: dense edges against local shared ones, with the counts of connection_counts below."""
    counts = explain.connection_counts(8, 5, 3)
    dense, local = figures.connectivity(8, 5, 3).axes
    assert len(dense.collections[0].get_segments()) == counts.dense
    segments, colors = local.collections[0].get_segments(), colors_of(local.collections[0])
    assert len(segments) == counts.local
    assert len(set(colors)) == counts.shared
    (start, end), (next_start, next_end) = segments[0], segments[3]  # the same weight of units 0 and 1
    assert colors[0] == colors[3]
    np.testing.assert_allclose(next_start - start, next_end - end)
    assert any("40 weights" in text for text in words(dense))
    assert any("3 weights, shared by 5 units" in text for text in words(local))
    with pytest.raises(ArgumentError, match="received dense_in 8, units 7, kernel_size 3"):
        figures.connectivity(8, 7, 3)


def test_simplified_neuron_shows_the_sum_in_one_node():
    """C23 C220: z = w0 + Σ xj wj and y = g(z) instead of weights, sum and activation; same numbers."""
    numbers = {"bias": 0.1, "total": 0.57, "output": 0.638763, "activation": "sigmoid"}
    full, short = (
        figures.neuron_diagram([0.8, 0.1, 0.3], [0.3, 0.5, 0.6], **numbers, simplified=simplified).axes[0]
        for simplified in (False, True)
    )
    assert {"Σ", "g(z)", "bias"} <= set(words(full))
    assert not {"Σ", "g(z)", "bias"} & set(words(short))
    assert {"x1", "x2", "x3", "0.8", "z = 0.57", "y = g(z) =", "0.639", "g: sigmoid"} <= set(words(short))
    assert words(short)[-1] == "z = w0 + Σ xj wj = 0.1 + 0.8 · 0.3 + 0.1 · 0.5 + 0.3 · 0.6 = 0.57"
    assert (len(full.patches), len(short.patches)) == (4 + 2, 3 + 1)  # circles: a bias and one node more in full


def test_feedback_loop_holds_the_numbers_of_a_real_step():
    """C77 C252: the loss is the feedback signal; the picture before and after one step of a model's training."""
    model = cr.mlp([1, 1])
    model.set_weights({"dense/kernel": [[0.5]], "dense/bias": [0.0]})
    model.compile(cr.optimizers.SGD(0.05), "mse")
    x, y, shown = [[2.0]], [3.0], []
    for step in (1, 2):
        figure = figures.feedback_loop(
            prediction=model.predict(x)[0],
            target=y,
            loss=model.evaluate(x, y)["loss"],
            rate=0.05,
            weights={path[6:7]: weight.item() for path, weight in sorted(model.get_weights().items())},  # b and k
            step=step,
        )
        shown.append(words(figure.axes[0]))
        model.fit(x, y, epochs=1, verbose=0)
    parts = {"Input x", "Layers", "Prediction", "Target", "Loss", "Optimizer", "feedback signal", "rate 0.05", "3"}
    assert parts <= set(shown[0]) & set(shown[1])
    # By hand: error 1 − 3 = −2, so k moves by 0.05·2·2·2 = 0.4 and b by 0.05·2·2 = 0.2; then 0.9·2 + 0.2 = 2.
    assert {"b = 0\nk = 0.5", "1", "4", "Training feedback loop, step 1"} <= set(shown[0])
    assert {"b = 0.2\nk = 0.9", "2", "1", "Training feedback loop, step 2"} <= set(shown[1])


def test_feedback_loop_of_many_numbers_says_how_many():
    shown = words(
        figures.feedback_loop(
            prediction=[0.1, 0.2, 0.3, 0.4], target=[0, 0, 1, 0], loss=1.2, rate=1, weights=np.ones((3000,))
        ).axes[0]
    )
    assert "w1 = 1\nw2 = 1\nw3 = 1\n… 3,000 in all" in shown
    assert "0.1\n0.2\n0.3\n… 4 in all" in shown
    with pytest.raises(ShapeError, match="prediction 2, target 1"):
        figures.feedback_loop(prediction=[1, 2], target=1, loss=1, rate=1, weights=[1])


def test_kfold_grid_draws_each_fold_as_it_is():
    """C240: each row of the data validates once."""
    folds = [(fold.train, fold.validation) for fold in kfold(11, 3, seed=5)]
    axes = figures.kfold_grid(folds).axes[0]
    grid = axes.collections[0].get_array()
    assert grid.shape == (3, 11)
    for line, (train, validation) in zip(grid, folds, strict=True):
        assert np.flatnonzero(line == 1).tolist() == sorted(train)
        assert np.flatnonzero(line == 2).tolist() == sorted(validation)
    assert ((grid == 2).sum(axis=0) == 1).all()
    assert axes.get_legend_handles_labels()[1] == ["training", "validation"]
    for bad in ([([0, 1], [1])], [([-1], [0])], [([], [])], []):
        with pytest.raises(ArgumentError, match="kfold_grid"):
            figures.kfold_grid(bad)


def test_every_new_figure_can_be_written():
    rows = [("a$", "b$", np.zeros((2, 3, 40))), ("c", "Dense", np.full(3, np.nan)), ("p", "softmax", [np.nan, np.inf])]
    for figure in (
        figures.representations(rows),
        figures.projections({"$": np.zeros((2, 2))}, ["x$", "y$"]),
        figures.connectivity(16, 10, 7),
        figures.feedback_loop(prediction=1, target=2, loss=np.nan, rate=1e-9, weights={"$w$": 1}),
        figures.kfold_grid([([0], [1])]),
        figures.neuron_diagram([-1.0] * 9, [2.0] * 9, total=2, output=2, simplified=True),
    ):
        assert figures.svg(figure).lstrip().startswith("<svg")
