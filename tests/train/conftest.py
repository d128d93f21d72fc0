import jax
import numpy as np
import pytest

from chainrule.core import Graph, Input
from chainrule.layers import Dense
from chainrule.losses import MeanSquaredError
from chainrule.optimizers import SGD
from chainrule.train import Engine, Recipe, initial_state


@pytest.fixture(scope="session")
def linear_graph():
    """One linear neuron on 3 features: everything about it can be computed by hand."""
    x = Input(3)
    return Graph((x,), (Dense(1)(x),))


@pytest.fixture(scope="session")
def linear_data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(23, 3)).astype(np.float32)
    y = (x @ [[1.0], [-2.0], [0.5]] + 0.3).astype(np.float32)
    return x, y


@pytest.fixture(scope="session")
def make_engine(linear_graph):
    def make(optimizer=None, **recipe):
        return Engine(linear_graph, Recipe(optimizer or SGD(0.1), (MeanSquaredError(),), (1.0,), **recipe))

    return make


@pytest.fixture
def start(linear_graph):
    def make(engine):
        variables = linear_graph.init(jax.random.key(0))
        return initial_state(variables, engine.recipe.optimizer, jax.random.key(1), engine.recipe.is_frozen)

    return make
