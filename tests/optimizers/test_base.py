"""Laws that hold for every optimizer and every wrapper, and the errors of the protocol."""

import dataclasses
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from chainrule import optimizers as cro
from chainrule._base import tree as trees
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError, UnknownNameError
from chainrule._base.registry import from_config, to_config

OPTIMIZERS = {
    "sgd": cro.SGD(0.1),
    "sgd_all": cro.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": cro.Adam(0.1),
    "amsgrad": cro.Adam(0.1, amsgrad=True),
    "adamw": cro.AdamW(0.1),
    "adamax": cro.Adamax(0.1),
    "nadam": cro.Nadam(0.1),
    "lion": cro.Lion(0.1, weight_decay=0.01),
    "rmsprop": cro.RMSProp(0.1, momentum=0.5, centered=True),
    "adagrad": cro.Adagrad(0.1),
    "adadelta": cro.Adadelta(),
    "scheduled": cro.SGD(cro.Warmup(cro.CosineDecay(0.1, 20), 5, start=0.01)),
    "clip_value": cro.Clip(cro.SGD(0.1), value=0.5),
    "clip_norm": cro.Clip(cro.Adam(0.1), norm=0.5),
    "clip_global": cro.Clip(cro.SGD(0.1, momentum=0.5), global_norm=0.5),
    "accumulate": cro.Accumulate(cro.Adam(0.1), every=2),
    "average": cro.AverageWeights(cro.Adam(0.1), decay=0.9),
    "polyak": cro.AverageWeights(cro.SGD(0.1), decay=None),
    "proximal": cro.Proximal(cro.SGD(0.1, momentum=0.5), l1=0.01),
}
FOREIGN = {"optax": cro.from_optax(optax.adam(0.1))}
PARAMS = {"dense": {"kernel": jnp.array([[1.0, -2.0, 0.5], [0.25, 1.5, -1.0]]), "bias": jnp.array([0.5, 1.0, -1.5])}}


def kinds(tree):
    return {path: (leaf.shape, leaf.dtype) for path, leaf in trees.flatten(tree).items()}


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize("name", OPTIMIZERS | FOREIGN)
def test_runs_in_while_loop_under_strict_promotion_and_keeps_dtypes(name, dtype):
    optimizer = (OPTIMIZERS | FOREIGN)[name]
    params = jax.tree.map(lambda leaf: leaf.astype(dtype), PARAMS)
    scale = jnp.float32(0.5)  # as the training loop passes it

    def body(carry):
        params, state, step = carry
        grads = jax.tree.map(lambda param: 2 * param, params)
        params, state = optimizer.apply_gradients(grads, state, params, step=step, rate_scale=scale)
        return params, state, step + 1

    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict" if name != "optax" else "standard"):
        start = (params, optimizer.init(params), jnp.int32(0))
        end = jax.jit(lambda carry: jax.lax.while_loop(lambda carry: carry[2] < 4, body, carry))(start)
    assert kinds(end[0]) == kinds(params)
    assert kinds(end[1]) == kinds(start[1])
    assert not np.array_equal(end[0]["dense"]["kernel"], params["dense"]["kernel"])
    if name != "optax":  # Optax keeps the moments of bfloat16 weights in bfloat16
        assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(end[1]))


@pytest.mark.parametrize("name", OPTIMIZERS | FOREIGN)
def test_state_survives_flattening_to_paths(name):
    optimizer = (OPTIMIZERS | FOREIGN)[name]
    state = optimizer.init(PARAMS)
    assert jax.tree.structure(trees.unflatten(trees.flatten(state))) == jax.tree.structure(state)
    _, after = optimizer.update(PARAMS, state, PARAMS, step=0)
    assert jax.tree.structure(after) == jax.tree.structure(state)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_config_round_trip(name):
    optimizer = OPTIMIZERS[name]
    assert from_config(to_config(optimizer)) == optimizer


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_rate_scale_scales_the_first_step(name):
    optimizer = OPTIMIZERS[name]
    if name in ("proximal", "accumulate"):  # the threshold and the waiting are tested by themselves
        optimizer = optimizer.optimizer
    state = optimizer.init(PARAMS)
    whole, _ = optimizer.update(PARAMS, state, PARAMS, step=0)
    half, _ = optimizer.update(PARAMS, state, PARAMS, step=0, rate_scale=0.5)
    for path, leaf in trees.flatten(whole).items():
        assert np.abs(leaf).min() > 0
        np.testing.assert_allclose(trees.flatten(half)[path], 0.5 * leaf, rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "clip_global"])
