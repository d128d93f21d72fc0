"""Figures of classification, regression, data and comparison: what is drawn is what was given."""

import numpy as np
import pytest

from chainrule import figures
from chainrule._base.errors import ArgumentError, ShapeError


def labelled(axes):
    return {line.get_label(): line.get_xydata() for line in axes.lines}


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_roc_curve_draws_the_model_guessing_and_the_operating_point():
    figure = figures.roc_curve([0, 0.2, 1], [0, 0.7, 1], area=0.75, operating_point=(0.2, 0.7))
    drawn = labelled(figure.axes[0])
    np.testing.assert_array_equal(drawn["model"], [[0, 0], [0.2, 0.7], [1, 1]])
    np.testing.assert_array_equal(drawn["guessing"], [[0, 0], [1, 1]])
    np.testing.assert_array_equal(drawn["threshold in use"], [[0.2, 0.7]])


def test_precision_recall_draws_the_prevalence():
    figure = figures.precision_recall_curve([1, 0.5, 0], [0.3, 0.8, 1], prevalence=0.3, average_precision=0.7)
    drawn = labelled(figure.axes[0])
    np.testing.assert_array_equal(drawn["model"], [[1, 0.3], [0.5, 0.8], [0, 1]])
    assert drawn["guessing"][0, 1] == 0.3
    assert "0.700" in figure.axes[0].get_title(loc="left")


def test_calibration_shows_the_rows_of_each_bin():
    figure = figures.calibration_curve([0.1, 0.6], [0.2, 0.5], [17, 3])
    np.testing.assert_array_equal(labelled(figure.axes[0])["model"], [[0.1, 0.2], [0.6, 0.5]])
    assert words(figure.axes[1]) == ["17", "3"]


def test_confusion_matrix_shows_counts_and_shares_of_the_row():
    figure = figures.confusion_matrix([[6, 2], [0, 5]], ["no", "yes"])
    assert words(figure.axes[0]) == ["6\n75 %", "2\n25 %", "0\n0 %", "5\n100 %"]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["no", "yes"]


def test_confusion_matrix_with_an_empty_row_and_with_many_classes_is_drawn():
    figures.svg(figures.confusion_matrix([[0, 0], [1, 2]], ["a", "b"]))
    figures.svg(figures.confusion_matrix(np.eye(30), range(30)))
    with pytest.raises(ShapeError, match=r"\(3, 3\)"):
        figures.confusion_matrix([[1, 2], [3, 4]], ["a", "b", "c"])


def test_softmax_bars_show_scores_probabilities_and_the_one_hot_truth():
    """C249: scores become probabilities, beside the one-hot truth."""
    figure = figures.softmax_bars([1, 2, 3], [0.0900, 0.2447, 0.6652], ["a", "b", "c"], target=1)
    widths = [[bar.get_width() for bar in axes.patches] for axes in figure.axes]
    assert widths == [[1, 2, 3], [0.0900, 0.2447, 0.6652], [0, 1, 0]]


def test_split_bar_shows_rows_and_shares_even_of_tiny_parts():
    """C240: the data-partition bar."""
    figure = figures.split_bar({"training": 9_800, "validation": 150, "test": 50})
    assert {"9,800", "98 %", "150", "2 %", "50", "0 %"} <= set(words(figure.axes[0]))
    widths = [patch.get_width() for patch in figure.axes[0].patches]
    assert widths[0] > 3 * widths[1]
    assert min(widths) > 0.5  # inches: room for the number
    with pytest.raises(ArgumentError, match="not all 0"):
        figures.split_bar({"training": 0})


def test_class_counts_before_and_after_resampling():
    """C237: class-count bars before and after."""
    figure = figures.class_counts(["cats", "tigers", "axolotls"], [5000, 150, 25], after=[25, 25, 25])
    assert [bar.get_width() for bar in figure.axes[0].patches] == [5000, 150, 25, 25, 25, 25]
    with pytest.raises(ShapeError, match="classes 1, counts 2"):
        figures.class_counts(["a"], [1, 2])


