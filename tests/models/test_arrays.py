"""What users pass, checked: shapes, dtypes, lengths, names, labels, weights."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, ArgumentTypeError, ChainruleError, DataError, ShapeError
from chainrule.layers import Concatenate, Dense, Flatten, Input
from chainrule.models.arrays import as_inputs
from chainrule.optimizers import SGD


@pytest.fixture(scope="module")
def regression():
    model = cr.Sequential([Input(3), Dense(1)])
    model.compile(SGD(0.1), "mse")
    return model


@pytest.fixture(scope="module")
def classes():
    model = cr.Sequential([Input(3), Dense(4)])
    model.compile(SGD(0.1), "cross_entropy", ["accuracy"])
    return model


X = np.random.default_rng(0).normal(size=(6, 3))


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        (np.ones((6, 4)), ShapeError, r"x\[input\]: must have shape \(b, 3\).*received \(6, 4\)"),
        (np.ones(3), ShapeError, r"looks like a single example: add the batch axis, x\[None\]"),
        (np.where(np.arange(18).reshape(6, 3) == 7, np.nan, 1.0), DataError, r"first in row 2, position \(1,\)"),
        ([["a", "b", "c"]] * 6, ArgumentTypeError, "must hold numbers; received dtype <U1"),
        ([[1, 2, 3], [1, 2]], ShapeError, "rows must all have the same length"),
        (np.ones((0, 3)), ShapeError, "needs at least one example"),
        ({"inputt": X}, ArgumentError, "Did you mean 'input'"),
    ],
)
def test_bad_inputs_are_told(regression, x, error, text):
    with pytest.raises(error, match=text):
        regression.fit(x, np.ones(6), verbose=0)


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        (np.full((2, 3), [1, 1, np.nan], np.float32), DataError, r"first in row 0, position \(2,\)"),
        (np.full((2, 3), [1, np.inf, 1], np.float32), DataError, r"first in row 0, position \(1,\)"),
        (np.ones((2, 2), np.float32), ShapeError, r"must have shape \(b, 3\).*received \(2, 2\)"),
        (np.ones((3,), np.float32), ShapeError, "add the batch axis"),
        (np.ones((0, 3), np.float32), ShapeError, "needs at least one example"),
        (np.float32(1), ShapeError, "needs at least one example"),
    ],
)
def test_float32_arrays_are_checked_like_others(regression, x, error, text):
    with pytest.raises(error, match=text):
        regression.predict(x)


def test_a_float32_array_is_not_copied(regression):
    x = X.astype(np.float32)
    assert as_inputs(regression.graph, x)[0] is x


@pytest.mark.parametrize(
    ("y", "error", "text"),
    [
        (np.ones(5), ShapeError, "one target for each of the 6 examples; received 5"),
        (np.ones((6, 2)), ChainruleError, "shape"),
        (np.array([1, 2, np.nan, 4, 5, 6]), ChainruleError, "row 2"),
    ],
)
def test_bad_targets_are_told(regression, y, error, text):
    with pytest.raises(error, match=text):
        regression.fit(X, y, verbose=0)


@pytest.mark.parametrize("label", [4, -1])
def test_labels_out_of_range_name_the_row(classes, label):
    with pytest.raises(ChainruleError, match=r"row 3"):
        classes.fit(X, [0, 1, 2, label, 3, 0], verbose=0)


def test_integer_and_one_hot_labels_are_the_same(classes):
    """C68: one-hot and integer labels give the same value."""
    labels = np.array([0, 3, 1, 2, 2, 0])
    whole, one_hot = classes.evaluate(X, labels), classes.evaluate(X, np.eye(4)[labels])
    assert whole["loss"] == pytest.approx(one_hot["loss"], rel=1e-6)
    assert whole["accuracy"] == one_hot["accuracy"]


@pytest.mark.parametrize("make", [list, pd.DataFrame, pl.DataFrame, np.asarray, lambda x: x.astype(np.float64)])
def test_lists_and_data_frames_serve(regression, make):
    expected = regression.predict(X.astype(np.float32))
    np.testing.assert_allclose(regression.predict(make(X)), expected, rtol=1e-6)


def test_two_inputs_by_list_or_name():
    left, right = Input(2, name="left"), Input(3, name="right")
    model = cr.Model([left, right], Dense(1)(Concatenate()(left, right)))
    a, b = np.ones((4, 2)), np.zeros((4, 3))
    assert (model.predict([a, b]) == model.predict({"right": b, "left": a})).all()
    with pytest.raises(ArgumentError, match="the model has 2"):
        model.predict(a)
    with pytest.raises(ShapeError, match="same number of examples"):
        model.predict([a, b[:3]])


@pytest.mark.parametrize(
    ("weight", "text"),
    [
        (np.ones(5), "must have shape"),
        (-np.ones(6), "not negative"),
        (np.zeros(6), "some above 0"),
        (np.full(6, np.nan), "finite"),
    ],
)
def test_bad_sample_weights_are_refused(regression, weight, text):
    with pytest.raises(ChainruleError, match=text):
        regression.fit(X, np.ones(6), sample_weight=weight, verbose=0)


def test_class_weight_equals_the_sample_weight_it_stands_for():
    """C74: class_weight as a mapping or "balanced" equals the sample weights n/(k n_c)."""
    labels = np.array([0, 0, 0, 0, 1, 2])
    balanced = {0: 6 / (3 * 4), 1: 6 / 3, 2: 6 / 3}

    def trained(**weights):
        model = cr.Sequential([Input(3), Dense(3)], seed=1)
        model.compile(SGD(0.5), "cross_entropy")
        model.fit(X, labels, epochs=2, batch_size=4, verbose=0, **weights)
        return model.get_weights()["dense/kernel"]

    by_hand = trained(sample_weight=np.array([balanced[label] for label in labels]))
    assert (trained(class_weight=balanced) == by_hand).all()
    assert (trained(class_weight="balanced") == by_hand).all()
    assert (trained() != by_hand).any()
    with pytest.raises(ArgumentError, match="Did you mean 'balanced'"):
        trained(class_weight="balance")
    with pytest.raises(ArgumentError, match="no weight for class 2"):
        trained(class_weight={0: 1.0, 1: 1.0})


def test_balanced_loss_is_settled_from_the_training_targets():
    labels = np.array([0, 0, 0, 0, 1, 2])
    model = cr.Sequential([Input(3), Dense(3)], seed=1)
    model.compile(SGD(0.5), cr.losses.CrossEntropy(class_weight="balanced"))
    model.fit(X, labels, epochs=1, verbose=0)
    assert model.loss.class_weight == {0: 0.5, 1: 2.0, 2: 2.0}


@pytest.mark.parametrize("validation", [1.5, 0, "0.2", (X,), -0.1])
def test_bad_validation_is_refused(regression, validation):
    with pytest.raises(ChainruleError, match="validation"):
        regression.fit(X, np.ones(6), validation=validation, verbose=0)


def test_validation_fraction_is_stratified_and_shuffled():
    """C147: a fraction is taken at random and keeps the classes' shares; it is not the last rows."""
    labels = np.repeat([0, 1], [80, 20])
    seen = {}

    def look(event, run):
        if type(event).__name__ == "FitStart":
            seen.update(train=event.examples, validation=event.validation_examples)

    model = cr.Sequential([Input(1), Dense(2, kernel_initializer="zeros")])
    model.compile(SGD(1e-9), "cross_entropy", [cr.metrics.ConfusionMatrix(2)])
    model.fit(np.ones((100, 1)), labels, epochs=1, validation=0.2, verbose=0, callbacks=[look])
    assert seen == {"train": 80, "validation": 20}