def test_nan_gradient_reaches_its_own_entry_only(name):
    optimizer = OPTIMIZERS[name]
    grads = {"dense": {"kernel": PARAMS["dense"]["kernel"], "bias": jnp.array([1.0, jnp.nan, 1.0])}}
    state, params = optimizer.init(PARAMS), PARAMS
    for step in range(2):  # the second step fills the group of "accumulate"
        params, state = optimizer.apply_gradients(grads, state, params, step=step)
    assert np.isfinite(params["dense"]["kernel"]).all()
    expected = [True, True, True] if name == "clip_norm" else [False, True, False]  # one norm for the whole weight
    assert np.isnan(params["dense"]["bias"]).tolist() == expected


def test_nan_gradient_reaches_everything_through_a_global_norm():
    grads = {"dense": {"kernel": PARAMS["dense"]["kernel"], "bias": jnp.array([1.0, jnp.nan, 1.0])}}
    optimizer = OPTIMIZERS["clip_global"]
    increments, _ = optimizer.update(grads, optimizer.init(PARAMS), PARAMS, step=0)
    assert np.isnan(increments["dense"]["kernel"]).all()


# The rate falls to 0, so that rules with steps of fixed length settle too; Adadelta has its own rate.
FALL = cro.PolynomialDecay(0.2, 400, end_learning_rate=0.0)
SOLVERS = {
    "sgd": cro.SGD(FALL),
    "momentum": cro.SGD(FALL, momentum=0.8),
    "nesterov": cro.SGD(FALL, momentum=0.8, nesterov=True),
    "adam": cro.Adam(FALL),
    "amsgrad": cro.Adam(FALL, amsgrad=True),
    "adamw": cro.AdamW(FALL, weight_decay=0.0),
    "adamax": cro.Adamax(FALL),
    "nadam": cro.Nadam(FALL),
    "lion": cro.Lion(FALL),
    "rmsprop": cro.RMSProp(FALL),
    "adagrad": cro.Adagrad(cro.PolynomialDecay(2.0, 400, end_learning_rate=0.0)),
    "adadelta": cro.Adadelta(cro.PolynomialDecay(30.0, 400, end_learning_rate=0.0)),
}


def minimise(optimizer, loss, start, steps):
    def body(step, carry):
        weights, state = carry
        return optimizer.apply_gradients(jax.grad(loss)(weights), state, weights, step=step)

    return jax.jit(lambda w: jax.lax.fori_loop(0, steps, body, (w, optimizer.init(w)))[0])(start)


@pytest.mark.parametrize("name", SOLVERS)
def test_finds_the_bottom_of_a_parabola(name):
    bottom = jnp.array([1.0, -2.0, 0.5])
    found = minimise(SOLVERS[name], lambda w: jnp.sum((w - bottom) ** 2), jnp.zeros(3), 400)
    np.testing.assert_allclose(found, bottom, atol=2e-3)  # Lion's last steps are 5e-4 long


def test_adam_finds_the_bottom_of_the_rosenbrock_valley():
    def rosenbrock(w):
        return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2

    found = minimise(cro.Adam(cro.CosineDecay(0.05, 3000)), rosenbrock, jnp.array([-1.2, 1.0]), 3000)
    np.testing.assert_allclose(found, [1.0, 1.0], atol=0.01)
    found = minimise(cro.SGD(0.001, momentum=0.9), rosenbrock, jnp.array([-1.2, 1.0]), 5000)
    np.testing.assert_allclose(found, [1.0, 1.0], atol=0.01)


def test_update_weights_is_plain_descent_on_any_arrays():
    """C107 C98: the optimizer object used outside of training, W - 0.001 · g, on arrays and on dicts of arrays."""
    weights, gradients = np.array([[1.0, 2.0, 3.0]]), np.array([[100.0, -50.0, 0.0]])
    sgd = cro.SGD(0.001)
    np.testing.assert_allclose(sgd.update_weights(weights, gradients), [[0.9, 2.05, 3.0]], rtol=1e-6)
    both = sgd.update_weights({"a": {"kernel": weights}, "b": 5.0}, {"a": {"kernel": gradients}, "b": 1000.0})
    np.testing.assert_allclose(both["a"]["kernel"], [[0.9, 2.05, 3.0]], rtol=1e-6)
    assert float(both["b"]) == 4.0


