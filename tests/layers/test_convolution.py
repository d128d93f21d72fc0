"""Conv1D, Conv2D and Conv3D against loops in float64 and against SciPy's correlation."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal
from window_reference import close, conv, conv_gradients, pads_of

from chainrule import constraints, initializers, regularizers
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ChainruleWarning, ShapeError, UnknownNameError
from chainrule.core import Input
from chainrule.layers import Conv1D, Conv2D, Conv2DTranspose, Conv3D, Dense, DepthwiseConv2D, Rescaling, SeparableConv2D

RNG = np.random.default_rng(3)
CLASSES = {1: Conv1D, 2: Conv2D, 3: Conv3D}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def random_case(seed):
    """A layer, an input and a kernel: sizes 1 and primes, strides above the kernel, dilation, groups, all paddings."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 4))
    most = {1: 13, 2: 11, 3: 5}[rank]
    while True:
        sizes = [int(rng.choice([n for n in (1, 2, 3, 5, 7, 11, 13) if n <= most])) for _ in range(rank)]
        window = tuple(int(rng.integers(1, 6 - rank)) for _ in range(rank))
        strides = tuple(int(rng.integers(1, 5)) for _ in range(rank))
        dilation = tuple(int(rng.integers(1, 4)) for _ in range(rank))
        groups, inside, each = (int(rng.integers(1, 4)) for _ in range(3))
        pairs = tuple((int(rng.integers(0, 3)), int(rng.integers(0, 3))) for _ in range(rank))
        padding = [("valid"), "same", pairs, "causal" if rank == 1 else "same"][int(rng.integers(0, 4))]
        pads = pads_of(padding, sizes, window, strides, dilation)
        if all(n + sum(p) > d * (k - 1) for n, k, d, p in zip(sizes, window, dilation, pads, strict=True)):
            break
    x = rng.normal(size=(int(rng.integers(1, 4)), *sizes, inside * groups)).astype(np.float32)
    kernel = rng.normal(size=(*window, inside, each * groups)).astype(np.float32)
    layer = CLASSES[rank](
        each * groups, window, strides, padding, dilation_rate=dilation, groups=groups, use_bias=False
    )
    return layer, x, kernel


@pytest.mark.parametrize("seed", range(36))
def test_random_configurations_give_values_and_gradients_of_the_loops(seed):
    """C162 C164 C166 C168 C169: kernel, strides, dilation, padding and groups in one, two and three dimensions."""
    layer, x, kernel = random_case(seed)
    arguments = (layer.strides, layer.padding, layer.dilation_rate, layer.groups)
    expected = conv(x, kernel, *arguments)
    upstream = np.random.default_rng(seed + 1000).normal(size=expected.shape).astype(np.float32)

    @jax.jit
    def run(kernel, x):
        y, back = jax.vjp(lambda kernel, x: layer.call({"kernel": kernel}, x), kernel, x)
        return y, *back(jnp.asarray(upstream))

    y, by_kernel, by_x = run(kernel, x)
    assert y.shape == expected.shape
    close(y, expected)
    expected_x, expected_kernel = conv_gradients(x, kernel, *arguments, upstream)
    close(by_x, expected_x)
    close(by_kernel, expected_kernel)


def test_a_layer_correlates_and_with_a_flipped_kernel_convolves():
    """C161: SciPy's correlation is what the layer computes; with the kernel turned round it is true convolution."""
    image, window = RNG.normal(size=(7, 6)).astype(np.float32), RNG.normal(size=(3, 2)).astype(np.float32)
    layer = Conv2D(1, (3, 2), use_bias=False)

    def run(window):
        return layer.call({"kernel": window[:, :, None, None]}, image[None, :, :, None])[0, :, :, 0]

    close(run(window), signal.correlate(image, window, "valid"))
    close(run(window[::-1, ::-1]), signal.convolve(image, window, "valid"))
    assert not np.allclose(run(window), run(window[::-1, ::-1]), atol=0.1)


def test_pointwise_convolution_is_a_dense_layer_at_every_pixel():
    """C180: a kernel of 1 × 1 mixes channels and nothing else."""
    x, weights = draw(2, 3, 5, 4), draw(4, 6, seed=1)
    bias = draw(6, seed=2)
    pointwise = Conv2D(6, 1, activation="tanh").call({"kernel": weights[None, None], "bias": bias}, x)
    dense = Dense(6, "tanh").call({"kernel": jnp.asarray(weights), "bias": jnp.asarray(bias)}, jnp.asarray(x))
    np.testing.assert_allclose(pointwise, dense, rtol=1e-5, atol=1e-6)  # float32 sums of four products


