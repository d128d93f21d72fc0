"""Model: structure, weights, pure core, prediction, freezing, compile."""

import warnings

import jax
import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, ArgumentTypeError, ChainruleWarning, GraphError, ShapeError
from chainrule.layers import Dense, Dropout, Input
from chainrule.losses import BinaryCrossEntropy, CrossEntropy
from chainrule.models import summarize
from chainrule.optimizers import SGD


@pytest.fixture(scope="module")
def model():
    inputs = Input(3)
    hidden = Dense(4, activation="relu")(inputs)
    outputs = Dense(2)(hidden)
    return cr.Model(inputs, outputs, seed=3)


def numpy_forward(weights, x):
    hidden = np.maximum(x @ weights["dense/kernel"].astype(float) + weights["dense/bias"], 0)
    return hidden @ weights["dense_1/kernel"].astype(float) + weights["dense_1/bias"]


def test_the_four_functional_lines(model):
    """C48, C258: Input, Dense, Dense, Model; m·d1 + d1 + 2·d1 + 2 parameters."""
    summary = summarize(model.graph)
    assert summary.parameters == 3 * 4 + 4 + 2 * 4 + 2
    assert [row.parameters for row in summary.rows] == [16, 10]


def test_predict_equals_numpy(model):
    """C46, C47, C53: y = layer2(layer1(x)), in any batch size."""
    x = np.random.default_rng(0).normal(size=(13, 3)).astype(np.float32)
    expected = numpy_forward(model.get_weights(), x)
    for batch_size in (1, 4, 13, 1024):
        np.testing.assert_allclose(model.predict(x, batch_size=batch_size), expected, rtol=1e-5, atol=1e-6)


def test_evaluate_is_exact_in_any_batch_size():
    model = cr.Sequential([Input(3), Dense(4, "relu"), Dense(2)], seed=2)
    x, y = np.random.default_rng(1).normal(size=(13, 3)).astype(np.float32), np.arange(13) % 2
    model.compile("sgd", CrossEntropy(), ["accuracy"])
    logits = numpy_forward(model.get_weights(), x)
    loss = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(13), y]
    for batch_size in (1, 5, 13, 1024):
        found = model.evaluate(x, y, batch_size=batch_size)
        assert found["loss"] == pytest.approx(loss.mean(), rel=1e-5)
        assert found["accuracy"] == pytest.approx((logits.argmax(axis=1) == y).mean())
    with pytest.raises(ValueError, match="batch_size"):
        model.evaluate(x, y, batch_size=0)


@pytest.mark.parametrize("rows", [1, 3, 4])
def test_predictions_are_the_callers_own(model, rows):
    """In one batch, padded or not: an array that may be written to, and none that a later call changes."""
    x = np.random.default_rng(rows).normal(size=(rows, 3)).astype(np.float32)
    first = model.predict(x)
    kept = first.copy()
    first += 1
    np.testing.assert_array_equal(model.predict(x), kept)
    assert model.predict(x).shape == (rows, 2)


def test_intermediate_outputs_by_name(model):
    """C53: any intermediate output by name."""
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    weights = model.get_weights()
    hidden = np.maximum(x @ weights["dense/kernel"] + weights["dense/bias"], 0)
    np.testing.assert_allclose(model.intermediate(x, "dense"), hidden, rtol=1e-6)
    assert set(model.intermediate(x)) == {"dense", "dense_1"}
    with pytest.raises(ArgumentError, match="Did you mean 'dense'"):
        model.intermediate(x, "dens")


