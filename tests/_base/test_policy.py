"""Dtypes of a model by name, and what is cast."""

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError
from chainrule._base.policy import Policy, cast_floats, wide_dtype, widen
from chainrule._base.registry import from_config, to_config


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("float32", ("float32", "float32", "float32")),
        ("mixed_bfloat16", ("float32", "bfloat16", "float32")),
        ("bfloat16", ("bfloat16", "bfloat16", "float32")),
    ],
)
def test_named_policies(name, expected):
    policy = Policy.named(name)
    assert (policy.param, policy.compute, policy.output) == expected
    assert Policy.named(policy) is policy
    assert from_config(to_config(policy)) == policy


def test_an_unknown_policy_is_suggested():
    with pytest.raises(ArgumentError, match="Did you mean 'mixed_bfloat16'"):
        Policy.named("mixed_float16")


def test_only_floats_are_cast_and_the_right_ones_are_passed_on():
    tree = {
        "x": jnp.ones((2, 3)),
        "n": jnp.arange(4),
        "mask": jnp.array([True]),
        "deep": {"y": jnp.ones(5, jnp.bfloat16)},
    }
    cast = Policy.named("mixed_bfloat16").cast_compute(tree)
    assert {"x": cast["x"].dtype, "n": cast["n"].dtype, "mask": cast["mask"].dtype} == {
        "x": jnp.bfloat16,
        "n": tree["n"].dtype,
        "mask": jnp.bool_,
    }
    assert cast["deep"]["y"] is tree["deep"]["y"]
    assert tree["x"].dtype == jnp.float32
    assert Policy.named("mixed_bfloat16").cast_output(cast)["x"].dtype == jnp.float32


def test_casting_rounds_to_the_nearest():
    """bfloat16 keeps eight bits: 1 + 2⁻⁸ is half way and rounds to even, 1 + 3·2⁻⁸ rounds up."""
    x = np.array([1 + 2**-8, 1 + 3 * 2**-8], np.float32)
    cast = cast_floats({"x": jnp.asarray(x)}, "bfloat16")["x"].astype(jnp.float32)
    np.testing.assert_array_equal(cast, np.float32([1.0, 1 + 2**-6]))


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("float16", "float32"), ("bfloat16", "float32"), ("int8", "float32"), ("float32", "float32")],
)
def test_sums_are_accumulated_in_float32_at_least(dtype, expected):
    assert wide_dtype(dtype) == jnp.dtype(expected)
    assert widen(jnp.ones(3, dtype)).dtype == jnp.dtype(expected)
