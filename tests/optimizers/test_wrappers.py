"""Clipping, accumulation, averaging and the proximal step."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from sklearn.linear_model import Lasso

from chainrule import optimizers as cro
from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule.regularizers import L2

RNG = np.random.default_rng(11)
GRADS = {
    "a": {"kernel": jnp.asarray(RNG.normal(size=(3, 2)), jnp.float32)},
    "b": {"kernel": jnp.asarray(9 * RNG.normal(size=(4,)), jnp.float32)},
}


def norm(tree):
    return np.sqrt(sum((np.asarray(leaf, np.float64) ** 2).sum() for leaf in jax.tree.leaves(tree)))


def test_clip_by_value_global_norm_and_norm():
    """C88: by value every entry, by global norm one factor as in Optax, by norm each weight on its own."""
    limit = 0.7
    by_value = cro.Clip(cro.SGD(), value=limit).clip(GRADS)
    by_global = cro.Clip(cro.SGD(), global_norm=limit).clip(GRADS)
    by_norm = cro.Clip(cro.SGD(), norm=limit).clip(GRADS)
    theirs, _ = optax.clip_by_global_norm(limit).update(GRADS, optax.EmptyState())
    for layer in GRADS:
        own = np.asarray(GRADS[layer]["kernel"])
        np.testing.assert_allclose(by_value[layer]["kernel"], np.clip(own, -limit, limit), rtol=1e-6)
        np.testing.assert_allclose(by_norm[layer]["kernel"], own * limit / np.linalg.norm(own), rtol=1e-6)
        np.testing.assert_allclose(by_global[layer]["kernel"], own * limit / norm(GRADS), rtol=1e-6)
        np.testing.assert_allclose(by_global[layer]["kernel"], theirs[layer]["kernel"], rtol=1e-6)


@pytest.mark.parametrize("limits", [{"value": 50.0}, {"norm": 50.0}, {"global_norm": 50.0}])
def test_short_gradients_are_not_touched(limits):
    """C88: below the limit the same bits come out."""
    clipped = cro.Clip(cro.SGD(), **limits).clip(GRADS)
    for layer in GRADS:
        np.testing.assert_array_equal(clipped[layer]["kernel"], GRADS[layer]["kernel"])


def test_clipping_cures_exploding_steps():
    """C88: on w⁴ from 10 plain descent with rate 0.01 overflows; clipped it arrives."""

    def end(optimizer):
        weights = jnp.array([10.0])
        for step in range(200):
            weights, _ = optimizer.apply_gradients(4 * weights**3, {}, weights, step=step)
        return float(weights[0])

    assert not np.isfinite(end(cro.SGD(0.01)))
    assert abs(end(cro.Clip(cro.SGD(0.1), global_norm=1.0))) < 0.5


def test_global_norm():
    """C88: against NumPy, at 0, and where squares would overflow float32."""
    assert float(cro.global_norm(GRADS)) == pytest.approx(norm(GRADS), rel=1e-6)
    assert float(cro.global_norm({"w": jnp.zeros(3)})) == 0.0
    assert float(cro.global_norm({"w": jnp.array([3e30, 4e30])})) == pytest.approx(5e30, rel=1e-6)
    assert float(cro.global_norm({"w": jnp.array([3.0, 4.0], jnp.bfloat16)})) == 5.0


def mean_loss(params, batch):
    x, y = batch
    return jnp.mean((jnp.tanh(x @ params["w"]) - y) ** 2)


X, Y = RNG.normal(size=(7, 3)).astype(np.float32), RNG.normal(size=7).astype(np.float32)


def test_accumulated_gradients_equal_the_big_batch_with_a_short_last_group():
    """C108: groups of 3, 3 and 1 examples with the same weights give the gradient of all 7."""
    params, grad = {"w": jnp.array([0.1, -0.2, 0.3])}, jax.grad(mean_loss)
    parts = [(X[:3], Y[:3]), (X[3:6], Y[3:6]), (X[6:], Y[6:])]
    whole = grad(params, (X, Y))["w"]
    with jax.numpy_dtype_promotion("strict"):
        gathered = cro.accumulate_gradients(grad, params, parts, [3, 3, 1])["w"]
    np.testing.assert_allclose(gathered, whole, rtol=2e-6)
    unweighted = cro.accumulate_gradients(grad, params, parts, [1, 1, 1])["w"]
    assert np.abs(unweighted - whole).max() > 0.01  # the mean of means is another number


def test_accumulate_makes_one_step_of_k_equal_micro_batches():
    """C108: no update between, then one that equals the big batch; two rounds with momentum, as Optax's MultiSteps."""
    params = start = {"w": jnp.array([0.1, -0.2, 0.3])}
    grad = jax.jit(jax.grad(mean_loss))
    optimizer, theirs = cro.Accumulate(cro.SGD(0.1, momentum=0.9), every=3), optax.MultiSteps(optax.sgd(0.1, 0.9), 3)
    state, their_state, their_params = optimizer.init(params), theirs.init(params), params
    for step in range(6):
        batch = (X[step : step + 2], Y[step : step + 2])
        params, state = optimizer.apply_gradients(grad(params, batch), state, params, step=step)
        increments, their_state = theirs.update(grad(their_params, batch), their_state, their_params)
        their_params = optax.apply_updates(their_params, increments)
        if step < 2:
            np.testing.assert_array_equal(params["w"], start["w"])
    np.testing.assert_allclose(params["w"], their_params["w"], rtol=2e-6)
    assert np.abs(params["w"] - start["w"]).max() > 0.01
    assert float(jnp.abs(state["total"]["w"]).max()) == 0.0


