"""Adam's first step, its corrections, and decoupled decay."""

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.optimizers import Adam, AdamW
from chainrule.optimizers.base import bias_correction


def first(optimizer, gradients, weights=None):
    weights = jnp.ones(len(gradients)) if weights is None else weights
    return optimizer.update(jnp.array(gradients), optimizer.init(weights), weights, step=0)[0]


@pytest.mark.parametrize("amsgrad", [False, True])
def test_first_step_is_the_rate_times_the_sign(amsgrad):
    """C104: with ε = 0 the first Adam step is -rate · sign(g), whatever the size of g."""
    increments = first(Adam(0.25, epsilon=0.0, amsgrad=amsgrad), [300.0, -1e-6, 2.0])
    np.testing.assert_allclose(increments, [-0.25, 0.25, -0.25], rtol=1e-6)


def test_epsilon_is_added_to_the_root_after_the_correction():
    """C104: with g = ε the first step is rate · g / (|g| + ε), half a rate: Algorithm 1, not its ε̂ form."""
    np.testing.assert_allclose(first(Adam(0.5, epsilon=1e-3), [1e-3]), [-0.25], rtol=1e-6)


def test_zero_gradient_moves_nothing():
    assert first(Adam(0.5), [0.0]).tolist() == [0.0]


@pytest.mark.parametrize("step", [0, 1, 10, 1000, 1_000_000])
@pytest.mark.parametrize("beta", [0.0, 0.9, 0.999, 0.9999])
def test_bias_correction_is_exact_in_float32(beta, step):
    exact = 1 - np.float64(beta) ** (step + 1)
    assert float(bias_correction(beta, jnp.int32(step), jnp.float32)) == pytest.approx(exact, rel=3e-7)


def test_amsgrad_never_raises_a_rate_again():
    """C104: v_max is the largest v so far."""
    optimizer, weights = Adam(0.1, beta_2=0.5, amsgrad=True), jnp.array([1.0])
    state = optimizer.init(weights)
    for step, gradient in enumerate([4.0, 0.0, 1.0]):  # v = 8, 4, 2.5
        _, state = optimizer.update(jnp.array([gradient]), state, weights, step=step)
    assert float(state["v"][0]) == 2.5
    assert float(state["v_max"][0]) == 8.0


def test_decoupled_decay_shrinks_all_weights_by_one_share_and_coupled_does_not():
    """C123: AdamW's decay is rate·λ of the weight; the same λ·w inside Adam's gradient is divided by its size."""
    weights, gradients, rate, decay = jnp.array([2.0, 2.0]), jnp.array([100.0, 0.5]), 0.01, 0.5
    plain, decoupled = Adam(rate), AdamW(rate, weight_decay=decay)
    without = plain.update(gradients, plain.init(weights), weights, step=0)[0]
    with_decay = decoupled.update(gradients, decoupled.init(weights), weights, step=0)[0]
    np.testing.assert_allclose(with_decay - without, -rate * decay * weights, rtol=1e-4)  # a difference of 0.01s
    coupled = plain.update(gradients + decay * weights, plain.init(weights), weights, step=0)[0]
    np.testing.assert_allclose(coupled, without, rtol=1e-6)  # on the first step not to be seen at all


def test_vectors_can_be_spared_the_decay():
    weights = {"kernel": jnp.full((2, 3), 4.0), "bias": jnp.full((3,), 4.0)}
    zeros = {"kernel": jnp.zeros((2, 3)), "bias": jnp.zeros(3)}
    optimizer = AdamW(0.5, weight_decay=0.25, exclude_vectors=True)
    increments, _ = optimizer.update(zeros, optimizer.init(weights), weights, step=0)
    assert increments["bias"].tolist() == [0.0] * 3
    assert increments["kernel"].tolist() == [[-0.5] * 3] * 2