@pytest.mark.parametrize("strides", [1, 2])
def test_reflect_has_the_sizes_of_same_and_mirrors_the_inside(strides):
    x, kernel = draw(2, 7, 5, 3), draw(3, 4, 3, 2, seed=1)
    layer = Conv2D(2, (3, 4), strides, "reflect", use_bias=False)
    y = layer.call({"kernel": jnp.asarray(kernel)}, jnp.asarray(x))
    close(y, conv(x, kernel, (strides,) * 2, "reflect", (1, 1)))
    assert y.shape[1:] == Conv2D(2, (3, 4), strides, "same")(Input((7, 5, 3))).shape[1:]


def test_causal_output_does_not_see_later_steps():
    kernel, x = draw(3, 2, 4, seed=1), draw(1, 9, 2)
    layer = Conv1D(4, 3, padding="causal", dilation_rate=2, use_bias=False)
    changed = x.copy()
    changed[:, 5:] += 10
    one, other = (layer.call({"kernel": jnp.asarray(kernel)}, jnp.asarray(given)) for given in (x, changed))
    np.testing.assert_array_equal(one[:, :5], other[:, :5])
    assert (np.abs(one[:, 5:] - other[:, 5:]) > 0.1).any(axis=-1).all()


def test_bias_and_activation_come_after_the_sum_and_z_is_without_activation():
    x, kernel, bias = draw(2, 5, 3), draw(2, 3, 4, seed=1), draw(4, seed=2)
    params = {"kernel": jnp.asarray(kernel), "bias": jnp.asarray(bias)}
    z = conv(x, kernel, (1,), "valid", (1,)) + bias
    close(Conv1D(4, 2).call(params, x), z)
    close(Conv1D(4, 2, activation="relu").call(params, x), np.maximum(z, 0))
    close(Conv1D(4, 2, activation="tanh").call(params, x), np.tanh(z))
    close(Conv1D(4, 2, activation="relu").pre_activation(params, x), z)


@pytest.mark.parametrize("padding", [1, (1, 1), ((1, 1), 1), [[1, 1], [1, 1]]])
def test_ways_to_write_the_same_padding(padding):
    x, params = draw(2, 5, 4, 3), {"kernel": jnp.asarray(draw(3, 3, 3, 2, seed=1))}
    written = Conv2D(2, 3, padding=padding, use_bias=False).call(params, x)
    np.testing.assert_array_equal(written, Conv2D(2, 3, padding="same", use_bias=False).call(params, x))


def test_one_dimension_takes_before_and_after_as_a_plain_pair():
    x, params = draw(2, 5, 3), {"kernel": jnp.asarray(draw(3, 3, 2, seed=1))}
    causal = Conv1D(2, 3, padding="causal", use_bias=False).call(params, x)
    for padding in ((2, 0), ((2, 0),)):
        np.testing.assert_array_equal(Conv1D(2, 3, padding=padding, use_bias=False).call(params, x), causal)


def test_kernel_shape_and_fans_with_groups():
    weights = Conv2D(6, (3, 5), groups=2).weights(Input((9, 9, 4)).spec)
    assert {name: weight.shape for name, weight in weights.items()} == {"kernel": (3, 5, 2, 6), "bias": (6,)}
    assert weights["kernel"].axes == (None, None, "in", "out")


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_image_sizes_may_vary(padding):
    output = Conv2D(4, 3, padding=padding)(Input((None, None, 3)))
    assert output.shape[3] == 4
    assert not isinstance(output.shape[1], int)


def test_wrong_arguments_say_what_to_do():
    with pytest.raises(ArgumentError, match="Conv2D: filters must be an integer of at least 1; received 0"):
        Conv2D(0, 3)
    with pytest.raises(
        ArgumentTypeError, match=r"kernel_size must be an integer or a tuple of 2.*height, width.*\(3,\)"
    ):
        Conv2D(4, (3,))
    with pytest.raises(ArgumentError, match="strides must be an integer of at least 1; received 0"):
        Conv1D(4, 3, strides=0)
    with pytest.raises(ArgumentError, match=r"filters must be a multiple of groups=2; received filters=3.*divisors"):
        Conv2D(3, 3, groups=2)
    with pytest.raises(ArgumentError, match=r"'valid', 'same', 'reflect'; received 'smae'.*Did you mean 'same'"):
        Conv2D(3, 3, padding="smae")
    with pytest.raises(ArgumentError, match="padding must be one of 'valid', 'same', 'reflect'; received 'causal'"):
        Conv2D(3, 3, padding="causal")
    with pytest.raises(ArgumentError, match=r"padding must be .*none negative; received \(1, -1\)"):
        Conv2D(3, 3, padding=(1, -1))
    with pytest.raises(UnknownNameError, match="Did you mean 'relu'"):
        Conv2D(3, 3, activation="rleu")


