"""Representations layer by layer, and their projection to the plane."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import explain
from chainrule.errors import ArgumentError, ShapeError
from chainrule.layers import Add, Dense, Flatten, Input
from chainrule.optimizers import Adam


@pytest.fixture(scope="module")
def digits():
    return np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def classifier():
    model = cr.Sequential([Input((4, 5)), Flatten(), Dense(6, "tanh"), Dense(7)], seed=1)
    model.compile(loss="cross_entropy")
    return model


def test_every_layer_stands_in_order_with_its_output_for_one_example(classifier, digits):
    """C45 C246 C5: each row is the next layer's formula applied to the row before; the last holds probabilities."""
    rows = explain.representations(classifier, digits, example=2)
    assert [(row.path, row.kind, row.shape) for row in rows] == [
        ("input", "Input", (4, 5)),
        ("flatten", "Flatten", (20,)),
        ("dense", "Dense", (6,)),
        ("dense_1", "Dense", (7,)),
        ("probabilities", "softmax", (7,)),
    ]
    weights = {path: weight.astype(float) for path, weight in classifier.get_weights().items()}
    flat = digits[2].astype(float).ravel()
    hidden = np.tanh(flat @ weights["dense/kernel"] + weights["dense/bias"])
    logits = hidden @ weights["dense_1/kernel"] + weights["dense_1/bias"]
    expected = [digits[2], flat, hidden, logits, np.exp(logits) / np.exp(logits).sum()]
    for row, values in zip(rows, expected, strict=True):
        np.testing.assert_allclose(row.values, values, rtol=1e-5, atol=1e-6)  # float32
    assert str(rows[1]).startswith("flatten (Flatten): 20, ")


def test_rows_are_the_intermediate_outputs_by_name(classifier, digits):
    """C53 C45: the row of a layer is what ``intermediate`` gives for its path."""
    for row in explain.representations(classifier, digits, example=1)[1:-1]:
        np.testing.assert_allclose(row.values, classifier.intermediate(digits, row.path)[1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("activation", "loss", "kind"),
    [("linear", cr.losses.BinaryCrossEntropy(), "sigmoid"), ("sigmoid", "binary_cross_entropy", "output")],
)
def test_probabilities_of_two_classes(activation, loss, kind):
    """C45: sigmoid where the loss takes logits, the output itself where it takes probabilities."""
    model = cr.mlp([2, 1], output_activation=activation)
    model.set_weights({"dense/kernel": [[2.0], [1.0]], "dense/bias": [0.5]})
    model.compile(loss=loss)
    last = explain.representations(model, [[0.25, -0.5]])[-1]
    assert (last.path, last.kind) == ("probabilities", kind)
    assert last.values.tolist() == pytest.approx([1 / (1 + np.exp(-0.5))])


def test_no_probabilities_without_a_classifiers_loss():
    model = cr.mlp([2, 3])
    assert [row.path for row in explain.representations(model, [[1.0, 2.0]])] == ["input", "dense"]
    model.compile(loss="mse")
    assert [row.path for row in explain.representations(model, [[1.0, 2.0]])] == ["input", "dense"]


def test_several_inputs_and_outputs_are_told_apart():
    a, b = Input(2, name="a"), Input(2, name="b")
    summed = Add()(a, b)
    model = cr.Model([a, b], [Dense(3)(summed), Dense(1)(summed)])
    model.compile(loss=["cross_entropy", cr.losses.BinaryCrossEntropy()])
    rows = explain.representations(model, {"a": [[1.0, 2.0]], "b": [[3.0, 4.0]]})
    assert [row.path for row in rows] == ["a", "b", "add", "dense", "dense_1", "probabilities[0]", "probabilities[1]"]
    assert rows[2].values.tolist() == [4.0, 6.0]


def test_an_example_that_is_not_there_is_refused(classifier, digits):
    with pytest.raises(ArgumentError, match="below the number of examples, 3; received 3"):
        explain.representations(classifier, digits, example=3)


@pytest.fixture(scope="module")
def rings():
    """Two classes on two circles: equal means, so that nothing linear tells them apart."""
    angle = np.arange(60) * 2 * np.pi / 30
    radius = np.repeat([1.0, 0.4], 30)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32)
    return x, np.repeat([0, 1], 30)


def test_separability_rises_with_depth(rings):
    """C4 C278: what was useless to a line in the input is told apart a little more by each trained layer."""
    x, y = rings
    model = cr.mlp([2, 8, 8, 2], "tanh", seed=1)
    model.compile(Adam(0.03), "cross_entropy")
    model.fit(x, y, epochs=150, batch_size="full", verbose=0, steps_per_call=150, train_metrics="running")
    shares = [explain.separability(x, y)]
    shares += [explain.separability(model.intermediate(x, path), y) for path in ("dense", "dense_1", "dense_2")]
    assert shares[0] == pytest.approx(0, abs=1e-9)
    assert (np.diff(shares) > 0).all()
    assert shares[-1] > 0.8


def test_separability_equals_the_anova_decomposition(rings):
    """C278: for one number per example it is the F statistic in another dress: F = η²/(1 − η²) · (n − k)/(k − 1)."""
    stats = pytest.importorskip("scipy.stats")
    groups = [np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0]), np.array([9.0, 7.0, 8.0, 6.0])]
    labels = np.repeat(["a", "b", "c"], [3, 2, 4])
    share = explain.separability(np.concatenate(groups)[:, None], labels)
    assert share / (1 - share) * 6 / 2 == pytest.approx(stats.f_oneway(*groups).statistic)
    assert explain.separability(np.ones((4, 2)), [0, 0, 1, 1]) == 0
    with pytest.raises(ShapeError, match=r"labels must have shape \(4,\)"):
        explain.separability(np.ones((4, 2)), [0, 1])


def test_projection_equals_principal_component_analysis():
    """C278: points and explained shares are those of scikit-learn's PCA, up to the sign of an axis."""
    decomposition = pytest.importorskip("sklearn.decomposition")
    x = np.random.default_rng(2).normal(size=(9, 5)) * [1, 3, 2, 0.5, 4]
    model = cr.mlp([5, 6, 3], "tanh", seed=3)
    for path, values in ((None, x), ("dense", model.intermediate(x, "dense").astype(float))):
        seen = explain.projection(model, x, path)
        judge = decomposition.PCA(2).fit(values)
        np.testing.assert_allclose(np.abs(seen.points), np.abs(judge.transform(values)), rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(seen.explained, judge.explained_variance_ratio_, rtol=1e-6)


def test_projection_of_one_number_and_of_one_example():
    model = cr.mlp([2, 1])
    seen = explain.projection(model, [[0.0, 1.0], [2.0, 3.0], [1.0, 1.0]], "dense")
    assert (seen.points[:, 1] == 0).all()
    assert seen.explained == (pytest.approx(1), 0)
    with pytest.raises(ShapeError, match="at least two examples"):
        explain.projection(model, [[0.0, 1.0]])
