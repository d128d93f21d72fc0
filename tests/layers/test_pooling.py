"""Max and average pooling against loops in float64, and the worked example."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from window_reference import close, pads_of, pool

from chainrule import layers
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.core import Input

EXAMPLE = np.array([[0, 0, 5, 1], [0, 2, 4, 0], [1, 0, 1, 0], [0, 0, 0, 3]], np.float32)[None, :, :, None]


def random_case(seed):
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 4))
    while True:
        sizes = [int(rng.choice((1, 2, 3, 5, 7, 11)[: 7 - rank])) for _ in range(rank)]
        window, strides = (tuple(int(rng.integers(1, 5)) for _ in range(rank)) for _ in range(2))
        pairs = tuple((int(rng.integers(0, k)), int(rng.integers(0, k))) for k in window)
        padding = ("valid", "same", pairs)[int(rng.integers(0, 3))]
        pads = pads_of(padding, sizes, window, strides, (1,) * rank)
        if all(n + sum(p) >= k for n, k, p in zip(sizes, window, pads, strict=True)):
            break
    shape = (int(rng.integers(1, 4)), *sizes, int(rng.integers(1, 4)))
    x = rng.permutation(np.prod(shape)).reshape(shape).astype(np.float32) - np.prod(shape) / 2  # no two are equal
    return rank, window, strides, padding, x


def run(layer, x, upstream):
    @jax.jit
    def both(x):
        y, back = jax.vjp(lambda x: layer.call({}, x), x)
        return y, back(jnp.asarray(upstream, jnp.float32))[0]

    return both(jnp.asarray(x))


@pytest.mark.parametrize("seed", range(24))
def test_max_of_random_configurations(seed):
    """C170: values of the loops; the gradient of each window goes to its largest cell."""
    rank, window, strides, padding, x = random_case(seed)
    expected = pool(x, window, strides, padding, "max")
    upstream = np.random.default_rng(seed).normal(size=expected.shape)
    y, by_x = run(getattr(layers, f"MaxPooling{rank}D")(window, strides, padding), x, upstream)
    assert y.shape == expected.shape
    np.testing.assert_array_equal(y, expected)
    to_winners = np.zeros(x.shape)
    for index, value in np.ndenumerate(expected):
        same_row_and_channel = x[index[0], ..., index[-1]]
        place = np.unravel_index(np.flatnonzero(same_row_and_channel.ravel() == value)[0], same_row_and_channel.shape)
        to_winners[(index[0], *place, index[-1])] += upstream[index]
    close(by_x, to_winners)


@pytest.mark.parametrize("count_padding", [False, True])
@pytest.mark.parametrize("seed", range(50, 66))
def test_mean_of_random_configurations(seed, count_padding):
    """C171: padding is left out of the mean unless counted; the map is linear, so values check its gradient."""
    rank, window, strides, padding, x = random_case(seed)
    expected = pool(x, window, strides, padding, "mean", count_padding)
    rng = np.random.default_rng(seed)
    upstream, other = rng.normal(size=expected.shape), rng.normal(size=x.shape)
    layer = getattr(layers, f"AveragePooling{rank}D")(window, strides, padding, count_padding=count_padding)
    y, by_x = run(layer, x, upstream)
    assert y.shape == expected.shape
    close(y, expected)
    close(np.sum(by_x * other), np.sum(upstream * pool(other, window, strides, padding, "mean", count_padding)))


def test_worked_example():
    """C170 C171: max [[2, 5], [1, 3]], mean [[0.5, 2.5], [0.25, 1]] over windows of 2 × 2."""
    for padding in ("valid", "same"):
        largest = layers.MaxPooling2D(2, padding=padding).call({}, jnp.asarray(EXAMPLE))
        mean = layers.AveragePooling2D(2, padding=padding).call({}, jnp.asarray(EXAMPLE))
        np.testing.assert_array_equal(largest[0, :, :, 0], [[2, 5], [1, 3]])
        np.testing.assert_array_equal(mean[0, :, :, 0], [[0.5, 2.5], [0.25, 1]])


def test_padding_never_wins_even_over_negative_values():
    x = jnp.full((1, 3, 1), -7.0)
    np.testing.assert_array_equal(layers.MaxPooling1D(2, padding="same").call({}, x).ravel(), [-7, -7])
    np.testing.assert_array_equal(layers.MaxPooling1D(3, 2, padding=1).call({}, x).ravel(), [-7, -7])


def test_nan_in_a_window_stays_visible():
    x = jnp.array([1.0, jnp.nan, 3.0, 4.0]).reshape(1, 4, 1)
    assert np.isnan(layers.MaxPooling1D(2).call({}, x)[0, 0, 0])
    assert layers.MaxPooling1D(2).call({}, x)[0, 1, 0] == 4


def test_short_names_are_the_same_classes():
    for rank in (1, 2, 3):
        assert getattr(layers, f"MaxPool{rank}D") is getattr(layers, f"MaxPooling{rank}D")
        assert getattr(layers, f"AvgPool{rank}D") is getattr(layers, f"AveragePooling{rank}D")
        assert getattr(layers, f"GlobalAvgPool{rank}D") is getattr(layers, f"GlobalAveragePooling{rank}D")
        assert getattr(layers, f"GlobalMaxPool{rank}D") is getattr(layers, f"GlobalMaxPooling{rank}D")


def test_image_sizes_may_vary():
    assert layers.MaxPooling2D(2, padding="same")(Input((None, 7, 3))).shape[2:] == (4, 3)
    assert layers.AveragePooling2D(3)(Input((None, 7, 3))).shape[2:] == (2, 3)


def test_wrong_arguments_and_shapes_say_what_to_do():
    with pytest.raises(ArgumentTypeError, match=r"MaxPooling2D: pool_size must be an integer or a tuple of 2"):
        layers.MaxPooling2D((2, 2, 2))
    with pytest.raises(ArgumentError, match="AveragePooling1D: strides must be an integer of at least 1; received 0"):
        layers.AveragePooling1D(2, 0)
    with pytest.raises(ArgumentError, match=r"padding must be smaller than pool_size=2.*received 2.*ZeroPadding"):
        layers.MaxPooling2D(2, padding=2)
    with pytest.raises(ArgumentError, match="padding must be one of 'valid', 'same'; received 'causal'"):
        layers.MaxPooling1D(2, padding="causal")
    with pytest.raises(ShapeError, match=r"axis 1 of the input \(time\) must hold at least 3 cells.*\(b, 2, 4\)"):
        layers.MaxPooling1D(3)(Input((2, 4)))
    with pytest.raises(ShapeError, match=r"4 axes, \[batch, height, width, channels\].*\(b, 28, 28\)"):
        layers.AveragePooling2D(2)(Input((28, 28)))
