"""Regression losses against Optax, closed forms and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import chainrule.losses as losses
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule._base.spec import batched

RNG = np.random.default_rng(1)
Y, T = RNG.normal(size=(3, 5)) * 2, RNG.normal(size=(3, 5)) * 2
COUNTS = RNG.poisson(3, size=(3, 5)).astype(float)

EQUAL_TO_OPTAX = {
    "mse": (losses.MeanSquaredError(), lambda y, t: jnp.mean(optax.losses.squared_error(y, t), 1)),
    "half": (losses.HalfSquaredError(), lambda y, t: jnp.sum(optax.losses.l2_loss(y, t), 1)),
    "huber": (losses.Huber(0.7), lambda y, t: jnp.mean(optax.losses.huber_loss(y, t, delta=0.7), 1)),
    "log_cosh": (losses.LogCosh(), lambda y, t: jnp.mean(optax.losses.log_cosh(y, t), 1)),
    "cosine": (losses.CosineDistance(), lambda y, t: optax.losses.cosine_distance(y, t, epsilon=0.0)),
}


@pytest.mark.parametrize("name", EQUAL_TO_OPTAX)
def test_equals_optax_per_example(name):
    """C64: every loss gives one value per example."""
    ours, theirs = EQUAL_TO_OPTAX[name]
    y, t = jnp.asarray(Y, jnp.float32), jnp.asarray(T, jnp.float32)
    assert ours(y, t).shape == (3,)
    np.testing.assert_allclose(ours(y, t), theirs(y, t), rtol=1e-6, atol=1e-6)


def test_squared_errors_mean_and_half_sum():
    """C70 C71 E6: the mean form and the half-sum form differ by m/2, and the half-sum's gradient is y − t."""
    mean = ((Y - T) ** 2).mean(axis=1)
    with jax.enable_x64(True):
        y, t = jnp.asarray(Y), jnp.asarray(T)
        np.testing.assert_allclose(losses.MeanSquaredError()(y, t), mean, rtol=1e-13)
        half = losses.HalfSquaredError()
        np.testing.assert_allclose(half(y, t), mean * 5 / 2, rtol=1e-13)
        gradient = jax.grad(lambda y: half(y, t).sum())(y)
        np.testing.assert_allclose(gradient, Y - T, rtol=1e-13)


def test_absolute_error_equals_numpy():
    np.testing.assert_allclose(
        losses.MeanAbsoluteError()(jnp.asarray(Y), jnp.asarray(T)), np.abs(Y - T).mean(axis=1), rtol=1e-6
    )


def test_poisson_from_log_and_from_rate_agree_and_are_smallest_at_the_target():
    rate = np.exp(Y)
    expected = (rate - COUNTS * Y).mean(axis=1)
    with jax.enable_x64(True):
        np.testing.assert_allclose(losses.PoissonLoss()(jnp.asarray(Y), jnp.asarray(COUNTS)), expected, rtol=1e-13)
        by_rate = losses.PoissonLoss(from_log=False)
        np.testing.assert_allclose(by_rate(jnp.asarray(rate), jnp.asarray(COUNTS)), expected, rtol=1e-12)
        slope = jax.grad(lambda y: by_rate(y, jnp.asarray(COUNTS + 1)).sum())(jnp.asarray(COUNTS + 1))
        np.testing.assert_allclose(slope, np.zeros((3, 5)), atol=1e-15)
    assert np.isfinite(by_rate(jnp.zeros(2), jnp.array([0.0, 4.0]))).all()


SMOOTH = [
    losses.MeanSquaredError(),
    losses.HalfSquaredError(),
    losses.Huber(0.7),
    losses.LogCosh(),
    losses.PoissonLoss(),
    losses.CosineDistance(),
]


@pytest.mark.parametrize("loss", SMOOTH, ids=lambda loss: loss.name)
def test_gradient_equals_finite_differences(loss):
    step = 1e-6
    with jax.enable_x64(True):
        t = jnp.asarray(COUNTS if loss.name == "poisson" else T)
        total = jax.jit(lambda y: loss(y, t).sum())
        gradient = np.asarray(jax.grad(total)(jnp.asarray(Y)))
        for index in [(0, 0), (1, 3), (2, 4)]:
            nudge = np.zeros_like(Y)
            nudge[index] = step
            slope = (total(Y + nudge) - total(Y - nudge)) / (2 * step)
            # central differences: error step² ≈ 1e-12, rounding 1e-16/step ≈ 1e-10
            assert gradient[index] == pytest.approx(float(slope), rel=1e-7, abs=1e-8)


ALL = [*SMOOTH, losses.MeanAbsoluteError()]


@pytest.mark.parametrize("loss", ALL, ids=lambda loss: loss.name)
def test_value_and_gradient_are_finite_at_zero_and_far_away(loss):
    far = 60.0 if loss.name == "poisson" else 1e15  # exp(60) and (1e15)² are still float32 numbers
    y = jnp.array([[0.0, 0.0], [far, -far], [0.0, 1.0]])
    t = jnp.array([[0.0, 0.0], [2.0, 3.0], [0.0, 1.0]])
    value, gradient = jax.value_and_grad(lambda y: loss(y, t).sum())(y)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_cosine_distance_of_zero_vector_is_one_with_zero_gradient():
    loss = losses.CosineDistance()
    value, gradient = jax.value_and_grad(lambda y: loss(y, jnp.ones((1, 2))).sum())(jnp.zeros((1, 2)))
    assert float(value) == 1.0
    np.testing.assert_array_equal(gradient, 0)


def test_cosine_distance_of_a_flat_batch_is_refused():
    with pytest.raises(ShapeError, match="2 axes or more"):
        losses.CosineDistance()(jnp.ones(3), jnp.ones(3))


@pytest.mark.parametrize("loss", [*ALL, losses.BinaryCrossEntropy(), losses.Hinge()], ids=lambda loss: loss.name)
def test_column_against_flat_targets_is_an_error_not_a_broadcast(loss):
    with pytest.raises(ShapeError, match=r"\(4, 1\).*\(4,\).*Type targets\[\.\.\., None\]"):
        loss(jnp.ones((4, 1)), jnp.ones(4))


def test_other_way_round_tells_to_drop_the_axis():
    with pytest.raises(ShapeError, match=r"Type targets\[\.\.\., 0\]"):
        losses.MeanSquaredError()(jnp.ones(4), jnp.ones((4, 1)))


def test_symbolic_batch_passes_and_static_mismatch_fails():
    loss = losses.MeanSquaredError()
    assert jax.eval_shape(loss, batched((3,)), batched((3,))).shape == batched(()).shape
    with pytest.raises(ShapeError, match="same shape"):
        jax.eval_shape(loss, batched((3,)), batched((2,)))


def test_half_precision_is_computed_in_float32():
    y, t = jnp.full((2, 300), 0.1, jnp.bfloat16), jnp.zeros((2, 300), jnp.bfloat16)
    got = losses.MeanSquaredError()(y, t)
    assert got.dtype == jnp.float32
    assert float(got[0]) == pytest.approx(float(y[0, 0]) ** 2, rel=1e-6)


def test_bad_arguments_are_refused():
    with pytest.raises(ArgumentError, match=r"Huber: delta must be a finite number above 0; received -1"):
        losses.Huber(-1)
    with pytest.raises(ArgumentTypeError, match="delta"):
        losses.Huber("a")


def test_negative_counts_are_named_by_row():
    with pytest.raises(ArgumentError, match=r"at least 0; received -2\.0 in row 1"):
        losses.check_targets(losses.PoissonLoss(), np.array([3.0, -2.0, 0.0]))
