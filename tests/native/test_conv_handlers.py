"""The convolution handlers called with sizes that do not belong together: an error each time, never a crash."""

import itertools

import jax
import numpy as np
import pytest

from chainrule.ops import native

pytestmark = pytest.mark.skipif(not native.enabled(), reason="needs the kernels")

HUGE = 2**62
SHAPES = {"x": (2, 6, 5, 4), "kernel": (3, 2, 2, 6), "bias": (6,), "y": (2, 3, 4, 6)}
ATTRIBUTES = {"strides": (2, 1), "padding": (1, 0, 0, 0), "dilation": (1, 1), "groups": 2, "precise": False}
PRODUCTS = {
    "conv_forward": (("x", "kernel", "bias"), "y"),
    "conv_input_gradient": (("y", "kernel", "shift"), "x"),
    "conv_kernel_gradient": (("x", "y"), "kernel"),
}
WRONG_ATTRIBUTES = [
    {"strides": (0, 1)},
    {"strides": (2, -1)},
    {"strides": (2, 1, 1)},
    {"strides": (HUGE, 1)},
    {"strides": (1, 1)},
    {"dilation": (1, 0)},
    {"dilation": (1,)},
    {"dilation": (HUGE, 1)},
    {"dilation": (2, 1)},
    {"padding": (1, 0, 0)},
    {"padding": (-1, 2, 0, 0)},
    {"padding": (HUGE, 0, 0, 0)},
    {"padding": (0, HUGE, 0, 0)},
    {"padding": (0, -HUGE, 0, 0)},
    {"padding": (1, 2, 0, 0)},
    {"padding": (0, 0, 0, 1)},
    {"groups": 0},
    {"groups": -2},
    {"groups": 1},
    {"groups": 3},
    {"groups": HUGE},
]
WRONG_SHAPES = [
    {"x": (3, 6, 5, 4)},
    {"x": (2, 9, 5, 4)},
    {"x": (2, 6, 4, 4)},
    {"x": (2, 6, 5, 6)},
    {"x": (2, 6, 5)},
    {"x": (0, 6, 5, 4)},
    {"kernel": (5, 2, 2, 6)},
    {"kernel": (3, 2, 4, 6)},
    {"kernel": (3, 2, 2, 4)},
    {"kernel": (3, 2, 2)},
    {"kernel": (0, 2, 2, 6)},
    {"y": (2, 3, 4, 5)},
    {"y": (2, 4, 4, 6)},
    {"y": (2, 3, 3, 6)},
    {"y": (1, 3, 4, 6)},
    {"y": (2, 3, 4, 6, 1)},
]


def call(name, inputs, outputs, **attributes):
    arrays = [np.zeros(shape, np.float32) for shape in inputs]
    specs = [jax.ShapeDtypeStruct(shape, np.float32) for shape in outputs]
    return jax.block_until_ready(native.call(name, specs, *arrays, **attributes))


def product(name, **changes):
    shapes = SHAPES | {"shift": (4,)} | {key: value for key, value in changes.items() if key in (*SHAPES, "shift")}
    attributes = ATTRIBUTES | {key: value for key, value in changes.items() if key in ATTRIBUTES}
    inputs, output = PRODUCTS[name]
    relu = {"relu": False} if name == "conv_forward" else {}
    return call(name, [shapes[one] for one in inputs], [shapes[output]], **attributes, **relu)


@pytest.mark.parametrize("name", PRODUCTS)
def test_what_belongs_together_is_computed(name):
    """Cells left out after an axis are allowed: a transposed convolution may have more cells than its windows reach."""
    (result,) = product(name)
    assert not result.any()
    product(name, x=(2, 7, 5, 4), padding=(1, -1, 0, 0))


# XLA never calls a handler whose only result has no elements
WRONG = [
    (name, change)
    for name, change in itertools.product(PRODUCTS, WRONG_ATTRIBUTES + WRONG_SHAPES)
    if 0 not in change.get(PRODUCTS[name][1], ())
]


@pytest.mark.parametrize(("name", "change"), WRONG, ids=str)
def test_wrong_sizes_and_attributes_are_refused(name, change):
    with pytest.raises(jax.errors.JaxRuntimeError, match=f"chainrule_{name}"):
        product(name, **change)


@pytest.mark.parametrize("shape", [(5,), (1,), (6, 1), (7,)])
def test_a_bias_of_another_length_is_refused(shape):
    with pytest.raises(jax.errors.JaxRuntimeError, match="bias must have one axis of 0 or 6"):
        product("conv_forward", bias=shape)
    with pytest.raises(jax.errors.JaxRuntimeError, match="bias must have one axis of 0 or 4"):
        product("conv_input_gradient", shift=shape)


def test_a_copy_beyond_all_memory_is_an_error_and_not_a_crash():
    """A window of 2^31 cells' reach: the sizes are consistent, but a block's cells would not fit."""
    far = {"padding": (2**31, 2**31 - 5, 2**31, 2**31 - 4), "dilation": (2**31, 2**31), "strides": (2, 1)}
    with pytest.raises(jax.errors.JaxRuntimeError, match="chainrule_conv_forward"):
        product("conv_forward", **far, kernel=(3, 3, 2, 6))


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ([(2, 3, 4), (2, 3, 4)], [(2, 3, 4), (3,)]),
        ([(2, 3, 4), (2, 3, 4)], [(2, 3, 4), (4, 1)]),
        ([(2, 3, 4), (2, 4, 3)], [(2, 3, 4), (4,)]),
        ([(2, 3, 4), (2, 3, 4)], [(6, 4), (4,)]),
        ([(), ()], [(), (1,)]),
    ],
)
def test_a_mask_of_another_shape_is_refused(inputs, outputs):
    with pytest.raises(jax.errors.JaxRuntimeError, match="chainrule_conv_relu_gradient"):
        call("conv_relu_gradient", inputs, outputs)


@pytest.mark.parametrize(("inputs", "outputs"), [([(2, 3)], [(2,)]), ([(2, 3)], [(3, 1)]), ([()], [(1,)])])
def test_sums_of_another_length_are_refused(inputs, outputs):
    with pytest.raises(jax.errors.JaxRuntimeError, match="chainrule_conv_sums"):
        call("conv_sums", inputs, outputs)
