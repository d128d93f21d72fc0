"""Reshaping layers against NumPy's own rearrangements."""

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ShapeError
from chainrule.core import Input
from chainrule.layers import Flatten, Permute, RepeatVector, Reshape

X = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Flatten(), X.reshape(2, 60)),
        (Reshape((4, 15)), X.reshape(2, 4, 15)),
        (Reshape((-1, 6)), X.reshape(2, 10, 6)),
        (Reshape((60,)), X.reshape(2, 60)),
        (Permute((2, 3, 1)), X.transpose(0, 2, 3, 1)),
        (Permute((3, 2, 1)), X.transpose(0, 3, 2, 1)),
    ],
)
def test_layer_rearranges_as_numpy_does(layer, expected):
    np.testing.assert_array_equal(layer.call({}, jnp.asarray(X)), expected)


def test_repeat_vector_repeats_along_a_new_second_axis():
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(RepeatVector(4).call({}, jnp.asarray(x)), np.repeat(x[:, None], 4, 1))


def test_flatten_of_one_number_an_example_gives_one_column():
    np.testing.assert_array_equal(Flatten().call({}, jnp.arange(3.0)), [[0], [1], [2]])


def test_sizes_that_vary_pass_through_where_they_can():
    assert str(Permute((2, 1))(Input((None, 3))).shape) == "(b, 3, t)"
    assert str(Flatten()(Input((None, 3))).shape) == "(b, 3*t)"


def test_wrong_arguments_and_shapes_say_what_to_do():
    with pytest.raises(ShapeError, match=r"as many entries.*received shape \(b, 12\) with 12 entries"):
        Reshape((5, 2))(Input(12))
    with pytest.raises(ShapeError, match="as many entries"):
        Reshape((5, -1))(Input(12))
    with pytest.raises(ArgumentError, match="at most one -1"):
        Reshape((-1, -1))
    with pytest.raises(ArgumentError, match="target_shape must be a tuple of integers; received 4"):
        Reshape(4)
    with pytest.raises(ArgumentError, match="dims must name each axis from 1 to 2 once"):
        Permute((0, 1))
    with pytest.raises(ShapeError, match=r"must have 3 axes.*received shape \(b, 5\)"):
        Permute((2, 1))(Input(5))
    with pytest.raises(ShapeError, match=r"must have 2 axes.*received shape \(b, 5, 3\)"):
        RepeatVector(2)(Input((5, 3)))
    with pytest.raises(ArgumentError, match="n must be an integer of at least 1"):
        RepeatVector(0)
