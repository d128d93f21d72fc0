"""Regression metrics against scikit-learn."""

import jax.numpy as jnp
import numpy as np
import pytest
import sklearn.metrics

import chainrule.metrics as metrics
from chainrule._base.errors import ArgumentError, ShapeError

RNG = np.random.default_rng(8)
N = 13
Y, T, WEIGHT = RNG.normal(size=(N, 2)), RNG.normal(size=(N, 2)) * 2 + 5, RNG.uniform(0.1, 2, N)
PAIRS = [
    (metrics.MeanSquaredError(), metrics.mean_squared_error, sklearn.metrics.mean_squared_error),
    (metrics.MeanAbsoluteError(), metrics.mean_absolute_error, sklearn.metrics.mean_absolute_error),
    (metrics.R2Score(num_outputs=2), metrics.r2_score, sklearn.metrics.r2_score),
]


def in_batches(metric, y, t, weight):
    acc = metric.init()
    for part in (slice(0, 1), slice(1, 6), slice(6, None)):
        acc = metric.merge(
            acc, metric.update(metric.init(), jnp.asarray(y[part]), jnp.asarray(t[part]), jnp.asarray(weight[part]))
        )
    return float(metric.result(acc))


@pytest.mark.parametrize(("metric", "function", "theirs"), PAIRS, ids=lambda p: getattr(p, "name", ""))
def test_equals_scikit_learn_over_uneven_batches(metric, function, theirs):
    expected = theirs(T, Y, sample_weight=WEIGHT)
    assert in_batches(metric, Y, T, WEIGHT) == pytest.approx(expected, rel=1e-5)
    assert function(Y, T, WEIGHT) == pytest.approx(expected, rel=1e-13)
    assert function(Y[:, 0], T[:, 0]) == pytest.approx(theirs(T[:, 0], Y[:, 0]), rel=1e-13)


def test_root_is_taken_once_over_all_rows():
    expected = sklearn.metrics.root_mean_squared_error(T[:, 0], Y[:, 0], sample_weight=WEIGHT)
    assert in_batches(metrics.RootMeanSquaredError(), Y[:, 0], T[:, 0], WEIGHT) == pytest.approx(expected, rel=1e-5)
    assert metrics.root_mean_squared_error(Y[:, 0], T[:, 0], WEIGHT) == pytest.approx(expected, rel=1e-13)


def test_r2_does_not_cancel_for_targets_far_from_zero():
    # at 1e5 float32 has steps of 0.008; E[t²] − E[t]² would be off by about 1e3 where the variance is 4
    t = (1e5 + np.round(RNG.normal(size=N) * 64) / 32).astype(np.float32)
    y = (t + np.round(RNG.normal(size=N) * 16) / 32).astype(np.float32)
    expected = sklearn.metrics.r2_score(t.astype(np.float64), y.astype(np.float64))
    assert in_batches(metrics.R2Score(), y, t, np.ones(N)) == pytest.approx(expected, abs=1e-3)
    naive = np.mean(t**2) - np.mean(t) ** 2
    assert abs(naive / np.var(t.astype(np.float64)) - 1) > 0.1


def test_r2_of_constant_targets_follows_scikit_learn():
    flat = np.full(4, 3.0)
    for y in (flat, flat + 1):
        expected = sklearn.metrics.r2_score(flat, y)
        assert float(metrics.R2Score()(y, flat)) == expected
        assert metrics.r2_score(y, flat) == expected


def test_column_and_flat_predictions_agree():
    flat = metrics.R2Score()(Y[:, 0], T[:, 0])
    assert float(metrics.R2Score()(Y[:, :1], T[:, :1])) == float(flat)


def test_bad_input_is_refused():
    with pytest.raises(ShapeError, match="num_outputs"):
        metrics.R2Score()(jnp.ones((3, 2)), jnp.ones((3, 2)))
    with pytest.raises(ShapeError, match=r"\(3,\) and targets of shape \(3, 1\)"):
        metrics.MeanSquaredError()(jnp.ones(3), jnp.ones((3, 1)))
    with pytest.raises(ShapeError, match=r"\(3,\) and \(3, 1\)"):
        metrics.mean_squared_error(np.ones(3), np.ones((3, 1)))
    with pytest.raises(ArgumentError, match="weights must be at least 0"):
        metrics.mean_squared_error([1.0], [1.0], [-1.0])
