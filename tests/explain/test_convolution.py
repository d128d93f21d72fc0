"""Convolution explained in numbers: matrices, sizes, fields, settings."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal

import chainrule as cr
from chainrule import explain, layers
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.core import Input


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_convolution_is_a_product_of_a_4_by_27_and_a_27_by_n_matrix():
    """C163: four filters of 3·3·3; the product put back in place is what the layer gives."""
    x, kernel = draw(7, 6, 3), draw(3, 3, 3, 4, seed=1)
    made = explain.im2col(x, kernel, padding="same")
    assert (made.kernel.shape, made.columns.shape, made.product.shape) == ((4, 27), (27, 42), (4, 42))
    assert str(made).startswith("4 × 27 · 27 × 42 = 4 × 42")
    layer = layers.Conv2D(4, 3, padding="same", use_bias=False)
    given = layer.call({"kernel": jnp.asarray(kernel, jnp.float32)}, jnp.asarray(x, jnp.float32)[None])[0]
    np.testing.assert_allclose(made.output, given, rtol=1e-4, atol=1e-5)  # the layer computes in float32
    np.testing.assert_array_equal(made.columns[:, 8], x[0:3, 1:4].ravel())  # row 1, column 2 of the output


@pytest.mark.parametrize(("shape", "window"), [((11, 2), (4,)), ((7, 5, 3), (2, 3)), ((4, 3, 5, 2), (2, 1, 3))])
@pytest.mark.parametrize("padding", ["valid", "same", 1])
def test_matrices_equal_the_layer_with_strides_and_dilation(shape, window, padding):
    x, kernel = draw(*shape), draw(*window, shape[-1], 3, seed=1)
    made = explain.im2col(x, kernel, strides=2, padding=padding, dilation=2 if len(window) < 3 else 1)
    layer = {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D}[len(window)](
        3, window, 2, padding, dilation_rate=2 if len(window) < 3 else 1, use_bias=False
    )
    given = layer.call({"kernel": jnp.asarray(kernel, jnp.float32)}, jnp.asarray(x, jnp.float32)[None])[0]
    np.testing.assert_allclose(made.output, given, rtol=1e-4, atol=1e-5)


def test_im2col_says_what_does_not_fit():
    with pytest.raises(ShapeError, match=r"received shapes \(1, 5, 5, 3\) and \(3, 3, 3, 4\).*x\[0\]"):
        explain.im2col(np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 4)))
    with pytest.raises(ShapeError, match="the window must fit"):
        explain.im2col(np.ones((2, 5, 3)), np.ones((3, 3, 3, 4)))


@pytest.mark.parametrize("seed", range(12))
def test_output_size_is_the_layers(seed):
    """C165 C166: the calculator against the shape that the layer really gives."""
    rng = np.random.default_rng(seed)
    size, kernel, stride, dilation = (int(rng.integers(1, top)) for top in (30, 5, 5, 4))
    padding = ["same", "causal", (2, 1), 3, "valid"][seed % 5]
    layer = layers.Conv1D(1, kernel, stride, padding, dilation_rate=dilation)
    reach = dilation * (kernel - 1) + 1
    if padding == "valid" and size < reach:
        size += reach
    made = explain.output_size(size + 8, kernel, stride=stride, padding=padding, dilation=dilation)
    assert made.size == layer(Input((size + 8, 1))).shape[1]
    assert str(made).endswith(f"= {made.size}")
    assert made.reach == reach


def test_arguments_that_are_not_there_say_what_to_type():
    with pytest.raises(ArgumentTypeError, match=r"output_size: .*received 'window'. It is called 'kernel_size' here"):
        explain.output_size(28, window=5)
    with pytest.raises(ArgumentTypeError, match="Did you mean 'stride'"):
        explain.transposed_output_size(28, 5, strides=2)
    with pytest.raises(ArgumentTypeError, match=r"missing a required argument: 'kernel_size'\. Type output_size"):
        explain.output_size(28)
    with pytest.raises(ShapeError, match=r"kernel must be an array.*received 2 \(int\).*np.ones\(\(2, 2, 3, 4\)\)"):
        explain.im2col(np.ones((5, 6, 3)), 2)
    with pytest.raises(ShapeError, match=r"Give the kernel 2 channels, or put the channels of x last"):
        explain.im2col(np.ones((5, 6, 2)), np.ones((3, 3, 3, 4)))


def test_output_size_shows_the_formula_with_its_numbers():
    """C165 C168: effective window d·(k − 1) + 1."""
    assert str(explain.output_size(28, 5, padding=2)) == "⌊(28 + 2 + 2 − 1·(5 − 1) − 1) / 1⌋ + 1 = 28"
    assert "⌈28 / 2⌉ = 14" in str(explain.output_size(28, 3, stride=2, padding="same"))
    dilated = explain.output_size(10, 3, dilation=4)
    assert (dilated.size, dilated.reach) == (2, 9)
    assert "4·(3 − 1) + 1 = 9 cells" in str(dilated)
    with pytest.raises(ShapeError, match=r"received size 2 .* a window over 5"):
        explain.output_size(2, 3, dilation=2)
    with pytest.raises(ArgumentError, match="stride must be an integer of at least 1"):
        explain.output_size(2, 3, stride=0)


@pytest.mark.parametrize(("padding", "extra"), [("valid", None), ("same", None), ((1, 2), None), (1, 2)])
def test_transposed_output_size_is_the_layers(padding, extra):
    """C167."""
    made = explain.transposed_output_size(5, 4, stride=3, padding=padding, output_padding=extra)
    layer = layers.Conv1DTranspose(1, 4, 3, padding, output_padding=extra)
    assert made.size == layer(Input((5, 1))).shape[1]
    assert str(made).startswith("(5 − 1)·3 + 1·(4 − 1) + 1")


def test_flip_check_against_scipy():
    """C161: the layer correlates; with the kernel flipped it gives the convolution of mathematics."""
    x, kernel = draw(6, 7), draw(3, 2, seed=1)
    made = explain.flip_check(x, kernel)
    assert made.holds
    np.testing.assert_allclose(made.correlation, signal.correlate(x, kernel, "valid"), rtol=1e-10)
    np.testing.assert_allclose(made.convolution, signal.convolve(x, kernel, "valid"), rtol=1e-10)
    np.testing.assert_allclose(made.layer, made.correlation, rtol=1e-4, atol=1e-5)
    assert "cross-correlation" in str(made)
    assert not made._replace(layer=made.convolution).holds
    with pytest.raises(ShapeError, match="two axes each"):
        explain.flip_check(draw(6, 7, 1), kernel)


def small_network():
    return cr.Sequential(
        [
            Input((12, 12, 2)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.Conv2D(4, 3, padding="same", groups=2),
            layers.MaxPooling2D(2),
            layers.Conv2D(6, 3, dilation_rate=2, name="wide"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ]
    )


def test_receptive_field_of_every_layer():
    """C173: two 3 × 3 see 5 × 5; the window of a position lies at start + stride · position."""
    field = explain.receptive_field(small_network())
    assert [field.size(path) for path in ("conv2d", "conv2d_1", "max_pooling2d", "wide")] == [
        (3, 3),
        (5, 5),
        (6, 6),
        (14, 14),
    ]
    assert field.window("conv2d_1", (0, 4)) == ((-2, 3), (2, 7))
    assert field.window("wide", (1, 0)) == ((0, 14), (-2, 12))
    assert "wide (Conv2D)" in str(field)
    assert " ".join(str(field).splitlines()[3].split()) == "max_pooling2d (MaxPooling2D) 6 × 6 2 × 2 −2 × −2"
    with pytest.raises(ArgumentError, match=r"no layer is at 'wdie'.*Did you mean 'wide'"):
        field.field("wdie")
    with pytest.raises(ArgumentError, match=r"it sees all of it\. Choose a layer before it: conv2d"):
        field.field("dense")
    with pytest.raises(ShapeError, match="position must have 2 numbers"):
        field.window("wide", (1,))


def test_effective_field_lies_in_the_receptive_field_and_peaks_inside():
    """C173: the gradient of one position reaches no cell outside its window."""
    model = small_network()
    slope = explain.effective_field(model, draw(8, 12, 12, 2), "conv2d_1", position=(5, 7))
    (top, bottom), (left, right) = explain.receptive_field(model).window("conv2d_1", (5, 7))
    inside = slope[top:bottom, left:right]
    assert inside.shape == (5, 5)
    assert inside.sum() == slope.sum() > 0
    assert (inside > 0).all()
    with pytest.raises(ArgumentError, match="12 × 12 positions; received"):
        explain.effective_field(model, draw(1, 12, 12, 2), "conv2d_1", position=(12, 0))
    with pytest.raises(ArgumentError, match="no layer is at"):
        explain.effective_field(model, draw(1, 12, 12, 2), "conv2")


def test_settings_of_all_layers_on_one_table():
    """C174: kernel, stride, dilation, filters, layers, pool size and type, padding, arrangement."""
    made = explain.convolution_settings(small_network())
    by_path = {row.path: row for row in made.rows}
    first, grouped, pool, wide = (by_path[p] for p in ("conv2d", "conv2d_1", "max_pooling2d", "wide"))
    assert first[2:9] == ("3 × 3", "1 × 1", "1 × 1", "same", "4", "1", "relu")
    assert grouped.groups == "2"
    assert (pool.kind, pool.window, pool.strides) == ("MaxPooling2D", "2 × 2", "2 × 2")
    assert (wide.dilation, wide.padding, wide.output) == ("2 × 2", "valid", "(b, 2, 2, 6)")
    assert made.arrangement == "conv ×2 → pool → conv → global pool → dense"
    assert str(made).splitlines()[-1].startswith("3 convolutional, 2 pooling, 1 dense layers")


def test_maximized_input_excites_its_channel_more_than_noise_and_than_the_other_channels_do():
    """C160: a filter that looks for a vertical edge is answered by vertical edges."""
    model = cr.Sequential([Input((8, 8, 1)), layers.Conv2D(2, 3)])
    edge = np.array([[1.0, 0, -1]] * 3, np.float32)
    model.set_weights({"conv2d/kernel": np.stack([edge, edge.T], -1)[:, :, None], "conv2d/bias": np.zeros(2)})
    found = explain.maximize_activation(model, "conv2d", 0, steps=20)
    assert (np.diff(found.activations) > 0).all()
    slopes = np.abs(np.diff(found.image[..., 0], axis=1)).sum(), np.abs(np.diff(found.image[..., 0], axis=0)).sum()
    assert slopes[0] > 1.3 * slopes[1]
    with pytest.raises(ArgumentError, match="channel must be below the 2 channels of conv2d; received 2"):
        explain.maximize_activation(model, "conv2d", 2)
    flexible = cr.Sequential([Input((None, None, 1)), layers.Conv2D(2, 3)])
    with pytest.raises(ArgumentError, match="Pass size="):
        explain.maximize_activation(flexible, "conv2d", 0)
    assert explain.maximize_activation(flexible, "conv2d", 0, steps=2, size=(5, 6, 1)).image.shape == (5, 6, 1)
