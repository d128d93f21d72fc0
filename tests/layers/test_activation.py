"""Activation layers against their formulas in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ShapeError, UnknownNameError
from chainrule._base.spec import batched
from chainrule.core import Input
from chainrule.core.layer import make_variables
from chainrule.layers import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax

X = np.array([[-2.0, -0.5, 0.0], [0.25, 1.0, -4.0]])


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Activation("tanh"), np.tanh(X)),
        (Activation(jnp.sin), np.sin(X)),
        (ReLU(), np.maximum(X, 0)),
        (ReLU(max_value=1.25), np.clip(X, 0, 1.25)),
        (LeakyReLU(), np.where(X > 0, X, 0.1 * X)),
        (LeakyReLU(0.3), np.where(X > 0, X, 0.3 * X)),
        (ELU(2.0), np.where(X > 0, X, 2 * (np.exp(X) - 1))),
        (Softmax(), np.exp(X) / np.exp(X).sum(-1, keepdims=True)),
    ],
)
def test_layer_applies_its_formula(layer, expected):
    np.testing.assert_allclose(layer.call({}, jnp.asarray(X, jnp.float32)), expected, rtol=1e-6, atol=1e-7)


def test_softmax_layer_takes_another_axis_but_never_the_batch():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    y = Softmax(axis=1).call({}, jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(y, np.exp(x) / np.exp(x).sum(1, keepdims=True), rtol=1e-6)
    with pytest.raises(ShapeError, match="axis 0 is the batch; received axis=0"):
        Softmax(axis=0)(Input((3, 4)))


def test_prelu_multiplies_negative_inputs_by_its_slopes():
    """C29: max(0, z) + alpha · min(0, z), one slope for each feature."""
    alpha = np.array([0.5, 0.25, 2.0])
    y = PReLU().call({"alpha": jnp.asarray(alpha, jnp.float32)}, jnp.asarray(X, jnp.float32))
    np.testing.assert_allclose(y, np.maximum(0, X) + alpha * np.minimum(0, X))


def test_prelu_slope_is_a_parameter_and_learns():
    """C29: the slope starts at 0.25 and moves towards the 0.7 that made the data."""
    layer, x = PReLU(), jnp.asarray(np.linspace(-2, 2, 9).reshape(9, 1), jnp.float32)
    target = jnp.where(x > 0, x, 0.7 * x)
    params = make_variables(layer.weights(batched((1,))), jax.random.key(0)).params
    np.testing.assert_array_equal(params["alpha"], [0.25])
    slope = jax.jit(jax.grad(lambda p: jnp.mean(jnp.square(layer.call(p, x) - target))))
    for _ in range(20):
        params = jax.tree.map(lambda p, g: p - 0.5 * g, params, slope(params))
    np.testing.assert_allclose(params["alpha"], [0.7], atol=1e-3)


def test_prelu_shares_slopes_along_axes():
    declared = PReLU(shared_axes=(1, 2)).weights(batched((None, 5, 3)))
    assert declared["alpha"].shape == (1, 1, 3)
    with pytest.raises(ShapeError, match="known size"):
        PReLU()(Input((None, 3)))


def test_wrong_arguments_say_what_to_do():
    with pytest.raises(UnknownNameError, match="Did you mean 'sigmoid'"):
        Activation("sigmoyd")
    with pytest.raises(ArgumentError, match="negative_slope must be a finite number at least 0"):
        LeakyReLU(-0.1)
    with pytest.raises(ArgumentError, match="max_value must be a finite number above 0; received 0"):
        ReLU(max_value=0)
    with pytest.raises(ArgumentError, match="shared_axes must be a tuple of integers; received 1"):
        PReLU(shared_axes=1)
