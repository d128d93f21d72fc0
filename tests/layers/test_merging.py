"""Merging layers against NumPy."""

import functools

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ShapeError
from chainrule.core import Input
from chainrule.layers import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract

RNG = np.random.default_rng(6)
A, B, C = (RNG.normal(size=shape) for shape in ((2, 3, 4), (2, 3, 4), (2, 1, 4)))


def merged(layer, *inputs):
    return layer.call({}, *(jnp.asarray(x, jnp.float32) for x in inputs))


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (Add(), np.add),
        (Multiply(), np.multiply),
        (Maximum(), np.maximum),
        (Minimum(), np.minimum),
        (Average(), lambda a, b: (a + b) / 2),
        (Subtract(), np.subtract),
    ],
)
def test_two_inputs_are_merged_element_by_element(layer, function):
    """C50: layers of several inputs; an axis of size 1 is shared."""
    np.testing.assert_allclose(merged(layer, A, B), function(A, B), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(merged(layer, A, C), function(A, C), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("layer", "function"),
    [(Add(), np.add), (Multiply(), np.multiply), (Maximum(), np.maximum), (Minimum(), np.minimum)],
)
def test_three_inputs_are_merged_one_after_another(layer, function):
    expected = functools.reduce(function, (A, B, C))
    np.testing.assert_allclose(merged(layer, A, B, C), expected, rtol=1e-5, atol=1e-6)


def test_average_of_three_is_their_mean():
    np.testing.assert_allclose(merged(Average(), A, B, A + 1), (2 * A + B + 1) / 3, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("axis", [1, 2, -1, -2])
def test_concatenate_joins_along_its_axis(axis):
    other = RNG.normal(size=(2, 5, 4) if axis in (1, -2) else (2, 3, 5))
    np.testing.assert_array_equal(
        merged(Concatenate(axis), A, other, A), np.concatenate([A, other, A], axis).astype(np.float32)
    )


@pytest.mark.parametrize(
    ("axes", "left", "right", "formula"),
    [
        (-1, (2, 3), (2, 3), "bi,bi->b"),
        (1, (2, 3, 4), (2, 3, 5), "bij,bik->bjk"),
        ((2, 1), (2, 3, 4), (2, 4, 5), "bij,bjk->bik"),
        ((1, 1), (2, 3), (2, 3, 5), "bi,bik->bk"),
    ],
)
def test_dot_sums_products_over_its_axes(axes, left, right, formula):
    x, y = RNG.normal(size=left), RNG.normal(size=right)
    expected = np.einsum(formula, x, y)
    expected = expected[:, None] if expected.ndim == 1 else expected
    np.testing.assert_allclose(merged(Dot(axes), x, y), expected, rtol=1e-5, atol=1e-6)


def test_normalized_dot_is_the_cosine():
    x, y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))
    cosine = (x * y).sum(-1) / np.linalg.norm(x, axis=-1) / np.linalg.norm(y, axis=-1)
    np.testing.assert_allclose(merged(Dot(normalize=True), x, y)[:, 0], cosine, rtol=1e-5)


def test_symbols_may_come_as_a_list():
    left, right = Input(3), Input(4)
    assert str(Concatenate()([left, right]).shape) == "(b, 7)"
    assert str((left + Input(3)).shape) == "(b, 3)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Add()(Input(3)), "Add: must be called on at least two inputs; received 1"),
        (lambda: Add()(Input(3), Input(4)), r"equal size or size 1; received shapes \(b, 3\) and \(b, 4\)"),
        (lambda: Add()(Input(3), Input((2, 3))), "as many axes as each other"),
        (lambda: Subtract()(Input(3), Input(3), Input(3)), "called on two inputs; received 3"),
        (lambda: Concatenate()(Input((2, 3)), Input((4, 3))), "equal sizes on every axis but axis 2"),
        (lambda: Concatenate(axis=0)(Input(3), Input(3)), "axis 0 is the batch"),
        (lambda: Dot()(Input(3), Input(4)), r"must have equal sizes; received shapes.*axes \(1, 1\)"),
        (lambda: Dot()(Input(3)), "called on two inputs; received 1"),
    ],
)
def test_wrong_inputs_say_what_to_do(call, message):
    with pytest.raises(ShapeError, match=message):
        call()


def test_dot_takes_one_axis_or_a_pair():
    with pytest.raises(ArgumentError, match="axes must be one axis or a pair"):
        Dot(axes=(1, 2, 3))