def test_wrong_shapes_say_what_to_do():
    with pytest.raises(ShapeError, match=r"4 axes, \[batch, height, width, channels\].*\(b, 28, 28\).*x\[..., None\]"):
        Conv2D(3, 3)(Input((28, 28)))
    with pytest.raises(ShapeError, match=r"channels must be a multiple of groups=2; received shape \(b, 9, 3\)"):
        Conv1D(4, 3, groups=2)(Input((9, 3)))
    message = r"late \(Conv2D\): axis 1 of the input \(height\) must hold at least 5 cells for a window of 3 with "
    with pytest.raises(ShapeError, match=message + r"dilation 2.*received shape \(b, 4, 9, 2\).*padding='same'"):
        Conv2D(3, 3, dilation_rate=2, name="late")(Input((4, 9, 2)))
    with pytest.raises(ShapeError, match=r"longer than the 2 cells to be reflected; received shape \(b, 2, 3\)"):
        Conv1D(3, 5, padding="reflect")(Input((2, 3)))
    with pytest.raises(
        ShapeError, match=r"padding='reflect' must know the size of its input; received shape \(b, t, 3\)"
    ):
        Conv1D(3, 5, padding="reflect")(Input((None, 3)))
    with pytest.raises(ShapeError, match="last axis of the input must be 3, as when it was built"):
        Conv1D(4, 2, use_bias=False).call({"kernel": jnp.ones((2, 3, 4))}, jnp.ones((1, 5, 2)))


@pytest.mark.parametrize(
    ("layer", "kernel"),
    [
        (functools.partial(Conv2D, 4, 3), "kernel"),
        (functools.partial(Conv2DTranspose, 4, 3), "kernel"),
        (functools.partial(DepthwiseConv2D, 3), "depthwise"),
        (functools.partial(SeparableConv2D, 4, 3), "pointwise"),
    ],
)
def test_initializers_regularizers_and_constraints_reach_their_weights(layer, kernel):
    options = {
        f"{kernel}_initializer": "ones",
        f"{kernel}_regularizer": regularizers.L2(0.1),
        f"{kernel}_constraint": "non_neg",
        "bias_initializer": initializers.Constant(2.0),
        "bias_regularizer": "l1",
        "bias_constraint": constraints.MaxNorm(1.0),
    }
    weights = layer(**options).weights(Input((5, 5, 2)).spec)
    own = weights.get(f"{kernel}_kernel", weights.get("kernel"))
    assert own.init is initializers.ones
    assert own.regularizer == regularizers.L2(0.1)
    assert own.constraint == constraints.get("non_neg")
    bias = weights["bias"]
    assert (bias.init, bias.constraint) == (initializers.Constant(2.0), constraints.MaxNorm(1.0))
    assert bias.regularizer == regularizers.get("l1")
    assert "bias" not in layer(use_bias=False).weights(Input((5, 5, 2)).spec)


@pytest.mark.parametrize(
    ("layer", "shape", "advice"),
    [
        (Conv2D(4, 3, padding="same"), (3, 32, 30), r"height 3 and 30 channels.*Input\(\(32, 30, 3\)\)"),
        (Conv2D(4, 1), (1, 28, 28), r"Input\(\(28, 28, 1\)\)"),
        (Conv1D(4, 1), (1, 100), r"time 1 and 100 channels.*Input\(\(100, 1\)\)"),
        (Conv3D(4, 1), (1, 8, 9, 10), r"depth 1 and 10 channels"),
    ],
)
def test_channels_first_is_hinted_at(layer, shape, advice):
    with pytest.warns(ChainruleWarning, match=advice) as seen:
        layer(Input(shape))
    assert seen[0].filename == __file__
    with pytest.warns(ChainruleWarning, match=advice):
        layer(Rescaling(1 / 255)(Input(shape)))


@pytest.mark.parametrize("shape", [(32, 32, 3), (3, 3, 8), (3, 7, 32), (4, 32, 32), (1, None, 32)])
def test_other_shapes_are_taken_as_they_are(shape):
    Conv2D(4, 1)(Input(shape))  # warnings are errors in tests
    Conv2D(4, 1)(Conv2D(32, (3, 1))(Input((5, 32, 4))))  # (3, 32, 32), but of the model's own making
