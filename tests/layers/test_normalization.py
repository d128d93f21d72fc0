"""Normalisation layers against NumPy float64, in training and in inference."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.spec import batched
from chainrule.core import Context, Graph, Input, Variables
from chainrule.core.layer import make_variables
from chainrule.layers import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)

RNG = np.random.default_rng(8)
TRAINING = Context(training=True)
CLOSE = {"rtol": 1e-5, "atol": 1e-5}  # float32 sums of at most 60 numbers of size 1


def float32(x):
    return jnp.asarray(x, jnp.float32)


def batch_variables(channels, seed=0):
    rng = np.random.default_rng(seed)
    numbers = {name: rng.uniform(0.5, 2, channels) for name in ("gamma", "beta", "moving_mean", "moving_variance")}
    arrays = {name: float32(value) for name, value in numbers.items()}
    params = {name: arrays[name] for name in ("gamma", "beta")}
    state = {name: arrays[name] for name in ("moving_mean", "moving_variance")}
    return numbers, Variables(params, state)


def standard(x, axes, epsilon):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


@pytest.mark.parametrize("shape", [(6, 3), (4, 5, 3), (2, 3, 4, 3)])
def test_batch_normalization_trains_on_the_batch(shape):
    """C128: subtract the batch mean, divide by the deviation, then γh + β; running statistics move along."""
    x = RNG.normal(2, 3, shape)
    numbers, variables = batch_variables(3)
    layer = BatchNormalization(momentum=0.9, epsilon=0.01)
    y, state = layer.apply(variables, float32(x), context=TRAINING)
    axes = tuple(range(len(shape) - 1))
    np.testing.assert_allclose(y, numbers["gamma"] * standard(x, axes, 0.01) + numbers["beta"], **CLOSE)
    expected_mean = 0.9 * numbers["moving_mean"] + 0.1 * x.mean(axes)
    expected_variance = 0.9 * numbers["moving_variance"] + 0.1 * x.var(axes)
    np.testing.assert_allclose(state["moving_mean"], expected_mean, rtol=1e-5)
    np.testing.assert_allclose(state["moving_variance"], expected_variance, rtol=1e-5)


def test_fresh_batch_normalization_gives_mean_0_and_variance_1():
    """C128: train output has mean 0 and variance 1 (up to ε = 1e-3 of a variance of 9)."""
    layer, x = BatchNormalization(), RNG.normal(5, 3, (50, 4))
    variables = make_variables(layer.weights(batched((4,))), jax.random.key(0))
    y, _ = layer.apply(variables, float32(x), context=TRAINING)
    np.testing.assert_allclose(y.mean(0), np.zeros(4), atol=1e-5)
    np.testing.assert_allclose(y.var(0), np.ones(4), atol=1e-3)


def test_batch_normalization_infers_with_the_running_statistics():
    """C128: inference uses the running statistics, whatever the batch, and leaves them alone."""
    x = RNG.normal(2, 3, (6, 3))
    numbers, variables = batch_variables(3)
    y, state = BatchNormalization(epsilon=0.01).apply(variables, float32(x), context=Context())
    centred = (x - numbers["moving_mean"]) / np.sqrt(numbers["moving_variance"] + 0.01)
    np.testing.assert_allclose(y, numbers["gamma"] * centred + numbers["beta"], **CLOSE)
    assert state is variables.state


def test_padding_rows_do_not_count_in_the_statistics():
    """Rows of weight 0 change neither the other rows' outputs nor the running statistics; other weights count once."""
    x = RNG.normal(2, 3, (5, 4, 3))
    weight = np.array([1.0, 0.0, 2.5, 1.0, 0.0])
    _, variables = batch_variables(3)
    layer = BatchNormalization(momentum=0.5)
    padded = Context(training=True, weight=float32(weight))
    y, state = layer.apply(variables, float32(x), context=padded)
    expected, expected_state = layer.apply(variables, float32(x[weight > 0]), context=TRAINING)
    np.testing.assert_allclose(y[weight > 0], expected, **CLOSE)
    for name, value in expected_state.items():
        np.testing.assert_allclose(state[name], value, rtol=1e-6)
    unweighted, _ = layer.apply(variables, float32(x), context=TRAINING)
    assert not np.allclose(unweighted[weight > 0], expected, atol=1e-2)


def test_batch_normalization_takes_another_channel_axis():
    x = RNG.normal(size=(4, 3, 5))
    numbers, variables = batch_variables(3)
    y, _ = BatchNormalization(axis=1, epsilon=0.01).apply(variables, float32(x), context=TRAINING)
    scale, shift = (numbers[name].reshape(1, 3, 1) for name in ("gamma", "beta"))
    np.testing.assert_allclose(y, scale * standard(x, (0, 2), 0.01) + shift, **CLOSE)


