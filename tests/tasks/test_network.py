import numpy as np
import pytest

from chainrule.optimizers import SGD, Adam, AdamW, RMSProp
from chainrule.tasks.network import LOSSES, build_network, make_optimizer
from chainrule.tasks.settings import TableConfig

SMALL = TableConfig(width=5, depth=2, dropout=0.3)


def test_the_network_is_the_sum_of_a_deep_and_a_linear_path():
    """C55: one input for each attribute's features; the output is what NumPy computes by hand."""
    model = build_network(SMALL, 3, 2, seed=4)
    rng = np.random.default_rng(0)
    model.set_weights({name: rng.normal(size=value.shape) for name, value in model.get_weights().items()})
    w = {name: value.astype(np.float64) for name, value in model.get_weights().items()}
    x = rng.normal(size=(7, 3)).astype(np.float32)
    h = np.maximum(x @ w["hidden_1/kernel"] + w["hidden_1/bias"], 0)
    h = np.maximum(h @ w["hidden_2/kernel"] + w["hidden_2/bias"], 0)
    deep = h @ w["deep/kernel"] + w["deep/bias"]
    linear = x @ w["linear/kernel"] + w["linear/bias"]
    # float32 against float64 over sums of at most 5 products of order 1
    np.testing.assert_allclose(model.predict(x), deep + linear, rtol=2e-5, atol=2e-5)


def test_without_hidden_layers_it_is_linear_and_without_the_path_it_is_deep():
    assert set(build_network(TableConfig(depth=0), 3, 1).get_weights()) == {"linear/kernel", "linear/bias"}
    names = build_network(TableConfig(depth=1, width=2, linear_path=False), 3, 1).get_weights()
    assert {name.split("/")[0] for name in names} == {"hidden_1", "deep"}


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_normalised_layers_come_before_the_activation(normalization):
    model = build_network(TableConfig(depth=1, width=2, normalization=normalization), 3, 1)
    order = list(model.graph.layers)
    assert order.index("hidden_1") < order.index("normalization_1") < order.index("activation_1")


def test_dropout_stands_only_where_it_is_asked_for():
    assert "dropout_1" in build_network(SMALL, 3, 1).graph.layers
    assert "dropout_1" not in build_network(TableConfig(dropout=0.0, width=2), 3, 1).graph.layers


@pytest.mark.parametrize(("name", "kind"), [("adamw", AdamW), ("adam", Adam), ("sgd", SGD), ("rmsprop", RMSProp)])
def test_the_optimizer_is_the_one_named(name, kind):
    made = make_optimizer(TableConfig(optimizer=name, learning_rate=0.25))
    assert isinstance(made, kind)
    assert made.learning_rate == 0.25


def test_every_task_has_a_loss_and_its_reason():
    """C78: the loss follows from the target's type, with the reason."""
    assert {task: LOSSES[task][0] for task in LOSSES} == {
        "binary": "binary_cross_entropy",
        "multiclass": "cross_entropy",
        "multilabel": "binary_cross_entropy",
        "regression": "mse",
    }
    assert all(len(reason) > 20 for _, _, reason in LOSSES.values())
