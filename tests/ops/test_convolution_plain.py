"""The plain forms of a convolution over two axes agree with sums written out, and each other."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.ops.convolution_plain import Geometry, forward, lax_forward, lax_transposed, pulled

# name -> geometry, channels, filters; "wide" has more than 64 numbers in a window, so that it is not gathered
CASES = {
    "narrow": (Geometry((5, 7), (3, 2), (1, 1), ((1, 1), (0, 1)), (1, 1)), 2, 3),
    "wide": (Geometry((5, 4), (3, 3), (1, 2), ((1, 1), (1, 1)), (1, 1)), 11, 2),
    "strides beyond the window": (Geometry((7, 6), (2, 1), (3, 2), ((0, 0), (0, 0)), (1, 1)), 3, 2),
    "dilated": (Geometry((7, 5), (3, 2), (1, 1), ((2, 0), (0, 0)), (2, 3)), 2, 4),
    "groups": (Geometry((4, 5), (2, 2), (1, 1), ((0, 1), (0, 0)), (1, 1), 2), 4, 6),
    "one channel a group": (Geometry((4, 5), (2, 3), (2, 1), ((0, 0), (1, 1)), (1, 1), 3), 3, 6),
    "cells left out": (Geometry((6, 5), (2, 2), (2, 2), ((0, -1), (0, -2)), (1, 1)), 2, 3),
}


def arrays(name):
    geometry, channels, filters = CASES[name]
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, *geometry.sizes, channels)).astype(np.float32)
    kernel = rng.standard_normal((*geometry.window, channels // geometry.groups, filters)).astype(np.float32)
    return geometry, x, kernel


def summed(geometry, x, kernel):
    """One product at a time in float64; what lies outside the input counts 0."""
    inside, share = kernel.shape[2], kernel.shape[3] // geometry.groups
    y = np.zeros((len(x), *geometry.positions, kernel.shape[3]))
    for p, tap, f in itertools.product(
        np.ndindex(*geometry.positions), np.ndindex(*geometry.window), range(kernel.shape[3])
    ):
        axes = zip(p, tap, geometry.strides, geometry.dilation, geometry.padding, strict=True)
        cell = tuple(s * i + d * k - low for i, k, s, d, (low, _) in axes)
        if all(0 <= c < n for c, n in zip(cell, geometry.sizes, strict=True)):
            first = f // share * inside
            y[(slice(None), *p, f)] += (
                x[(slice(None), *cell)][:, first : first + inside] @ kernel[(*tap, slice(None), f)]
            )
    return y


@pytest.mark.parametrize("form", [forward, lax_forward])
@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_the_sum(form, name):
    geometry, x, kernel = arrays(name)
    # sums of at most 99 products of size 1 in float32
    np.testing.assert_allclose(
        form(geometry, jnp.asarray(x), jnp.asarray(kernel)), summed(geometry, x.astype(float), kernel), atol=2e-5
    )


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[0].groups == 1])
def test_transposed_is_the_adjoint(name):
    """Σ transposed(y)·x = Σ y·forward(x) for any x and y."""
    geometry, x, kernel = arrays(name)
    y = np.random.default_rng(4).standard_normal((2, *geometry.positions, kernel.shape[3])).astype(np.float32)
    exact = [  # as conv_transpose passes it: with the padding after that makes the positions those of y
        (low, (n - 1) * s + d * (k - 1) + 1 - low - size)
        for n, s, d, k, (low, _), size in zip(
            geometry.positions, geometry.strides, geometry.dilation, geometry.window, geometry.padding, geometry.sizes,
            strict=True,
        )
    ]  # fmt: skip
    turned = Geometry(geometry.sizes, geometry.window, geometry.strides, tuple(exact), geometry.dilation)
    back = lax_transposed(turned, jnp.asarray(y), jnp.asarray(kernel))
    assert back.shape == x.shape
    pulled_back = pulled(lambda x: forward(geometry, x, jnp.asarray(kernel)), x.shape, jnp.asarray(y))
    np.testing.assert_allclose(back, pulled_back, atol=2e-5)
    wanted = np.sum(y * summed(geometry, x.astype(float), kernel))
    assert float(np.sum(np.asarray(back, np.float64) * x)) == pytest.approx(wanted, rel=1e-4, abs=1e-3)


def test_a_window_of_no_cells_gives_zeros():
    geometry = Geometry((3, 2), (0, 1), (1, 1), ((0, 0), (0, 0)), (1, 1))
    y = forward(geometry, jnp.ones((1, 3, 2, 2)), jnp.ones((0, 1, 2, 5)))
    np.testing.assert_array_equal(y, np.zeros((1, *geometry.positions, 5)))
