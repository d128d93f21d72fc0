import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import chainrule as cr
from chainrule.errors import ArgumentError
from chainrule.layers import Dense, Input
from chainrule.losses import CrossEntropy
from chainrule.train.mixup import mixed
from chainrule.train.state import Batch
from chainrule.train.step import make_gradient

X = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
Y = np.array([0, 1, 2, 1, 0], np.int32)
BATCH = Batch((jnp.asarray(X),), (jnp.asarray(Y),), jnp.ones(5))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_the_share_is_beta_distributed(alpha):
    keys = jax.random.split(jax.random.key(0), 2000)
    shares = jax.vmap(lambda key: mixed(BATCH, key, alpha)[2])(keys)
    assert stats.kstest(np.asarray(shares), stats.beta(alpha, alpha).cdf).pvalue > 0.001


def test_inputs_are_blended_with_the_next_and_targets_come_along():
    (x,), (y,), share = mixed(BATCH, jax.random.key(3), 1.0)
    share = float(share)
    np.testing.assert_allclose(x, share * X + (1 - share) * X[[1, 2, 3, 4, 0]], atol=1e-6)
    assert y.tolist() == Y[[1, 2, 3, 4, 0]].tolist()


def test_bytes_stay_bytes():
    pixels = jnp.asarray(np.array([[0], [255], [100]], np.uint8))
    (x,), _, share = mixed(Batch((pixels,), (jnp.arange(3),), jnp.ones(3)), jax.random.key(1), 1.0)
    assert x.dtype == jnp.uint8
    expected = np.round(float(share) * np.array([0, 255, 100]) + (1 - float(share)) * np.array([255, 100, 0]))
    np.testing.assert_allclose(x[:, 0], expected, atol=1)  # halves may round either way


def small(**options):
    inputs = Input(3)
    model = cr.Model(inputs, Dense(3)(inputs), seed=1)
    model.compile("sgd", loss=CrossEntropy(), **options)
    return model


def test_the_gradient_is_that_of_mixed_one_hot_targets():
    model = small(mixup=1.0)
    state = model.state
    grads, _, logs = make_gradient(model.graph, model.recipe)(state, BATCH)
    (x,), (others,), share = mixed(BATCH, jax.random.fold_in(state.key, state.step), 1.0)
    x, share = np.asarray(x, np.float64), float(share)
    targets = share * np.eye(3)[Y] + (1 - share) * np.eye(3)[np.asarray(others)]
    weights = {name: np.asarray(value, np.float64) for name, value in model.get_weights().items()}
    scores = x @ weights["dense/kernel"] + weights["dense/bias"]
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(logs.loss_sum, -(targets * np.log(chances)).sum(), rtol=1e-5)
    np.testing.assert_allclose(grads["dense"]["kernel"], x.T @ (chances - targets) / 5, atol=1e-6)


def test_evaluation_mixes_nothing_and_files_keep_it(tmp_path):
    plain, mixing = small(), small(mixup=0.3)
    assert mixing.evaluate(X, Y) == plain.evaluate(X, Y)
    mixing.save(tmp_path / "model.chainrule")
    assert cr.load(tmp_path / "model.chainrule").recipe.mixup == 0.3
    mixing.fit(X, Y, epochs=2, batch_size=2, verbose=0)
    plain.fit(X, Y, epochs=2, batch_size=2, verbose=0)
    assert not np.allclose(mixing.get_weights()["dense/kernel"], plain.get_weights()["dense/kernel"])


def test_a_negative_alpha_is_refused():
    with pytest.raises(ArgumentError, match="compile: mixup must be a finite number at least 0"):
        small(mixup=-0.1).evaluate(X, Y)
