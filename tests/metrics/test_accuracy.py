"""Accuracies against scikit-learn and NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sklearn.metrics

import chainrule.metrics as metrics
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError

RNG = np.random.default_rng(5)
LOGITS, LABELS, WEIGHT = RNG.normal(size=(7, 4)), RNG.integers(4, size=7), RNG.uniform(0.1, 2, 7)


def test_class_accuracy_from_integer_and_one_hot_labels():
    """C79 C152: accuracy = number right / number of all, weighted."""
    expected = sklearn.metrics.accuracy_score(LABELS, LOGITS.argmax(1), sample_weight=WEIGHT)
    for targets in (LABELS, np.eye(4)[LABELS]):
        got = metrics.Accuracy()(jnp.asarray(LOGITS), jnp.asarray(targets), jnp.asarray(WEIGHT))
        assert float(got) == pytest.approx(expected, rel=1e-6)
    assert metrics.accuracy_score(LOGITS.argmax(1), LABELS, WEIGHT) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("metric", [metrics.Accuracy, metrics.BinaryAccuracy])
def test_binary_accuracy_from_logits_and_probabilities(metric):
    x, t = RNG.normal(size=(6, 1)), np.array([[1], [0], [0], [1], [1], [0]])
    expected = ((x > 0) == t).mean()
    assert 0 < expected < 1
    assert float(metric()(x, t)) == pytest.approx(expected)
    assert float(metric(from_logits=False)(1 / (1 + np.exp(-x)), t)) == pytest.approx(expected)
    strict = ((1 / (1 + np.exp(-x)) > 0.8) == t).mean()
    assert float(metric(threshold=0.8)(x, t)) == pytest.approx(strict)


def test_multi_label_accuracy_counts_each_label():
    """C73: every label is right or wrong by itself."""
    x, t = jnp.array([[1.0, 2.0, -1.0], [-1.0, 1.0, 1.0]]), jnp.array([[1, 1, 1], [0, 1, 0]])
    assert float(metrics.Accuracy(multi_label=True)(x, t)) == pytest.approx(4 / 6)
    assert float(metrics.BinaryAccuracy()(x, t)) == pytest.approx(4 / 6)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_top_k_equals_scikit_learn(k):
    expected = sklearn.metrics.top_k_accuracy_score(LABELS, LOGITS, k=k, sample_weight=WEIGHT, labels=range(4))
    got = metrics.TopKAccuracy(k)(jnp.asarray(LOGITS), jnp.asarray(LABELS), jnp.asarray(WEIGHT))
    assert float(got) == pytest.approx(expected, rel=1e-6)
    assert metrics.TopKAccuracy(k).name == f"top_{k}_accuracy"


def test_constant_outputs_earn_only_their_share():
    labels = jnp.arange(4)
    assert float(metrics.TopKAccuracy(1)(jnp.zeros((4, 4)), labels)) == 0.25
    assert float(metrics.Accuracy()(jnp.zeros((4, 4)), labels)) == 0.25


def test_nan_is_never_right():
    nan = jnp.full((2, 3), jnp.nan)
    assert float(metrics.Accuracy()(nan, jnp.array([0, 1]))) == 0.0
    assert float(metrics.TopKAccuracy(3)(nan, jnp.array([0, 1]))) == 0.0
    assert float(metrics.Accuracy()(nan[0], jnp.array([0, 1, 0]))) == 0.0


def test_time_axis_is_averaged_within_the_example():
    x, t = RNG.normal(size=(2, 5, 3)), RNG.integers(3, size=(2, 5))
    expected = np.average((x.argmax(-1) == t).mean(axis=1), weights=[1, 3])
    assert float(metrics.Accuracy()(jnp.asarray(x), jnp.asarray(t), jnp.array([1.0, 3.0]))) == pytest.approx(expected)


def test_uneven_batches_padding_and_merge_are_exact_under_a_compiled_loop():
    metric = metrics.Accuracy()
    padded = np.concatenate([LOGITS, np.full((2, 4), np.nan)]).reshape(3, 3, 4)
    labels = np.concatenate([LABELS, [0, 0]]).reshape(3, 3)
    weight = np.concatenate([WEIGHT, [0, 0]]).reshape(3, 3)

    @jax.jit
    def run(x, t, w):
        return jax.lax.fori_loop(0, 3, lambda i, acc: metric.update(acc, x[i], t[i], w[i]), metric.init())

    expected = np.average(LOGITS.argmax(1) == LABELS, weights=WEIGHT)
    whole = metric.result(run(padded, labels, weight))
    assert float(whole) == pytest.approx(expected, rel=1e-6)
    first = metric.update(metric.init(), LOGITS[:2], LABELS[:2], jnp.asarray(WEIGHT[:2]))
    second = metric.update(metric.init(), LOGITS[2:], LABELS[2:], jnp.asarray(WEIGHT[2:]))
    assert float(metric.result(metric.merge(first, second))) == pytest.approx(expected, rel=1e-6)


def test_counts_past_two_to_the_24_are_not_lost():
    metric = metrics.Accuracy()
    start = metric.init()
    start = {key: {**part, "sum": jnp.float32(2.0**24)} for key, part in start.items()}
    wrong = (jnp.array([-1.0]), jnp.array([1]), jnp.ones(1))

    def body(_, acc):
        return metric.update(acc, *wrong)

    acc = jax.lax.fori_loop(0, 2**20, body, start)
    # in plain float32, 2²⁴ + 1 is 2²⁴ and the accuracy would still be 1
    assert float(metric.result(acc)) == pytest.approx(16 / 17, rel=1e-6)


def test_no_rows_give_nan():
    metric = metrics.Accuracy()
    assert np.isnan(metric.result(metric.init()))


def test_shapes_and_types_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"\(3, 1\) and targets of shape \(2, 1\)"):
        metrics.Accuracy()(jnp.ones((3, 1)), jnp.ones((2, 1)))
    with pytest.raises(ShapeError, match="2 classes or more"):
        metrics.Accuracy()(jnp.ones((3, 1)), jnp.ones(3, int))
    with pytest.raises(ArgumentTypeError, match=r"astype\(int\)"):
        metrics.Accuracy()(jnp.ones((3, 2)), jnp.ones(3))
    with pytest.raises(ArgumentError, match="threshold"):
        metrics.Accuracy(threshold=1.0)
    with pytest.raises(ShapeError, match="weight"):
        metrics.accuracy_score([1, 2], [1, 2], [1.0])


def test_ignored_labels_do_not_count():
    """Per example the share of its own labels; an example without any takes no part."""
    logits, labels = RNG.normal(size=(4, 5, 3)).astype(np.float32), RNG.integers(1, 3, size=(4, 5))
    labels[0, 2:], labels[1, 1:], labels[3] = 0, 0, 0
    guesses, weight = logits.argmax(-1), np.array([1.0, 2.0, 0.5, 9.0])
    shares = [np.mean(guesses[i][labels[i] != 0] == labels[i][labels[i] != 0]) for i in range(3)]
    expected = np.average(shares, weights=weight[:3])
    for metric in (metrics.Accuracy(ignore_class=0), metrics.TopKAccuracy(1, ignore_class=0)):
        got = metric(jnp.asarray(logits), jnp.asarray(labels), jnp.asarray(weight))
        assert float(got) == pytest.approx(expected, rel=1e-6)
    # weights by length: the share over all labels
    lengths = jnp.asarray((labels != 0).sum(axis=1), jnp.float32)
    every = sklearn.metrics.accuracy_score(labels[labels != 0], guesses[labels != 0])
    assert float(metrics.Accuracy(ignore_class=0)(logits, labels, lengths)) == pytest.approx(every, rel=1e-6)


def test_a_metric_by_name_takes_the_label_that_the_loss_ignores():
    for name in ("accuracy", "top_k_accuracy"):
        assert metrics.get(name, ignore_class=3).ignore_class == 3
    with pytest.raises(ArgumentError, match=r"Accuracy: with ignore_class=0 the last axis.*shape \(3,\), each a yes"):
        metrics.Accuracy(ignore_class=0)(jnp.ones(3), jnp.ones(3))
    with pytest.raises(ArgumentTypeError, match="ignore_class must be an integer"):
        metrics.Accuracy(ignore_class="pad")
