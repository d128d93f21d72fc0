"""Specs with one symbolic batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ShapeError
from chainrule._base.spec import Spec, batched, concrete, has_symbolic, shape_text, spec_of, symbolic_size


def test_there_is_one_batch_dimension():
    """Two inputs share their batch, so that merging them is a known shape."""
    first, second = batched((3,)), batched((5, 2))
    assert first.shape[0] == second.shape[0] == symbolic_size("b")
    merged = jax.eval_shape(lambda x, y: jnp.concatenate([x, y.reshape(x.shape[0], 10)], -1), first, second)
    assert merged.shape == (symbolic_size("b"), 13)


def test_unknown_sizes_are_different_from_each_other_and_from_the_batch():
    shape = batched((None, None, 4)).shape
    assert len({str(size) for size in shape}) == 4
    assert [has_symbolic([size]) for size in shape] == [True, True, True, False]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int32"])
def test_the_dtype_is_kept(dtype):
    assert batched((2,), dtype).dtype == jnp.dtype(dtype)


def test_the_spec_of_an_array_forgets_only_its_batch():
    spec = spec_of(np.zeros((7, 3, 2), np.float32))
    assert spec.shape[1:] == (3, 2)
    assert has_symbolic(spec.shape[:1])
    assert spec.dtype == np.float32


def test_sixty_four_bits_become_what_jax_computes_in():
    assert spec_of(np.zeros((7, 3))).dtype == jax.dtypes.canonicalize_dtype(np.float64)


@pytest.mark.parametrize("scalar", [np.float32(1), np.zeros(()), 3.0])
def test_a_scalar_has_no_batch(scalar):
    with pytest.raises(ShapeError, match="batch axis first"):
        spec_of(scalar)


def test_concrete_replaces_every_symbol():
    assert concrete(batched((None, 5)), 3).shape == (3, 3, 5)
    assert concrete(Spec((2, 5), jnp.float32), 3).shape == (2, 5)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [(batched((28, 28, 1)), "(b, 28, 28, 1)"), (batched(()), "(b,)"), (Spec((2, 3), jnp.float32), "(2, 3)")],
)
def test_shapes_read_as_python_writes_them(spec, expected):
    assert shape_text(spec) == expected
