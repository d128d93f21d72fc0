"""Focal losses against Optax and their formula."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.special

import chainrule.losses as losses

RNG = np.random.default_rng(4)
X, T = RNG.normal(size=(3, 2)) * 3, np.array([[1, 0], [0, 1], [1, 1]])
LOGITS, LABELS = RNG.normal(size=(4, 3)) * 2, np.array([0, 2, 2, 1])


@pytest.mark.parametrize(("gamma", "alpha"), [(2.0, 0.25), (0.5, None), (0.0, 0.6)])
def test_binary_focal_equals_optax(gamma, alpha):
    x, t = jnp.asarray(X, jnp.float32), jnp.asarray(T, jnp.float32)
    theirs = optax.losses.sigmoid_focal_loss(x, t, alpha=alpha, gamma=gamma).mean(axis=1)
    np.testing.assert_allclose(losses.BinaryFocalLoss(gamma, alpha)(x, t), theirs, rtol=1e-5, atol=1e-7)
    given = losses.BinaryFocalLoss(gamma, alpha, from_logits=False)(jax.nn.sigmoid(x), t)
    np.testing.assert_allclose(given, theirs, rtol=1e-4)  # 1 − p has lost digits before the loss sees it


def test_categorical_focal_equals_its_formula_with_class_weights():
    p = scipy.special.softmax(LOGITS, axis=1)[np.arange(4), LABELS]
    expected = np.array([1.0, 2.0, 3.0])[LABELS] * (1 - p) ** 1.5 * -np.log(p)
    loss = losses.FocalLoss(gamma=1.5, class_weight=(1.0, 2.0, 3.0))
    np.testing.assert_allclose(loss(jnp.asarray(LOGITS), jnp.asarray(LABELS)), expected, rtol=1e-5)
    np.testing.assert_allclose(loss(jnp.asarray(LOGITS), jnp.eye(3)[LABELS]), expected, rtol=1e-5)


def test_gamma_zero_is_cross_entropy():
    x, labels = jnp.asarray(LOGITS), jnp.asarray(LABELS)
    np.testing.assert_allclose(losses.FocalLoss(gamma=0)(x, labels), losses.CrossEntropy()(x, labels), rtol=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_derivative_is_finite_where_the_answer_is_certain(gamma):
    x = jnp.array([100.0, -100.0, 100.0])
    slope = jax.grad(lambda x: losses.BinaryFocalLoss(gamma)(x, jnp.array([1, 1, 0])).sum())(x)
    np.testing.assert_allclose(slope, [0, -1, 1], atol=1e-6)  # −log σ(x) has slope −1 far on the wrong side