def test_accumulate_counts_real_updates_in_the_schedule():
    optimizer = cro.Accumulate(cro.SGD(cro.StepDecay(1.0, every=1)), every=3)
    assert [float(optimizer.rate(step)) for step in (0, 2, 3, 6)] == [1.0, 1.0, 0.5, 0.25]


@pytest.mark.parametrize("decay", [0.8, None])
def test_average_of_weights_by_hand(decay):
    optimizer, weights = cro.AverageWeights(cro.SGD(1.0), decay), jnp.array([1.0])
    state, path, average = optimizer.init(weights), [], 1.0
    for step, gradient in enumerate([1.0, -3.0, 0.5]):
        weights, state = optimizer.apply_gradients(jnp.array([gradient]), state, weights, step=step)
        path.append(float(weights[0]))
        average = np.mean(path) if decay is None else decay * average + (1 - decay) * path[-1]
        assert float(optimizer.averaged(state)[0]) == pytest.approx(average, rel=1e-6)
    assert path == [0.0, 3.0, 2.5]


def test_average_is_a_copy_and_its_state_can_be_donated():
    optimizer, weights = cro.AverageWeights(cro.SGD(1.0)), jnp.array([1.0])
    assert optimizer.init(weights)["average"].unsafe_buffer_pointer() != weights.unsafe_buffer_pointer()


ALPHA, ROWS = 0.2, 60
DATA = RNG.normal(size=(ROWS, 8)).astype(np.float32)
TARGET = (DATA[:, :2] @ np.array([1.5, -1.0]) + 0.3 * RNG.normal(size=ROWS)).astype(np.float32)


def fit(optimizer, penalty):
    def total(weights):
        return 0.5 * jnp.mean((DATA @ weights - TARGET) ** 2) + penalty(weights)

    def body(step, weights):
        return optimizer.apply_gradients(jax.grad(total)(weights), {}, weights, step=step)[0]

    return np.asarray(jax.jit(lambda w: jax.lax.fori_loop(0, 1000, body, w))(jnp.ones(8)))


def test_proximal_descent_is_the_lasso():
    """C122: the weights of scikit-learn's Lasso, exact zeros included, where L2 has none."""
    found = fit(cro.Proximal(cro.SGD(0.2), l1=ALPHA), lambda _: 0.0)
    lasso = Lasso(alpha=ALPHA, fit_intercept=False, tol=1e-10).fit(DATA, TARGET).coef_
    np.testing.assert_allclose(found, lasso, atol=1e-5)
    ridge = fit(cro.SGD(0.2), L2(ALPHA))
    assert (found == 0).sum() == (lasso == 0).sum() >= 4
    assert (found == 0).sum() > (ridge == 0).sum() == 0


def test_proximal_spares_vectors_if_told():
    weights = {"kernel": jnp.full((1, 2), 0.25), "bias": jnp.full((2,), 0.25)}
    still = jax.tree.map(jnp.zeros_like, weights)
    moved = cro.Proximal(cro.SGD(1.0), 0.5, exclude_vectors=True).update_weights(weights, still)
    assert moved["kernel"].tolist() == [[0.0, 0.0]]
    assert moved["bias"].tolist() == [0.25, 0.25]


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: cro.Clip(cro.SGD()), ArgumentError, "exactly one of value, norm and global_norm.*received none"),
        (lambda: cro.Clip(cro.SGD(), value=1.0, norm=1.0), ArgumentError, "received value, norm"),
        (lambda: cro.Clip(cro.SGD(), norm=0.0), ArgumentError, "norm must be"),
        (lambda: cro.Clip("sgd", norm=1.0), ArgumentTypeError, "'sgd'.*optimizers.get"),
        (lambda: cro.Accumulate(cro.SGD(), 0), ArgumentError, "every"),
        (lambda: cro.AverageWeights(cro.SGD(), 1.0), ArgumentError, "decay"),
        (lambda: cro.Proximal(cro.from_optax(optax.sgd(0.1))), ArgumentError, "rate must be known"),
    ],
)
def test_errors_say_what_and_how(make, error, text):
    with pytest.raises(error, match=text):
        make()
