"""Neurons as matrix products, chains that collapse, and the two-layer formula."""

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import GraphError
from chainrule.core import Input
from chainrule.explain import collapse_linear, feed_forward
from chainrule.layers import Add, Dense, Flatten, ReLU
from chainrule.models import Model, Sequential


def test_scalar_sum_and_matrix_form_of_a_neuron_agree():
    """C12: x0w0 + x1w1 + x2w2 = Σ x_i w_i = wᵀx."""
    x, w = np.array([0.8, 0.1, 0.3], np.float32), np.array([0.3, 0.5, 0.6], np.float32)
    scalar = x[0] * w[0] + x[1] * w[1] + x[2] * w[2]
    layer = Dense(1, use_bias=False).call({"kernel": jnp.asarray(w[:, None])}, x[None])
    np.testing.assert_allclose([scalar, sum(a * b for a, b in zip(x, w, strict=True)), w @ x], layer[0, 0], rtol=1e-6)


def test_worked_matrix_example():
    """C59: [[1,2],[3,4]] × [5,6] + [7,8] = [24, 47], with the kernel laid out as [in, out]."""
    params = {"kernel": jnp.array([[1.0, 2.0], [3.0, 4.0]]).T, "bias": jnp.array([7.0, 8.0])}
    np.testing.assert_array_equal(Dense(2).call(params, jnp.array([[5.0, 6.0]])), [[24.0, 47.0]])


def test_chain_of_scalar_weights_collapses_to_their_product():
    """C36: y0 = x0 w0 w1 w2 w3 = x0 w_c."""
    model = Sequential([Input(1)] + [Dense(1, use_bias=False) for _ in range(4)])
    model.set_weights(
        {f"dense{s}/kernel": [[w]] for s, w in zip(["", "_1", "_2", "_3"], [2.0, -3, 0.5, 7], strict=True)}
    )
    collapsed = collapse_linear(model)
    assert collapsed.kernel.item() == pytest.approx(-21)
    assert collapsed.bias.item() == 0


def test_chain_of_matrices_collapses_and_equals_the_model():
    """C36: kernels multiply, biases pass through what follows them."""
    model = Sequential([Input((2, 2)), Flatten(), Dense(5), Dense(3)], seed=1)
    model.set_weights({"dense/bias": np.arange(5.0), "dense_1/bias": [1.0, 2.0, 3.0]})
    w = {path: array.astype(np.float64) for path, array in model.get_weights().items()}
    kernel, bias = collapse_linear(model)
    np.testing.assert_allclose(kernel, w["dense/kernel"] @ w["dense_1/kernel"], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(bias, np.arange(5.0) @ w["dense_1/kernel"] + [1.0, 2.0, 3.0], rtol=1e-10)
    x = np.random.default_rng(0).normal(size=(6, 2, 2)).astype(np.float32)
    np.testing.assert_allclose(x.reshape(6, 4) @ kernel + bias, model.predict(x), rtol=1e-4, atol=1e-5)  # float32


def test_branches_collapse_too():
    x = Input(3)
    model = Model(x, Add()(Dense(3, use_bias=False)(x), x), seed=2)
    kernel, _ = collapse_linear(model)
    np.testing.assert_allclose(kernel, model.get_weights()["dense/kernel"] + np.eye(3), rtol=1e-6)


def test_nonlinear_models_do_not_collapse():
    """C36: the layer with the activation is named."""
    with pytest.raises(GraphError, match="dense_1 has the activation 'tanh'"):
        collapse_linear(Sequential([Input(2), Dense(3), Dense(2, "tanh")]))
    with pytest.raises(GraphError, match=r"not linear in its input.*\(ReLU\)"):
        collapse_linear(Sequential([Input(2), Dense(3), ReLU()]))
    x, y = Input(2), Input(2)
    with pytest.raises(GraphError, match="one input"):
        collapse_linear(Model([x, y], Add()(x, y)))


def test_feed_forward_as_written_equals_the_two_layer_model():
    """C60 C264: A(A(X W_h) W_o) is the model of two ReLU layers without biases."""
    model = Sequential([Input(3), Dense(5, "relu", use_bias=False), Dense(2, "relu", use_bias=False)], seed=7)
    w = model.get_weights()
    x = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    ours = feed_forward(x, w["dense/kernel"], w["dense_1/kernel"])
    by_hand = np.maximum(0, np.maximum(0, x @ w["dense/kernel"]) @ w["dense_1/kernel"])
    assert by_hand.any()
    np.testing.assert_allclose(ours, by_hand, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours, model.predict(x), rtol=1e-5, atol=1e-6)


def test_depth_as_nested_sigmoids():
    """C37 C39: y = σ(x w0) w1: with an activation the weights no longer multiply into one."""
    model = Sequential([Input(1), Dense(1, "sigmoid", use_bias=False), Dense(1, use_bias=False)])
    model.set_weights({"dense/kernel": [[1.5]], "dense_1/kernel": [[-2.0]]})
    assert model.predict(np.array([[0.4]], np.float32)).item() == pytest.approx(-2 / (1 + np.exp(-0.6)), rel=1e-6)
