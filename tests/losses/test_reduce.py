"""The one place that averages over examples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import chainrule.losses as losses
from chainrule._base.errors import ArgumentError, ShapeError

L, W = np.array([1.0, 5.0, 2.5]), np.array([2.0, 0.5, 1.0])


def test_mean_sum_and_none():
    """C65: one weighted mean, with the reductions mean, sum and none."""
    values, weight = jnp.asarray(L), jnp.asarray(W)
    assert float(losses.reduce(values, weight)) == pytest.approx(np.average(L, weights=W))
    assert float(losses.reduce(values, weight, "sum")) == pytest.approx(W @ L)
    np.testing.assert_allclose(losses.reduce(values, weight, "none"), W * L)
    assert float(losses.reduce(values)) == pytest.approx(L.mean())
    assert float(losses.reduce(values, None, "sum")) == pytest.approx(L.sum())
    np.testing.assert_array_equal(losses.reduce(values, None, "none"), L.astype(np.float32))


def test_weights_say_how_often_an_example_counts():
    doubled = losses.reduce(jnp.array([1.0, 5.0, 5.0]))
    assert float(losses.reduce(jnp.array([1.0, 5.0]), jnp.array([1.0, 2.0]))) == pytest.approx(float(doubled))


def test_rows_of_weight_zero_do_not_take_part_even_if_not_finite():
    per_example, weight = jnp.array([4.0, jnp.inf, 1.0, jnp.nan]), jnp.array([2.0, 0.0, 1.0, 0.0])
    assert float(losses.reduce(per_example, weight)) == 3.0
    slope = jax.grad(lambda values: losses.reduce(values, weight))(per_example)
    np.testing.assert_allclose(slope, [2 / 3, 0, 1 / 3, 0], rtol=1e-6)


def test_no_weight_at_all_gives_zero_with_zero_gradient():
    value, slope = jax.value_and_grad(lambda values: losses.reduce(values, jnp.zeros(2)))(jnp.array([1.0, 2.0]))
    assert float(value) == 0.0
    np.testing.assert_array_equal(slope, [0.0, 0.0])


def test_empirical_risk_is_the_weighted_mean_loss():
    """C65 C72: J = 1/n Σ L over the residuals y − t."""
    y, t = np.array([1.0, 2.0, 4.0]), np.array([0.0, 4.0, 4.0])
    risk = losses.empirical_risk(losses.MeanSquaredError(), jnp.asarray(y), jnp.asarray(t), jnp.asarray(W))
    assert float(risk) == pytest.approx(np.average((y - t) ** 2, weights=W))


def test_bad_arguments():
    with pytest.raises(ArgumentError, match="how must be one of"):
        losses.reduce(jnp.ones(2), how="average")
    with pytest.raises(ShapeError, match=r"\(3,\).*\(3, 1\)"):
        losses.reduce(jnp.ones(3), jnp.ones((3, 1)))
