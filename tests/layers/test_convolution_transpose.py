"""Transposed convolutions against scattering loops in float64, and as the transpose of a convolution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from window_reference import close, conv_transpose

from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.core import Input
from chainrule.layers import Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Conv3DTranspose

CLASSES = {1: Conv1DTranspose, 2: Conv2DTranspose, 3: Conv3DTranspose}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def sizes_and_cut(padding, sizes, window, strides, dilation):
    """Output sizes by the three formulas of the documentation, and the cells cut off in front."""
    out, low = [], []
    axes = zip(sizes, window, strides, dilation, padding if isinstance(padding, tuple) else sizes, strict=True)
    for n, k, s, d, pair in axes:
        reach = d * (k - 1) + 1
        if padding == "valid":
            out.append((n - 1) * s + max(reach, s))
            low.append(0)
        elif padding == "same":
            out.append(n * s)
            low.append(max(reach - s, 0) // 2)
        else:
            out.append((n - 1) * s - sum(pair) + reach)
            low.append(pair[0])
    return out, low


def random_case(seed):
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 4))
    while True:
        sizes = [int(rng.choice((1, 2, 3, 5, 7)[: 6 - rank])) for _ in range(rank)]
        window, strides, dilation = (
            tuple(int(rng.integers(1, top)) for _ in range(rank)) for top in (6 - rank, 5 - rank + 1, 3)
        )
        pairs = tuple((int(rng.integers(0, 3)), int(rng.integers(0, 3))) for _ in range(rank))
        padding = ("valid", "same", pairs)[int(rng.integers(0, 3))]
        if min(sizes_and_cut(padding, sizes, window, strides, dilation)[0]) > 0:
            break
    inside, filters = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    x = rng.normal(size=(int(rng.integers(1, 4)), *sizes, inside)).astype(np.float32)
    kernel = rng.normal(size=(*window, filters, inside)).astype(np.float32)
    layer = CLASSES[rank](filters, window, strides, padding, dilation_rate=dilation, use_bias=False)
    return layer, x, kernel


@pytest.mark.parametrize("seed", range(30))
def test_random_configurations_give_values_and_gradients_of_the_loops(seed):
    """C167: fractional strides, all paddings; the gradient is linear, so it is checked against values of the loops."""
    layer, x, kernel = random_case(seed)
    sizes, low = sizes_and_cut(layer.padding, x.shape[1:-1], kernel.shape[:-2], layer.strides, layer.dilation_rate)

    def loops(x, kernel):
        return conv_transpose(x, kernel, layer.strides, layer.dilation_rate, low, sizes)

    expected = loops(x, kernel)
    upstream = np.random.default_rng(seed + 1000).normal(size=expected.shape).astype(np.float32)

    @jax.jit
    def run(kernel, x):
        y, back = jax.vjp(lambda kernel, x: layer.call({"kernel": kernel}, x), kernel, x)
        return y, *back(jnp.asarray(upstream))

    y, by_kernel, by_x = run(kernel, x)
    assert y.shape == expected.shape
    close(y, expected)
    # bilinear: the slope along a direction is the value with that direction put in
    other_x, other_kernel = draw(*x.shape, seed=seed), draw(*kernel.shape, seed=seed)
    close(np.sum(np.asarray(by_x, np.float64) * other_x), np.sum(upstream * loops(other_x, kernel)))
    close(np.sum(np.asarray(by_kernel, np.float64) * other_kernel), np.sum(upstream * loops(x, other_kernel)))


@pytest.mark.parametrize("padding", ["valid", ((1, 1), (0, 2))])
def test_it_is_the_transpose_of_a_convolution(padding):
    """⟨conv(u), v⟩ = ⟨u, transposed(v)⟩ with the same kernel, where the sizes go back and forth."""
    kernel, v = draw(3, 2, 4, 5, seed=1), draw(2, 3, 4, 5)  # as the convolution's: [3, 2, in 4, filters 5]
    back = Conv2DTranspose(4, (3, 2), 2, padding, use_bias=False).call({"kernel": jnp.asarray(kernel)}, jnp.asarray(v))
    u = draw(*back.shape, seed=2)
    forth = Conv2D(5, (3, 2), 2, padding, use_bias=False).call({"kernel": jnp.asarray(kernel)}, jnp.asarray(u))
    assert forth.shape == v.shape
    np.testing.assert_allclose(np.sum(np.asarray(forth) * v), np.sum(u * np.asarray(back)), rtol=1e-4)


@pytest.mark.parametrize("added", [0, 1, 2])
def test_output_padding_chooses_among_the_sizes_that_a_convolution_maps_to_one(added):
    """C167: stride 3 takes 10, 11 and 12 cells to 4; output_padding says which of them to come back to."""
    layer = Conv1DTranspose(2, 3, 3, padding=1, output_padding=added, use_bias=False)
    x, kernel = draw(2, 4, 5), draw(3, 2, 5, seed=1)
    y = layer.call({"kernel": jnp.asarray(kernel)}, jnp.asarray(x))
    assert y.shape == (2, 10 + added, 2)
    close(y, conv_transpose(x, kernel, (3,), (1,), (1,), (10 + added,)))
    assert Conv1D(5, 3, 3, padding=1)(Input((10 + added, 2))).shape[1] == 4


def test_stride_two_doubles_maps_of_any_size():
    """C167."""
    output = Conv2DTranspose(4, 3, strides=2, padding="same")(Input((None, 5, 3)))
    assert str(output.shape) == "(b, 2*t, 10, 4)"


def test_bias_and_activation_come_last_and_z_is_without_activation():
    x, kernel, bias = draw(2, 4, 3), draw(2, 5, 3, seed=1), draw(5, seed=2)
    params = {"kernel": jnp.asarray(kernel), "bias": jnp.asarray(bias)}
    z = conv_transpose(x, kernel, (1,), (1,), (0,), (5,)) + bias
    layer = Conv1DTranspose(5, 2, activation="relu")
    close(layer.call(params, x), np.maximum(z, 0))
    close(layer.pre_activation(params, x), z)


def test_wrong_arguments_and_shapes_say_what_to_do():
    with pytest.raises(ArgumentError, match=r"output_padding must be below the stride, 2; received 2.*ZeroPadding"):
        Conv2DTranspose(3, 3, 2, output_padding=2)
    with pytest.raises(ArgumentError, match=r"output_padding must be below the dilation, 3; received 3"):
        Conv2DTranspose(3, 3, 2, output_padding=3, dilation_rate=3)
    with pytest.raises(ArgumentTypeError, match=r"output_padding must be an integer or a tuple of 2; received \(1,\)"):
        Conv2DTranspose(3, 3, 2, output_padding=(1,))
    with pytest.raises(ArgumentError, match="padding must be one of 'valid', 'same'; received 'causal'"):
        Conv1DTranspose(3, 3, padding="causal")
    with pytest.raises(ShapeError, match=r"at least one cell of the output; received padding=3 and shape \(b, 2, 4\)"):
        Conv1DTranspose(3, 2, padding=3)(Input((2, 4)))
    with pytest.raises(ShapeError, match=r"4 axes, \[batch, height, width, channels\]"):
        Conv2DTranspose(3, 3)(Input((7, 7)))
    with pytest.raises(ShapeError, match="last axis of the input must be 5, as when it was built"):
        Conv1DTranspose(4, 2, use_bias=False).call({"kernel": jnp.ones((2, 4, 5))}, jnp.ones((1, 3, 2)))
