import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from chainrule._base.errors import ArgumentError
from chainrule.data import balance, class_weights, imbalance_note, oversample, undersample

ANIMALS = {"Cats": 5000, "Dogs": 5000, "Tigers": 150, "Caracals": 50, "Axolotls": 25}
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(5), list(ANIMALS.values())))


def test_weights():
    """C140: n / (k n_c) gives .409 .409 13.633 40.9 81.8, as scikit-learn's "balanced"."""
    weights = class_weights(LABELS)
    np.testing.assert_allclose(weights, [0.409, 0.409, 13.633, 40.9, 81.8], atol=5e-4)  # three digits are given
    oracle = compute_class_weight("balanced", classes=np.arange(5), y=LABELS)
    np.testing.assert_allclose(weights, oracle, rtol=1e-12)


def test_undersampling():
    """C138: 25 rows of each of five classes are 125."""
    rows = undersample(LABELS)
    assert rows.size == 125
    assert np.bincount(LABELS[rows]).tolist() == [25] * 5
    assert np.unique(rows).size == 125


def test_oversampling():
    """C139: 5000 rows of each of five classes are 25,000; every row is kept."""
    rows = oversample(LABELS)
    assert rows.size == 25_000
    assert np.bincount(LABELS[rows]).tolist() == [5000] * 5
    times = np.bincount(rows)
    assert times.min() >= 1
    for label in range(5):
        assert np.ptp(times[np.equal(LABELS, label)]) <= 1


def test_report():
    """C137: the report names the largest and the smallest class."""
    assert imbalance_note(ANIMALS) == (
        "classes are imbalanced: 'Cats' has 5,000 rows, 'Axolotls' 25 (200 times fewer)."
    )
    assert imbalance_note({"a": 10, "b": 9}) is None


def test_one_switch():
    """C137: three remedies in one switch."""
    labels = np.array([0, 0, 0, 0, 1, 2, 2])
    for how, size in {"none": 7, "weights": 7, "undersample": 3, "oversample": 12}.items():
        rows, weights = balance(labels, how)
        assert rows.size == weights.size == size
        sums = np.bincount(labels[rows], weights)
        assert (how == "none") != np.allclose(sums, sums[0], rtol=1e-6)  # float32
    with pytest.raises(ArgumentError, match="Did you mean 'weights'"):
        balance(labels, "weight")
    with pytest.raises(ArgumentError, match="class numbers from 0"):
        class_weights(np.array([0.5, 1.0]))
