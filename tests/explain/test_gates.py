"""Gate values against the formulas, written out as a loop over the steps in NumPy, float64."""

import numpy as np
import pytest

import chainrule as cr
from chainrule._base.errors import ArgumentError
from chainrule.explain import gates
from chainrule.layers import GRU, LSTM, RNN, Bidirectional, Dense, Input, LSTMCell, SimpleRNN, StackedRNNCells

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 7, 3)).astype("float32")


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def by_formula(x, weights, h, c):
    """f, g, i, o, c_t, h_t of every step, each gate with its own matrices W and U and its own bias b."""
    columns = {
        name: tuple(
            np.float64(np.split(weights[part], 4, axis=-1)[place]) for part in ("kernel", "recurrent_kernel", "bias")
        )
        for place, name in enumerate("ifgo")
    }
    made = {name: [] for name in "fgioch"}
    for step in np.float64(x):
        z = {name: step @ w + h @ u + b for name, (w, u, b) in columns.items()}
        f, g, i, o = sigmoid(z["f"]), np.tanh(z["g"]), sigmoid(z["i"]), sigmoid(z["o"])
        c = f * c + g * i
        h = o * np.tanh(c)
        for name, value in zip("fgioch", (f, g, i, o, c, h), strict=True):
            made[name].append(value)
    return {name: np.array(values) for name, values in made.items()}


def own(model, path):
    return {part: model.get_weights()[f"{path}/{part}"] for part in ("kernel", "recurrent_kernel", "bias")}


def test_six_values_at_every_step_are_those_of_the_formulas():
    """C186: f, g, i, o, c_t and h_t with one bias per gate, in the row convention x W + h U + b."""
    model = cr.Sequential([Input((7, 3)), LSTM(5), Dense(1)], seed=3)
    found = gates(model, X, "lstm", example=1)
    expected = by_formula(X[1], own(model, "lstm"), np.zeros(5), np.zeros(5))
    assert list(found.values) == ["f", "g", "i", "o", "c", "h"]
    for name in found.values:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-13)  # both in float64
    np.testing.assert_allclose(found["h"][-1], model.intermediate(X, "lstm")[1], rtol=1e-5, atol=1e-6)


def test_gates_are_printed_by_name():
    """C188: forget, gain, input and output gate and the carrier, by name and step."""
    model = cr.Sequential([Input((7, 3)), LSTM(5)], seed=3)
    found = gates(model, X)
    lines = str(found).splitlines()
    assert lines[0] == "lstm (LSTM): 7 steps, 5 units"
    assert lines[1].split(", ") == [
        "  f forget gate", "g gain", "i input gate", "o output gate", "c memory (carrier)", "h output"
    ]  # fmt: skip
    assert [float(word) for word in lines[4].split()] == [0, *(round(float(v[0, 0]), 4) for v in found.values.values())]
    assert lines[-1] == "... and 1 unit more"
    long = gates(cr.Sequential([Input((20, 3)), LSTM(1)]), np.zeros((1, 20, 3)))
    assert str(long).splitlines()[-1] == "  ... and 4 steps more"


def test_masked_steps_are_left_out_and_states_go_in():
    x, mask = Input((7, 3), name="x"), Input(7, dtype="bool", name="mask")
    h, c = Input(5, name="h"), Input(5, name="c")
    model = cr.Model([x, mask, h, c], LSTM(5)(x, mask=mask, initial_state=[h, c]), seed=4)
    real = np.array([0, 1, 1, 0, 1, 0, 0], bool)
    start = [RNG.normal(size=(2, 5)).astype("float32") for _ in range(2)]
    found = gates(model, [X, np.stack([real, real]), *start])
    assert found.steps == (1, 2, 4)
    expected = by_formula(X[0, real], own(model, "lstm"), *(np.float64(part[0]) for part in start))
    np.testing.assert_allclose(found["c"], expected["c"], rtol=1e-12)
    nothing = gates(model, [X, np.zeros((2, 7), bool), *start])
    assert (nothing.steps, nothing["f"].shape[0]) == ((), 0)


def test_both_readings_of_a_bidirectional_layer_can_be_asked_for():
    model = cr.Sequential([Input((7, 3)), Bidirectional(LSTM(4), name="both")], seed=5)
    found = gates(model, X, "both/backward_layer")
    assert found.steps == (6, 5, 4, 3, 2, 1, 0)
    expected = by_formula(X[0, ::-1], own(model, "both/backward_layer"), np.zeros(4), np.zeros(4))
    np.testing.assert_allclose(found["h"], expected["h"], rtol=1e-12)
    assert gates(model, X).path == "both/forward_layer"


def test_other_layers_name_their_own_values():
    model = cr.Sequential([Input((7, 3)), GRU(4, return_sequences=True), SimpleRNN(2)], seed=6)
    update = gates(model, X)
    assert list(update.values) == ["z", "r", "g", "h"]
    before = np.vstack([np.zeros(4), update["h"][:-1]])
    np.testing.assert_allclose(update["h"], update["z"] * before + (1 - update["z"]) * update["g"], rtol=1e-12)
    np.testing.assert_allclose(gates(model, X, "simple_rnn")["h"][-1], model.predict(X)[0], rtol=1e-5)


def test_what_cannot_be_shown_is_refused():
    model = cr.Sequential([Input((7, 3)), LSTM(2)])
    with pytest.raises(ArgumentError, match=r"no recurrent layer is at 'lstmm'.*Did you mean 'lstm'"):
        gates(model, X, "lstmm")
    with pytest.raises(ArgumentError, match=r"example must be below the number of examples, 2; received 2"):
        gates(model, X, example=2)
    with pytest.raises(ArgumentError, match=r"lstm has no 'forget'\. It has f, g, i, o, c, h"):
        gates(model, X)["forget"]
    with pytest.raises(ArgumentError, match="must have a recurrent layer"):
        gates(cr.Sequential([Input(3), Dense(1)]), X[:, 0])
    with pytest.raises(ArgumentError, match=r"a cell \(StackedRNNCells\) that does not name what it computes"):
        gates(cr.Sequential([Input((7, 3)), RNN(StackedRNNCells((LSTMCell(2),)))]), X)