def test_update_weights_refuses_to_lose_a_memory():
    with pytest.raises(ArgumentError, match=r"Adam: update_weights .* keeps m, v from step to step.*apply_gradients"):
        cro.Adam().update_weights([1.0], [1.0])


def test_slots_are_named_after_the_weights():
    assert list(trees.flatten(cro.Adam().init(PARAMS))) == [
        "dense/kernel/m",
        "dense/kernel/v",
        "dense/bias/m",
        "dense/bias/v",
    ]
    assert cro.SGD().init(PARAMS) == {}


@pytest.mark.parametrize("name", ["adam", "rmsprop", "adagrad", "adadelta", "sgd"])
def test_effective_rate_times_gradient_is_the_first_step(name):
    """C96: the size of step of every single weight, as it was used."""
    optimizer = OPTIMIZERS[name]
    if name == "rmsprop":
        optimizer = cro.RMSProp(0.1)
    state = optimizer.init(PARAMS)
    increments, after = optimizer.update(PARAMS, state, PARAMS, step=0)
    # Adadelta divides by the sizes of steps, which the state holds only after the step
    rates = optimizer.effective_rate(after, PARAMS, step=0)
    if name == "adadelta":
        after = jax.tree.map(lambda leaf: leaf, after)
        for slots in after["dense"].values():
            slots["d"] = jnp.zeros_like(slots["d"])
        rates = optimizer.effective_rate(after, PARAMS, step=0)
    for path, rate in trees.flatten(rates).items():
        gradient, increment = trees.flatten(PARAMS)[path], trees.flatten(increments)[path]
        np.testing.assert_allclose(-rate * gradient, increment, rtol=2e-6)  # Adam's mean: 0.1 g / 0.1


def test_a_user_rule_is_two_methods():
    @dataclass(frozen=True)
    class Halving(cro.LeafOptimizer):
        learning_rate: float = 1.0

        def slots(self, param):
            return {"count": jnp.zeros_like(param)}

        def step_leaf(self, grad, param, slots, step, rate):
            return -rate * grad / 2 ** slots["count"], {"count": slots["count"] + 1}

    optimizer, weights = Halving(), jnp.array([8.0])
    state = optimizer.init(weights)
    for step in range(3):
        weights, state = optimizer.apply_gradients(jnp.array([4.0]), state, weights, step=step)
    assert weights.tolist() == [8.0 - 4 - 2 - 1]


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: cro.get("adagrd"), UnknownNameError, "Did you mean 'adagrad'"),
        (lambda: cro.get(0.1), ArgumentTypeError, r"received 0.1 \(float\)"),
        (lambda: cro.get(cro.Adam), ArgumentTypeError, "with its parentheses"),
        (lambda: cro.SGD(-0.1), ArgumentError, "SGD: learning_rate must be a finite number at least 0; received -0.1"),
        (lambda: cro.SGD("0.1"), ArgumentTypeError, "learning_rate"),
        (lambda: cro.SGD(float("nan")), ArgumentError, "learning_rate"),
        (lambda: cro.Adam(beta_1=1.0), ArgumentError, "beta_1"),
        (lambda: cro.SGD(nesterov=True), ArgumentError, "nesterov needs a momentum"),
        (lambda: cro.Adam().init({"w": jnp.arange(3)}), ArgumentTypeError, "dtype int32"),
        (lambda: cro.SGD().update({"v": 1.0}, {}, {"w": jnp.ones(2)}, step=0), ArgumentError, r"\['w'\].*\['v'\]"),
        (
            lambda: cro.SGD().update({"a": {"w": jnp.ones(3)}}, {}, {"a": {"w": jnp.ones(2)}}, step=0),
            ShapeError,
            r"a/w \(SGD\).*\(2,\); received \(3,\)",
        ),
        (lambda: cro.Adam().update(jnp.ones(2), {"m": jnp.ones(2)}, jnp.ones(2), step=0), ArgumentError, "slot 'v'"),
    ],
)
def test_errors_say_what_and_how(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_names_and_objects_are_taken():
    assert cro.get("Adam") == cro.Adam()
    assert cro.get(cro.SGD(0.5)).learning_rate == 0.5
    assert dataclasses.replace(cro.get("sgd"), learning_rate=0.5) == cro.SGD(0.5)
