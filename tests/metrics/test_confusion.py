"""Confusion matrix, precision, recall and F1 against scikit-learn."""

import warnings

import jax.numpy as jnp
import numpy as np
import pytest
import sklearn.metrics

import chainrule.metrics as metrics
from chainrule._base.errors import ArgumentError, ShapeError

RNG = np.random.default_rng(6)
N = 23
LOGITS, LABELS, WEIGHT = RNG.normal(size=(N, 3)), RNG.integers(3, size=N), RNG.uniform(0.1, 2, N)
X, YES = RNG.normal(size=N), RNG.integers(2, size=N)
MULTI_X, MULTI_YES = RNG.normal(size=(N, 3)), RNG.integers(2, size=(N, 3))
PAIRS = [
    (metrics.Precision, sklearn.metrics.precision_score),
    (metrics.Recall, sklearn.metrics.recall_score),
    (metrics.F1, sklearn.metrics.f1_score),
]


def in_two_batches(metric, x, t, weight):
    parts = [
        metric.update(metric.init(), jnp.asarray(x[s]), jnp.asarray(t[s]), jnp.asarray(weight[s]))
        for s in (slice(0, 5), slice(5, None))
    ]
    return metric.result(metric.merge(*parts))


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_binary_equals_scikit_learn(ours, theirs):
    expected = theirs(YES, X > 0.2, sample_weight=WEIGHT)
    cut = 1 / (1 + np.exp(-0.2))
    assert float(in_two_batches(ours(threshold=cut), X, YES, WEIGHT)) == pytest.approx(expected, rel=1e-5)
    pair = np.stack([np.full(N, 0.2), X], axis=1)  # two exclusive outputs, class 1 positive
    assert float(in_two_batches(ours(), pair, YES, WEIGHT)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_classes_and_labels_equal_scikit_learn(ours, theirs, average):
    """C73: per-label measures of several labels, and of exclusive classes."""
    metric = ours(num_classes=3, average=average)
    expected = theirs(LABELS, LOGITS.argmax(1), average=average, sample_weight=WEIGHT)
    assert float(in_two_batches(metric, LOGITS, LABELS, WEIGHT)) == pytest.approx(expected, rel=1e-5)
    assert float(in_two_batches(metric, LOGITS, np.eye(3)[LABELS], WEIGHT)) == pytest.approx(expected, rel=1e-5)
    several = ours(num_classes=3, average=average, multi_label=True)
    expected = theirs(MULTI_YES, MULTI_X > 0, average=average, sample_weight=WEIGHT)
    assert float(in_two_batches(several, MULTI_X, MULTI_YES, WEIGHT)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_average_none_names_the_classes(ours, theirs):
    got = in_two_batches(ours(num_classes=3, average="none"), LOGITS, LABELS, WEIGHT)
    expected = theirs(LABELS, LOGITS.argmax(1), average=None, sample_weight=WEIGHT)
    assert list(got) == ["0", "1", "2"]
    np.testing.assert_allclose(list(got.values()), expected, rtol=1e-5)


def test_nothing_to_divide_is_zero():
    for ours in (metrics.Precision, metrics.Recall, metrics.F1):
        assert float(ours()(jnp.array([-1.0, -2.0]), jnp.array([0, 0]))) == 0.0


def test_confusion_matrix_and_functions_equal_scikit_learn():
    guesses = LOGITS.argmax(1)
    expected = sklearn.metrics.confusion_matrix(LABELS, guesses, sample_weight=WEIGHT)
    np.testing.assert_allclose(in_two_batches(metrics.ConfusionMatrix(3), LOGITS, LABELS, WEIGHT), expected, rtol=1e-5)
    np.testing.assert_allclose(metrics.confusion_matrix(guesses, LABELS, weight=WEIGHT), expected, rtol=1e-13)
    binary = sklearn.metrics.confusion_matrix(YES, X > 0)
    np.testing.assert_array_equal(in_two_batches(metrics.ConfusionMatrix(2), X, YES, np.ones(N)), binary)
    scores = metrics.precision_recall_f1(expected)
    theirs = sklearn.metrics.precision_recall_fscore_support(LABELS, guesses, sample_weight=WEIGHT)
    np.testing.assert_allclose(np.stack(scores), np.stack(theirs), rtol=1e-13)


def test_class_that_is_never_predicted_or_never_occurs():
    matrix = metrics.confusion_matrix([0, 1, 0], [0, 2, 2], num_classes=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns that 0/0 was set to 0, which is what is compared
        theirs = sklearn.metrics.precision_recall_fscore_support([0, 2, 2], [0, 1, 0], labels=range(4))
    np.testing.assert_allclose(np.stack(metrics.precision_recall_f1(matrix)), np.stack(theirs))


def test_label_out_of_range_is_not_counted_as_another_class():
    got = metrics.ConfusionMatrix(3)(jnp.asarray(LOGITS[:3]), jnp.array([-1, 3, 1]))
    expected = np.zeros((3, 3))
    expected[1, LOGITS[2].argmax()] = 1
    np.testing.assert_array_equal(got, expected)
    with pytest.raises(ArgumentError, match="received 3 in row 1"):
        metrics.confusion_matrix([0, 1], [0, 3], num_classes=3)


def test_bad_arguments():
    with pytest.raises(ArgumentError, match=r"Type F1\(average='macro', num_classes=3\)"):
        metrics.F1(average="macro")
    with pytest.raises(ArgumentError, match="average must be one of"):
        metrics.F1(average="mean")
    with pytest.raises(ShapeError, match="num_classes=3"):
        metrics.F1(num_classes=3, average="macro")(jnp.ones((2, 4)), jnp.ones(2, int))
    with pytest.raises(ShapeError, match="square"):
        metrics.precision_recall_f1(np.ones((2, 3)))
