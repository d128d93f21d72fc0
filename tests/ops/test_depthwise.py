"""Depthwise convolution against loops in float64, through every transformation, with and without the kernels."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export
from jax.test_util import check_grads

from chainrule.errors import ArgumentError, ShapeError
from chainrule.ops import convolution_plain, depthwise_conv
from chainrule.ops.window import explicit_padding

# x shape, window, multiplier, strides, padding, dilation: 1, 2 and 3 axes of space, windows wider than the map, gaps
SETTINGS = [
    ((2, 7, 3), (3,), 1, (1,), "causal", (2,)),
    ((1, 11, 17), (2,), 3, (3,), "valid", (1,)),
    ((2, 6, 5, 8), (3, 3), 1, (1, 1), "same", (1, 1)),
    ((2, 7, 5, 19), (3, 2), 1, (2, 2), "same", (1, 1)),
    ((1, 5, 7, 5), (3, 3), 2, (1, 1), "same", (2, 1)),
    ((2, 4, 4, 24), (7, 7), 1, (1, 1), "same", (1, 1)),
    ((1, 9, 8, 2), (2, 3), 4, (5, 4), ((1, 0), (3, 2)), (1, 2)),
    ((1, 3, 4, 5, 3), (2, 3, 2), 1, (1, 2, 1), "same", (1, 1, 1)),
    ((3, 1, 1, 9), (1, 1), 1, (1, 1), "valid", (1, 1)),
    ((2, 6, 5, 3), (2, 3), 2, (1, 2), ((61, 50), (2, 1)), (107, 1)),
]


def reference(x, kernel, strides, padding, dilation):
    """Every product summed in turn, in float64."""
    *window, channels, multiplier = kernel.shape
    pads = explicit_padding(padding, x.shape[1:-1], window, strides, dilation)
    wide = np.pad(x.astype(np.float64), [(0, 0), *pads, (0, 0)])
    axes = zip(wide.shape[1:-1], window, strides, dilation, strict=True)
    out = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in axes]
    y = np.zeros((x.shape[0], *out, channels * multiplier))
    for at, tap in itertools.product(np.ndindex(*out), np.ndindex(*window)):
        place = tuple(p * s + k * d for p, s, k, d in zip(at, strides, tap, dilation, strict=True))
        cells = wide[(slice(None), *place)][..., None] * kernel[tap]  # [batch, channels, multiplier]
        y[(slice(None), *at)] += cells.reshape(x.shape[0], -1)
    return y


def draw(setting):
    shape, window, multiplier, *geometry = setting
    rng = np.random.default_rng(len(window) * 10 + multiplier)
    x = rng.normal(size=shape).astype(np.float32)
    kernel = rng.normal(size=(*window, shape[-1], multiplier)).astype(np.float32)
    return x, kernel, dict(zip(("strides", "padding", "dilation"), geometry, strict=True))


def close(found, wanted, tolerance):
    wanted = np.asarray(wanted, np.float64)
    np.testing.assert_allclose(np.asarray(found, np.float64), wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


@pytest.mark.parametrize("setting", SETTINGS)
def test_values_and_gradients_are_those_of_the_loops(setting):
    """C182: each channel by itself; the map is bilinear, so that ``Σ dx·u`` and ``Σ dk·v`` are values of the loops."""
    x, kernel, geometry = draw(setting)
    bias = np.arange(1, kernel.shape[-1] * kernel.shape[-2] + 1, dtype=np.float32)
    wanted = reference(x, kernel, **geometry)
    rng = np.random.default_rng(7)
    dy = rng.normal(size=wanted.shape).astype(np.float32)

    def value_and_gradients(x, kernel, bias, dy):
        y, pull = jax.vjp(lambda *three: depthwise_conv(*three, **geometry), x, kernel, bias)
        return y, *pull(dy)

    y, dx, dkernel, dbias = jax.jit(value_and_gradients)(x, kernel, bias, dy)
    close(y, wanted + bias, 1e-5)
    close(dbias, dy.astype(np.float64).sum(axis=tuple(range(dy.ndim - 1))), 1e-5)
    u, v = rng.normal(size=x.shape).astype(np.float32), rng.normal(size=kernel.shape).astype(np.float32)
    for gradient, direction, change in (
        (dx, u, reference(u, kernel, **geometry)),
        (dkernel, v, reference(x, v, **geometry)),
    ):
        terms = np.asarray(gradient, np.float64) * direction
        # errors of up to 1e-5 of the largest term, in either direction
        assert abs(terms.sum() - (change * dy).sum()) <= 1e-5 * np.abs(terms).sum()


@pytest.mark.parametrize("setting", SETTINGS[2:5])
def test_second_derivatives(setting):
    x, kernel, geometry = draw(setting)
    check_grads(lambda x, k: jnp.sum(depthwise_conv(x, k, **geometry) ** 2), (x, kernel), 2, ["rev"], rtol=2e-2)


@pytest.mark.parametrize("setting", [s for s in SETTINGS if len(s[1]) == 2])
def test_the_form_without_kernels_is_the_same(setting):
    x, kernel, geometry = draw(setting)
    pads = explicit_padding(geometry["padding"], x.shape[1:3], kernel.shape[:2], *list(geometry.values())[::2])
    plain = convolution_plain.Geometry(
        x.shape[1:3], kernel.shape[:2], geometry["strides"], pads, geometry["dilation"], x.shape[-1]
    )
    dense = kernel.reshape(*kernel.shape[:2], 1, -1)
    close(convolution_plain.forward(plain, x, dense), reference(x, kernel, **geometry), 1e-5)


def test_transformations():
    """``vmap``, ``scan``, 16-bit floats and a symbolic batch give what single calls give."""
    x, kernel, geometry = draw(SETTINGS[2])
    wanted = reference(x, kernel, **geometry)

    def one(x):
        return depthwise_conv(x, kernel, **geometry)

    close(jax.vmap(one)(jnp.stack([x, 2 * x]))[1], 2 * wanted, 1e-5)
    close(jax.lax.scan(lambda carry, x: (carry, one(x)), 0, jnp.stack([x, 3 * x]))[1][1], 3 * wanted, 1e-5)
    half = depthwise_conv(x.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16), **geometry)
    assert half.dtype == jnp.bfloat16
    close(half, wanted, 2e-2)  # 8 bits of inputs and result
    (batch,) = export.symbolic_shape("b")
    exported = export.export(
        jax.jit(one), disabled_checks=[export.DisabledSafetyCheck.custom_call("chainrule_conv_forward")]
    )(jax.ShapeDtypeStruct((batch, *x.shape[1:]), x.dtype))
    assert exported.out_avals[0].shape == (batch, *wanted.shape[1:])


@pytest.mark.parametrize("shape", [(0, 4, 4, 3), (2, 4, 4, 0)])
def test_empty_axes_give_empty_results(shape):
    assert depthwise_conv(jnp.zeros(shape), jnp.zeros((3, 3, shape[-1], 2))).shape == (shape[0], 2, 2, shape[-1] * 2)


@pytest.mark.parametrize(
    ("x", "kernel"),
    [((1, 4, 4, 3), (3, 3, 2, 1)), ((1, 4, 4, 3), (3, 3, 1)), ((4, 3), (3, 1)), ((1, 2, 2, 3), (3, 3, 3, 1))],
)
def test_shapes_that_do_not_belong_together_are_refused(x, kernel):
    with pytest.raises(ShapeError, match="conv: "):
        depthwise_conv(jnp.zeros(x), jnp.zeros(kernel))


def test_the_bias_and_the_window_are_checked_at_entry():
    x, kernel = jnp.ones((1, 4, 3)), jnp.ones((2, 3, 2))
    assert depthwise_conv(x.tolist(), kernel.tolist(), [1] * 6).shape == (1, 3, 6)
    for shape in ((3,), (2,), (1,), (0,), (1, 6)):
        with pytest.raises(ShapeError, match=r"depthwise_conv: bias .* of 6 filters, of shape \(6,\); received shape"):
            depthwise_conv(x, kernel, jnp.ones(shape))
    with pytest.raises(ShapeError, match=r"depthwise_conv: kernel must have a window .* received shape \(0, 3, 2\)"):
        depthwise_conv(x, kernel[:0])
    with pytest.raises(ArgumentError, match=r"strides must be a positive integer; received 1\.5"):
        depthwise_conv(x, kernel, strides=1.5)
