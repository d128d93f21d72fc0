import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.core import Context, Variables
from chainrule.errors import GraphError, ShapeError
from chainrule.layers import RandomBranch

NOTHING = Variables({}, {})
BRANCHES = [jnp.full((900, 2), float(value)) for value in (1, 2, 6)]


def run(*inputs, **context):
    return np.asarray(RandomBranch().apply(NOTHING, *inputs, context=Context(**context))[0])


def test_in_use_it_is_the_mean():
    np.testing.assert_allclose(run(*BRANCHES), 3.0)


def test_in_training_each_example_has_one_branch_and_all_come_equally_often():
    drawn = run(*BRANCHES, training=True, key=jax.random.key(3))
    assert (drawn[:, 0] == drawn[:, 1]).all()
    shares = [np.mean(drawn[:, 0] == value) for value in (1, 2, 6)]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.06)  # four standard deviations of 900 draws
    assert sum(shares) == pytest.approx(1)


def test_only_the_drawn_branch_learns():
    def total(branches):
        context = Context(training=True, key=jax.random.key(3))
        return RandomBranch().apply(NOTHING, *branches, context=context)[0].sum()

    slopes = np.stack(jax.grad(total)(BRANCHES))
    assert set(slopes.ravel().tolist()) == {0.0, 1.0}
    np.testing.assert_array_equal(slopes.sum(axis=0), 1.0)


def test_one_branch_passes():
    np.testing.assert_array_equal(run(BRANCHES[1], training=True), BRANCHES[1])


def test_errors():
    with pytest.raises(ShapeError, match="must have one shape"):
        run(jnp.ones((4, 2)), jnp.ones((4, 3)))
    with pytest.raises(GraphError, match="random key"):
        run(*BRANCHES, training=True)
