"""Class weights."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

import chainrule.losses as losses
from chainrule._base.errors import ArgumentError, ArgumentTypeError


def test_golden_balanced_weights():
    """C140: n/(k n_c) for 200, 200, 6, 2 and 1 examples is .409 .409 13.633 40.9 81.8."""
    labels = np.repeat([0, 1, 2, 3, 4], [200, 200, 6, 2, 1])
    got = losses.balanced_class_weight(labels)
    np.testing.assert_allclose(list(got.values()), [0.409, 0.409, 13.633, 40.9, 81.8], atol=5e-4)
    theirs = compute_class_weight("balanced", classes=np.arange(5), y=labels)
    np.testing.assert_allclose(list(got.values()), theirs, rtol=1e-14)
    assert sum(got[label] for label in labels) == pytest.approx(409)  # the total weight stays n


def test_labels_that_are_no_integers_are_refused():
    for labels in ([0.5, 1.0], [], ["a"]):
        with pytest.raises(ArgumentTypeError, match="integers"):
            losses.balanced_class_weight(np.array(labels))


def test_vector_of_a_mapping_and_of_a_sequence():
    assert losses.class_weight_vector({2: 3.0}, 3, "x").tolist() == [1.0, 1.0, 3.0]
    assert losses.class_weight_vector([1, 2], 2, "x").tolist() == [1.0, 2.0]
    assert losses.class_weight_vector(None, 2, "x") is None
    with pytest.raises(ArgumentError, match="classes from 0 to 2; received 3"):
        losses.class_weight_vector({3: 1.0}, 3, "x")
    with pytest.raises(ArgumentError, match="each of the 3 classes; received 2"):
        losses.class_weight_vector((1.0, 2.0), 3, "x")


def test_bad_weights_are_refused_when_the_loss_is_made():
    with pytest.raises(ArgumentError, match="at least 0"):
        losses.CrossEntropy(class_weight={0: -1.0})
    with pytest.raises(ArgumentTypeError, match="class_weight"):
        losses.CrossEntropy(class_weight="blanced")
