import numpy as np
import pytest
from scipy.stats import binomtest

from chainrule.tasks.intervals import interval, resampled_scores, scores_of_counts, wilson_interval
from chainrule.tasks.scores import main_score


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.parametrize(("hits", "trials"), [(0, 7), (7, 7), (30, 30), (13, 37), (499, 500)])
def test_the_interval_of_a_share_is_wilsons(hits, trials):
    reference = binomtest(hits, trials).proportion_ci(method="wilson")
    assert wilson_interval(hits, trials) == pytest.approx((reference.low, reference.high), abs=1e-12)


def test_accuracy_gets_wilsons_interval_also_without_a_fault():
    chances, truth = np.eye(3)[[0, 1, 2] * 5], np.array([0, 1, 2] * 5)
    assert interval("multiclass", chances, truth, seed=0) == wilson_interval(15, 15)
    assert interval("multiclass", chances, np.roll(truth, 1), seed=0) == wilson_interval(0, 15)


@pytest.mark.parametrize("task", ["binary", "multilabel", "regression"])
def test_many_resamples_at_once_score_as_each_alone(task, rng):
    if task == "multilabel":
        p, y = rng.uniform(size=(23, 3)), rng.integers(0, 2, (23, 3)).astype(float)
        p[:, 2], y[:, 2] = 0.1, 0.0  # a label that is never there and never said
    else:
        p, y = rng.uniform(size=23).round(1), rng.integers(0, 2, 23)  # rounded, for ties
    draws = rng.integers(0, 23, (19, 23))
    counts = np.stack([np.bincount(rows, minlength=23) for rows in draws])
    alone = [main_score(task, p[rows], y[rows]) for rows in draws]
    np.testing.assert_allclose(scores_of_counts(task, p, y, counts), alone, rtol=1e-12)


def test_a_resample_of_one_class_has_no_auc():
    counts = np.array([[2, 0, 0], [0, 1, 1]])
    found = scores_of_counts("binary", np.array([0.1, 0.2, 0.9]), np.array([0, 0, 1]), counts)
    np.testing.assert_array_equal(found, [np.nan, 1.0])


def test_the_bootstrap_of_a_typical_error_is_as_wide_as_theory_says(rng):
    """RMSE of n normal errors of deviation 2 has a standard error of 2 / √(2n)."""
    error = rng.normal(0, 2, 4000)
    low, high = interval("regression", error, np.zeros(4000), seed=0)
    # 1,000 resamples leave 5 % of noise in the ends; the drawn errors' own fourth moment some more
    assert high - low == pytest.approx(2 * 1.96 * 2 / np.sqrt(8000), rel=0.15)
    assert low < np.sqrt(np.mean(error**2)) < high


def test_scores_that_never_vary_have_no_interval():
    assert interval("binary", np.array([0.1, 0.2, 0.8, 0.9] * 5), np.array([0, 0, 1, 1] * 5), seed=0) is None
    assert interval("binary", np.array([0.1, 0.2]), np.array([0, 0]), seed=0) is None


def test_there_are_a_thousand_resamples_and_fewer_of_many_rows(rng, monkeypatch):
    p, y = rng.uniform(size=50), rng.integers(0, 2, 50)
    assert resampled_scores("binary", p, y, seed=1).size == 1000
    monkeypatch.setattr("chainrule.tasks.intervals._MOST_DRAWS", 10_000)
    monkeypatch.setattr("chainrule.tasks.intervals._DRAWS_AT_ONCE", 350)
    assert resampled_scores("binary", p, y, seed=1).size == 200
