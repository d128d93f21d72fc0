"""One safe file: what goes in comes out; what does not fit is told as a whole."""

from dataclasses import dataclass

import numpy as np
import pytest

import chainrule as cr
from chainrule._base import tree as trees
from chainrule.checkpoint import read_model, write_model
from chainrule.core import Block
from chainrule.errors import ArgumentError, FormatError
from chainrule.layers import Add, BatchNormalization, Dense, Dropout, Input, Lambda
from chainrule.optimizers import SGD, Adam


@pytest.fixture
def model():
    inputs = Input(3)
    hidden = BatchNormalization()(Dense(4, "relu", kernel_regularizer="l2")(inputs))
    outputs = Dense(1)(Dropout(0.1)(hidden))
    made = cr.Model(inputs, outputs, seed=3, name="small")
    made.compile(Adam(0.01), "mse", ["mae"], accumulate=2)
    x = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    made.fit(x, x[:, 0], epochs=2, verbose=0)
    made.extra = {"note": "été", "numbers": [1, 2.5, None, True]}
    return made


def test_everything_comes_back(model, tmp_path):
    path = tmp_path / "model.chainrule"
    model.save(path)
    again = cr.load(path)
    x = np.random.default_rng(1).normal(size=(7, 3)).astype(np.float32)
    assert (again.predict(x) == model.predict(x)).all()
    assert again.evaluate(x, x[:, 1]) == model.evaluate(x, x[:, 1])
    assert (again.name, again.seed, again.extra) == ("small", 3, model.extra)
    assert again.recipe.accumulate == 2
    assert again.optimizer == Adam(0.01)
    again.fit(x, x[:, 0], epochs=1, verbose=0)  # and it trains on


def test_saving_twice_gives_the_same_bytes(model, tmp_path):
    model.save(tmp_path / "a")
    cr.load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_saving_over_the_loaded_file(model, tmp_path):
    path = tmp_path / "m"
    model.save(path)
    cr.load(path).save(path)
    assert (cr.load(path).predict(np.ones((1, 3))) == model.predict(np.ones((1, 3)))).all()


def test_blocks_and_registered_functions(tmp_path):
    @cr.register
    @dataclass(frozen=True, eq=False)
    class ResidualForTheSavingTest(Block):
        units: int
        name: str | None = None

        def build(self, x):
            return Add()(x, Dense(self.units, "tanh")(x))

    @cr.register
    def halved_for_the_saving_test(x):
        return x / 2

    inputs = Input(3)
    made = cr.Model(inputs, Lambda(halved_for_the_saving_test)(ResidualForTheSavingTest(3)(inputs)))
    made.save(tmp_path / "m")
    again = cr.load(tmp_path / "m")
    x = np.ones((2, 3), np.float32)
    assert (again.predict(x) == made.predict(x)).all()
    assert set(again.get_weights()) == {
        "residual_for_the_saving_test/dense/kernel",
        "residual_for_the_saving_test/dense/bias",
    }


def test_an_unregistered_function_is_refused_before_anything_is_written(tmp_path):
    inputs = Input(3)
    made = cr.Model(inputs, Lambda(lambda x: x + 1)(inputs))
    with pytest.raises(ArgumentError, match="has no registered name"):
        made.save(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_weights_that_do_not_fit_are_listed_together(model, tmp_path):
    path = tmp_path / "m"
    model.save(path)
    file = read_model(path)
    arrays = dict(file.arrays)
    arrays["params/dense/kernl"] = arrays.pop("params/dense/kernel")
    arrays["params/dense_1/bias"] = np.zeros(7, np.float32)
    write_model(path, arrays, file.config)
    with pytest.raises(FormatError) as caught:
        cr.load(path)
    text = str(caught.value)
    assert "missing params/dense/kernel Did you mean 'params/dense/kernl'?" in text
    assert "unexpected params/dense/kernl" in text
    assert "params/dense_1/bias has shape (7,), its layer wants (1,)" in text


@pytest.mark.parametrize("part", ["graph", "policy", "recipe"])
def test_a_config_without_a_part_is_damaged(model, tmp_path, part):
    path = tmp_path / "m"
    model.save(path)
    file = read_model(path)
    write_model(path, file.arrays, {key: value for key, value in file.config.items() if key != part})
    with pytest.raises(FormatError, match="damaged"):
        cr.load(path)


def test_only_layers_can_stand_where_a_layer_belongs(model, tmp_path):
    """Every other registered class, put in a layer's place, is refused without a crash."""
    path = tmp_path / "m"
    model.save(path)
    file = read_model(path)
    for name in ("SGD", "L2", "Policy", "NoSuchLayer"):
        config = dict(file.config)
        config["graph"] = {**config["graph"], "layers": {**config["graph"]["layers"], "dense": {"type": name}}}
        write_model(path, file.arrays, config)
        with pytest.raises(FormatError):
            cr.load(path)


def test_a_model_that_is_not_compiled_saves_too(tmp_path):
    made = cr.Sequential([Input(3), Dense(2)])
    made.save(tmp_path / "m")
    again = cr.load(tmp_path / "m")
    assert not again.is_compiled
    assert trees.flatten(again.variables.params).keys() == trees.flatten(made.variables.params).keys()
    again.compile(SGD(0.1), "mse")
    again.fit(np.ones((2, 3)), np.ones((2, 2)), epochs=1, verbose=0)


def test_a_stack_comes_back_as_a_stack(tmp_path):
    """A loaded Sequential takes further layers and keeps its weights; a model of branches stays a Model."""
    shared = Dense(3, "tanh")
    stack = cr.Sequential([Input(3), shared, Dropout(0.1), shared, Dense(2)], seed=5)
    stack.save(tmp_path / "stack.chainrule")
    again = cr.load(tmp_path / "stack.chainrule")
    assert isinstance(again, cr.Sequential)
    assert list(again.get_weights()) == list(stack.get_weights())
    again.add(Dense(4))
    assert (again.get_weights()["dense_1/kernel"] == stack.get_weights()["dense_1/kernel"]).all()
    inputs = Input(3)
    cr.Model(inputs, Add()(inputs, shared(inputs))).save(tmp_path / "branches.chainrule")
    assert type(cr.load(tmp_path / "branches.chainrule")) is cr.Model


def test_a_model_trained_by_optax_is_saved_without_its_optimizer(tmp_path):
    optax = pytest.importorskip("optax")
    model = cr.Sequential([Input(3), Dense(1)])
    model.compile(optax.sgd(0.1), "mse")
    path = tmp_path / "small.chainrule"
    with pytest.raises(ArgumentError, match="include_optimizer=False"):
        model.save(path)
    assert not path.exists()
    model.save(path, include_optimizer=False)
    again = cr.load(path)
    assert not again.is_compiled
    assert (again.predict(np.ones((2, 3))) == model.predict(np.ones((2, 3)))).all()
