"""The forward pass on show, against the worked examples."""

import numpy as np
import pytest

from chainrule import explain
from chainrule._base.errors import ArgumentError
from chainrule.core import Input
from chainrule.layers import Add, Dense, Flatten
from chainrule.models import Model, Sequential


def neuron(weights, bias, activation):
    model = Sequential([Input(len(weights)), Dense(1, activation)])
    model.set_weights({"dense/kernel": np.array(weights)[:, None], "dense/bias": [bias]})
    return model


@pytest.mark.parametrize(("activation", "output"), [("sigmoid", 0.638763), ("tanh", 0.515359), ("relu", 0.57)])
def test_worked_example_of_three_inputs(activation, output):
    """C22 C17: weights (0.3, 0.5, 0.6), inputs (0.8, 0.1, 0.3), bias 0.1 give f(0.57)."""
    row = explain.forward(neuron([0.3, 0.5, 0.6], 0.1, activation), [[0.8, 0.1, 0.3]])["dense"]
    assert row.z[0] == pytest.approx(0.57, abs=1e-7)  # weights are kept in float32
    assert row.output[0][0] == pytest.approx(output, abs=1e-6)


def test_the_misprint_of_the_worked_example_is_another_number():
    """C22: with the first input 0.3, as one slide of the source misprints it, z is 0.42 and not 0.57."""
    row = explain.forward(neuron([0.3, 0.5, 0.6], 0.1, "sigmoid"), [[0.3, 0.1, 0.3]])["dense"]
    assert row.z[0] == pytest.approx(0.42, abs=1e-7)
    assert row.output[0][0] == pytest.approx(0.603483, abs=1e-6)


def test_single_neuron_prints_as_one_would_write_it():
    """C14 C22: bias, linear combination, activation and output with their numbers."""
    text = str(explain.forward(neuron([0.3, 0.5, 0.6], 0.1, "sigmoid"), [[0.8, 0.1, 0.3]]))
    assert "0.3·0.8 + 0.5·0.1 + 0.6·0.3 + 0.1 = 0.57 → σ = 0.638763" in text


def test_negative_numbers_are_bracketed_within_a_sum_only():
    text = str(explain.forward(neuron([-5, 3], 1, "relu"), [[1, 0]]))
    assert "(-5)·1 + 3·0 + 1 = -4 → relu = 0" in text


def test_labelled_parts_add_up():
    """C14 C18: ŝ = g(bias + linear combination); z has the output's shape."""
    model = Sequential([Input(4), Dense(3, "tanh", name="hidden"), Dense(2)], seed=2)
    model.set_weights({"hidden/bias": [0.5, -0.25, 1.0]})
    x = np.random.default_rng(0).normal(size=(5, 4))
    result = explain.forward(model, x, example=3)
    hidden, last = result.rows
    kernel = model.get_weights()["hidden/kernel"].astype(np.float64)
    np.testing.assert_allclose(hidden.linear_combination, x[3] @ kernel, rtol=1e-12)
    np.testing.assert_allclose(hidden.z, x[3] @ kernel + [0.5, -0.25, 1.0], rtol=1e-12)
    np.testing.assert_allclose(hidden.output[0], np.tanh(hidden.z), rtol=1e-12)
    np.testing.assert_allclose(last.inputs[0], hidden.output[0])  # the second layer takes the first one's outputs
    np.testing.assert_allclose(result.output[0], model.predict(x)[3], rtol=1e-5)  # predict computes in float32
    assert last.activation == "linear"


@pytest.mark.parametrize(("point", "z", "output"), [((1, 2), 2, 0.880797), ((1, 0), -4, 0.017986)])
def test_worked_example_of_the_decision_line(point, z, output):
    """C21: W0 = 1, W = (−5, 3): z = 1 − 5x1 + 3x2, and the output is g(z), not z."""
    row = explain.forward(neuron([-5, 3], 1, "sigmoid"), [point])["dense"]
    assert row.z[0] == z
    assert row.output[0][0] == pytest.approx(output, abs=1e-6)


def test_hidden_layer_weights_by_from_and_to():
    """C46: W(1) and W(2) are addressable by layer, from-unit and to-unit."""
    model = Sequential([Input(2), Dense(3, "relu"), Dense(1)], seed=1)
    rows = explain.forward(model, [[1.0, -2.0]]).rows
    w1, w2 = rows[0].weights["kernel"], rows[1].weights["kernel"]
    hidden = [max(0.0, sum(x * w1[j, i] for j, x in enumerate((1.0, -2.0)))) for i in range(3)]
    assert rows[1].output[0][0] == pytest.approx(sum(h * w2[i, 0] for i, h in enumerate(hidden)))


def test_no_bias_means_the_output_at_zero_is_g_of_zero():
    """C15: with all-zero features the output is g(b)."""
    assert explain.forward(neuron([2.0, 7.0], 1.5, "tanh"), [[0, 0]]).output[0][0] == pytest.approx(np.tanh(1.5))


def test_other_layers_branches_and_many_units_have_rows_too():
    x = Input((2, 3))
    flat = Flatten()(x)
    model = Model(x, Add()(Dense(9, "relu")(flat), Dense(9, name="skip")(flat)))
    result = explain.forward(model, np.ones((1, 2, 3)))
    assert [row.path for row in result.rows] == ["flatten", "dense", "skip", "add"]
    assert "... and 1 more" in str(result["dense"])
    assert "flatten (Flatten): (2, 3) → [1, 1, 1, 1, 1, 1]" in str(result)
    np.testing.assert_allclose(result["add"].output[0], result["dense"].output[0] + result["skip"].output[0])


def test_unknown_layer_and_example_are_refused():
    result = explain.forward(neuron([1.0], 0.0, "relu"), [[1.0]])
    with pytest.raises(ArgumentError, match="no layer 'dens'"):
        result["dens"]
    with pytest.raises(ArgumentError, match="below the number of examples, 1; received 4"):
        explain.forward(neuron([1.0], 0.0, "relu"), [[1.0]], example=4)