def test_histogram_counts_each_group_over_common_bins():
    figure = figures.histogram({"no": [0, 0.1, np.nan], "yes": [1.0]}, bins=2, threshold=0.5)
    assert [patch.get_data().values.tolist() for patch in figure.axes[0].patches] == [[2, 0], [0, 1]]
    with pytest.raises(ArgumentError, match="finite"):
        figures.histogram([np.nan])


def test_residuals_are_prediction_minus_truth():
    """C72: the simple error of each row."""
    figure = figures.residuals([3.0, 5.0], [2.0, 7.0])
    np.testing.assert_array_equal(figure.axes[0].collections[0].get_offsets(), [[3, 1], [5, -2]])


def test_predicted_vs_actual_has_truth_across_and_limits_the_number_of_dots():
    figure = figures.predicted_vs_actual(np.arange(5000.0) + 1, np.arange(5000.0))
    dots = figure.axes[0].collections[0].get_offsets()
    assert len(dots) == 2000
    np.testing.assert_allclose(dots[:, 1] - dots[:, 0], 1)


def test_regression_fit_draws_the_line_red_and_the_curve_green():
    """C226: red line and green curve through the same data (C38)."""
    figure = figures.regression_fit([0, 1, 2], [0, 1, 4], [0, 1, 2], {"line": [-0.3, 1.7, 3.7], "net": [0, 1, 4]})
    line, curve = figure.axes[0].lines
    assert (line.get_color(), curve.get_color()) == ("#D55E00", "#009E73")
    np.testing.assert_array_equal(curve.get_ydata(), [0, 1, 4])


def test_capacity_triple_gives_each_model_its_panel_and_losses():
    """C232: under-fit, appropriate, over-fit side by side (C116)."""
    fits = [("under", [1, 1, 1], 0.9, 0.95), ("good", [0, 1, 2], 0.1, 0.12), ("over", [9, 0, 9], 0.0, 3.0)]
    figure = figures.capacity_triple([0, 1], [0, 1], [0, 1, 2], fits)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["under", "good", "over"]
    assert "train 0.1" in figure.axes[1].get_xlabel()
    assert "validation 3" in figure.axes[2].get_xlabel()


def test_importance_is_sorted_with_its_own_spread():
    figure = figures.permutation_importance(["a", "b", "c"], [0.1, 0.3, -0.1], [0.01, 0.03, 0.02])
    axes = figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.3, 0.1, -0.1]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["b", "a", "c"]
    whiskers = axes.collections[0].get_segments()
    np.testing.assert_allclose([s[1, 0] - s[0, 0] for s in whiskers], [0.06, 0.02, 0.04])


@pytest.mark.parametrize(("options", "word"), [({}, "fall"), ({"higher_is_better": False}, "rise")])
def test_importance_says_in_which_direction_worse_lies(options, word):
    figure = figures.permutation_importance(["a"], [0.1], metric="rmse", **options)
    assert figure.axes[0].get_xlabel() == f"{word} of rmse when the column is shuffled"


def test_importance_says_how_many_columns_it_leaves_out():
    figure = figures.permutation_importance(range(7), np.arange(7.0), most=5)
    assert len(figure.axes[0].patches) == 5
    assert "first 5 of 7" in figure.axes[0].get_title(loc="left")


def test_baseline_comparison_stresses_the_model_and_draws_intervals():
    figure = figures.baseline_comparison({"net": 0.9, "linear": 0.8}, intervals={"net": (0.85, 0.95)})
    ours, theirs = figure.axes[0].patches
    assert (ours.get_width(), theirs.get_width()) == (0.9, 0.8)
    assert ours.get_facecolor() != theirs.get_facecolor()
    assert list(figure.axes[0].lines[0].get_xdata()) == [0.85, 0.95]


def test_bars_compared_are_labelled_with_the_same_decimals():
    figure = figures.baseline_comparison({"net": 0.9712, "linear": 0.4, "mean": -0.00009})
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.971", "0.400", "0.000"]
