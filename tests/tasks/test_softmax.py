import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from chainrule.errors import ArgumentError, ShapeError
from chainrule.tasks.softmax import fit_softmax

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 6)).astype("float32")
Y = (X @ RNG.normal(size=(6, 3)) + RNG.normal(size=(150, 3))).argmax(axis=1)


@pytest.mark.parametrize("l2", [0.3, 5.0])
def test_the_minimum_is_scikit_learn_s(l2):
    oracle = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=5000).fit(X.astype("f8"), Y)
    ours = fit_softmax(X, Y, 3, l2=l2, iterations=300)
    np.testing.assert_allclose(ours.predict(X), oracle.predict_proba(X), atol=2e-3)  # it stops at 1e-7 of the loss
    np.testing.assert_allclose(ours.weights, oracle.coef_.T, atol=2e-2)


def test_a_class_that_is_absent_gets_little():
    found = fit_softmax(X, Y, 4).predict(X)
    assert found.shape == (150, 4)
    assert found[:, 3].max() < 0.01
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_more_features_than_rows_are_told_apart():
    wide = RNG.normal(size=(20, 300)).astype("float32")
    labels = np.arange(20) % 5
    assert (fit_softmax(wide, labels, 5, l2=0.1).predict(wide).argmax(axis=1) == labels).all()


def test_wrong_arguments_are_named():
    with pytest.raises(ShapeError, match=r"labels must have shape \(150,\)"):
        fit_softmax(X, Y[:-1], 3)
    with pytest.raises(ArgumentError, match="l2 must be"):
        fit_softmax(X, Y, 3, l2=0)
