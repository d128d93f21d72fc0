"""Hinge losses against scikit-learn, Optax and closed forms."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sklearn.metrics

import chainrule.losses as losses

RNG = np.random.default_rng(3)
SCORES = RNG.normal(size=7) * 2
SIDE = np.array([1, -1, -1, 1, 1, -1, 1])


def test_hinge_equals_scikit_learn_and_takes_zero_for_minus_one():
    hinge = losses.Hinge()
    got = hinge(jnp.asarray(SCORES), jnp.asarray(SIDE))
    assert float(got.mean()) == pytest.approx(sklearn.metrics.hinge_loss(SIDE, SCORES), rel=1e-6)
    np.testing.assert_array_equal(got, hinge(jnp.asarray(SCORES), jnp.asarray((SIDE + 1) // 2)))
    np.testing.assert_allclose(got, optax.losses.hinge_loss(jnp.asarray(SCORES), jnp.asarray(SIDE)), rtol=1e-6)
    squared = losses.SquaredHinge()(jnp.asarray(SCORES), jnp.asarray(SIDE))
    np.testing.assert_allclose(squared, np.maximum(0, 1 - SIDE * SCORES) ** 2, rtol=1e-5)


def test_categorical_hinge_equals_scikit_learn_and_optax():
    scores, labels = RNG.normal(size=(5, 3)) - 4, np.array([0, 2, 1, 1, 0])  # all negative: Keras's form differs
    loss = losses.CategoricalHinge()
    got = loss(jnp.asarray(scores), jnp.asarray(labels))
    theirs = optax.losses.multiclass_hinge_loss(jnp.asarray(scores), jnp.asarray(labels))
    np.testing.assert_allclose(got, np.maximum(theirs, 0), rtol=1e-5)
    assert float(got.mean()) == pytest.approx(sklearn.metrics.hinge_loss(labels, scores), rel=1e-5)
    np.testing.assert_array_equal(got, loss(jnp.asarray(scores), jnp.eye(3)[labels]))
