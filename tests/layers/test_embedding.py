"""Embedding against indexing in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule.core import Input
from chainrule.layers import Embedding

TABLE = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
PARAMS = {"embeddings": jnp.asarray(TABLE)}


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int8"])
def test_embedding_looks_up_rows(dtype):
    ids = np.array([[0, 4, 2, 1], [3, 3, 0, 2]], dtype)
    np.testing.assert_array_equal(Embedding(5, 3).call(PARAMS, ids), TABLE[ids])


def test_embedding_is_a_one_hot_product():
    ids = np.array([4, 1])
    np.testing.assert_allclose(Embedding(5, 3).call(PARAMS, ids), np.eye(5)[ids] @ TABLE, rtol=1e-6)


@pytest.mark.parametrize("outside", [-1, -5, 5, 1000])
def test_indices_outside_the_table_give_nan_when_compiled(outside):
    found = np.asarray(jax.jit(Embedding(5, 3).call)(PARAMS, jnp.array([[1, outside]])))
    np.testing.assert_array_equal(found[0, 0], TABLE[1])
    assert np.isnan(found[0, 1]).all()


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        (
            [[1, 2], [0, 9], [7, 0]],
            r"input must hold integers from 0 to 4.*received 9 in row 1 \(2 bad of 3.*least 10,",
        ),
        ([[1, 2], [-3, 0]], r"received -3 in row 1 \(1 bad of 2 rows.*Shift the values to begin at 0"),
        ([4, 5], "received 5 in row 1"),
        (5, "received 5 in row 0"),
    ],
)
def test_indices_outside_the_table_are_refused_by_row(indices, message):
    with pytest.raises(ArgumentError, match=message):
        Embedding(5, 3).call(PARAMS, jnp.array(indices))


def test_no_index_is_no_fault():
    assert Embedding(5, 3).call(PARAMS, jnp.zeros((0, 4), int)).shape == (0, 4, 3)


def test_gradient_reaches_the_rows_that_were_used_as_often_as_they_were():
    slope = jax.grad(lambda params: Embedding(5, 3).call(params, jnp.array([1, 1, 4])).sum())(PARAMS)
    np.testing.assert_array_equal(slope["embeddings"], np.array([0, 2, 0, 0, 1])[:, None] * np.ones((5, 3)))


def test_floats_are_refused():
    with pytest.raises(ArgumentTypeError, match=r"must hold integers.*received dtype float32.*dtype='int32'"):
        Embedding(5, 3)(Input(4))
    with pytest.raises(ArgumentError, match="input_dim must be an integer of at least 1; received 0"):
        Embedding(0, 3)
