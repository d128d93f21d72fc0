"""What people type out of habit: cells run again, nested models, callbacks that look back, single objects for lists."""

import jax
import numpy as np
import pytest

import chainrule as cr
from chainrule._base.policy import Policy
from chainrule.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.layers import BatchNormalization, Dense, Dropout, Input
from chainrule.losses import CrossEntropy
from chainrule.optimizers import SGD

X = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
Y = X[:, :1]


def linear(**arguments):
    model = cr.Sequential([Input(3), Dense(1)], seed=2)
    model.compile(**({"optimizer": SGD(0.1), "loss": "mse"} | arguments))
    return model


def test_a_stack_without_input_predicts_then_trains():
    model = cr.Sequential([Dense(1)])
    model.compile(SGD(0.1), "mse")
    before = model.predict(X)
    model.fit(X, Y, epochs=1, verbose=0)
    assert (model.predict(X) != before).any()


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        ([[1, 2], [3]], ShapeError, "rows must all have the same length"),
        ([["a", "b"]], ArgumentTypeError, "must hold numbers"),
        (3.0, ShapeError, "needs at least one example"),
        ((row for row in X), ArgumentTypeError, "received one generator"),
        ({"left": X}, ArgumentError, "must have the keys input"),
    ],
)
def test_bad_first_data_does_not_shape_a_stack(x, error, text):
    model = cr.Sequential([Dense(1)])
    with pytest.raises(error, match=text):
        model.predict(x)
    assert model.predict({"input": X}).shape == (9, 1)


def test_a_nested_model_brings_its_trained_weights():
    """A model is a layer of another; its trained weights come along, at every depth."""
    body = cr.Sequential([Input(3), Dense(4, "tanh"), BatchNormalization()], name="body")
    body.set_weights({"dense/kernel": np.full((3, 4), 0.25), "batch_normalization/moving_mean": np.full(4, 0.5)})
    inputs = Input(3)
    middle = cr.Model(inputs, body(inputs), name="middle")
    outer = cr.Sequential([middle, Dense(1)])
    outer.predict(X)
    weights = outer.get_weights()
    assert (weights["middle/body/dense/kernel"] == 0.25).all()
    assert (weights["middle/body/batch_normalization/moving_mean"] == 0.5).all()
    np.testing.assert_allclose(outer.intermediate(X, "middle"), body.predict(X), rtol=1e-6)
    outer.compile(SGD(0.1), "mse")
    outer.fit(X, Y, epochs=1, verbose=0)
    assert (outer.get_weights()["middle/body/dense/kernel"] != 0.25).any()
    assert (body.get_weights()["dense/kernel"] == 0.25).all()  # the outer model trains its copy


def test_a_nested_model_trained_later_counts_until_the_outer_one_is_used():
    inputs = Input(3)
    body = linear()
    outer = cr.Model(inputs, Dense(2)(body(inputs)))
    body.fit(X, Y, epochs=1, verbose=0)
    assert (outer.get_weights()["graph/dense/kernel"] == body.get_weights()["dense/kernel"]).all()


def test_weights_set_in_a_callback_are_trained_on():
    model = linear(optimizer=SGD(0.0))

    class Set(cr.Callback):
        def on_epoch_end(self, epoch, logs, run):
            model.set_weights({"dense/bias": [7.0]})

    model.fit(X, Y, epochs=2, verbose=0, callbacks=Set())
    assert model.get_weights()["dense/bias"] == 7.0


def test_weights_set_in_a_callback_reach_frozen_layers():
    model = cr.Sequential([Input(3), Dense(2, name="body"), Dense(1)])
    model.compile(SGD(0.1), "mse")
    model.freeze("body")
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[lambda event, run: model.set_weights({"body/bias": [3.0, 4.0]})])
    assert model.get_weights()["body/bias"].tolist() == [3.0, 4.0]


@pytest.mark.parametrize("callbacks", [None, (), cr.EarlyStopping("loss"), [lambda event, run: None]])
def test_callbacks_may_be_none_or_one(callbacks):
    assert len(linear().fit(X, Y, epochs=1, verbose=0, callbacks=callbacks)) == 1


@pytest.mark.parametrize("callbacks", [[cr.EarlyStopping], "early_stopping", [3], cr.EarlyStopping, {"a": 1}])
def test_other_callbacks_are_refused(callbacks):
    with pytest.raises(ArgumentTypeError, match="callbacks: must be"):
        linear().fit(X, Y, epochs=1, verbose=0, callbacks=callbacks)


def test_until_must_be_a_condition():
    with pytest.raises(ArgumentError, match=r"until must read like 'loss<0\.05'"):
        linear().fit(X, Y, epochs=1, verbose=0, until=0.05)
    with pytest.raises(ArgumentError, match=r"pass validation=0\.2"):
        linear().fit(X, Y, epochs=1, verbose=0, until="val_loss<0.05")


