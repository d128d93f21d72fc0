"""The product with its own form of the weight gradient is the plain product, to every order."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.ops.linear import kernel_product

# wider than high, higher than wide, and (the last two) too wide to be turned
SHAPES = [
    ((7, 3), (3, 5)),
    ((7, 5), (5, 3)),
    ((2, 4, 5), (5, 3)),
    ((0, 4, 5), (5, 3)),
    ((3, 130), (130, 129)),
    ((2, 3, 130), (130, 129)),
]
RTOL = 1e-5  # float32 sums of at most 130 products


def drawn(*shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) for shape in shapes]


def narrow(*arrays):
    return [jnp.asarray(array, jnp.float32) for array in arrays]


@pytest.mark.parametrize(("x_shape", "kernel_shape"), SHAPES)
def test_values_and_gradients_equal_numpy_in_float64(x_shape, kernel_shape):
    x, kernel, factors = drawn(x_shape, kernel_shape, (*x_shape[:-1], kernel_shape[1]))
    value, pull = jax.vjp(kernel_product, *narrow(x, kernel))
    by_x, by_kernel = pull(narrow(factors)[0])
    rows, flat = x.reshape(-1, x_shape[-1]), factors.reshape(-1, kernel_shape[1])
    np.testing.assert_allclose(value, x @ kernel, rtol=RTOL, atol=RTOL * 30)
    np.testing.assert_allclose(by_x, factors @ kernel.T, rtol=RTOL, atol=RTOL * 30)
    np.testing.assert_allclose(by_kernel, rows.T @ flat, rtol=RTOL, atol=RTOL * 30)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="the form is the CPU's")
def test_no_product_sums_over_two_axes():
    """XLA:CPU has no fast form for those."""
    x, kernel = narrow(*drawn((2, 4, 5), (5, 3)))
    slopes = jax.grad(lambda x, kernel: jnp.sum(jnp.sin(kernel_product(x, kernel))), (0, 1))
    axes = re.findall(r"contracting_dims = \[([\d, ]*)\]", jax.jit(slopes).lower(x, kernel).as_text())
    assert len(axes) == 3
    assert all("," not in each for each in axes)


@pytest.mark.parametrize(("x_shape", "kernel_shape"), SHAPES[:2])
def test_forward_mode_is_the_product_rule(x_shape, kernel_shape):
    x, kernel, x_dot, kernel_dot = drawn(x_shape, kernel_shape, x_shape, kernel_shape)
    _, both = jax.jvp(kernel_product, tuple(narrow(x, kernel)), tuple(narrow(x_dot, kernel_dot)))
    np.testing.assert_allclose(both, x_dot @ kernel + x @ kernel_dot, rtol=RTOL, atol=1e-5)
    x32, kernel32 = narrow(x, kernel)
    _, by_x = jax.jvp(lambda a: kernel_product(a, kernel32), (x32,), tuple(narrow(x_dot)))
    _, by_kernel = jax.jvp(lambda b: kernel_product(x32, b), (kernel32,), tuple(narrow(kernel_dot)))
    np.testing.assert_allclose(by_x, x_dot @ kernel, rtol=RTOL, atol=1e-5)
    np.testing.assert_allclose(by_kernel, x @ kernel_dot, rtol=RTOL, atol=1e-5)


@pytest.mark.parametrize(("x_shape", "kernel_shape"), SHAPES[:2])
def test_second_derivative_of_a_square_is_twice_the_gram_matrix(x_shape, kernel_shape):
    (x,) = drawn(x_shape)
    (x32,) = narrow(x)
    hessian = jax.hessian(lambda kernel: jnp.sum(kernel_product(x32, kernel) ** 2))(jnp.zeros(kernel_shape))
    expected = np.einsum("ac,bd->abcd", 2 * x.T @ x, np.eye(kernel_shape[1]))
    np.testing.assert_allclose(hessian, expected, rtol=RTOL, atol=1e-5)


def test_maps_over_kernels():
    x, kernels = narrow(*drawn((7, 3), (2, 3, 5)))
    slope = jax.vmap(jax.grad(lambda kernel: jnp.sum(jnp.sin(kernel_product(x, kernel)))))(kernels)
    wide_x, wide = np.asarray(x, np.float64), np.asarray(kernels, np.float64)
    np.testing.assert_allclose(slope, wide_x.T @ np.cos(wide_x @ wide), rtol=RTOL, atol=1e-5)


@pytest.mark.parametrize(("x_shape", "kernel_shape"), SHAPES[:2])
def test_the_turned_operand_stays_turned_in_the_compiled_gradient(x_shape, kernel_shape):
    """What the form is for: without its barriers XLA merges the transposition into the product again."""
    x, kernel = narrow(*drawn(x_shape, kernel_shape))
    slope = jax.jit(jax.grad(lambda k, x: jnp.sum(jnp.sin(kernel_product(x, k)))))
    text = slope.lower(kernel, x).as_text()
    assert text.count("optimization_barrier") >= 1
    products = [line for line in text.splitlines() if "dot_general" in line]
    assert len(products) == 2  # forward, and the gradient; no product with a tangent that is zero
