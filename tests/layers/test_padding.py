"""Padding, cropping, enlarging and resizing against NumPy and SciPy."""

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule import layers
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.core import Input

SHAPES = {1: (2, 7, 3), 2: (2, 7, 5, 3), 3: (2, 7, 5, 4, 3)}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("rank", "edges", "pairs"),
    [
        (1, 2, [(2, 2)]),
        (1, (2, 1), [(2, 1)]),
        (1, ((0, 3),), [(0, 3)]),
        (2, 1, [(1, 1), (1, 1)]),
        (2, (1, 2), [(1, 1), (2, 2)]),
        (2, ((1, 0), (0, 2)), [(1, 0), (0, 2)]),
        (3, (0, 1, (1, 0)), [(0, 0), (1, 1), (1, 0)]),
    ],
)
def test_zeros_go_around_and_cropping_takes_them_off_again(rank, edges, pairs):
    x = draw(*SHAPES[rank])
    larger = getattr(layers, f"ZeroPadding{rank}D")(edges).call({}, jnp.asarray(x))
    np.testing.assert_array_equal(larger, np.pad(x, [(0, 0), *pairs, (0, 0)]))
    np.testing.assert_array_equal(getattr(layers, f"Cropping{rank}D")(edges).call({}, larger), x)


@pytest.mark.parametrize(("rank", "size"), [(1, 3), (2, 2), (2, (1, 3)), (3, (2, 1, 3))])
def test_enlarging_repeats_every_cell(rank, size):
    x = draw(*SHAPES[rank])
    expected = x
    for axis, times in enumerate((size,) * rank if isinstance(size, int) else size, start=1):
        expected = np.repeat(expected, times, axis)
    np.testing.assert_array_equal(getattr(layers, f"UpSampling{rank}D")(size).call({}, jnp.asarray(x)), expected)


def interpolated(x, axis, wanted):
    """Linear interpolation between centres of cells, the edge repeated, in float64."""
    size = x.shape[axis]
    places = (np.arange(wanted) + 0.5) * size / wanted - 0.5
    return np.apply_along_axis(lambda line: np.interp(places, np.arange(size), line), axis, x.astype(np.float64))


@pytest.mark.parametrize(("height", "width"), [(7, 5), (14, 15), (3, 4), (11, 2)])
def test_bilinear_interpolates_between_centres(height, width):
    x = draw(2, 7, 5, 3)
    expected = interpolated(interpolated(x, 1, height), 2, width)
    y = layers.Resizing(height, width).call({}, jnp.asarray(x))
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)  # float32 means of four values
    if (height, width) == (14, 15):
        enlarged = layers.UpSampling2D((2, 3), interpolation="bilinear").call({}, jnp.asarray(x))
        np.testing.assert_allclose(enlarged, expected, rtol=1e-5, atol=1e-5)


def test_nearest_takes_the_cell_that_holds_the_centre():
    x = draw(2, 7, 5, 3)
    y = layers.Resizing(3, 10, interpolation="nearest").call({}, jnp.asarray(x))
    np.testing.assert_array_equal(y, x[:, [1, 3, 5]][:, :, np.arange(10) // 2])


def test_antialias_averages_all_that_an_output_pixel_covers():
    stripes = jnp.asarray(np.tile([0.0, 1.0], 8).reshape(1, 1, 16, 1), jnp.float32)
    plain = layers.Resizing(1, 2).call({}, stripes)
    smooth = layers.Resizing(1, 2, antialias=True).call({}, stripes)
    np.testing.assert_allclose(plain.ravel(), [0.5, 0.5])
    np.testing.assert_allclose(smooth.ravel(), [0.5, 0.5], atol=0.05)
    one = jnp.zeros((1, 1, 16, 1)).at[0, 0, 1].set(1.0)  # not under a centre, so plain shrinking misses it
    assert layers.Resizing(1, 2).call({}, one)[0, 0, 0, 0] == 0
    assert layers.Resizing(1, 2, antialias=True).call({}, one)[0, 0, 0, 0] > 0.02


def test_sizes_that_vary_pass_through():
    image = Input((None, 5, 3))
    assert str(layers.ZeroPadding2D(1)(image).shape) == "(b, t + 2, 7, 3)"
    assert str(layers.UpSampling2D(2)(image).shape) == "(b, 2*t, 10, 3)"
    assert str(layers.UpSampling2D(2, interpolation="bilinear")(image).shape) == "(b, 2*t, 10, 3)"
    assert layers.Cropping2D(((1, 0), 2))(image).shape[2:] == (1, 3)


def test_wrong_arguments_and_shapes_say_what_to_do():
    with pytest.raises(ArgumentError, match=r"ZeroPadding2D: padding must be a number of cells.*received \(1, 2, 3\)"):
        layers.ZeroPadding2D((1, 2, 3))
    with pytest.raises(ArgumentError, match=r"Cropping1D: cropping must be .*none negative; received -1"):
        layers.Cropping1D(-1)
    with pytest.raises(ArgumentTypeError, match="UpSampling2D: size must be an integer or a tuple of 2"):
        layers.UpSampling2D((2,))
    with pytest.raises(
        ArgumentError, match=r"interpolation must be one of 'nearest', 'bilinear'.*Did you mean 'bilinear'"
    ):
        layers.UpSampling2D(2, interpolation="bilinaer")
    with pytest.raises(ArgumentError, match="Resizing: height must be an integer of at least 1"):
        layers.Resizing(0, 3)
    with pytest.raises(ShapeError, match=r"longer than the 4 cells cut off; received shape \(b, 4, 3\).*Crop less"):
        layers.Cropping1D((3, 1))(Input((4, 3)))
    with pytest.raises(ShapeError, match=r"4 axes, \[batch, height, width, channels\]"):
        layers.Resizing(3, 3)(Input((5, 3)))