def test_a_second_fit_forgets_the_best_epoch_of_the_first():
    model = linear()
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=cr.EarlyStopping("loss"))
    assert history.best_epoch == 2
    assert model.fit(X, Y, epochs=1, verbose=0).best_epoch is None


def test_metrics_may_be_none_and_equal_names_are_numbered():
    assert linear(metrics=None).evaluate(X, Y).keys() == {"loss"}
    names = linear(metrics=["mae", "mae", cr.metrics.get("mae")]).evaluate(X, Y)
    assert len(names) == 4


def test_compiling_again_with_the_same_arguments_compiles_nothing():
    model = cr.Sequential([Input(3), Dense(1)])
    engines = []
    for loss in ("mse", "mse", "mae"):
        model.compile("adam", loss, ["mae"])
        model.fit(X, Y, epochs=1, verbose=0)
        engines.append(model.engine)
    assert engines[0] is engines[1]
    assert engines[1] is not engines[2]


def test_compile_refuses_a_bad_optimizer_before_the_shape_is_known():
    with pytest.raises(ArgumentError, match="Did you mean 'adam'"):
        cr.Sequential([Dense(1)]).compile("adma", "mse")


def test_a_model_of_two_inputs_is_called_with_a_list_or_two():
    left, right = Input(3), Input(3)
    model = cr.Model([left, right], Dense(1)(left + right))
    assert (model([X, X]) == model(X, X)).all()
    with pytest.raises(ShapeError, match="expects 2 input"):
        model(X)


def test_intermediate_follows_the_policy():
    model = cr.Sequential([Input(3), Dense(4)], policy="mixed_bfloat16")
    assert model.intermediate(X, "dense").dtype == jax.numpy.bfloat16


def test_freezing_all_below_a_layer_freezes_its_statistics():
    model = cr.Sequential([Input(3), BatchNormalization(name="norm"), Dropout(0.5), Dense(1)])
    model.compile(SGD(0.1), "mse")
    model.freeze("norm/*")
    before = model.get_weights()
    model.fit(X, Y, epochs=1, verbose=0)
    after = model.get_weights()
    assert all((before[path] == after[path]).all() for path in before if path.startswith("norm/"))
    assert (before["dense/kernel"] != after["dense/kernel"]).any()


def test_every_bit_of_a_seed_counts():
    def kernel(seed):
        return cr.Sequential([Input(3), Dense(4)], seed=seed).get_weights()["dense/kernel"].tolist()

    assert len({str(kernel(seed)) for seed in (0, 2**32, 2**40, 2**70, 2**33)}) == 5


def test_float64_is_refused_where_jax_would_not_use_it():
    with pytest.raises(ArgumentError, match="jax_enable_x64"):
        cr.Sequential([Input(3), Dense(1)], policy="float64")


def test_an_input_wants_an_element_type():
    with pytest.raises(ArgumentTypeError, match="Input: dtype must be an element type"):
        Input(3, dtype="floaty")


@pytest.mark.parametrize(
    ("weights", "text"),
    [([np.ones((3, 1)), np.ones(1)], "must be a mapping"), ({"dense/bias": ["a"]}, "dense/bias must hold numbers")],
)
def test_weights_are_set_by_path_and_hold_numbers(weights, text):
    with pytest.raises(ArgumentTypeError, match=text):
        linear().set_weights(weights)


@pytest.mark.parametrize("policy", [None, 16, "half"])
def test_a_policy_is_a_name_or_a_policy(policy):
    with pytest.raises(ArgumentError, match="policy must be one of"):
        cr.Sequential([], policy=policy)


@pytest.mark.parametrize("dtype", ["floaty", "int32", None])
def test_a_policy_holds_floating_dtypes(dtype):
    with pytest.raises(ArgumentError, match="dtypes must be floating"):
        Policy(compute=dtype)


def test_the_rate_finder_needs_a_rate_to_scale():
    with pytest.raises(ArgumentError, match="rate is above 0"):
        linear(optimizer=SGD(0.0)).find_rate(X, Y)


def test_padding_that_the_loss_ignores_is_left_out_of_the_accuracy_too():
    """Labels of padding change neither loss nor accuracy, whatever is predicted for them."""
    model = cr.Sequential([Input((4, 3)), Dense(5)], seed=1)
    model.compile(SGD(0.1), CrossEntropy(ignore_class=-1), ["accuracy"])
    x, y = np.random.default_rng(1).normal(size=(6, 4, 3)).astype(np.float32), np.full((6, 4), 2)
    y[:, 3] = -1
    before = model.evaluate(x, y)
    x[:, 3] = 100.0
    assert model.evaluate(x, y) == before
    short = cr.Sequential([Input((3, 3)), Dense(5)], seed=1)
    short.compile(SGD(0.1), "cross_entropy", ["accuracy"])
    assert short.evaluate(x[:, :3], y[:, :3]) == pytest.approx(before, rel=1e-5)
    model.fit(x, y, epochs=1, verbose=0)
