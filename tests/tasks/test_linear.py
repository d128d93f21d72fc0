import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression, Ridge

from chainrule.errors import ArgumentError, ShapeError
from chainrule.tasks.linear import fit_linear, sigmoid, softmax

# scikit-learn's lbfgs stops at a gradient of 1e-8 here; the coefficients then agree to about 1e-6.
SOLVER = {"tol": 1e-10, "max_iter": 10_000}


@pytest.fixture
def table():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(83, 5))
    x[:, 4] = (x[:, 4] > 0.3).astype(float)
    return x, x @ np.array([1.5, -2.0, 0.0, 0.7, 1.0]) + 0.4 * rng.normal(size=83)


def test_logistic_regression_equals_scikit_learn(table):
    """C277: the classical baseline beside every network is exact logistic regression."""
    x, score = table
    y = (score > 0.5).astype(int)
    own, other = fit_linear(x, y, "binary", l2=0.5), LogisticRegression(C=2.0, **SOLVER).fit(x, y)
    np.testing.assert_allclose(own.weights[:, 0], other.coef_[0], atol=2e-5)
    np.testing.assert_allclose(own.bias, other.intercept_, atol=2e-5)
    np.testing.assert_allclose(own.predict(x), other.predict_proba(x)[:, 1], atol=1e-6)


def test_multinomial_regression_equals_scikit_learn(table):
    x, score = table
    y = np.digitize(score, [-1.0, 1.0])
    own, other = fit_linear(x, y, "multiclass", num_classes=3), LogisticRegression(C=1.0, **SOLVER).fit(x, y)
    np.testing.assert_allclose(own.weights, other.coef_.T, atol=2e-5)
    np.testing.assert_allclose(own.predict(x), other.predict_proba(x), atol=1e-6)


def test_ridge_regression_equals_scikit_learn(table):
    x, score = table
    own, other = fit_linear(x, score, "regression", l2=2.5), Ridge(alpha=2.5).fit(x, score)
    np.testing.assert_allclose(own.weights[:, 0], other.coef_, atol=1e-8)
    np.testing.assert_allclose(own.predict(x), other.predict(x), atol=1e-8)


def test_each_label_is_a_logistic_regression_of_its_own(table):
    x, score = table
    labels = np.column_stack([score > 0, x[:, 0] > 0.2]).astype(float)
    both = fit_linear(x, labels, "multilabel")
    for index in range(2):
        alone = fit_linear(x, labels[:, index], "binary")
        np.testing.assert_allclose(both.predict(x)[:, index], alone.predict(x), atol=1e-12)


def test_many_classes_are_fitted_one_against_the_rest():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(40), 5)
    x = np.eye(40)[y] + 0.1 * rng.normal(size=(200, 40))
    model = fit_linear(x, y, "multiclass", num_classes=40)  # 40 · 41 coefficients: above the Hessian's limit
    chances = model.predict(x)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, atol=1e-12)
    assert np.mean(chances.argmax(axis=1) == y) > 0.95


def test_intervals_of_linear_regression_are_the_textbook_ones(table):
    """C277: coefficients come with confidence intervals; SciPy's simple regression is the reference."""
    x, score = table
    own = fit_linear(x[:, :1], score, "regression", l2=1e-9)
    reference = stats.linregress(x[:, 0], score)
    assert own.deviation[0, 0] == pytest.approx(reference.stderr, rel=1e-6)
    low, high = own.interval()
    assert (high - low)[0, 0] == pytest.approx(2 * 1.959964 * reference.stderr, rel=1e-5)


def test_intervals_of_logistic_regression_are_walds():
    x = np.array([[0.0]] * 40 + [[1.0]] * 60)
    y = np.concatenate([np.repeat([0, 1], [30, 10]), np.repeat([0, 1], [20, 40])])
    own = fit_linear(x, y, "binary", l2=1e-8)
    log_odds_ratio = np.log(40 * 30 / (20 * 10))
    assert own.weights[0, 0] == pytest.approx(log_odds_ratio, abs=1e-6)
    assert own.deviation[0, 0] == pytest.approx(np.sqrt(1 / 40 + 1 / 20 + 1 / 30 + 1 / 10), rel=1e-6)


def test_separable_classes_and_repeated_columns_stay_finite():
    x = np.linspace(-1, 1, 11)[:, None]
    model = fit_linear(np.hstack([x, x, np.ones_like(x)]), (x[:, 0] > 0).astype(int), "binary")
    assert np.isfinite(model.weights).all()
    assert np.isfinite(model.deviation).all()
    assert model.weights[0, 0] == pytest.approx(model.weights[1, 0], rel=1e-4)
    assert ((model.predict(np.hstack([x, x, np.ones_like(x)])) > 0.5) == (x[:, 0] > 0)).all()


def test_a_class_that_training_lacks_gets_little():
    x = np.random.default_rng(1).normal(size=(30, 2))
    model = fit_linear(x, (x[:, 0] > 0).astype(int), "multiclass", num_classes=3)
    assert (model.predict(x)[:, 2] < 0.05).all()


def test_bad_arguments_are_refused(table):
    x, score = table
    with pytest.raises(ArgumentError, match="Did you mean 'regression'"):
        fit_linear(x, score, "regresion")
    with pytest.raises(ShapeError, match="one target per row"):
        fit_linear(x, score[:-1], "regression")
    with pytest.raises(ArgumentError, match="l2"):
        fit_linear(x, score, "regression", l2=0.0)


def test_sigmoid_and_softmax_do_not_overflow():
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
    np.testing.assert_allclose(softmax(np.array([[1e4, 1e4, -1e4]])), [[0.5, 0.5, 0.0]])