@pytest.mark.parametrize(("center", "scale"), [(False, True), (True, False), (False, False)])
def test_gamma_and_beta_can_be_left_out(center, scale):
    spec, x = batched((4,)), RNG.normal(size=(5, 4))
    for kind in (BatchNormalization, LayerNormalization, lambda **given: GroupNormalization(2, **given)):
        layer = kind(center=center, scale=scale)
        declared = layer.weights(spec)
        assert ("beta" in declared, "gamma" in declared) == (center, scale)
        variables = make_variables(declared, jax.random.key(0))
        whole = kind()
        everything = make_variables(whole.weights(spec), jax.random.key(0))  # γ = 1 and β = 0
        y, _ = layer.apply(variables, float32(x), context=TRAINING)
        np.testing.assert_allclose(y, whole.apply(everything, float32(x), context=TRAINING)[0], **CLOSE)


def test_running_statistics_stay_in_float32_in_a_bfloat16_model():
    declared = BatchNormalization().weights(batched((3,)))
    variables = make_variables(declared, jax.random.key(0), jnp.bfloat16)
    assert {str(leaf.dtype) for leaf in variables.state.values()} == {"float32"}
    assert {str(leaf.dtype) for leaf in variables.params.values()} == {"bfloat16"}


def test_graph_carries_the_running_statistics_and_freezing_stops_them():
    x = Input(3)
    graph = Graph((x,), (BatchNormalization(momentum=0.5, name="norm")(x),))
    variables = graph.init(jax.random.key(0))
    batch = float32(RNG.normal(4, 1, (6, 3)))
    _, state = graph.apply(variables, batch, context=TRAINING)
    np.testing.assert_allclose(state["norm"]["moving_mean"], 0.5 * np.asarray(batch).mean(0), rtol=1e-5)
    frozen = Context(training=True, frozen=lambda path: path == "norm")
    output, state = graph.apply(variables, batch, context=frozen)
    np.testing.assert_array_equal(state["norm"]["moving_mean"], np.zeros(3))
    np.testing.assert_allclose(output, np.asarray(batch) / np.sqrt(1.001), rtol=1e-5)


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), (-1, -2)])
def test_layer_normalization_standardises_each_example(axis):
    x = RNG.normal(2, 3, (2, 4, 5))
    layer = LayerNormalization(axis=axis, epsilon=0.01)
    axes = tuple(sorted(a % 3 for a in np.atleast_1d(axis)))
    shape = tuple(x.shape[a] for a in axes)
    gamma, beta = RNG.uniform(0.5, 2, shape), RNG.normal(size=shape)
    assert layer.weights(batched((4, 5)))["gamma"].shape == shape
    wide = tuple(size if a in axes else 1 for a, size in enumerate(x.shape))
    expected = gamma.reshape(wide) * standard(x, axes, 0.01) + beta.reshape(wide)
    params = {"gamma": float32(gamma), "beta": float32(beta)}
    np.testing.assert_allclose(layer.call(params, float32(x)), expected, **CLOSE)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_normalization_standardises_positions_and_groups(groups):
    x = RNG.normal(2, 3, (2, 4, 5, 6))
    gamma, beta = RNG.uniform(0.5, 2, 6), RNG.normal(size=6)
    size = 6 // groups
    parts = [standard(x[..., g * size : (g + 1) * size], (1, 2, 3), 0.01) for g in range(groups)]
    params = {"gamma": float32(gamma), "beta": float32(beta)}
    y = GroupNormalization(groups, epsilon=0.01).call(params, float32(x))
    np.testing.assert_allclose(y, gamma * np.concatenate(parts, -1) + beta, **CLOSE)


@pytest.mark.parametrize("axis", [-1, (1, 2)])
def test_rms_normalization_divides_by_the_root_mean_square(axis):
    x = RNG.normal(2, 3, (2, 4, 5))
    axes = (2,) if axis == -1 else axis
    scale = RNG.uniform(0.5, 2, [x.shape[a] for a in axes])
    y = RMSNormalization(axis, epsilon=0.01).call({"scale": float32(scale)}, float32(x))
    np.testing.assert_allclose(y, scale * x / np.sqrt((x**2).mean(axes, keepdims=True) + 0.01), **CLOSE)


def test_unit_normalization_gives_length_1_and_keeps_zeros():
    x = RNG.normal(size=(3, 4))
    x[1] = 0
    y = np.asarray(UnitNormalization().call({}, float32(x)))
    np.testing.assert_allclose(np.linalg.norm(y, axis=-1), [1, 0, 1], rtol=1e-6)
    np.testing.assert_allclose(y[0], x[0] / np.linalg.norm(x[0]), **CLOSE)


def test_wrong_arguments_and_shapes_say_what_to_do():
    with pytest.raises(ArgumentError, match="epsilon must be a finite number above 0; received 0"):
        LayerNormalization(epsilon=0)
    with pytest.raises(ArgumentError, match="momentum must be"):
        BatchNormalization(momentum=1.5)
    with pytest.raises(ShapeError, match=r"multiple of groups=4; received shape \(b, 6\)"):
        GroupNormalization(4)(Input(6))
    with pytest.raises(ShapeError, match=r"axis must lie between 1 and 1.*received axis=2"):
        LayerNormalization(axis=2)(Input(6))
    with pytest.raises(ShapeError, match=r"known size.*received shape \(b, t\)"):
        BatchNormalization()(Input((None,)))
    _, variables = batch_variables(3)
    with pytest.raises(ShapeError, match="axis 1 of the input must be 3, as when it was built"):
        BatchNormalization().apply(variables, jnp.ones((2, 4)), context=Context())
