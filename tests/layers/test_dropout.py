"""The dropout family: what is kept in the mean, where masks are shared, and that inference is left alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, GraphError, ShapeError
from chainrule.core import Context, Input, Variables
from chainrule.layers import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
)

NONE = Variables({}, {})
N = 20_000


def train(layer, x, seed=0):
    @jax.jit
    def run(key, x):
        return layer.apply(NONE, x, context=Context(training=True, key=key))[0]

    return np.asarray(run(jax.random.key(seed), x))


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_dropout_keeps_the_mean_and_zeroes_its_share(rate):
    """C119: values are 0 or x / (1 − rate); 50 % drops half, and the mean stays (within 5 standard errors)."""
    y = train(Dropout(rate), np.full((4, N // 4), 3.0, np.float32))
    assert set(np.unique(y)) == {0, np.float32(3 / (1 - rate))}
    assert abs((y == 0).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / N)
    assert abs(y.mean() - 3) < 5 * 3 * np.sqrt(rate / (1 - rate) / N)


@pytest.mark.parametrize(
    "layer",
    [Dropout(0.5), AlphaDropout(0.5), GaussianDropout(0.5), GaussianNoise(1.0), SpatialDropout1D(0.5)],
    ids=lambda layer: type(layer).__name__,
)
def test_noise_is_off_in_inference_and_needs_a_key_in_training(layer):
    """C119: off at inference."""
    x = jnp.arange(24.0).reshape(2, 3, 4)
    assert layer.apply(NONE, x, context=Context())[0] is x
    assert not np.array_equal(train(layer, x), x)
    with pytest.raises(GraphError, match=f"{type(layer).__name__}: needs a random key in training"):
        layer.apply(NONE, x, context=Context(training=True))


@pytest.mark.parametrize("layer", [Dropout(0), AlphaDropout(0), GaussianDropout(0), GaussianNoise(0)])
def test_rate_zero_passes_everything_on(layer):
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(train(layer, x), x)


def test_masks_follow_the_key():
    x = np.ones((3, 50), np.float32)
    np.testing.assert_array_equal(train(Dropout(0.5), x, 1), train(Dropout(0.5), x, 1))
    assert not np.array_equal(train(Dropout(0.5), x, 1), train(Dropout(0.5), x, 2))


def test_gradient_flows_through_what_was_kept():
    x = jnp.ones((2, 30))
    context = Context(training=True, key=jax.random.key(5))
    slope = jax.grad(lambda x: Dropout(0.25).apply(NONE, x, context=context)[0].sum())(x)
    np.testing.assert_allclose(slope, train(Dropout(0.25), x, 5), rtol=1e-6)  # x is 1, so y is the slope


@pytest.mark.parametrize(
    ("layer", "shape", "shared"),
    [
        (Dropout(0.5, noise_shape=(None, 1, None)), (5, 6, 7), (1,)),
        (Dropout(0.5, noise_shape=(None, 6, 1)), (5, 6, 7), (2,)),
        (SpatialDropout1D(0.5), (5, 6, 7), (1,)),
        (SpatialDropout2D(0.5), (5, 4, 3, 7), (1, 2)),
    ],
)
def test_masks_are_shared_along_the_named_axes_only(layer, shape, shared):
    kept = train(layer, np.ones(shape, np.float32)) > 0
    assert np.array_equal(kept, np.broadcast_to(kept.any(shared, keepdims=True), shape))
    for axis in set(range(len(shape))) - set(shared):
        first = np.take(kept, [0], axis)
        assert not np.array_equal(kept, np.broadcast_to(first, shape))


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_alpha_dropout_keeps_mean_0_and_variance_1(rate):
    """Of standard normal inputs; the dropped value and the affine map are those of the paper's section 2."""
    x = np.random.default_rng(0).normal(size=(4, N // 4)).astype(np.float32)
    y = train(AlphaDropout(rate), x)
    assert abs(y.mean()) < 5 / np.sqrt(N)
    assert abs(y.var() - 1) < 5 * np.sqrt(3 / N)
    floor = -1.0507009873554805 * 1.6732632423543772
    a = 1 / np.sqrt((1 - rate) * (1 + rate * floor**2))
    dropped = np.isclose(y, a * floor * (1 - rate), rtol=1e-5)
    assert abs(dropped.mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / N)
    np.testing.assert_allclose(y[~dropped], (a * (x - rate * floor))[~dropped], rtol=1e-4, atol=1e-5)


def test_gaussian_dropout_has_the_variance_of_dropout():
    y = train(GaussianDropout(0.2), np.full((1, N), 2.0, np.float32))
    assert abs(y.mean() - 2) < 5 * 2 * 0.5 / np.sqrt(N)
    assert abs(y.std() - 2 * np.sqrt(0.2 / 0.8)) < 5 * 2 * 0.5 / np.sqrt(2 * N)


def test_gaussian_noise_is_added_with_its_deviation():
    noise = train(GaussianNoise(0.3), np.full((1, N), 7.0, np.float32)) - 7
    assert abs(noise.mean()) < 5 * 0.3 / np.sqrt(N)
    assert abs(noise.std() - 0.3) < 5 * 0.3 / np.sqrt(2 * N)


def test_wrong_arguments_and_shapes_say_what_to_do():
    with pytest.raises(ArgumentError, match="Dropout: rate must be a finite number at least 0 and below 1; received 1"):
        Dropout(1)
    with pytest.raises(ArgumentError, match="stddev must be"):
        GaussianNoise(-1.0)
    with pytest.raises(ArgumentError, match="noise_shape must be a tuple of integers and None; received 3"):
        Dropout(0.5, noise_shape=3)
    with pytest.raises(ShapeError, match=r"noise_shape must have one entry for each axis.*received \(None, 1\)"):
        Dropout(0.5, noise_shape=(None, 1))(Input((4, 3)))
    with pytest.raises(ShapeError, match=r"SpatialDropout2D: the input must have 4 axes.*received shape \(b, 4, 3\)"):
        SpatialDropout2D(0.5)(Input((4, 3)))
