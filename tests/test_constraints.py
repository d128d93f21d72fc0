"""Projections of weights: what holds afterwards, and what is left alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule import constraints
from chainrule._base.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from chainrule._base.registry import from_config, to_config
from chainrule.constraints import MaxNorm, MinMaxNorm, NonNegative, UnitNorm

W = np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32) * np.array([0.1, 1, 3, 0], np.float32)
NORMS = np.linalg.norm(W.astype(np.float64), axis=0)  # of each unit's incoming weights


def norms(weight):
    return np.linalg.norm(np.asarray(weight, np.float64), axis=0)


def test_max_norm_shortens_only_what_is_too_long():
    """C127: units above the limit come down to it; the others are the same bits."""
    assert NORMS[0] < 1.5 < NORMS[2]
    projected = np.asarray(MaxNorm(1.5)(jnp.asarray(W)))
    np.testing.assert_allclose(norms(projected), np.minimum(NORMS, 1.5), rtol=1e-6)
    np.testing.assert_array_equal(projected[:, NORMS < 1.5], W[:, NORMS < 1.5])
    np.testing.assert_allclose(projected[:, 2], W[:, 2] * 1.5 / NORMS[2], rtol=1e-6)  # the direction stays


def test_non_negative():
    """C127: negative weights become 0."""
    np.testing.assert_array_equal(NonNegative()(jnp.asarray(W)), np.where(W > 0, W, 0))


def test_unit_norm_and_a_weight_without_direction():
    """C127: norm 1 exactly, and 0 stays 0 instead of NaN."""
    np.testing.assert_allclose(norms(UnitNorm()(jnp.asarray(W))), [1, 1, 1, 0], rtol=1e-6)


@pytest.mark.parametrize("rate", [1.0, 0.25])
def test_min_max_norm_goes_the_share_of_the_way(rate):
    """C127: norms are drawn into [0.5, 1.5], at once or by a share."""
    expected = (1 - rate) * NORMS + rate * np.clip(NORMS, 0.5, 1.5)
    expected[3] = 0  # no direction in which to grow
    np.testing.assert_allclose(norms(MinMaxNorm(0.5, 1.5, rate)(jnp.asarray(W))), expected, rtol=1e-6)


def test_convolution_kernels_are_constrained_by_unit():
    kernel = np.random.default_rng(3).normal(size=(2, 3, 4, 5)).astype(np.float32)
    projected = UnitNorm()(jnp.asarray(kernel))
    np.testing.assert_allclose(norms(np.asarray(projected).reshape(-1, 5)), np.ones(5), rtol=1e-6)


@pytest.mark.parametrize(("axis", "kept"), [(0, (4,)), (1, (5,)), ((0, 1), ()), (-1, (5,))])
def test_axis_may_be_chosen(axis, kept):
    weight = np.abs(W) + 1
    length = np.sqrt((np.asarray(UnitNorm(axis)(jnp.asarray(weight)), np.float64) ** 2).sum(axis=axis))
    assert length.shape == kept
    np.testing.assert_allclose(length, np.ones(kept), rtol=1e-6)


def test_a_vector_is_one_whole():
    np.testing.assert_allclose(MaxNorm(1.0)(jnp.array([3.0, 4.0])), [0.6, 0.8], rtol=1e-6)


CONSTRAINTS = [MaxNorm(1.5), NonNegative(), UnitNorm((0, 1)), MinMaxNorm(0.5, 1.5, 0.5, 0)]


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_dtype_is_kept_under_strict_promotion(constraint):
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        half = constraint(jnp.asarray(W).astype(jnp.bfloat16))
    assert half.dtype == jnp.bfloat16
    np.testing.assert_allclose(half.astype(jnp.float32), constraint(jnp.asarray(W)), rtol=0.02, atol=1e-6)  # 8 bits


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_config_round_trip(constraint):
    assert from_config(to_config(constraint)) == constraint


def test_project_touches_only_the_named_weights():
    """C127: by path, after an update."""
    params = {"a": {"kernel": jnp.array([-1.0, 2.0])}, "b": {"kernel": jnp.array([-3.0])}}
    projected = constraints.project(params, {"a/kernel": NonNegative()})
    assert projected["a"]["kernel"].tolist() == [0.0, 2.0]
    assert projected["b"]["kernel"] is params["b"]["kernel"]
    with pytest.raises(ArgumentError, match=r"no weight at 'a/kernl'.* Did you mean 'a/kernel'"):
        constraints.project(params, {"a/kernl": NonNegative()})


def test_lookup_and_errors():
    assert constraints.get("non_neg") == NonNegative()
    assert constraints.get(None) is None
    assert constraints.get(jnp.abs) is jnp.abs
    with pytest.raises(UnknownNameError, match="Did you mean 'max_norm'"):
        constraints.get("maxnrm")
    with pytest.raises(ArgumentTypeError, match="parentheses"):
        constraints.get(MaxNorm)
    with pytest.raises(ArgumentError, match="max_value"):
        MinMaxNorm(2.0, 1.0)
    with pytest.raises(ArgumentTypeError, match="axis"):
        UnitNorm(0.5)
