"""Penalties against their formulas, and what they do to a least-squares fit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule import regularizers
from chainrule._base.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from chainrule._base.registry import from_config, to_config
from chainrule.optimizers import SGD
from chainrule.regularizers import L1, L1L2, L2

RNG = np.random.default_rng(1)
X = RNG.normal(size=(40, 6)).astype(np.float32)
Y = (X @ np.array([3.0, 0, -2, 0, 0, 0]) + 0.1 * RNG.normal(size=40)).astype(np.float32)
W = RNG.normal(size=(3, 2)).astype(np.float32)


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (L1(0.3), 0.3 * np.abs(W).sum()),
        (L2(0.3), 0.3 * (W**2).sum()),
        (L1L2(0.3, 0.2), 0.3 * np.abs(W).sum() + 0.2 * (W**2).sum()),
    ],
)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_values(regularizer, expected, dtype):
    """C121 C122: α Σ w² and α Σ |w|, without a factor ½, accumulated in float32."""
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        penalty = regularizer(jnp.asarray(W).astype(dtype))
    assert penalty.shape == ()
    assert penalty.dtype == jnp.float32
    assert float(penalty) == pytest.approx(expected, rel=1e-6 if dtype == jnp.float32 else 4e-3)  # 8 bits of W


def test_gradients():
    """C121 C122: 2αw and α·sign(w), with 0 at 0."""
    weight = jnp.array([2.0, 0.0, -3.0])
    np.testing.assert_allclose(jax.grad(L2(0.5))(weight), [2.0, 0.0, -3.0])
    np.testing.assert_allclose(jax.grad(L1(0.5))(weight), [0.5, 0.0, -0.5])
    np.testing.assert_allclose(jax.grad(L1L2(0.5, 0.5))(weight), [2.5, 0.0, -3.5])


def test_total_is_the_data_loss_plus_the_penalties():
    """C75: data + penalty = total, with both parts at hand, and only the named weights punished."""
    params = {"a": {"kernel": jnp.asarray(W), "bias": jnp.full((2,), 100.0)}, "b": {"kernel": jnp.array([[2.0]])}}
    penalty = regularizers.penalty(params, {"a/kernel": L1(0.1), "b/kernel": L2(0.5)})
    assert float(penalty) == pytest.approx(0.1 * np.abs(W).sum() + 0.5 * 4.0, rel=1e-6)
    assert float(regularizers.penalty(params, {})) == 0.0
    with pytest.raises(ArgumentError, match=r"no weight at 'a/kernal'.* Did you mean 'a/kernel'"):
        regularizers.penalty(params, {"a/kernal": L1()})


def fit(regularizer):
    """The weights that gradient descent finds for the mean squared error plus the penalty."""
    optimizer = SGD(0.1)

    def total(weights):
        return jnp.mean((X @ weights - Y) ** 2) + (regularizer(weights) if regularizer else 0.0)

    def body(step, weights):
        return optimizer.apply_gradients(jax.grad(total)(weights), {}, weights, step=step)[0]

    return np.asarray(jax.jit(lambda w: jax.lax.fori_loop(0, 2000, body, w))(jnp.zeros(6)))


def test_l2_of_a_linear_fit_is_ridge_in_closed_form():
    """C121: minimising mean (Xw - y)² + α Σ w² gives w = (XᵀX/n + αI)⁻¹ Xᵀy/n."""
    alpha = 0.3
    x, y = X.astype(np.float64), Y.astype(np.float64)
    closed = np.linalg.solve(x.T @ x / 40 + alpha * np.eye(6), x.T @ y / 40)
    np.testing.assert_allclose(fit(L2(alpha)), closed, rtol=1e-5, atol=1e-6)
    assert np.linalg.norm(closed) < 0.9 * np.linalg.norm(fit(None))  # the penalty is felt


def test_elastic_net_of_nothing_is_nothing():
    np.testing.assert_array_equal(fit(L1L2(0.0, 0.0)), fit(None))


@pytest.mark.parametrize("regularizer", [L1(0.1), L2(), L1L2(l2=0.5)])
def test_config_round_trip(regularizer):
    assert from_config(to_config(regularizer)) == regularizer


def test_lookup_and_errors():
    assert regularizers.get("ridge") == L2(0.01)
    assert regularizers.get("l1_l2") == L1L2()
    assert regularizers.get(None) is None
    assert regularizers.get(jnp.sum) is jnp.sum
    with pytest.raises(UnknownNameError, match="Did you mean 'lasso'"):
        regularizers.get("laso")
    with pytest.raises(ArgumentTypeError, match="strength"):
        regularizers.get(L2)
    with pytest.raises(ArgumentError, match=r"L2: l2 must be a finite number at least 0; received -0\.1"):
        L2(-0.1)
