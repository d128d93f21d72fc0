"""The functions behind attention, against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax

from chainrule.ops.attention import attend, causal_mask, masked_softmax, sequence_mask

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("axis", [-1, 0])
def test_masked_softmax_is_softmax_over_what_is_left(axis):
    scores, mask = RNG.normal(size=(4, 5)) * 30, RNG.uniform(size=(4, 5)) < 0.6
    mask[0] = mask[:, 1] = True
    found = masked_softmax(jnp.asarray(scores, jnp.float32), jnp.asarray(mask), axis=axis)
    np.testing.assert_allclose(found, softmax(np.where(mask, scores, -np.inf), axis=axis), rtol=2e-5, atol=1e-7)


def test_without_a_mask_it_is_softmax():
    scores = RNG.normal(size=(2, 3)).astype("float32")
    np.testing.assert_allclose(masked_softmax(jnp.asarray(scores)), softmax(scores, axis=-1), rtol=1e-6)


def test_fully_masked_rows_are_zero_and_so_are_their_slopes():
    mask = jnp.array([[False, False, False], [True, False, True]])
    scores = jnp.array([[jnp.nan, jnp.inf, 1.0], [1e4, jnp.nan, 1e4 + 1]])
    found = masked_softmax(scores, mask)
    np.testing.assert_allclose(found, [[0, 0, 0], [1 / (1 + np.e), 0, np.e / (1 + np.e)]], rtol=1e-6)
    slope = jax.grad(lambda s: (masked_softmax(s, mask) * jnp.arange(3.0)[None]).sum())(scores)
    p = 1 / (1 + np.e)
    np.testing.assert_allclose(slope, [[0, 0, 0], [-2 * p * (1 - p), 0, 2 * p * (1 - p)]], rtol=1e-5)


def test_low_precision_is_summed_in_float32():
    found = masked_softmax(jnp.zeros((1, 300), jnp.bfloat16), jnp.ones((1, 300), bool))
    np.testing.assert_allclose(found.sum(), 1, rtol=1e-5)
    assert found.dtype == jnp.float32


def test_masks():
    np.testing.assert_array_equal(causal_mask(3, 5), np.tri(3, 5, dtype=bool))
    lengths = jnp.array([[0, 2], [3, 1]])
    expected = np.arange(4) < np.asarray(lengths)[..., None]
    np.testing.assert_array_equal(sequence_mask(lengths, 4), expected)


def test_weighted_means():
    weights, values = RNG.normal(size=(2, 3, 4, 5)), RNG.normal(size=(2, 3, 5, 6))
    found = attend(jnp.asarray(weights, jnp.float32), jnp.asarray(values, jnp.float32))
    np.testing.assert_allclose(found, np.einsum("bhqk,bhkf->bhqf", weights, values), rtol=1e-4, atol=1e-5)
