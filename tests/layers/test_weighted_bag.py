import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.core import Context, Variables
from chainrule.errors import ArgumentTypeError
from chainrule.layers import WeightedBag

RNG = np.random.default_rng(0)
KERNEL, SCALE, BIAS = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 3)), RNG.normal(size=3)
VARIABLES = Variables(
    {"kernel": jnp.asarray(KERNEL, jnp.float32), "bias": jnp.asarray(BIAS, jnp.float32)},
    {"scale": jnp.asarray(SCALE, jnp.float32)},
)


def run(x):
    return np.asarray(WeightedBag(7, 3).apply(VARIABLES, jnp.asarray(x, jnp.int32), context=Context())[0])


def test_it_is_a_dense_layer_on_counts():
    x = RNG.integers(0, 7, (5, 2, 4))
    counts = np.array([np.bincount(row.ravel(), minlength=7) for row in x], float)
    counts[:, 0] = 0  # padding
    np.testing.assert_allclose(run(x), counts @ (KERNEL * SCALE) + BIAS, rtol=1e-5, atol=1e-5)  # sums of 8 float32


def test_padding_and_order_do_not_matter():
    np.testing.assert_allclose(run([[3, 5, 3]]), run([[0, 3, 0, 3, 5, 0]]), rtol=1e-6, atol=1e-6)  # sums of 3


def test_an_empty_text_gets_the_bias():
    np.testing.assert_allclose(run([[0, 0]]), BIAS[None], rtol=1e-6)


@pytest.mark.parametrize("wrong", [7, -1])
def test_a_number_beyond_the_table_gives_nan(wrong):
    assert np.isnan(run([[1, wrong]])).all()


def test_numbers_must_be_integers():
    with pytest.raises(ArgumentTypeError, match="must hold integers"):
        WeightedBag(7, 3).apply(VARIABLES, jnp.ones((1, 2)), context=Context())