def test_pre_activation_of_a_layer(model):
    """C18: the weighted input z as well as the output."""
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    z = model.layer("dense").pre_activation(model.variables.params["dense"], x)
    weights = model.get_weights()
    np.testing.assert_allclose(z, x @ weights["dense/kernel"] + weights["dense/bias"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.maximum(z, 0), model.intermediate(x, "dense"), rtol=1e-5)


def test_weights_can_be_read_set_and_are_checked(model):
    """C54: weights by path."""
    other = cr.Model(list(model.graph.inputs), list(model.graph.outputs), seed=9)
    assert (other.get_weights()["dense/kernel"] != model.get_weights()["dense/kernel"]).any()
    other.set_weights(model.get_weights())
    assert all((other.get_weights()[path] == value).all() for path, value in model.get_weights().items())
    with pytest.raises(ArgumentError, match=r"no weight 'dense/kernl'\. Did you mean 'dense/kernel'"):
        other.set_weights({"dense/kernl": np.zeros((3, 4))})
    with pytest.raises(ShapeError, match=r"dense/kernel must have shape \(3, 4\); received \(4, 3\)"):
        other.set_weights({"dense/bias": np.ones(4), "dense/kernel": np.zeros((4, 3))})
    assert (other.get_weights()["dense/bias"] == 0).all()  # nothing was set


def test_seed_decides_the_weights():
    def kernel(seed):
        return cr.Sequential([Input(3), Dense(4)], seed=seed).get_weights()["dense/kernel"]

    assert (kernel(1) == kernel(1)).all()
    assert (kernel(1) != kernel(2)).any()


def test_inserting_a_layer_leaves_the_other_layers_weights():
    short = cr.Sequential([Input(3), Dense(3, name="a"), Dense(2, name="b")])
    long = cr.Sequential([Input(3), Dense(3, name="a"), Dense(3, name="new"), Dense(2, name="b")])
    for path in ("a/kernel", "b/kernel"):
        assert (short.get_weights()[path] == long.get_weights()[path]).all()


def test_pure_core_is_reachable_and_differentiable(model):
    variables = model.init(seed=5)
    x = np.ones((2, 3), np.float32)
    outputs, state = model.apply(variables, x)
    assert outputs.shape == (2, 2)
    assert state == {}
    gradient = jax.grad(lambda params: model.apply(variables._replace(params=params), x)[0].sum())(variables.params)
    np.testing.assert_allclose(gradient["dense_1"]["bias"], [2.0, 2.0])
    assert model(x).shape == (2, 2)


def test_training_mode_needs_a_key():
    dropped = cr.Sequential([Input(50), Dropout(0.5)])
    x = np.ones((2, 50), np.float32)
    with pytest.raises(GraphError, match=r"dropout .*needs a random key|Dropout.*needs a random key"):
        dropped.apply(dropped.variables, x, training=True)
    outputs, _ = dropped.apply(dropped.variables, x, training=True, key=jax.random.key(0))
    assert set(np.unique(outputs)) == {0.0, 2.0}
    assert (dropped.predict(x) == 1).all()


def test_freezing_keeps_weights_and_refuses_unknown_paths():
    x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    frozen = cr.Sequential([Input(3), Dense(4, "tanh", name="body"), Dense(1, name="head")])
    frozen.compile(SGD(0.1), "mse")
    before = frozen.get_weights()
    frozen.freeze("body")
    frozen.fit(x, x[:, 0], epochs=2, verbose=0)
    after = frozen.get_weights()
    assert (before["body/kernel"] == after["body/kernel"]).all()
    assert (before["head/kernel"] != after["head/kernel"]).any()
    assert summarize(frozen.graph, frozen._is_frozen()).frozen == 16
    frozen.freeze()
    frozen.fit(x, x[:, 0], epochs=1, verbose=0)
    assert (frozen.get_weights()["body/kernel"] != before["body/kernel"]).any()
    assert (frozen.get_weights()["head/kernel"] != before["head/kernel"]).any()
    with pytest.raises(ArgumentError, match=r"'boddy' matches no weight\. Did you mean 'body'"):
        frozen.freeze("boddy")


def test_reset_starts_again():
    x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    again = cr.Sequential([Input(3), Dense(1)], seed=2)
    again.compile(SGD(0.1), "mse")
    start = again.get_weights()
    again.fit(x, x[:, 0], epochs=2, verbose=0)
    trained = again.get_weights()
    again.reset()
    assert (again.get_weights()["dense/kernel"] == start["dense/kernel"]).all()
    assert len(again.history) == 0
    again.fit(x, x[:, 0], epochs=2, verbose=0)
    assert (again.get_weights()["dense/kernel"] == trained["dense/kernel"]).all()


def test_a_model_is_a_layer(model):
    inputs = Input(3)
    outer = cr.Model(inputs, Dense(1)(model(inputs)))
    assert set(outer.get_weights()) >= {"graph/dense/kernel", "graph/dense_1/kernel", "dense/kernel"}
    assert outer.layer("graph/dense_1").units == 2


def test_fit_names_what_is_missing(model):
    """C3: learning needs inputs, expected outputs and a measure; fit names the one that is missing."""
    x, y = np.ones((4, 3), np.float32), np.zeros(4, int)
    fresh = cr.Model(list(model.graph.inputs), list(model.graph.outputs))
    with pytest.raises(ArgumentError, match="no loss to measure with"):
        fresh.fit(x, y)
    with pytest.raises(ArgumentError, match="loss is missing"):
        fresh.compile("sgd")
    fresh.compile("sgd", "cross_entropy")
    with pytest.raises(ArgumentError, match="x is missing"):
        fresh.fit(y=y)
    with pytest.raises(ArgumentError, match="y is missing"):
        fresh.fit(x)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"optimizer": "adma", "loss": "mse"}, "Did you mean 'adam'"),
        ({"loss": "cross_entropi"}, "Did you mean 'cross_entropy'"),
        ({"loss": "mse", "metrics": ["acuracy"]}, "Did you mean 'accuracy'"),
        ({"loss": {"dense_2": "mse"}}, "Did you mean 'dense_1'"),
        ({"loss": "mse", "accumulate": 0}, "accumulate must be an integer of at least 1"),
        ({"loss": "mse", "on_nonfinite": "stopp"}, "Did you mean 'stop'"),
        ({"loss": "mse", "metrics": {"dens_1": ["mae"]}}, "Did you mean 'dense_1'"),
    ],
)
def test_compile_refuses_with_a_suggestion(model, arguments, text):
    fresh = cr.Model(list(model.graph.inputs), list(model.graph.outputs))
    with pytest.raises(ArgumentError, match=text):
        fresh.compile(**arguments)


