"""Log loss and Brier score against scikit-learn."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import sklearn.metrics

import chainrule.metrics as metrics
from chainrule._base.errors import ArgumentError, ShapeError

RNG = np.random.default_rng(7)
N = 11
LOGITS, LABELS, WEIGHT = RNG.normal(size=(N, 3)) * 2, RNG.integers(3, size=N), RNG.uniform(0.1, 2, N)
X, YES = RNG.normal(size=N) * 2, RNG.integers(2, size=N)
SHARES, P = scipy.special.softmax(LOGITS, 1), scipy.special.expit(X)
BINARY = [
    (metrics.LogLoss, metrics.log_loss, sklearn.metrics.log_loss(YES, P, sample_weight=WEIGHT)),
    (metrics.BrierScore, metrics.brier_score, sklearn.metrics.brier_score_loss(YES, P, sample_weight=WEIGHT)),
]
CLASSES = [
    (metrics.LogLoss, metrics.log_loss, sklearn.metrics.log_loss(LABELS, SHARES, sample_weight=WEIGHT)),
    (metrics.BrierScore, metrics.brier_score, np.average(((SHARES - np.eye(3)[LABELS]) ** 2).sum(1), weights=WEIGHT)),
]


@pytest.mark.parametrize(("metric", "function", "expected"), BINARY)
def test_binary_equals_scikit_learn(metric, function, expected):
    assert float(metric()(X, YES, WEIGHT)) == pytest.approx(expected, rel=1e-5)
    assert float(metric(from_logits=False)(P[:, None], YES[:, None], WEIGHT)) == pytest.approx(expected, rel=1e-5)
    assert function(P, YES, WEIGHT) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(("metric", "function", "expected"), CLASSES)
def test_classes_equal_scikit_learn(metric, function, expected):
    for targets in (LABELS, np.eye(3)[LABELS]):
        assert float(metric()(LOGITS, targets, WEIGHT)) == pytest.approx(expected, rel=1e-5)
        assert float(metric(from_logits=False)(SHARES, targets, WEIGHT)) == pytest.approx(expected, rel=1e-5)
        assert function(SHARES, targets, WEIGHT) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("metric", [metrics.LogLoss, metrics.BrierScore])
def test_several_labels_are_averaged(metric):
    x, t = RNG.normal(size=(5, 3)), RNG.integers(2, size=(5, 3))
    columns = [float(metric()(x[:, k], t[:, k])) for k in range(3)]
    assert float(metric(multi_label=True)(x, t)) == pytest.approx(np.mean(columns), rel=1e-5)


def test_certain_and_wrong_is_finite():
    assert np.isfinite(metrics.LogLoss(from_logits=False)(jnp.array([0.0]), jnp.array([1])))
    assert metrics.log_loss([0.0], [1]) == pytest.approx(-np.log(2.0**-52))


def test_bad_input_is_refused():
    with pytest.raises(ArgumentError, match=r"received 2 in row 1"):
        metrics.log_loss([0.5, 0.5], [1, 2])
    with pytest.raises(ShapeError, match="one target for each"):
        metrics.brier_score([0.5, 0.5], [1])
