"""Layers of fixed arithmetic."""

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule._base.registry import to_config
from chainrule.core import Input
from chainrule.layers import Lambda, Normalization, Rescaling

X = np.random.default_rng(2).normal(5, 3, (4, 3, 2))


def test_rescaling_scales_and_shifts_integers_too():
    np.testing.assert_allclose(Rescaling(2, -1).call({}, jnp.asarray(X, jnp.float32)), 2 * X - 1, rtol=1e-6)
    pixels = Rescaling(1 / 255).call({}, np.array([[0, 51, 255]], np.uint8))
    np.testing.assert_allclose(pixels, [[0, 0.2, 1]], rtol=1e-6)


@pytest.mark.parametrize("axis", [1, -1])
def test_normalization_standardises_with_the_given_constants(axis):
    mean, variance = X.mean(axis=tuple({0, 1, 2} - {axis % 3})), X.var(axis=tuple({0, 1, 2} - {axis % 3}))
    layer = Normalization(tuple(mean.tolist()), tuple(variance.tolist()), axis=axis)
    y = np.asarray(layer.call({}, jnp.asarray(X, jnp.float32)))
    wide = tuple(size if i == axis % 3 else 1 for i, size in enumerate(X.shape))
    np.testing.assert_allclose(y, (X - mean.reshape(wide)) / np.sqrt(variance.reshape(wide)), rtol=1e-4, atol=1e-5)


def test_normalization_with_single_numbers_and_a_constant_feature():
    np.testing.assert_allclose(Normalization(1.0, 4.0).call({}, jnp.array([[5.0, -1.0]])), [[2, -1]])
    y = Normalization((1.0, 7.0), (4.0, 0.0)).call({}, jnp.array([[5.0, 7.0]]))
    np.testing.assert_allclose(y, [[2, 0]])


def test_lambda_applies_a_function_of_several_inputs():
    layer = Lambda(lambda a, b: a - 2 * b)
    np.testing.assert_array_equal(layer.call({}, jnp.array([[5.0]]), jnp.array([[1.0]])), [[3]])
    assert str(layer(Input(3), Input(3)).shape) == "(b, 3)"


def test_lambda_of_an_unregistered_function_cannot_be_saved():
    def doubled(x):
        return 2 * x

    with pytest.raises(ArgumentError, match=r"'doubled' has no registered name.*chainrule\.register"):
        to_config(Lambda(doubled))


def test_wrong_arguments_and_shapes_say_what_to_do():
    with pytest.raises(ArgumentError, match="as many entries as each other; received 2 and 1"):
        Normalization((1.0, 2.0), (1.0,))
    with pytest.raises(ArgumentError, match="variance must be a finite number at least 0; received -1"):
        Normalization(0.0, (1.0, -1.0))
    with pytest.raises(ShapeError, match=r"axis 1 of the input must be 2.*received shape \(b, 3\)"):
        Normalization((1.0, 2.0), (1.0, 1.0))(Input(3))
    with pytest.raises(ArgumentTypeError, match="function must be callable; received 3"):
        Lambda(3)
    with pytest.raises(ArgumentTypeError, match="scale must be a finite number"):
        Rescaling("2")
