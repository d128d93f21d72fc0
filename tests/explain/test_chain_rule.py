"""Chain rule factors against derivatives written out by hand in NumPy float64, and against autodiff."""

import jax
import numpy as np
import pytest

from chainrule import explain
from chainrule._base.errors import ArgumentError, UnknownNameError
from chainrule.core import Input
from chainrule.layers import Activation, Add, Dense, Flatten, LayerNormalization, Multiply, Softmax
from chainrule.models import Model, Sequential

X = np.array([[0.5, -1.0], [1.0, 2.0], [-0.7, 0.3]])
EXACT = 1e-12  # float64 sums of a few products


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def weights_of(model):
    return {path: array.astype(np.float64) for path, array in model.get_weights().items()}


def one_hidden_unit():
    model = Sequential([Input(1), Dense(1, "tanh"), Dense(1, "sigmoid")])
    model.set_weights(
        {"dense/kernel": [[0.5]], "dense/bias": [0.25], "dense_1/kernel": [[-2.0]], "dense_1/bias": [1.0]}
    )
    model.compile(loss="mse")
    return model


def test_every_factor_of_one_hidden_unit_by_name_and_number():
    """C85 C86: ∂J/∂w1 = ∂J/∂ŝ · ∂ŝ/∂z2 · ∂z2/∂h1 · ∂h1/∂z1 · ∂z1/∂w, each as written by hand."""
    result = explain.chain_rule(one_hidden_unit(), [[1.5]], [0.0], weight="dense/kernel[0,0]")
    h = np.tanh(0.5 * 1.5 + 0.25)
    s = sigmoid(-2 * h + 1)
    by_hand = {
        "∂J/∂ŝ": 2 * s,
        "∂ŝ/∂z₂": s * (1 - s),
        "∂z₂/∂h₁": -2.0,
        "∂h₁/∂z₁": 1 - h**2,
        "∂z₁/∂w": 1.5,
    }
    assert [factor.symbol for factor in result.factors] == list(by_hand)
    np.testing.assert_allclose([f.value for f in result.factors], list(by_hand.values()), rtol=EXACT)
    assert result.product == pytest.approx(np.prod(list(by_hand.values())), rel=EXACT)
    assert result.autodiff == pytest.approx(result.product, rel=EXACT)
    assert result.loss == pytest.approx(s**2, rel=EXACT)
    assert "slope of tanh at z₁ = 1" in result.factors[3].meaning


def test_weight_of_the_last_layer_has_the_short_chain():
    """C85: ∂J/∂w2 = ∂J/∂ŝ · ∂ŝ/∂z2 · ∂z2/∂w."""
    result = explain.chain_rule(one_hidden_unit(), [[1.5]], [0.0], weight="dense_1/bias")
    assert [factor.symbol for factor in result.factors] == ["∂J/∂ŝ", "∂ŝ/∂z₂", "∂z₂/∂w"]
    assert result.factors[-1].value == 1.0
    assert result.weight == "dense_1/bias[0]"


def test_paths_through_several_units_are_products_whose_sum_is_the_gradient():
    """C85: two units in the second layer are two paths; by hand w2 carries each."""
    model = Sequential([Input(2), Dense(3, "tanh"), Dense(2, "sigmoid"), Dense(1)], seed=4)
    model.compile(loss="mse")
    result = explain.chain_rule(model, X, [1.0, 0.0, 2.0], weight="dense/kernel[1,2]", example=1)
    w = weights_of(model)
    h1 = np.tanh(X[1] @ w["dense/kernel"] + w["dense/bias"])
    h2 = sigmoid(h1 @ w["dense_1/kernel"] + w["dense_1/bias"])
    out = (h2 @ w["dense_2/kernel"] + w["dense_2/bias"])[0]
    common = 2 * (out - 0.0) * (1 - h1[2] ** 2) * X[1, 1]
    paths = common * w["dense_2/kernel"][:, 0] * h2 * (1 - h2) * w["dense_1/kernel"][2]
    assert result.is_complete
    assert result.remaining == 0
    np.testing.assert_allclose(sorted(result.products), sorted(paths), rtol=1e-10)
    assert abs(result.products[0]) >= abs(result.products[1])
    assert result.difference < EXACT


