"""ROC, precision-recall and calibration against scikit-learn, with ties, weights and degenerate cases."""

import numpy as np
import pytest
import scipy.special
import sklearn.calibration
import sklearn.metrics

import chainrule.metrics as metrics
from chainrule._base.errors import ArgumentError, ShapeError

RNG = np.random.default_rng(9)
N = 60
YES = RNG.integers(2, size=N)
SMOOTH = RNG.normal(size=N) + YES
TIED = np.round(SMOOTH)
WEIGHT = RNG.uniform(0.1, 3, N)
CASES = {
    "smooth": (SMOOTH, None),
    "tied": (TIED, None),
    "tied, weighted": (TIED, WEIGHT),
    "constant": (np.zeros(N), None),
    "weight zero": (TIED, WEIGHT * (np.arange(N) % 3 > 0)),
    "infinite": (np.where(SMOOTH > 1, np.inf, TIED), WEIGHT),
}


@pytest.mark.parametrize("case", CASES)
def test_areas_equal_scikit_learn(case):
    scores, weight = CASES[case]
    finite = np.nan_to_num(scores, posinf=1e9)  # scikit-learn takes no infinity
    expected = sklearn.metrics.roc_auc_score(YES, finite, sample_weight=weight)
    assert metrics.roc_auc(scores, YES, weight) == pytest.approx(expected, rel=1e-12)
    expected = sklearn.metrics.average_precision_score(YES, finite, sample_weight=weight)
    assert metrics.average_precision(scores, YES, weight) == pytest.approx(expected, rel=1e-12)


def test_area_is_the_chance_that_a_positive_scores_higher():
    positive, negative = TIED[YES == 1][:, None], TIED[YES == 0][None]
    chance = (positive > negative).mean() + 0.5 * (positive == negative).mean()
    assert metrics.roc_auc(TIED, YES) == pytest.approx(chance, rel=1e-12)


@pytest.mark.parametrize("case", ["smooth", "tied", "tied, weighted", "constant"])
def test_curves_equal_scikit_learn(case):
    scores, weight = CASES[case]
    theirs = sklearn.metrics.roc_curve(YES, scores, sample_weight=weight, drop_intermediate=False)
    for mine, other in zip(metrics.roc_curve(scores, YES, weight), theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12)
    theirs = sklearn.metrics.precision_recall_curve(YES, scores, sample_weight=weight)
    for mine, other in zip(metrics.precision_recall_curve(scores, YES, weight), theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_calibration_equals_scikit_learn(strategy):
    p = scipy.special.expit(SMOOTH)
    observed, predicted = sklearn.calibration.calibration_curve(YES, p, n_bins=7, strategy=strategy)
    curve = metrics.calibration_curve(p, YES, num_bins=7, strategy=strategy)
    np.testing.assert_allclose(curve.observed, observed, rtol=1e-12)
    np.testing.assert_allclose(curve.predicted, predicted, rtol=1e-12)
    assert curve.counts.sum() == N


def test_one_class_only_is_an_error_in_the_function_and_nan_in_the_metric():
    for constant in (0, 1):
        targets = np.full(3, constant)
        with pytest.raises(ArgumentError, match="must contain both classes"):
            metrics.roc_auc([0.1, 0.2, 0.3], targets)
        assert np.isnan(metrics.ROCAUC().compute(np.array([0.1, 0.2, 0.3]), targets))
    with pytest.raises(ArgumentError, match="must contain a positive"):
        metrics.average_precision([0.1, 0.2], [0, 0])
    assert np.isnan(metrics.AveragePrecision().compute(np.array([0.1, np.nan]), np.array([0, 1])))


def test_bad_input_is_refused():
    with pytest.raises(ArgumentError, match="1 NaN"):
        metrics.roc_auc([0.1, np.nan], [0, 1])
    with pytest.raises(ArgumentError, match="targets 0 or 1"):
        metrics.roc_auc([0.1, 0.2], [1, 2])
    with pytest.raises(ShapeError, match=r"\(2,\) and \(3,\)"):
        metrics.roc_auc([0.1, 0.2], [1, 0, 1])
    with pytest.raises(ArgumentError, match=r"\[0, 1\].*sigmoid"):
        metrics.calibration_curve([0.5, 3.0], [0, 1])
    with pytest.raises(ShapeError, match="same shape"):
        metrics.ROCAUC().compute(np.ones(3), np.ones((3, 2)))


METRICS = [
    (metrics.ROCAUC, sklearn.metrics.roc_auc_score),
    (metrics.AveragePrecision, sklearn.metrics.average_precision_score),
]


@pytest.mark.parametrize(("metric", "theirs"), METRICS)
def test_metric_of_binary_outputs_in_every_shape(metric, theirs):
    expected = theirs(YES, TIED, sample_weight=WEIGHT)
    for predictions, targets in (
        (TIED, YES),
        (TIED[:, None], YES[:, None]),
        (np.stack([np.zeros(N), TIED], 1), YES),
        (np.stack([np.zeros(N), TIED], 1), np.eye(2)[YES]),
    ):
        assert metric().compute(predictions, targets, WEIGHT) == pytest.approx(expected, rel=1e-12)
    padded = metric().compute(np.append(TIED, np.nan), np.append(YES, 0), np.append(WEIGHT, 0.0))
    assert padded == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("metric", "theirs"), METRICS)
def test_metric_of_classes_and_of_labels_is_the_macro_mean(metric, theirs):
    """C73: several labels, each ranked by itself; several classes, one against the rest."""
    logits, labels = RNG.normal(size=(N, 3)), RNG.integers(3, size=N)
    shares, one_hot = scipy.special.softmax(logits, 1), np.eye(3)[labels]
    expected = theirs(one_hot, shares, average="macro", sample_weight=WEIGHT)
    assert metric().compute(logits, labels, WEIGHT) == pytest.approx(expected, rel=1e-12)
    assert metric().compute(logits, one_hot, WEIGHT) == pytest.approx(expected, rel=1e-12)
    assert metric(from_logits=False).compute(shares, labels, WEIGHT) == pytest.approx(expected, rel=1e-12)
    several = RNG.integers(2, size=(N, 3))
    expected = theirs(several, logits, average="macro", sample_weight=WEIGHT)
    assert metric(multi_label=True).compute(logits, several, WEIGHT) == pytest.approx(expected, rel=1e-12)


def test_classes_that_do_not_occur_are_left_out_of_the_mean():
    logits, labels = RNG.normal(size=(20, 3)), RNG.integers(2, size=20)
    shares = scipy.special.softmax(logits, 1)
    expected = np.mean([sklearn.metrics.roc_auc_score(labels == k, shares[:, k]) for k in range(2)])
    assert metrics.ROCAUC().compute(logits, labels) == pytest.approx(expected, rel=1e-12)
