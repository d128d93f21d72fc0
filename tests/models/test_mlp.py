import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError


def test_builder_equals_the_formula():
    """C57, C47: mlp([..]) computes z_k = W_k F(z_{k-1}) + b_k for any depth."""
    model = cr.mlp([3, 5, 4, 2], "tanh", seed=2)
    weights = model.get_weights()
    x = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    z = x.astype(float)
    for number, name in enumerate(("dense", "dense_1", "dense_2")):
        z = z @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]
        z = np.tanh(z) if number < 2 else z
    np.testing.assert_allclose(model.predict(x), z, rtol=1e-5, atol=1e-6)


def test_dropout_stands_after_hidden_layers_only():
    kinds = [type(layer).__name__ for layer in cr.mlp([3, 5, 4, 2], dropout=0.5).layers]
    assert kinds == ["Dense", "Dropout", "Dense", "Dropout", "Dense"]


@pytest.mark.parametrize("sizes", [[], [3], [3, 0], [0, 2], [3, 2.5]])
def test_bad_sizes_are_refused(sizes):
    with pytest.raises(ChainruleError):
        cr.mlp(sizes)
