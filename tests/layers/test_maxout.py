"""Maxout against a loop over its pieces."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.spec import batched
from chainrule.core.layer import make_variables
from chainrule.layers import Maxout

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("shape", [(2, 3), (2, 6, 3)])
def test_maxout_is_the_largest_affine_piece(shape):
    """C31: max over k of x @ W_k + b_k."""
    kernel, bias, x = RNG.normal(size=(4, 3, 5)), RNG.normal(size=(4, 5)), RNG.normal(size=shape)
    params = {"kernel": jnp.asarray(kernel, jnp.float32), "bias": jnp.asarray(bias, jnp.float32)}
    y = Maxout(5, pieces=4).call(params, jnp.asarray(x, jnp.float32))
    expected = np.max([x @ kernel[k] + bias[k] for k in range(4)], axis=0)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def test_two_pieces_of_which_one_is_zero_are_relu():
    """C31: with w₁ = 0 and b₁ = 0 it equals ReLU of the other piece."""
    kernel = jnp.asarray(np.stack([np.zeros((3, 2)), RNG.normal(size=(3, 2))]), jnp.float32)
    x = jnp.asarray(RNG.normal(size=(7, 3)), jnp.float32)
    y = Maxout(2, use_bias=False).call({"kernel": kernel}, x)
    np.testing.assert_allclose(y, np.maximum(0, np.asarray(x) @ np.asarray(kernel[1])), rtol=1e-5, atol=1e-6)
    assert 0 < int((y == 0).sum()) < y.size


def test_pieces_start_differently_each_like_a_dense_layer():
    """Glorot's bound for 20 inputs and 30 outputs is √(6/50), whatever the number of pieces."""
    declared = Maxout(30, pieces=3).weights(batched((20,)))
    kernel = np.asarray(make_variables(declared, jax.random.key(0)).params["kernel"])
    assert not np.allclose(kernel[0], kernel[1])
    np.testing.assert_allclose(np.abs(kernel).max(axis=(1, 2)), np.sqrt(6 / 50), rtol=0.02)


def test_wrong_arguments_and_shapes_say_what_to_do():
    with pytest.raises(ArgumentError, match="pieces must be an integer of at least 2; received 1"):
        Maxout(3, pieces=1)
    with pytest.raises(ShapeError, match="last axis of the input must be 3"):
        Maxout(2, use_bias=False).call({"kernel": jnp.ones((2, 3, 2))}, jnp.ones((2, 4)))
