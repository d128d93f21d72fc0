"""The three products of a convolution are each other's adjoints; they finish with a bias and ReLU."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.ops import convolution_products as products
from chainrule.ops.convolution_plain import Geometry, lax_forward

GEOMETRIES = {
    "padded": (Geometry((5, 7), (3, 2), (2, 1), ((1, 1), (0, 1)), (1, 2)), 3, 4),
    "groups": (Geometry((4, 5), (2, 3), (1, 2), ((0, 1), (1, 1)), (1, 1), 2), 4, 6),
    "one by one": (Geometry((3, 4), (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1)), 5, 2),
}
# float32 sums of at most 100 products of size 1
CLOSE = {"rtol": 1e-4, "atol": 2e-5}


def drawn(name):
    geometry, channels, filters = GEOMETRIES[name]
    rng = np.random.default_rng(8)
    shapes = (
        (2, *geometry.sizes, channels),
        (*geometry.window, channels // geometry.groups, filters),
        (2, *geometry.positions, filters),
    )
    return geometry, *(jnp.asarray(rng.standard_normal(shape), jnp.float32) for shape in shapes)


def inner(a, b):
    return np.sum(np.asarray(a, np.float64) * np.asarray(b, np.float64))


@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_three_products_are_adjoints_of_one_trilinear_form(name):
    """⟨dy, forward(x, k)⟩ = ⟨x, input_gradient(dy, k)⟩ = ⟨k, kernel_gradient(x, dy)⟩."""
    geometry, x, kernel, dy = drawn(name)
    y = products.forward(geometry, x, kernel)
    np.testing.assert_allclose(y, lax_forward(geometry, x, kernel), **CLOSE)
    wanted = inner(dy, y)
    assert inner(x, products.input_gradient(geometry, dy, kernel)) == pytest.approx(wanted, rel=1e-4, abs=1e-3)
    assert inner(kernel, products.kernel_gradient(geometry, x, dy)) == pytest.approx(wanted, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("name", ["padded", "groups"])
def test_each_products_gradients_are_those_of_lax(name):
    """Against the derivatives of ``lax``'s convolution, of the first and, through each other, of the second order."""
    geometry, x, kernel, dy = drawn(name)

    def slopes(forward):
        def along(x, kernel):
            return jnp.sum(jnp.tanh(forward(geometry, x, kernel)) * dy)

        def turned(x, kernel):
            first = jax.grad(along, argnums=(0, 1))(x, kernel)
            return sum(jnp.sum(jnp.sin(slope)) for slope in first)

        return jax.jit(lambda x, kernel: (jax.grad(along, (0, 1))(x, kernel), jax.grad(turned, (0, 1))(x, kernel)))

    own, plain = slopes(products.forward)(x, kernel), slopes(lax_forward)(x, kernel)
    for mine, other in zip(jax.tree.leaves(own), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-4 * float(jnp.abs(other).max()))


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("biased", [False, True])
def test_finished_adds_the_bias_and_cuts_below_zero(relu, biased):
    geometry, x, kernel, dy = drawn("padded")
    bias = jnp.asarray([0.5, -1.0, 0.0, 2.0] if biased else [], jnp.float32)

    def plain(x, kernel, bias):
        y = lax_forward(geometry, x, kernel) + (bias if biased else 0)
        return jax.nn.relu(y) if relu else y

    y, pull = jax.vjp(lambda *a: products.finished(geometry, relu, *a), x, kernel, bias)
    wanted, plain_pull = jax.vjp(plain, x, kernel, bias)
    np.testing.assert_allclose(y, wanted, **CLOSE)
    for mine, other in zip(pull(dy), plain_pull(dy), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4)


def test_transposed_is_the_gradient_to_the_input_plus_a_bias():
    geometry, x, kernel, dy = drawn("padded")
    bias = jnp.array([1.0, -2.0, 0.5])
    back, pull = jax.vjp(lambda *a: products.transposed(geometry, *a), dy, kernel, bias)
    np.testing.assert_allclose(back, products.input_gradient(geometry, dy, kernel) + bias, **CLOSE)
    by_dy, by_kernel, by_bias = pull(x)
    np.testing.assert_allclose(by_dy, products.forward(geometry, x, kernel), **CLOSE)
    np.testing.assert_allclose(by_kernel, products.kernel_gradient(geometry, x, dy), **CLOSE)
    np.testing.assert_allclose(by_bias, np.asarray(x).sum((0, 1, 2)), **CLOSE)


def test_masked_and_sums():
    rng = np.random.default_rng(9)
    dy, y = (jnp.asarray(rng.standard_normal((2, 3, 5, 7)), jnp.float32) for _ in range(2))
    kept, total = products.masked(dy, y)
    wanted = np.where(np.asarray(y) > 0, dy, 0)
    np.testing.assert_array_equal(kept, wanted)
    np.testing.assert_allclose(total, wanted.sum((0, 1, 2)), **CLOSE)
    np.testing.assert_allclose(products.sums(dy), np.asarray(dy).sum((0, 1, 2)), **CLOSE)

    def twice_and_once(dy):
        g, total = products.masked(dy, y)
        return 2 * jnp.sum(g) + jnp.sum(total)

    np.testing.assert_array_equal(jax.grad(twice_and_once)(dy), np.where(np.asarray(y) > 0, 3, 0))


def test_kernels_are_for_floats_of_at_most_32_bits():
    assert not products.usable(jnp.zeros(1, jnp.int32))
    with jax.enable_x64(True):
        assert not products.usable(jnp.zeros(1, jnp.float64))
    assert products.usable(jnp.zeros(1)) == products.native.enabled()
