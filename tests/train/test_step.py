"""The pure training step against NumPy, and its laws."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base import tree as trees
from chainrule._base.policy import Policy
from chainrule.constraints import NonNegative
from chainrule.core import Graph, Input
from chainrule.layers import BatchNormalization, Dense, Dropout
from chainrule.losses import MeanSquaredError
from chainrule.models import Sequential
from chainrule.optimizers import SGD
from chainrule.regularizers import L2
from chainrule.train import Batch, Engine, Feed, Recipe, initial_state, make_train_step
from chainrule.train.step import make_gradient


def numpy_step(kernel, bias, x, y, weight, rate):
    """w <- w - rate * dJ/dw for J = sum(w (y - t)^2) / sum(w), in float64."""
    error = x @ kernel + bias - y
    scaled = 2 * weight[:, None] * error / weight.sum()
    return kernel - rate * x.T @ scaled, bias - rate * scaled.sum(0)


@pytest.mark.parametrize("weighted", [False, True])
def test_step_equals_numpy(linear_data, make_engine, start, weighted):
    """C65, C80: one step of SGD on the (weighted) empirical risk equals the formula in float64."""
    x, y = linear_data
    engine = make_engine()
    state = start(engine)
    weight = np.arange(23, dtype=np.float32) if weighted else np.ones(23, np.float32)
    new, logs = jax.jit(engine.train_step)(state, Batch((x,), (y,), weight))
    old = jax.tree.map(np.float64, state.params["dense"])
    kernel, bias = numpy_step(old["kernel"], old["bias"], x.astype(float), y.astype(float), weight.astype(float), 0.1)
    # float32 sums over 23 rows
    np.testing.assert_allclose(new.params["dense"]["kernel"], kernel, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(new.params["dense"]["bias"], bias, rtol=2e-6, atol=1e-6)
    error = x @ old["kernel"] + old["bias"] - y
    np.testing.assert_allclose(logs.loss_sum / logs.weight, (weight * error[:, 0] ** 2).sum() / weight.sum(), rtol=1e-5)
    assert int(new.step) == 1


def test_padding_rows_change_nothing(linear_data, make_engine, start):
    x, y = linear_data
    engine = make_engine()
    step = jax.jit(engine.train_step)
    plain, _ = step(start(engine), Batch((x[:5],), (y[:5],), np.ones(5, np.float32)))
    padded_x = np.concatenate([x[:5], np.full((3, 3), 1e6, np.float32)])
    padded_y = np.concatenate([y[:5], np.full((3, 1), -1e6, np.float32)])
    mask = np.array([1] * 5 + [0] * 3, np.float32)
    masked, _ = step(start(engine), Batch((padded_x,), (padded_y,), mask))
    np.testing.assert_allclose(masked.params["dense"]["kernel"], plain.params["dense"]["kernel"], rtol=1e-6)


@pytest.mark.parametrize("rows", [23, 18, 17, 4])
def test_accumulation_equals_the_big_batch(linear_data, make_engine, start, rows):
    """C108: k micro-batches with the same weights, then one update = one big batch; the last short group included."""
    x, y = linear_data
    big_x = np.concatenate([x[:rows], np.repeat(x[:1], 24 - rows, 0)])
    big_y = np.concatenate([y[:rows], np.repeat(y[:1], 24 - rows, 0)])
    weight = (np.arange(24) < rows).astype(np.float32)
    whole, split = make_engine(), make_engine(accumulate=4)
    batch = Batch((big_x,), (big_y,), weight)
    one, logs_one = jax.jit(whole.train_step)(start(whole), batch)
    four, logs_four = jax.jit(split.train_step)(start(split), batch)
    np.testing.assert_allclose(four.params["dense"]["kernel"], one.params["dense"]["kernel"], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(logs_four.loss_sum, logs_one.loss_sum, rtol=1e-6)
    assert float(logs_four.weight) == rows


def test_batch_gradient_is_the_mean_of_the_examples_gradients(linear_data, make_engine, start):
    """C99: dJ/dW = 1/B sum dJ_k/dW."""
    x, y = linear_data
    engine = make_engine()
    gradient = jax.jit(make_gradient(engine.graph, engine.recipe))
    state = start(engine)
    whole, _, _ = gradient(state, Batch((x[:7],), (y[:7],), np.ones(7, np.float32)))
    each = [gradient(state, Batch((x[i : i + 1],), (y[i : i + 1],), np.ones(1, np.float32)))[0] for i in range(7)]
    mean = np.mean([np.asarray(g["dense"]["kernel"]) for g in each], axis=0)
    np.testing.assert_allclose(whole["dense"]["kernel"], mean, rtol=1e-5, atol=1e-6)


def test_frozen_weights_have_no_gradient_and_no_slots():
    x = Input(3)
    graph = Graph((x,), (Dense(1, name="head")(Dense(4, "tanh", name="body")(x)),))
    recipe = Recipe(SGD(0.1, momentum=0.9), (MeanSquaredError(),), (1.0,), is_frozen=trees.matcher("body"))
    state = initial_state(graph.init(jax.random.key(0)), recipe.optimizer, jax.random.key(1), recipe.is_frozen)
    assert set(trees.flatten(state.params)) == {"head/kernel", "head/bias"}
    assert not any("body" in path for path in trees.flatten(state.slots))
    batch = Batch((np.ones((2, 3), np.float32),), (np.ones((2, 1), np.float32),), np.ones(2, np.float32))
    new, _ = jax.jit(make_train_step(graph, recipe))(state, batch)
    assert (new.frozen["body"]["kernel"] == state.frozen["body"]["kernel"]).all()
    assert (new.params["head"]["kernel"] != state.params["head"]["kernel"]).any()


def test_frozen_layers_run_as_in_inference():
    x = Input(50)
    graph = Graph((x,), (Dense(1, use_bias=False)(Dropout(0.5, name="drop")(x)),))
    ones = np.ones((4, 50), np.float32)
    batch = Batch((ones,), (np.zeros((4, 1), np.float32),), np.ones(4, np.float32))
    variables = graph.init(jax.random.key(0))

    def loss(frozen):
        recipe = Recipe(SGD(0.1), (MeanSquaredError(),), (1.0,), is_frozen=frozen)
        state = initial_state(variables, recipe.optimizer, jax.random.key(1))
        _, _, logs = make_gradient(graph, recipe)(state, batch)
        return float(logs.loss_sum)

    exact = float(((ones @ np.asarray(variables.params["dense"]["kernel"])) ** 2).sum())
    assert loss(trees.matcher("drop")) == pytest.approx(exact, rel=1e-5)
    assert loss(None) != pytest.approx(exact, rel=1e-2)


def test_penalty_is_told_apart_from_the_data_loss():
    """C75, C121: loss = data loss + alpha * sum(w^2); both parts are given, and the gradient holds both."""
    x = Input(3)
    graph = Graph((x,), (Dense(1, kernel_regularizer=L2(0.5), use_bias=False)(x),))
    recipe = Recipe(SGD(0.1), (MeanSquaredError(),), (1.0,))
    state = initial_state(graph.init(jax.random.key(0)), recipe.optimizer, jax.random.key(1))
    rows = np.eye(3, dtype=np.float32)
    targets = np.zeros((3, 1), np.float32)
    grads, _, logs = make_gradient(graph, recipe)(state, Batch((rows,), (targets,), np.ones(3, np.float32)))
    kernel = np.asarray(state.params["dense"]["kernel"], float)
    assert float(logs.penalty) == pytest.approx(0.5 * (kernel**2).sum(), rel=1e-6)
    assert float(logs.loss_sum / logs.weight) == pytest.approx((kernel**2).sum() / 3, rel=1e-6)
    np.testing.assert_allclose(grads["dense"]["kernel"], 2 * kernel / 3 + 2 * 0.5 * kernel, rtol=1e-5)


def test_l2_converges_to_closed_form_ridge(linear_data):
    """C121: Dense + L2 trained to the end equals ridge regression, (XᵀX/n + αI)⁻¹ Xᵀy/n."""
    x, y = linear_data
    symbol = Input(3)
    graph = Graph((symbol,), (Dense(1, use_bias=False, kernel_regularizer=L2(0.2))(symbol),))
    engine = Engine(graph, Recipe(SGD(0.2), (MeanSquaredError(),), (1.0,)))
    state = initial_state(graph.init(jax.random.key(0)), engine.recipe.optimizer, jax.random.key(1))
    batch = Batch((x,), (y,), np.ones(23, np.float32))
    state, _ = jax.jit(lambda s: jax.lax.scan(lambda c, _: (engine.train_step(c, batch)[0], None), s, None, 300))(state)
    wide = x.astype(float)
    closed = np.linalg.solve(wide.T @ wide / 23 + 0.2 * np.eye(3), wide.T @ y / 23)
    np.testing.assert_allclose(state.params["dense"]["kernel"], closed, rtol=1e-5)


def test_constraint_holds_after_every_update():
    """C127: a non-negative constraint is applied after the update."""
    x = Input(3)
    graph = Graph((x,), (Dense(2, kernel_constraint=NonNegative())(x),))
    recipe = Recipe(SGD(5.0), (MeanSquaredError(),), (1.0,))
    state = initial_state(graph.init(jax.random.key(0)), recipe.optimizer, jax.random.key(1))
    batch = Batch((np.ones((4, 3), np.float32),), (-np.ones((4, 2), np.float32),), np.ones(4, np.float32))
    new, _ = jax.jit(make_train_step(graph, recipe))(state, batch)
    assert (new.params["dense"]["kernel"] >= 0).all()
    assert (new.params["dense"]["bias"] < 0).any()


def test_mixed_precision_keeps_weights_and_loss_in_float32(linear_data, make_engine, start):
    """The policy computes in bfloat16; weights, slots and loss stay float32."""
    x, y = linear_data
    engine = make_engine(policy=Policy.named("mixed_bfloat16"))
    state = start(engine)
    batch = Batch((x,), (y,), np.ones(23, np.float32))
    text = jax.make_jaxpr(engine.train_step)(state, batch).pretty_print()
    assert "bf16" in text
    new, logs = jax.jit(engine.train_step)(state, batch)
    assert new.params["dense"]["kernel"].dtype == jnp.float32
    assert logs.loss_sum.dtype == jnp.float32
    exact, _ = jax.jit(make_engine().train_step)(start(make_engine()), batch)
    # bfloat16 keeps 8 bits: 0.4 % of the largest term
    np.testing.assert_allclose(new.params["dense"]["kernel"], exact.params["dense"]["kernel"], atol=2e-2)


def test_skip_leaves_everything_but_the_step_count(linear_data, make_engine, start):
    x, y = linear_data
    engine = make_engine(on_nonfinite="skip")
    state = start(engine)
    bad = np.where(np.arange(23)[:, None] == 4, np.inf, y).astype(np.float32)
    new, logs = jax.jit(engine.train_step)(state, Batch((x,), (bad,), np.ones(23, np.float32)))
    assert not bool(logs.finite)
    assert int(new.step) == 1
    assert (new.params["dense"]["kernel"] == state.params["dense"]["kernel"]).all()


def test_two_outputs_add_their_weighted_losses():
    x = Input(2)
    hidden = Dense(3, "tanh")(x)
    graph = Graph((x,), (Dense(1, name="a")(hidden), Dense(1, name="b")(hidden)))
    losses = (MeanSquaredError(), MeanSquaredError())
    state = initial_state(graph.init(jax.random.key(0)), SGD(0.1), jax.random.key(1))
    batch = Batch(
        (np.ones((4, 2), np.float32),),
        (np.zeros((4, 1), np.float32), np.ones((4, 1), np.float32)),
        np.ones(4, np.float32),
    )

    def total(weights):
        recipe = Recipe(SGD(0.1), losses, weights)
        return float(make_gradient(graph, recipe)(state, batch)[2].loss_sum)

    assert total((2.0, 0.5)) == pytest.approx(2 * total((1.0, 0.0)) + 0.5 * total((0.0, 1.0)), rel=1e-6)


def test_recipe_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe(SGD(0.1), (MeanSquaredError(),), (1.0,)).accumulate = 2


def test_a_micro_batch_of_padding_leaves_running_statistics_alone():
    """5 examples as micro-batches of 4 + 1 + 0: the statistics move twice, not three times."""
    x = np.arange(15, dtype=np.float32).reshape(5, 3)
    model = Sequential([Input(3), BatchNormalization(momentum=0.5), Dense(1)])
    model.compile(SGD(0.1), "mse", accumulate=3)
    order = np.asarray(Feed((x,), (x,), None, 12).epoch(model.state.key, 1).order)[:5]
    model.fit(x, x[:, 0], batch_size=4, epochs=1, verbose=0)
    first, second = x[order[:4]].astype(float), x[order[4:]].astype(float)
    mean = 0.5 * (0.5 * 0 + 0.5 * first.mean(axis=0)) + 0.5 * second.mean(axis=0)
    variance = 0.5 * (0.5 * 1 + 0.5 * first.var(axis=0)) + 0.5 * second.var(axis=0)
    weights = model.get_weights()
    np.testing.assert_allclose(weights["batch_normalization/moving_mean"], mean, rtol=1e-6)
    np.testing.assert_allclose(weights["batch_normalization/moving_variance"], variance, rtol=1e-6)
