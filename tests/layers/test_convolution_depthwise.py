"""Depthwise and separable convolutions against loops in float64 and against their two halves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from window_reference import close, conv, depthwise, pads_of

from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.spec import Spec
from chainrule.core import Input
from chainrule.layers import Conv2D, DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D

DEPTHWISE = {1: DepthwiseConv1D, 2: DepthwiseConv2D}
SEPARABLE = {1: SeparableConv1D, 2: SeparableConv2D}


def random_case(seed):
    """A window, an input and a depthwise kernel."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 3))
    while True:
        sizes = [int(rng.choice((1, 2, 3, 5, 7, 11)[: 8 - 2 * rank])) for _ in range(rank)]
        window, strides, dilation = (
            tuple(int(rng.integers(1, top)) for _ in range(rank)) for top in (6 - rank, 5, 4 - rank + 1)
        )
        pairs = tuple((int(rng.integers(0, 3)), int(rng.integers(0, 3))) for _ in range(rank))
        padding = ("valid", "same", pairs)[int(rng.integers(0, 3))]
        pads = pads_of(padding, sizes, window, strides, dilation)
        if all(n + sum(p) > d * (k - 1) for n, k, d, p in zip(sizes, window, dilation, pads, strict=True)):
            break
    channels, multiplier = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    x = rng.normal(size=(int(rng.integers(1, 4)), *sizes, channels)).astype(np.float32)
    kernel = rng.normal(size=(*window, channels, multiplier)).astype(np.float32)
    return (window, strides, padding, dilation), x, kernel


@pytest.mark.parametrize("seed", range(24))
def test_random_configurations_give_values_and_gradients_of_the_loops(seed):
    """C182: each channel by itself; the map is bilinear, so its gradients are checked by its own values."""
    (window, strides, padding, dilation), x, kernel = random_case(seed)
    layer = DEPTHWISE[len(window)](window, strides, padding, kernel.shape[-1], dilation_rate=dilation, use_bias=False)
    expected = depthwise(x, kernel, strides, padding, dilation)
    rng = np.random.default_rng(seed + 1000)
    upstream, other_x, other_kernel = (rng.normal(size=shape) for shape in (expected.shape, x.shape, kernel.shape))

    @jax.jit
    def run(kernel, x):
        y, back = jax.vjp(lambda kernel, x: layer.call({"kernel": kernel}, x), kernel, x)
        return y, *back(jnp.asarray(upstream, jnp.float32))

    y, by_kernel, by_x = run(kernel, x)
    assert y.shape == expected.shape
    close(y, expected)
    close(np.sum(by_x * other_x), np.sum(upstream * depthwise(other_x, kernel, strides, padding, dilation)))
    close(np.sum(by_kernel * other_kernel), np.sum(upstream * depthwise(x, other_kernel, strides, padding, dilation)))


@pytest.mark.parametrize("seed", range(100, 108))
def test_separable_is_depthwise_then_pointwise(seed):
    """C182: against the two loops, one after the other, with bias and activation at the end."""
    (window, strides, padding, dilation), x, kernel = random_case(seed)
    rng = np.random.default_rng(seed + 1000)
    between = kernel.shape[-2] * kernel.shape[-1]
    pointwise = rng.normal(size=((1,) * len(window) + (between, 5))).astype(np.float32)
    bias = rng.normal(size=5).astype(np.float32)
    layer = SEPARABLE[len(window)](
        5, window, strides, padding, dilation_rate=dilation, depth_multiplier=kernel.shape[-1], activation="relu"
    )
    params = {"depthwise_kernel": kernel, "pointwise_kernel": pointwise, "bias": bias}
    half = depthwise(x, kernel, strides, padding, dilation)
    ones = (1,) * len(window)
    z = conv(half, pointwise, ones, "valid", ones) + bias
    close(layer.call(jax.tree.map(jnp.asarray, params), jnp.asarray(x)), np.maximum(z, 0))
    close(layer.pre_activation(jax.tree.map(jnp.asarray, params), jnp.asarray(x)), z)


def test_cost_of_three_by_three_is_about_a_ninth():
    """C182: 32·32·(3·3·128 + 128·256) multiplications against 32·32·3·3·128·256."""
    x = Spec((1, 32, 32, 128), jnp.float32)
    separable = SeparableConv2D(256, 3, padding="same").multiply_adds(x)
    assert separable == 32 * 32 * (3 * 3 * 128 + 128 * 256) == 34_734_080
    assert Conv2D(256, 3, padding="same").multiply_adds(x) == 301_989_888
    assert separable / 301_989_888 == pytest.approx(1 / 256 + 1 / 9)


def test_bias_and_activation_of_the_depthwise_layer():
    x = np.arange(12.0, dtype=np.float32).reshape(1, 6, 2)
    params = {"kernel": jnp.ones((1, 2, 2)), "bias": jnp.array([0.0, -5, 1, -100])}
    y = DepthwiseConv1D(1, depth_multiplier=2, activation="relu").call(params, jnp.asarray(x))
    np.testing.assert_array_equal(y, np.maximum(np.repeat(x, 2, axis=-1) + np.array([0, -5, 1, -100]), 0))


def test_image_sizes_may_vary():
    assert str(SeparableConv2D(4, 3, padding="same")(Input((None, None, 3))).shape) == "(b, t, u, 4)"


def test_wrong_arguments_and_shapes_say_what_to_do():
    with pytest.raises(ArgumentError, match="DepthwiseConv2D: depth_multiplier must be an integer of at least 1"):
        DepthwiseConv2D(3, depth_multiplier=0)
    with pytest.raises(ArgumentError, match="SeparableConv1D: filters must be an integer of at least 1"):
        SeparableConv1D(0, 3)
    with pytest.raises(ArgumentError, match="'valid', 'same'; received 'reflect'"):
        SeparableConv2D(3, 3, padding="reflect")
    with pytest.raises(ShapeError, match=r"axis 2 of the input \(width\) must hold at least 3 cells.*\(b, 5, 2, 3\)"):
        DepthwiseConv2D(3)(Input((5, 2, 3)))
    with pytest.raises(ShapeError, match=r"3 axes, \[batch, time, channels\]"):
        SeparableConv1D(3, 3)(Input((5, 4, 3)))
