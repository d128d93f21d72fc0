"""Sequential: add, pop, layers, deferred input shape."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentTypeError, GraphError, ShapeError
from chainrule.layers import Dense, Embedding, Flatten, Input
from chainrule.optimizers import SGD


def test_add_layers_predict():
    """C51, C261: model.add(layer), model.layers, model.predict(x)."""
    model = cr.Sequential()
    model.add(Dense(4, "relu"))
    model.add(Dense(1))
    assert [layer.units for layer in model.layers] == [4, 1]
    assert model.predict(np.ones((5, 3))).shape == (5, 1)
    assert model.get_weights()["dense/kernel"].shape == (3, 4)


def test_shape_comes_from_the_first_data():
    model = cr.Sequential([Flatten(), Dense(2)])
    with pytest.raises(ShapeError, match="its input shape is not known yet"):
        model.summary()
    model.compile(SGD(0.1), "cross_entropy")
    model.fit(np.ones((6, 4, 5)), [0, 1, 0, 1, 0, 1], epochs=1, verbose=0)
    assert model.get_weights()["dense/kernel"].shape == (20, 2)


def test_integers_reach_an_embedding():
    model = cr.Sequential([Embedding(7, 3), Flatten(), Dense(1)])
    assert model.predict(np.array([[1, 2], [3, 4], [5, 6]])).shape == (3, 1)


def test_adding_keeps_the_weights_below_and_pop_takes_off():
    model = cr.Sequential([Input(3), Dense(4, name="a")], seed=1)
    model.set_weights({"a/kernel": np.full((3, 4), 7.0)})
    model.add(Dense(2, name="b"))
    assert (model.get_weights()["a/kernel"] == 7).all()
    assert model.pop().name == "b"
    assert (model.get_weights()["a/kernel"] == 7).all()
    assert model.predict(np.ones((1, 3))).shape == (1, 4)


def test_mistakes_are_told():
    with pytest.raises(ArgumentTypeError, match="a class: add parentheses"):
        cr.Sequential([Dense])
    with pytest.raises(ArgumentTypeError, match="takes layers; received 'relu'"):
        cr.Sequential([Input(3), "relu"])
    with pytest.raises(GraphError, match="Input comes first and once"):
        cr.Sequential([Dense(1), Input(3)])
    with pytest.raises(GraphError, match="has no layers"):
        cr.Sequential().predict(np.ones((2, 3)))
    with pytest.raises(GraphError, match="no layer to take off"):
        cr.Sequential().pop()


def test_a_layer_that_does_not_fit_is_refused_and_the_model_stays():
    model = cr.Sequential([Input((4, 5)), Flatten()])
    with pytest.raises(ShapeError):
        model.add(cr.layers.Reshape((3, 3)))
    assert len(model.layers) == 1
    assert model.predict(np.ones((2, 4, 5))).shape == (2, 20)