def test_paths_beyond_the_cap_are_added_up_and_said():
    model = Sequential([Input(2), Dense(5, "tanh"), Dense(6, "tanh"), Dense(4, "sigmoid"), Dense(1)], seed=4)
    model.compile(loss="mse")
    result = explain.chain_rule(model, X, [1.0, 0.0, 2.0], weight="dense/kernel[0,3]", max_paths=3)
    assert len(result.paths) == 3
    assert not result.is_complete
    assert result.remaining != 0
    assert result.difference < 1e-10
    assert f"all other paths together = {result.remaining:.6g}" in str(result)
    every = explain.chain_rule(model, X, [1.0, 0.0, 2.0], weight="dense/kernel[0,3]", max_paths=24)
    assert len(every.paths) == 24  # 6 · 4 ways from one unit to the output
    assert every.is_complete
    assert every.product == pytest.approx(result.product, rel=1e-10)


def test_batch_gradient_is_the_mean_of_the_examples_gradients():
    """C99: ∂J/∂W = 1/B Σ ∂J_k/∂W."""
    model = Sequential([Input(2), Dense(3, "tanh"), Dense(1, "sigmoid")], seed=3)
    model.compile(loss="binary_cross_entropy")
    results = [explain.chain_rule(model, X, [1, 0, 1], weight="dense/kernel[1,0]", example=k) for k in range(len(X))]
    assert len({result.autodiff for result in results}) == 3
    for result in results:
        assert result.batch_gradient == pytest.approx(np.mean([r.autodiff for r in results]), rel=1e-10)
    assert "mean over the 3 examples" in str(results[0])


def test_dead_relu_shows_its_factor_of_zero():
    model = Sequential([Input(1), Dense(1, "relu"), Dense(1)])
    model.set_weights({"dense/kernel": [[-1.0]], "dense_1/kernel": [[3.0]]})
    model.compile(loss="mse")
    result = explain.chain_rule(model, [[2.0]], [1.0], weight="dense/kernel[0,0]")
    assert [f.value for f in result.factors if f.symbol == "∂h₁/∂z₁"] == [0.0]
    assert (result.product, result.autodiff, result.difference) == (0, 0, 0)


def test_weight_on_an_input_of_zero_shows_that_factor():
    model = Sequential([Input(2), Dense(3, "tanh"), Dense(4, "tanh"), Dense(1)], seed=1)
    model.compile(loss="mse")
    result = explain.chain_rule(model, [[0.0, 1.0]], [1.0], weight="dense/kernel[0,2]")
    assert result.factors[-1].symbol == "∂z₁[2]/∂w"
    assert result.factors[-1].value == 0
    assert all(factor.value != 0 for factor in result.factors[:-1])
    assert (len(result.paths), result.product, result.autodiff) == (1, 0, 0)


def test_four_sigmoid_slopes_multiply_to_at_most_a_quarter_to_the_fourth():
    """C87 C37: y = σ(w σ(w σ(w σ(w x)))): the four slopes' product is at most 0.25⁴ = 0.00390625."""
    model = Sequential([Input(1)] + [Dense(1, "sigmoid", use_bias=False) for _ in range(4)])
    w = [0.7, -1.3, 2.1, 0.4]
    model.set_weights({f"dense{s}/kernel": [[v]] for s, v in zip(["", "_1", "_2", "_3"], w, strict=True)})
    model.compile(loss="mse")
    result = explain.chain_rule(model, [[1.2]], [1.0], weight="dense/kernel[0,0]")
    h = [1.2]
    for value in np.float32(w).astype(np.float64):
        h.append(sigmoid(value * h[-1]))
    slopes = np.prod([a * (1 - a) for a in h[1:]])
    ours = np.prod([f.value for f in result.factors if "slope of sigmoid" in f.meaning])
    assert ours == pytest.approx(slopes, rel=EXACT)
    assert 0 < ours <= 0.25**4 == 0.00390625
    by_hand = 2 * (h[4] - 1) * slopes * np.prod(np.float32(w[1:]).astype(np.float64)) * 1.2
    assert result.product == pytest.approx(by_hand, rel=1e-10)


