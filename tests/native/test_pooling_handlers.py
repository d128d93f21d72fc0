"""The pooling handlers called with sizes that do not belong together: an error each time, never a crash."""

import itertools

import jax
import numpy as np
import pytest

from chainrule.ops import native

pytestmark = pytest.mark.skipif(not native.enabled(), reason="needs the kernels")

X, Y, RIGHT = (2, 6, 4, 3), (2, 3, 2, 3), {"window": (2, 2), "strides": (2, 2), "padding": (0, 0, 0, 0)}
HUGE = 2**62


def call(name, inputs, outputs, **attributes):
    arrays = [np.zeros(shape, dtype) for shape, dtype in inputs]
    specs = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in outputs]
    return jax.block_until_ready(native.call(name, specs, *arrays, **attributes))


def signature(name, x=X, y=Y, index=None):
    f, u, index = np.float32, np.uint8, y if index is None else index
    return {
        "max_pool": ([(x, f)], [(y, f)]),
        "max_pool_index": ([(x, f)], [(y, f), (index, u)]),
        "max_pool_gradient": ([(y, f), (index, u)], [(x, f)]),
        "mean_pool": ([(x, f)], [(y, f)]),
        "mean_pool_gradient": ([(y, f)], [(x, f)]),
    }[name]


NAMES = ("max_pool", "max_pool_index", "max_pool_gradient", "mean_pool", "mean_pool_gradient")
BAD_ATTRIBUTES = [
    {"window": (0, 2)},
    {"window": (-1, 2)},
    {"window": (HUGE, 2)},
    {"window": (2,)},
    {"window": (7, 2)},
    {"strides": (0, 2)},
    {"strides": (2, -3)},
    {"strides": (1, 2)},
    {"strides": (2, 2, 2)},
    {"padding": (0, 0, 0)},
    {"padding": (-1, 0, 0, 0)},
    {"padding": (2, 0, 0, 0)},
    {"padding": (0, HUGE, 0, 0)},
    {"padding": (1, 1, 0, 0)},
]
BAD_SHAPES = [
    {"y": (2, 3, 2, 4)},
    {"y": (1, 3, 2, 3)},
    {"y": (2, 3, 3, 3)},
    {"y": (2, 2, 2, 3)},
    {"y": (2, 3, 2)},
    {"x": (2, 6, 4)},
    {"x": (2, 6, 4, 3, 1)},
    {"x": (1, 6, 4, 3)},
]


def extra(name):
    return {"count_padding": False} if name.startswith("mean") else {}


@pytest.mark.parametrize("name", NAMES)
def test_the_right_call_is_answered(name):
    assert call(name, *signature(name), **RIGHT, **extra(name))


@pytest.mark.parametrize(("name", "bad"), [*itertools.product(NAMES, BAD_ATTRIBUTES)])
def test_bad_attributes_are_refused(name, bad):
    with pytest.raises(Exception, match=name):
        call(name, *signature(name), **(RIGHT | bad), **extra(name))


@pytest.mark.parametrize(("name", "bad"), [*itertools.product(NAMES, BAD_SHAPES)])
def test_shapes_that_do_not_belong_together_are_refused(name, bad):
    with pytest.raises(Exception, match=name):
        call(name, *signature(name, **bad), **RIGHT, **extra(name))


@pytest.mark.parametrize("name", ["max_pool_index", "max_pool_gradient"])
def test_an_index_of_another_size_is_refused(name):
    with pytest.raises(Exception, match="index must have the size"):
        call(name, *signature(name, index=(2, 3, 2, 2)), **RIGHT)


def test_an_index_that_names_no_cell_changes_nothing():
    dy, index = np.ones(Y, np.float32), np.full(Y, 200, np.uint8)
    dx = native.call("max_pool_gradient", jax.ShapeDtypeStruct(X, np.float32), dy, index, **RIGHT)
    assert not np.asarray(dx).any()


def test_a_window_of_too_many_cells_has_no_index():
    large = signature("max_pool_index", x=(1, 16, 16, 1), y=(1, 1, 1, 1))
    with pytest.raises(Exception, match="at most 255 cells"):
        call("max_pool_index", *large, window=(16, 16), strides=(1, 1), padding=(0, 0, 0, 0))


@pytest.mark.parametrize("name", NAMES)
def test_a_window_of_more_cells_than_numbers_is_refused(name):
    far = 2**40
    attributes = {"window": (far, far), "strides": (far, far), "padding": (far - 1,) * 4}
    with pytest.raises(jax.errors.JaxRuntimeError, match=name):
        call(name, *signature(name, x=(1, 1, 1, 3), y=(1, 1, 1, 3)), **attributes, **extra(name))