@pytest.mark.parametrize("batch_size", [0, -3, 2.5, "all"])
def test_bad_batch_sizes_are_refused(regression, batch_size):
    with pytest.raises(ChainruleError, match="batch_size"):
        regression.fit(X, np.ones(6), batch_size=batch_size, verbose=0)


@pytest.fixture(scope="module")
def copier():
    """Gives back its one input: y = 1 * x + 0."""
    return cr.Sequential([Input(1), Dense(1, kernel_initializer="ones")])


@pytest.mark.parametrize("kind", ["int64", "uint64", "float64", "uint32", "int16", "bool", "uint8"])
def test_wide_numbers_are_never_wrapped_around(copier, kind):
    largest = np.array([[1 if kind == "bool" else np.iinfo(kind).max if kind != "float64" else 1e30]], kind)
    np.testing.assert_allclose(copier.predict(largest)[0, 0], float(largest[0, 0]), rtol=1e-6)


def test_numbers_beyond_float32_name_the_row(copier):
    copier.compile("sgd", "mse")
    with pytest.raises(DataError, match=r"x\[input\]: must fit float32.*row 1"):
        copier.predict(np.array([[1.0], [1e300]]))
    with pytest.raises(DataError, match=r"y\[dense\]: must fit float32.*row 0"):
        copier.evaluate(np.ones((2, 1)), np.array([-1e300, 1.0]))


