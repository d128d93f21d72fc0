"""The learning-rate range test."""

import numpy as np
import pytest

from chainrule.errors import ArgumentError
from chainrule.layers import Dense, Input
from chainrule.models import Sequential
from chainrule.optimizers import SGD
from chainrule.train.rate_finder import _suggestion


def test_suggestion_lies_between_too_slow_and_divergence():
    """C95: on a quadratic with curvature L the sweep diverges past 2/L and suggests less."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 3)).astype(np.float32)
    y = x @ [[1.0], [-1.0], [2.0]]
    model = Sequential([Input(3), Dense(1, use_bias=False)], seed=1)
    model.compile(SGD(0.01), "mse")
    before = model.get_weights()["dense/kernel"]
    sweep = model.find_rate(x, y, batch_size="full")
    limit = 2 / (2 * np.linalg.eigvalsh(x.T @ x / 256).max())
    assert 0.01 * limit < sweep.suggestion < limit
    assert sweep.diverged_at is not None
    assert sweep.diverged_at > limit
    assert (model.get_weights()["dense/kernel"] == before).all()
    assert "try learning_rate=" in str(sweep)


def test_bounds_are_checked():
    model = Sequential([Input(1), Dense(1)])
    model.compile(SGD(0.01), "mse")
    with pytest.raises(ArgumentError, match="high must be a finite number above 1"):
        model.find_rate([[1.0]], [1.0], low=1.0, high=0.1)


def test_the_suggestion_lies_before_the_lowest_loss():
    """A loss that jumps and falls back falls fastest there; the rate of that fall is no good rate."""
    rates = np.geomspace(1e-3, 10, 9).astype(np.float32)
    smooth = np.array([1.0, 0.95, 0.7, 0.4, 0.3, 0.28, 1.1, 0.31, 0.3])
    suggestion, _ = _suggestion(rates, smooth)
    assert suggestion in (rates[2], rates[3])
