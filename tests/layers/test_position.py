"""Position encodings against the paper's formula and against indexing."""

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ShapeError
from chainrule.core import Input
from chainrule.layers import PositionEmbedding, SinusoidalPositionalEncoding


@pytest.mark.parametrize("size", [6, 7, 1])
def test_waves_are_those_of_the_paper(size):
    x = np.random.default_rng(0).normal(size=(2, 50, size))
    found = np.asarray(SinusoidalPositionalEncoding().call({}, jnp.asarray(x, jnp.float32)))
    for position in (0, 1, 7, 49):
        for place in range(size):
            angle = position / 10000 ** (2 * (place // 2) / size)
            wave = np.sin(angle) if place % 2 == 0 else np.cos(angle)
            np.testing.assert_allclose(found[:, position, place], x[:, position, place] + wave, rtol=1e-4, atol=2e-5)


def test_shifting_by_a_step_is_the_same_rotation_everywhere():
    """What the paper chose them for: the waves at pos + k are a linear map of those at pos."""
    waves = np.asarray(SinusoidalPositionalEncoding(100.0).call({}, jnp.zeros((1, 30, 8))))[0]
    shift, *_ = np.linalg.lstsq(waves[:20], waves[3:23], rcond=None)
    np.testing.assert_allclose(waves[7:27] @ shift, waves[10:30], atol=1e-3)


def test_learned_positions_are_rows_of_the_table():
    table = np.arange(12.0).reshape(4, 3)
    found = PositionEmbedding(4).call({"position_embeddings": jnp.asarray(table)}, jnp.ones((2, 3, 3)))
    np.testing.assert_array_equal(found, 1 + np.broadcast_to(table[:3], (2, 3, 3)))
    assert PositionEmbedding(4)(Input((None, 3))).shape[2] == 3


def test_sequences_longer_than_the_table_are_refused():
    with pytest.raises(ShapeError, match="at most sequence_length=4 steps; received 5"):
        PositionEmbedding(4)(Input((5, 3)))
    with pytest.raises(ArgumentError, match="sequence_length must be an integer of at least 1"):
        PositionEmbedding(0)
    with pytest.raises(ArgumentError, match="max_wavelength must be a finite number above 0"):
        SinusoidalPositionalEncoding(0)