def test_identifiers_must_be_whole_and_fit():
    model = cr.Sequential([Input(2, dtype="int32"), cr.layers.Embedding(5, 3), cr.layers.Flatten(), Dense(1)])
    assert (model.predict(np.array([[0.0, 4.0]])) == model.predict(np.array([[0, 4]], np.uint8))).all()
    with pytest.raises(ArgumentTypeError, match="whole numbers; received a fraction in row 1"):
        model.predict(np.array([[0, 1], [1, 1.5]]))
    with pytest.raises(DataError, match="must fit int32"):
        model.predict(np.array([[0, 2**40]]))


def test_labels_of_a_function_loss_are_not_wrapped_around():
    model = cr.Sequential([Input(3), Dense(2)])
    model.compile("sgd", lambda predictions, targets: (predictions[:, 0] - targets) ** 2)
    with pytest.raises(DataError, match=r"y\[dense\]: must fit int32"):
        model.evaluate(X, np.full(6, 2**40))


def test_frames_of_mixed_number_columns_serve(regression):
    frame = pd.DataFrame({"a": [1.5, 2.0], "b": [True, False], "c": pd.array([3, 4], "Int64")})
    plain = np.array([[1.5, 1, 3], [2, 0, 4]])
    np.testing.assert_array_equal(regression.predict(frame), regression.predict(plain))
    with pytest.raises(ArgumentTypeError, match="must hold numbers; received NAType first in row 1"):
        regression.predict(frame.assign(c=pd.array([3, None], "Int64")))
    with pytest.raises(ArgumentTypeError, match="received one generator"):
        regression.predict(row for row in plain)


def test_whole_number_objects_are_labels(classes):
    labels = pd.Series([0, 3, 1, 2, 2, 0], dtype="Int64")
    assert classes.evaluate(X, labels.to_numpy(object)) == classes.evaluate(X, labels.to_numpy(int))


def test_masked_entries_are_refused(regression):
    with pytest.raises(DataError, match="masked"):
        regression.predict(np.ma.masked_equal(np.arange(6.0).reshape(2, 3), 4))


def test_one_feature_without_its_axis_is_told(copier):
    with pytest.raises(ShapeError, match=r"x\[:, None\]"):
        copier.predict(np.arange(4.0))


@pytest.mark.parametrize(
    ("received", "text"),
    [
        ((3, 6, 5), r"only the last axis is missing: add it, x\[\.\.\., None\]"),
        ((3, 1, 6, 5), r"move their axis, np\.moveaxis\(x, 1, -1\)"),
        ((3, 5, 6, 1), "Reshape x"),
        ((6, 5, 1), r"x\[None\]"),
    ],
)
def test_images_with_axes_elsewhere_are_told_how_to_move_them(received, text):
    model = cr.Sequential([Input((6, 5, 1)), Flatten(), Dense(2)])
    with pytest.raises(ShapeError, match=f"(?i){text}"):
        model.predict(np.zeros(received, "float32"))


def test_one_label_for_an_output_of_a_grid_is_told_to_flatten():
    model = cr.Sequential([Input((4, 3)), Dense(2)])
    model.compile(SGD(0.1), "cross_entropy")
    with pytest.raises(ShapeError, match=r"put Flatten\(\) or a global pooling layer"):
        model.fit(np.zeros((6, 4, 3), "float32"), np.zeros(6, int), verbose=0)


@pytest.mark.parametrize(
    ("targets", "weight", "text"),
    [
        (np.eye(3)[[0, 1, 2, 0, 1, 2]] + np.eye(3)[0], "balanced", "one class per example"),
        (np.array([[0, 1, 1]] * 6), "balanced", "one class per example"),
        (np.linspace(0, 1, 6), {0: 1.0, 1: 1.0}, "one class per example"),
    ],
)
def test_class_weight_needs_classes(targets, weight, text):
    model = cr.Sequential([Input(3), Dense(1 if targets.ndim == 1 else 3)])
    model.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match=text):
        model.fit(X, targets, class_weight=weight, verbose=0)


@pytest.mark.parametrize("value", [-1.0, float("nan"), "a", None])
def test_class_weights_are_checked(classes, value):
    with pytest.raises(ChainruleError, match="class_weight: weight of class 1 must be a finite number at least 0"):
        classes.fit(X, [0, 1, 0, 1, 0, 1], class_weight={0: 1.0, 1: value}, verbose=0)
