"""Optax transformations in the place of an optimizer."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from chainrule import optimizers as cro
from chainrule._base import tree as trees
from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule._base.registry import to_config

PARAMS = {"dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)}}


def test_a_chain_with_injected_state_equals_optax_itself():
    chain = optax.chain(optax.clip_by_global_norm(0.5), optax.adam(optax.linear_schedule(0.1, 0.0, 10)))
    ours, state = cro.get(chain), cro.get(chain).init(PARAMS)
    theirs_state, params, theirs = chain.init(PARAMS), PARAMS, PARAMS
    for step in range(5):
        grads = jax.tree.map(lambda leaf, step=step: leaf * (step + 1), PARAMS)
        params, state = ours.apply_gradients(grads, state, params, step=step)
        increments, theirs_state = chain.update(grads, theirs_state, theirs)
        theirs = optax.apply_updates(theirs, increments)
    np.testing.assert_array_equal(params["dense"]["kernel"], theirs["dense"]["kernel"])
    assert float(params["dense"]["bias"][0]) < 0.8


def test_state_is_a_nested_dict_of_arrays():
    names = set(trees.flatten(cro.from_optax(optax.adam(0.1)).init(PARAMS)))
    assert names == {"0/count", "0/mu/dense/kernel", "0/mu/dense/bias", "0/nu/dense/kernel", "0/nu/dense/bias"}


def test_rate_is_unknown_and_rate_scale_scales_the_increments():
    optimizer = cro.from_optax(optax.sgd(0.5))
    assert optimizer.rate(0) is None
    increments, _ = optimizer.update(PARAMS, {}, PARAMS, step=0, rate_scale=jnp.float32(0.5))
    assert increments["dense"]["bias"].tolist() == [-0.25] * 3


def test_errors():
    with pytest.raises(ArgumentTypeError, match="init and update"):
        cro.FromOptax(0.1)
    with pytest.raises(ArgumentError, match="cannot be stored"):
        to_config(cro.from_optax(optax.sgd(0.1)))
    with pytest.raises(ArgumentError, match="0/mu/dense/bias"):
        cro.from_optax(optax.adam(0.1)).update(PARAMS, {}, PARAMS, step=0)
