"""Keys hang on names."""

import jax
import numpy as np

from chainrule._base.rng import key_for, root_key


def bits(key):
    return tuple(np.asarray(jax.random.key_data(key)).tolist())


def test_a_key_depends_on_seed_and_name_alone():
    names = [f"block{i}/dense{j}/{part}" for i in range(6) for j in range(7) for part in ("kernel", "bias")]
    forwards = {name: bits(key_for(root_key(3), name)) for name in names}
    backwards = {name: bits(key_for(root_key(3), name)) for name in reversed(names)}
    assert forwards == backwards
    assert len(set(forwards.values())) == len(names)
    assert bits(key_for(root_key(4), names[0])) != forwards[names[0]]


def test_the_root_key_is_jaxs_key_of_the_seed():
    assert bits(root_key(11)) == bits(jax.random.key(11))


def test_draws_under_different_names_are_uncorrelated():
    first, second = (jax.random.normal(key_for(root_key(0), name), (4000,)) for name in ("a/kernel", "b/kernel"))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.08  # five standard errors of 1/sqrt(4000)
