"""The batch normalisation handlers on arrays that do not belong together: an error each time, never a crash."""

import jax
import numpy as np
import pytest

from chainrule.ops import native

pytestmark = pytest.mark.skipif(not native.enabled(), reason="needs the kernels")

SHAPES = {"dy": (4, 2, 3, 9), "x": (4, 2, 3, 9), "weight": (4,), "y": (4, 2, 3, 9)}
VECTORS = ("gamma", "beta", "mean", "variance", "dmean", "dvariance", "dgamma", "dbeta")
HANDLERS = {
    "batch_norm_forward": (("x", "weight", "gamma", "beta"), ("y", "mean", "variance")),
    "batch_norm_backward": (
        ("dy", "x", "weight", "gamma", "beta", "mean", "variance", "dmean", "dvariance"),
        ("y", "dgamma", "dbeta"),
    ),
}
WRONG = [
    {"x": (4, 2, 3, 8)},
    {"x": (4, 3, 2, 9)},
    {"x": (9,)},
    {"y": (4, 2, 3, 10)},
    {"y": (4, 2, 27)},
    {"weight": (3,)},
    {"weight": (4, 1)},
    {"weight": ()},
    {"gamma": (8,)},
    {"beta": (9, 1)},
    {"mean": (10,)},
    {"variance": (1,)},
    {"epsilon": -1.0},
    {"epsilon": float("nan")},
    {"epsilon": float("inf")},
]


def call(name, epsilon=1e-3, **changes):
    shapes = SHAPES | dict.fromkeys(VECTORS, (9,)) | changes
    inputs, outputs = HANDLERS[name]
    arrays = [np.zeros(shapes[one], np.float32) for one in inputs]
    specs = [jax.ShapeDtypeStruct(shapes[one], np.float32) for one in outputs]
    return jax.block_until_ready(native.call(name, specs, *arrays, epsilon=epsilon, relu=True))


@pytest.mark.parametrize("name", HANDLERS)
@pytest.mark.parametrize("weight", [(4,), (0,)])
def test_what_belongs_together_is_computed(name, weight):
    assert not any(np.asarray(result).any() for result in call(name, weight=weight))


@pytest.mark.parametrize("change", WRONG, ids=str)
@pytest.mark.parametrize("name", HANDLERS)
def test_wrong_sizes_and_attributes_are_refused(name, change):
    with pytest.raises(jax.errors.JaxRuntimeError, match=f"chainrule_{name}"):
        call(name, **change)


def test_gradients_of_other_shapes_are_refused():
    for change in ({"dy": (4, 2, 3, 8)}, {"dmean": (8,)}, {"dvariance": (9, 1)}, {"dgamma": (3,)}, {"dbeta": (10,)}):
        with pytest.raises(jax.errors.JaxRuntimeError, match="chainrule_batch_norm_backward"):
            call("batch_norm_backward", **change)
