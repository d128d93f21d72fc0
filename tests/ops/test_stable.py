"""The stable formulations against float64 NumPy/SciPy, at the extremes, and their derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from chainrule.ops import stable

X = np.array([-700.0, -30.0, -1.5, -1e-3, 0.0, 1e-4, 0.3, 2.0, 40.0, 650.0])

ELEMENTWISE = {
    "softplus": (stable.softplus, lambda x: np.logaddexp(x, 0), scipy.special.expit),
    "log_sigmoid": (stable.log_sigmoid, scipy.special.log_expit, lambda x: scipy.special.expit(-x)),
    "log_cosh": (stable.log_cosh, lambda x: np.logaddexp(x, -x) - np.log(2), np.tanh),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_value_and_derivative_equal_scipy(name):
    ours, value, derivative = ELEMENTWISE[name]
    with jax.enable_x64(True):
        x = jnp.asarray(X)
        # NumPy's own log-cosh cancels near 0 (1e-16 absolute), hence atol
        np.testing.assert_allclose(ours(x), value(X), rtol=1e-14, atol=2e-16)
        np.testing.assert_allclose(jax.vmap(jax.grad(ours))(x), derivative(X), rtol=1e-12, atol=1e-300)


def test_second_derivative_of_softplus_at_zero_is_a_quarter():
    assert float(jax.grad(jax.grad(stable.softplus))(0.0)) == pytest.approx(0.25, rel=1e-6)


def test_log_cosh_keeps_its_digits_near_zero_in_float32():
    x = np.array([1e-6, 1e-3, 0.019, 0.05], np.float32)
    wide = x.astype(np.float64)
    # x²/2 − x⁴/12 + x⁶/45: the series, good to 1e-12 relative here
    expected = wide**2 / 2 - wide**4 / 12 + wide**6 / 45
    np.testing.assert_allclose(stable.log_cosh(jnp.asarray(x)), expected, rtol=5e-7)  # a few float32 roundings


def test_log_sum_exp_and_log_softmax_equal_scipy_on_every_axis():
    x = np.random.default_rng(0).normal(size=(2, 3, 5)) * 300
    with jax.enable_x64(True):
        for axis in (0, 1, -1):
            np.testing.assert_allclose(
                stable.log_sum_exp(jnp.asarray(x), axis), scipy.special.logsumexp(x, axis), rtol=1e-13
            )
            np.testing.assert_allclose(
                stable.log_softmax(jnp.asarray(x), axis), scipy.special.log_softmax(x, axis), rtol=1e-13
            )
        kept = stable.log_sum_exp(jnp.asarray(x), 1, keepdims=True)
    assert kept.shape == (2, 1, 5)


@pytest.mark.parametrize("axis", [1, -2])
def test_axes_of_a_size_that_is_known_at_run_time_only(axis):
    """The steps left by a convolution, ``max(t - 2, 0)``, might be none as far as is known."""
    (t,) = jax.export.symbolic_shape("t")
    spec = jax.ShapeDtypeStruct((2, jax.core.max_dim(t - 2, 0), 5), jnp.float32)
    assert jax.eval_shape(lambda x: stable.softmax(x, axis), spec).shape == spec.shape
    assert jax.eval_shape(lambda x: stable.log_sum_exp(x, axis), spec).shape == (2, 5)


def test_log_sum_exp_of_minus_infinities_is_minus_infinity_not_nan():
    assert float(stable.log_sum_exp(jnp.full((3,), -jnp.inf))) == -np.inf


def test_gradient_of_log_sum_exp_is_the_softmax():
    x = jnp.array([1000.0, 1001.0, -1000.0])
    np.testing.assert_allclose(
        jax.grad(stable.log_sum_exp)(x), scipy.special.softmax(np.asarray(x, np.float64)), rtol=1e-6
    )


def test_softmax_index_of_class_and_of_sum_differ():
    """E7: softmax(y)_i = exp(y_i) / Σ_j exp(y_j), one denominator for all classes."""
    y = np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 4.0]])
    expected = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(stable.softmax(jnp.asarray(y, jnp.float32)), expected, rtol=1e-6)


def test_xlogy_is_zero_at_zero_with_finite_derivative():
    x, y = jnp.array([0.0, 0.0, 2.0]), jnp.array([0.0, 3.0, 5.0])
    np.testing.assert_allclose(stable.xlogy(x, y), scipy.special.xlogy(x, y), rtol=1e-6)
    slope = jax.vmap(jax.grad(stable.xlogy, argnums=1))(x, y)
    np.testing.assert_allclose(slope, [0.0, 0.0, 0.4], rtol=1e-6)


def test_safe_divide_has_a_finite_derivative_at_zero():
    value, slope = jax.value_and_grad(lambda d: stable.safe_divide(jnp.float32(3), d, otherwise=7.0))(0.0)
    assert (float(value), float(slope)) == (7.0, 0.0)


@pytest.mark.parametrize(("function", "end"), [(stable.log_probability, 0.0), (stable.log_complement, 1.0)])
def test_clipped_logarithms_are_finite_at_the_wrong_end_and_exact_at_the_right_one(function, end):
    value, slope = jax.value_and_grad(function)(jnp.float32(end))
    assert float(value) == pytest.approx(np.log(2.0**-23), rel=1e-6)
    assert float(slope) == 0.0
    value, slope = jax.value_and_grad(function)(jnp.float32(1 - end))
    assert float(value) == 0.0
    assert abs(float(slope)) == pytest.approx(1.0)
    assert np.isnan(function(jnp.float32(np.nan)))


def test_pick_class_gives_nan_outside_the_classes():
    values = jnp.arange(6.0).reshape(2, 3)
    picked = stable.pick_class(jnp.stack([values] * 2), jnp.array([[0, 2], [-1, 3]]))
    np.testing.assert_array_equal(picked, [[0.0, 5.0], [np.nan, np.nan]])


def test_two_sum_keeps_what_float32_drops_under_jit():
    def add(carry, value):
        total, error = stable.two_sum(carry[0], value)
        return (total, carry[1] + error), None

    values = jnp.full((1000,), 0.1, jnp.float32)
    (total, error), _ = jax.jit(lambda v: jax.lax.scan(add, (jnp.float32(2**20), jnp.float32(0)), v))(values)
    exact = 2**20 + 1000 * float(np.float32(0.1))
    assert float(total) + float(error) == pytest.approx(exact, rel=1e-9)
    plain = jnp.float32(2**20)
    for value in values[:50]:
        plain = plain + value
    assert abs(float(plain) - 2**20 - 5) > 0.5  # the plain sum is wrong already after 50 of them


def test_at_least_float32_works_where_implicit_promotion_is_refused():
    with jax.numpy_dtype_promotion("strict"):
        assert stable.at_least_float32(jnp.ones(2, jnp.bfloat16)).dtype == jnp.float32


def test_at_least_float32_widens_and_keeps_float64():
    assert stable.at_least_float32(jnp.ones(2, jnp.float16)).dtype == jnp.float32
    assert stable.at_least_float32(jnp.array([True])).dtype == jnp.float32
    with jax.enable_x64(True):
        assert stable.at_least_float32(jnp.ones(2, jnp.float64)).dtype == jnp.float64
