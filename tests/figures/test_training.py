import numpy as np
import pytest

from chainrule import figures
from chainrule._base.errors import ArgumentError, ShapeError


def lines(axes):
    return {line.get_label(): line for line in axes.lines}


def test_learning_curves_show_both_losses_and_the_metric_from_epoch_one():
    """C153 C233: training and validation loss, and the metric in a panel of its own (C79)."""
    figure = figures.learning_curves([3, 2, 1], [3, 2.5, 2.6], train_metric=[0.5, 0.6, 0.7], metric_name="F1")
    loss, metric = figure.axes
    np.testing.assert_array_equal(lines(loss)["training"].get_xydata(), [[1, 3], [2, 2], [3, 1]])
    np.testing.assert_array_equal(lines(loss)["validation"].get_ydata(), [3, 2.5, 2.6])
    np.testing.assert_array_equal(lines(metric)["training"].get_ydata(), [0.5, 0.6, 0.7])
    assert metric.get_ylabel() == "F1"


@pytest.mark.parametrize("epochs", [1, 2, 7, 38, 400])
def test_the_axis_of_epochs_starts_at_one(epochs):
    axes = figures.learning_curves(np.ones(epochs)).axes[0]
    ticks = axes.get_xticks()
    assert ticks[0] == 1
    assert 0.5 <= axes.get_xlim()[0] < 1
    assert axes.get_xlim()[1] >= epochs >= ticks[-1]
    assert [text.get_text() for text in axes.get_xticklabels()] == [str(int(tick)) for tick in ticks]


def test_early_stopping_is_a_vertical_line_and_the_best_epoch_a_dot_on_the_validation_curve():
    """C120: the line stands at the epoch where training stopped, the dot where the weights were kept."""
    figure = figures.learning_curves([3, 2, 1], [3, 2.5, 2.6], best_epoch=2, stopped_epoch=3)
    drawn = [line.get_xydata().tolist() for line in figure.axes[0].lines]
    assert [[2, 2.5]] in drawn
    assert [[3, 0], [3, 1]] in drawn
    assert [text.get_text() for text in figure.axes[0].texts] == ["best: epoch 2", "stopped early"]


def test_baseline_is_a_level_line():
    figure = figures.learning_curves([3, 2], baseline_loss=2.5)
    np.testing.assert_array_equal(lines(figure.axes[0])["baseline"].get_ydata(), [2.5, 2.5])


@pytest.mark.parametrize(("largest", "scale"), [(29.0, "linear"), (31.0, "log")])
def test_a_loss_over_more_than_two_decades_gets_a_logarithmic_axis(largest, scale):
    axes = figures.learning_curves([1.0, largest, 0.5, np.nan], [1.1, 2.0, 0.3, 0.0], best_epoch=3).axes[0]
    assert axes.get_yscale() == scale
    assert axes.get_ylabel() == ("loss (log scale)" if scale == "log" else "loss")
    assert axes.get_ylim()[1] > largest
    assert scale == "linear" or 0 < axes.get_ylim()[0] < 0.3


def test_a_nan_in_a_curve_and_a_single_epoch_are_drawn():
    figures.svg(figures.learning_curves([1.0, np.nan, 0.5], [1.0, np.inf, 0.5], best_epoch=3))
    figures.svg(figures.learning_curves([1.0], best_epoch=1))


def test_bad_curves_and_epochs_are_refused():
    with pytest.raises(ShapeError, match="training curve"):
        figures.learning_curves([])
    with pytest.raises(ArgumentError, match="best_epoch"):
        figures.learning_curves([1.0], best_epoch=0)


def test_schedule_draws_the_rate_at_each_step():
    """C105 C254: the curve of the learning rate, before training."""
    figure = figures.schedule([0.4, 0.2, 0.1])
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xydata(), [[0, 0.4], [1, 0.2], [2, 0.1]])


def test_a_diverging_rate_leaves_the_picture_and_does_not_flatten_the_others():
    """C94 C230: too small, good and too large learning rate in one figure."""
    figure = figures.learning_rates({0.01: [4, 3.9, 3.8], 0.3: [4, 1, 0.2], 9.0: [4, 400, np.inf]})
    assert figure.axes[0].get_ylim() == (0, 12)
    assert set(lines(figure.axes[0])) == {"rate 0.01", "rate 0.3", "rate 9"}


def test_rate_finder_marks_the_suggestion_on_a_log_axis():
    """C95: the range test with its suggestion."""
    figure = figures.rate_finder([1e-3, 1e-2, 1e-1], [0.7, 0.4, np.nan], suggestion=0.01)
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[1e-3, 0.7], [1e-2, 0.4]])
    assert list(axes.lines[1].get_xdata()) == [0.01, 0.01]
    figures.svg(figure)


def test_gradient_norms_of_two_stacks_are_two_lines_over_layers():
    """C236: gradient norm per layer, sigmoid beside ReLU (C87)."""
    figure = figures.gradient_norms(["a", "b", "c"], {"sigmoid": [0.25**3, 0.0, 1.0], "relu": [1, 1, 1]})
    drawn = lines(figure.axes[0])
    assert drawn["sigmoid"].get_ydata()[0] == 0.25**3
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["a", "b", "c"]
    figures.svg(figure)
    with pytest.raises(ShapeError, match="layers 3, norms 2"):
        figures.gradient_norms(["a", "b", "c"], [1, 2])


def test_accumulation_draws_each_micro_batch_and_each_update():
    """C253: k micro-batches with the same weights, then one update (C108)."""
    figure = figures.accumulation_timeline(4, updates=3)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("update") == 3
    assert texts.count("4") == 3
    assert {"weights 0", "weights 1", "weights 2"} <= set(texts)
