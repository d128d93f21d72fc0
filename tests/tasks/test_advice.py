import pytest

from chainrule.tasks.advice import comparison, repeated


def scores(network, linear, metric="roc_auc"):
    return {"network": {metric: network}, "linear": {metric: linear}}


@pytest.mark.parametrize(
    ("task", "metric", "network", "linear", "words"),
    [
        ("binary", "roc_auc", 0.80, 0.81, "logistic regression does as well (0.810 against 0.800)"),
        ("binary", "roc_auc", 0.80, 0.86, "logistic regression does better (0.860 against 0.800)"),
        ("binary", "roc_auc", 0.80, 0.76, "does as well within chance (0.760 against 0.800)"),
        ("binary", "roc_auc", 0.80, 0.74, ""),
        ("regression", "rmse", 0.80, 0.79, "linear regression does as well (0.790 against 0.800)"),
        ("regression", "rmse", 0.80, 0.74, "linear regression does better (0.740 against 0.800)"),
        ("regression", "rmse", 0.80, 0.86, ""),
        ("binary", "roc_auc", float("nan"), 0.5, ""),
    ],
)
def test_a_linear_model_within_half_the_interval_is_named(task, metric, network, linear, words):
    told = comparison(task, scores(network, linear, metric), (0.75, 0.85))
    assert words in told
    assert bool(told) == bool(words)


def test_without_an_interval_any_lead_counts():
    assert comparison("binary", scores(0.81, 0.80), None) == ""
    assert comparison("binary", scores(0.80, 0.80), None) != ""


def test_a_repeated_command_leaves_out_the_folder_and_what_is_to_be_changed():
    typed = "chainrule fit 'my table.csv' -t y --run runs/a --epochs=3 --seed 4 --set width=8"
    assert repeated(typed) == "chainrule fit 'my table.csv' -t y --epochs=3 --seed 4 --set width=8"
    assert repeated(typed, "--epochs", "--seed") == "chainrule fit 'my table.csv' -t y --set width=8"
    assert repeated("fit_table('a.csv', 'y', seed=0)") == ""
