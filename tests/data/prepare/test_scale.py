import numpy as np
import pytest
from scipy.stats import norm
from sklearn import preprocessing

from chainrule._base.registry import from_config, to_config
from chainrule.data.prepare import MinMaxScaler, QuantileScaler, RobustScaler, StandardScaler

X = np.random.default_rng(0).lognormal(size=(37, 3)) * [1.0, 100.0, 1e6]


def test_min_max_of_ages():
    """C134: with range 18 to 99, 18 becomes 0, 99 becomes 1, 58.5 becomes 0.5; outside is kept or clipped."""
    ages = np.array([[18.0], [99.0], [40.0]])
    kept = MinMaxScaler().fit(ages)
    assert kept.transform(np.array([[18.0], [99.0], [58.5]])).ravel().tolist() == [0.0, 1.0, 0.5]
    assert kept.transform(np.array([[180.0]])).item() == 2.0
    assert kept.inverse(np.array([[0.5]])).item() == 58.5
    clipped = MinMaxScaler(outside="clip").fit(ages)
    assert clipped.transform(np.array([[180.0], [-5.0]])).ravel().tolist() == [1.0, 0.0]


def test_standardised_columns_have_mean_0_and_deviation_1():
    """C135: mean 0, deviation 1 on the training rows."""
    scaled = StandardScaler().fit(X).transform(X)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-12)


@pytest.mark.parametrize("name", ["StandardScaler", "MinMaxScaler", "RobustScaler"])
def test_equal_to_sklearn(name):
    ours = {"StandardScaler": StandardScaler, "MinMaxScaler": MinMaxScaler, "RobustScaler": RobustScaler}[name]().fit(X)
    new = X[::-1] * 1.5 - 1
    np.testing.assert_allclose(ours.transform(new), getattr(preprocessing, name)().fit(X).transform(new), rtol=1e-10)
    np.testing.assert_allclose(ours.inverse(ours.transform(new)), new, rtol=1e-10)
    assert from_config(to_config(ours)) == ours


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler(), RobustScaler(), QuantileScaler()])
def test_constant_and_empty_columns_stay_finite(scaler):
    x = np.column_stack([np.full(5, 0.1), np.full(5, np.nan), [1.0, 2, 3, 4, np.nan]])
    transformed = scaler.fit(x).transform(x)
    assert np.abs(transformed[:, 0]).max() < 1e-9
    assert np.isnan(transformed[:, 1]).all()
    assert np.isfinite(transformed[:4, 2]).all()
    assert np.isnan(transformed[4, 2])


def test_quantile_scaling_is_normal_by_rank():
    x = np.random.default_rng(1).lognormal(sigma=3.0, size=(2001, 1))
    fitted = QuantileScaler().fit(x)
    order = np.argsort(x.ravel())
    ranks = np.linspace(0, 1, 2001)
    ours = fitted.transform(x).ravel()[order]
    middle = (ranks > 0.02) & (ranks < 0.98)
    # 200 knots: within a knot's interval the map is linear, hence some hundredths of a deviation
    np.testing.assert_allclose(ours[middle], norm.ppf(ranks[middle]), atol=0.05)
    np.testing.assert_allclose(ours[[0, -1]], norm.ppf([0.001, 0.999]), rtol=1e-6)
    np.testing.assert_allclose(fitted.inverse(fitted.transform(x)), x, rtol=1e-6)
    assert from_config(to_config(fitted)) == fitted


def test_ties_share_one_score():
    fitted = QuantileScaler().fit(np.array([[0.0], [0.0], [0.0], [5.0]]))
    assert len(fitted.quantiles[0]) == len(set(fitted.quantiles[0]))
    scores = fitted.transform(np.array([[0.0], [2.5], [5.0]])).ravel()
    assert scores[0] < scores[1] < scores[2]