def test_a_loss_by_name_takes_what_the_output_gives():
    """C42: sigmoid output and a loss by name fit together; a loss object that does not fit is named."""
    x = Input(2)
    sigmoid = cr.Model(x, Dense(1, activation="sigmoid")(x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sigmoid.compile("sgd", "binary_cross_entropy", ["accuracy"])
    assert sigmoid.loss.from_logits is False
    sigmoid.set_weights({"dense/kernel": [[1.0], [0.0]]})
    assert sigmoid.evaluate([[1.0, 0.0], [-1.0, 0.0]], [1, 0])["accuracy"] == 1.0
    assert sigmoid.evaluate([[1.0, 0.0]], [1])["loss"] == pytest.approx(-np.log(1 / (1 + np.exp(-1.0))), rel=1e-5)
    with pytest.warns(ChainruleWarning, match="double-sigmoid"):
        sigmoid.compile("sgd", BinaryCrossEntropy())
    softmax = cr.Model(x, Dense(3, activation="softmax")(x))
    with pytest.warns(ChainruleWarning, match="double-softmax"):
        softmax.compile("sgd", CrossEntropy())


def test_optax_transformations_are_optimizers():
    optax = pytest.importorskip("optax")
    x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    ours, theirs = (cr.Sequential([Input(3), Dense(1)], seed=1) for _ in range(2))
    ours.compile(SGD(0.1, momentum=0.9), "mse")
    theirs.compile(optax.sgd(0.1, momentum=0.9), "mse")
    for each in (ours, theirs):
        each.fit(x, x[:, 0], epochs=3, batch_size=4, verbose=0)
    np.testing.assert_allclose(ours.get_weights()["dense/kernel"], theirs.get_weights()["dense/kernel"], rtol=1e-5)


def test_model_wants_symbols():
    with pytest.raises(ArgumentTypeError, match="inputs must be symbols"):
        cr.Model(3, Dense(1)(Input(3)))
    with pytest.raises(ArgumentTypeError, match="seed must be an integer"):
        cr.Model(Input(3), Input(3), seed=1.5)
    with pytest.raises(ArgumentError, match="Did you mean 'float32'"):
        cr.Sequential([], policy="float23")


def test_bfloat16_policy_trains_and_returns_float32():
    x = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    mixed = cr.Sequential([Input(3), Dense(8, "tanh"), Dense(1)], policy="mixed_bfloat16")
    mixed.compile("adam", "mse")
    history = mixed.fit(x, x[:, 0], epochs=20, verbose=0)
    assert mixed.get_weights()["dense/kernel"].dtype == np.float32
    assert mixed.predict(x).dtype == np.float32
    assert history["loss"][-1] < history["loss"][0]
