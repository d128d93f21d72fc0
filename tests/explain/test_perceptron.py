"""The classic perceptron: truth tables, its learning rule, and what it cannot do."""

import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ShapeError
from chainrule.explain import Perceptron

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
TABLES = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "nand": [1, 1, 1, 0]}


@pytest.mark.parametrize("gate", TABLES)
def test_gates_are_learned(gate):
    """C16 C20: AND, OR and NAND are separable, so the rule ends without mistakes."""
    neuron = Perceptron()
    report = neuron.fit(X, TABLES[gate])
    assert report.converged
    assert report.mistakes[-1] == 0
    assert neuron.predict(X).tolist() == TABLES[gate]


def test_xor_is_reported_as_not_converged():
    """C20: no line separates XOR; the report says so."""
    report = Perceptron().fit(X, [0, 1, 1, 0], epochs=50)
    assert not report.converged
    assert report.epochs == 50
    assert "no line separates" in report.message


def test_one_step_of_the_rule_by_hand():
    """C20: w ← w + η (t − ŷ) x, b ← b + η (t − ŷ)."""
    neuron = Perceptron(learning_rate=0.5)
    neuron.fit([[2.0, -1.0, 3.0]], [1], epochs=1)  # from zeros ŷ = 0, so the error is 1
    np.testing.assert_array_equal(neuron.weights, [1.0, -0.5, 1.5])
    assert neuron.bias == 0.5
    neuron.fit([[2.0, -1.0, 3.0], [1.0, 1.0, 1.0]], [1, 0], epochs=1)
    np.testing.assert_array_equal(neuron.weights, [0.5, -1.0, 1.0])  # the second was wrong: minus 0.5 of it
    assert neuron.bias == 0.0


def test_strictly_above_the_threshold():
    """C16: 1 if Σ > threshold, 0 at equality; threshold = −bias."""
    neuron = Perceptron.from_weights([2.0, 1.0], bias=-3.0)
    assert neuron.threshold == 3.0
    assert neuron.predict([[1, 1], [2, 0], [0, 3]]).tolist() == [0, 1, 0]


def test_the_decision_line_of_given_weights():
    """C21: 1 − 5x1 + 3x2 = 0 is x2 = (5x1 − 1)/3, with z > 0 above it."""
    neuron = Perceptron.from_weights([-5, 3], bias=1)
    slope, intercept = neuron.line()
    assert (slope, intercept) == pytest.approx((5 / 3, -1 / 3))
    x1 = np.array([-1.0, 0.0, 2.0])
    on_line = np.column_stack([x1, (5 * x1 - 1) / 3])
    np.testing.assert_allclose(neuron.weighted_input(on_line), 0, atol=1e-12)
    above = np.array([0, 0.1])
    assert neuron.predict(on_line + above).tolist() == [1, 1, 1]
    assert neuron.predict(on_line - above).tolist() == [0, 0, 0]


def test_without_bias_the_line_goes_through_the_origin():
    """C13 C15: F(Σ x_i w_i): at 0 the output is 0 whatever was learned; NOR-like tasks cannot be learned."""
    neuron = Perceptron(use_bias=False)
    assert not neuron.fit(X, TABLES["nand"], epochs=20).converged
    assert neuron.bias == 0
    assert neuron.predict([[0, 0]]).tolist() == [0]
    assert neuron.fit(X, TABLES["or"]).converged


def test_mistakes_stay_within_novikoffs_bound():
    """C20: at most (R/γ)² mistakes, with R and the margin γ of a known separating direction."""
    draw = np.random.default_rng(3)
    direction = np.array([0.6, -0.8])
    x = draw.uniform(-1, 1, size=(60, 2))
    x = x[np.abs(x @ direction) > 0.1]
    report = Perceptron(use_bias=False).fit(x, (x @ direction > 0).astype(int), epochs=500)
    gamma, radius = np.min(np.abs(x @ direction)), np.max(np.linalg.norm(x, axis=1))
    assert report.converged
    assert 0 < sum(report.mistakes) <= (radius / gamma) ** 2


@pytest.mark.parametrize(
    ("x", "t", "error", "message"),
    [
        ([1, 2], [0, 1], ShapeError, r"x must have shape \(examples, features\); received \(2,\)"),
        (X, [0, 1], ShapeError, "received 4 and 2 examples"),
        (X, [0, 1, 2, 1], ArgumentError, "one 0 or 1 per example"),
        ([[np.nan, 1]], [1], ArgumentError, "received NaN"),
    ],
)
def test_unusable_examples_are_refused(x, t, error, message):
    with pytest.raises(error, match=message):
        Perceptron().fit(x, t)


def test_line_of_three_features_is_refused():
    with pytest.raises(ArgumentError, match="needs two weights"):
        Perceptron.from_weights([1, 2, 3]).line()
    with pytest.raises(ShapeError, match=r"\(examples, 3\); received \(1, 2\)"):
        Perceptron.from_weights([1, 2, 3]).predict([[1, 2]])
