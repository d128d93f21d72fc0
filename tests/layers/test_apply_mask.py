import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.errors import ArgumentTypeError, ShapeError
from chainrule.layers import ApplyMask

X = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4) + 1
MASK = np.array([[True, False, True], [False, False, True]])


def test_masked_steps_are_zero():
    expected = X.copy()
    expected[0, 1] = expected[1, 0] = expected[1, 1] = 0
    np.testing.assert_array_equal(ApplyMask().call({}, X, MASK), expected)
    np.testing.assert_array_equal(ApplyMask().call({}, X[..., 0], MASK), expected[..., 0])


def test_what_stands_in_masked_steps_is_gone_even_if_it_is_no_number():
    spoilt = np.where(MASK[..., None], X, np.nan)
    assert np.isfinite(ApplyMask().call({}, spoilt, MASK)).all()


def test_errors():
    with pytest.raises(ArgumentTypeError, match="booleans"):
        ApplyMask().call({}, X, jnp.ones((2, 3)))
    with pytest.raises(ShapeError, match="mask must have shape"):
        ApplyMask().call({}, X, MASK[:, :2])
