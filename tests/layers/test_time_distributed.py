"""TimeDistributed against a Python loop over the steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import chainrule as cr
from chainrule._base.errors import ArgumentTypeError
from chainrule.core import Context, Variables
from chainrule.layers import BatchNormalization, Dense, Flatten, Input, LayerNormalization, TimeDistributed

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("layer", [Dense(4, "tanh"), LayerNormalization(), Flatten()])
def test_every_step_is_the_layer_on_that_step(layer):
    x = jnp.asarray(RNG.normal(size=(2, 5, 3)), jnp.float32)
    wanted = layer.weights(Input(3).spec)
    params = {n: jnp.asarray(RNG.normal(size=w.shape), jnp.float32) for n, w in wanted.items()}
    expected = np.stack([layer.call(params, x[:, t]) for t in range(5)], axis=1)
    np.testing.assert_allclose(TimeDistributed(layer).call(params, x), expected, rtol=1e-5, atol=1e-6)


def test_masked_steps_and_padding_rows_stay_out_of_the_statistics():
    x = RNG.normal(size=(3, 4, 2)).astype("float32")
    mask = np.array([[1, 1, 0, 0], [1, 0, 0, 1], [1, 1, 1, 1]], bool)
    real = np.concatenate([x[0][mask[0]], x[1][mask[1]]])  # the third example has weight 0
    layer = TimeDistributed(BatchNormalization(momentum=0.0))
    start = {"moving_mean": jnp.zeros(2), "moving_variance": jnp.ones(2)}
    params = {"gamma": jnp.ones(2), "beta": jnp.zeros(2)}
    context = Context(training=True, key=jax.random.key(0), weight=jnp.array([1.0, 1.0, 0.0]))
    _, state = layer.apply(Variables(params, start), jnp.asarray(x), jnp.asarray(mask), context=context)
    np.testing.assert_allclose(state["moving_mean"], real.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(state["moving_variance"], real.var(0), rtol=1e-4)


def test_a_whole_network_goes_in_as_its_graph():
    step = Input(3)
    inner = cr.Model(step, Dense(2)(Dense(4, "relu")(step)))
    x = Input((None, 3))
    model = cr.Model(x, TimeDistributed(inner.graph)(x))
    assert sorted(model.get_weights()) == [
        f"time_distributed/{name}/{part}" for name in ("dense", "dense_1") for part in ("bias", "kernel")
    ]
    assert model.predict(np.zeros((2, 5, 3), "float32")).shape == (2, 5, 2)
    with pytest.raises(ArgumentTypeError, match=r"layer must be a layer, such as Dense.*Of a model, pass its graph"):
        TimeDistributed(inner)