def test_shared_layer_adds_the_paths_of_its_calls():
    """C125: one weight used twice has two paths, and their sum is the gradient."""
    x = Input(1)
    shared = Dense(1, "tanh", use_bias=False)
    model = Model(x, shared(shared(x)))
    model.set_weights({"dense/kernel": [[0.8]]})
    model.compile(loss="mse")
    result = explain.chain_rule(model, [[1.5]], [0.0], weight="dense/kernel")
    w = float(np.float32(0.8))
    h = np.tanh(w * 1.5)
    out = np.tanh(w * h)
    outer = 2 * out * (1 - out**2)
    np.testing.assert_allclose(sorted(result.products), sorted([outer * h, outer * w * (1 - h**2) * 1.5]), rtol=1e-10)
    assert result.difference < EXACT


def graphs():
    x = Input(2)
    h = Dense(3, "tanh")(x)
    yield "skip", Model(x, Dense(1)(Add()(h, Dense(3, "relu")(h)))), [1.0, 0.5, 2.0], "mse"
    x = Input(2)
    h = Dense(3)(x)
    yield "product with itself", Model(x, Dense(2)(Multiply()(h, h))), X, "mse"
    x = Input(2)
    yield "softmax", Sequential([x, Dense(3), LayerNormalization(), Dense(3), Softmax()]), [0, 2, 1], "cross_entropy"
    x = Input(2)
    yield (
        "activation layers",
        Sequential([x, Dense(4), Activation("tanh"), Flatten(), Dense(3)]),
        [0, 2, 1],
        "cross_entropy",
    )


@pytest.mark.parametrize(("model", "y", "loss"), [pytest.param(*case[1:], id=case[0]) for case in graphs()])
def test_any_graph_of_layers(model, y, loss):
    """C85: for any graph the products add up to the gradient that autodiff gives."""
    model.compile(loss=loss)
    result = explain.chain_rule(model, X, y, weight="dense/kernel[1,2]", max_paths=4)
    assert result.autodiff != 0
    assert result.difference < 1e-9
    before = explain.nudge(model, X[:1], y[:1], weight="dense/kernel[1,2]", epsilon=1e-6)
    assert before.change / 1e-6 == pytest.approx(result.autodiff, rel=1e-3, abs=1e-6)  # forward difference, O(ε)


def test_several_outputs_add_their_losses():
    """C50: with two outputs the paths end in ŝ₁ and ŝ₂, and the model's loss is their sum."""
    x = Input(2)
    h = Dense(2, "tanh", name="stem")(x)
    model = Model(x, [Dense(1, name="a")(h), h])
    model.compile(loss=["mse", "mse"])
    result = explain.chain_rule(model, X, [[1.0, 0.0, 1.0], X], weight="stem/kernel[0,1]")
    assert {path[0].symbol for path in result.paths} == {"∂J/∂ŝ₁", "∂J/∂ŝ₂[1]"}
    assert result.difference < EXACT


def test_default_precision_is_left_alone():
    explain.chain_rule(one_hidden_unit(), [[1.5]], [0.0], weight="dense/kernel[0,0]")
    assert jax.numpy.ones(2).dtype == np.float32


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        ("dens/kernel[0,0]", UnknownNameError, "Did you mean 'dense/kernel'"),
        ("dense/kernel[0]", ArgumentError, r"has shape \(2, 3\); received the index \[0\].*dense/kernel\[1,2\]"),
        ("dense/kernel[0,3]", ArgumentError, r"has shape \(2, 3\)"),
        ("dense/kernel", ArgumentError, r"Name one number of it, at most 'dense/kernel\[1,2\]'"),
        ("dense/kernel[a]", ArgumentError, r"must read like 'dense/kernel\[0,3\]'"),
    ],
)
def test_wrong_weight_addresses_say_what_is_there(weight, error, message):
    model = Sequential([Input(2), Dense(3, "tanh"), Dense(1)])
    model.compile(loss="mse")
    with pytest.raises(error, match=message):
        explain.chain_rule(model, X, [1.0, 0.0, 2.0], weight=weight)


def test_example_outside_and_missing_loss_are_refused():
    model = Sequential([Input(2), Dense(1)])
    with pytest.raises(ArgumentError, match="not compiled"):
        explain.chain_rule(model, X, [1.0, 0.0, 2.0], weight="dense/bias")
    model.compile(loss="mse")
    with pytest.raises(ArgumentError, match="below the number of examples, 3; received 3"):
        explain.chain_rule(model, X, [1.0, 0.0, 2.0], weight="dense/bias", example=3)
