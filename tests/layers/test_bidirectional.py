"""Bidirectional against two layers run by hand, one on the sequence turned round."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.core import Context, Input, Variables
from chainrule.layers import GRU, LSTM, Bidirectional, Dense

RNG = np.random.default_rng(0)
X = jnp.asarray(RNG.normal(size=(3, 5, 2)), jnp.float32)
MASK = jnp.asarray([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
MERGES = {
    "concat": lambda f, b: np.concatenate([f, b], axis=-1),
    "sum": np.add,
    "mul": np.multiply,
    "ave": lambda f, b: (f + b) / 2,
}


def weights(layer):
    wanted = layer.weights(Input((5, 2)).spec)
    return {n: jnp.asarray(RNG.normal(size=w.shape), jnp.float32) for n, w in wanted.items()}


def by_hand(layer, params, mask, *states):
    """Outputs aligned with the input, and the states: forward, then on the reversed sequence."""
    half = len(states) // 2
    forward = layer.call(params["forward_layer"], X, mask, *states[:half])
    turned = None if mask is None else mask[:, ::-1]
    backward = layer.call(params["backward_layer"], X[:, ::-1], turned, *states[half:])
    return forward, (backward[0][:, ::-1], *backward[1:])


@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
@pytest.mark.parametrize("mode", [*MERGES, None])
def test_outputs_are_aligned_and_merged(mode, mask):
    layer = LSTM(4, return_sequences=True, return_state=True)
    both = Bidirectional(layer, mode)
    params = {name: weights(layer) for name in ("forward_layer", "backward_layer")}
    states = [jnp.asarray(RNG.normal(size=(3, 4)), jnp.float32) for _ in range(4)]
    found = both.call(params, X, mask, *states)
    forward, backward = by_hand(layer, params, mask, *states)
    expected = [forward[0], backward[0]] if mode is None else [MERGES[mode](forward[0], backward[0])]
    for one, other in zip(found, (*expected, *forward[1:], *backward[1:]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_without_sequences_the_last_of_each_reading_is_given():
    layer = GRU(4)
    params = {name: weights(layer) for name in ("forward_layer", "backward_layer")}
    found = Bidirectional(layer).call(params, X)
    forward, backward = (
        layer.call(params[name], x) for name, x in (("forward_layer", X), ("backward_layer", X[:, ::-1]))
    )
    np.testing.assert_allclose(found, np.concatenate([forward, backward], axis=-1), rtol=1e-5, atol=1e-6)


def test_the_backward_layer_may_differ():
    both = Bidirectional(GRU(4), backward_layer=LSTM(3, go_backwards=True))
    assert both(Input((5, 2))).shape[1:] == (7,)
    assert both.weights(Input((5, 2)).spec)["backward_layer"]["kernel"].shape == (2, 12)


def test_each_reading_drops_its_own():
    layer = GRU(4, dropout=0.5)
    same = weights(layer)
    variables = Variables({"forward_layer": same, "backward_layer": same}, {})
    output, _ = Bidirectional(layer).apply(
        variables, jnp.ones((6, 1, 2)), context=Context(training=True, key=jax.random.key(0))
    )
    assert not np.allclose(output[:, :4], output[:, 4:])  # one step: without dropout both readings agree


def test_layers_that_do_not_fit_are_refused():
    with pytest.raises(ArgumentTypeError, match="layer must be a recurrent layer, such as LSTM"):
        Bidirectional(Dense(2))
    with pytest.raises(ArgumentError, match=r"merge_mode must be one of 'concat'.*Did you mean 'concat'"):
        Bidirectional(GRU(2), "concats")
    with pytest.raises(ArgumentError, match="must read in opposite directions"):
        Bidirectional(GRU(2), backward_layer=GRU(2))
    with pytest.raises(ArgumentError, match="both layers must have the same return_state"):
        Bidirectional(GRU(2), backward_layer=GRU(2, go_backwards=True, return_state=True))
    with pytest.raises(ShapeError, match="as many arrays for the backward reading as for the forward; received 1"):
        Bidirectional(GRU(2))(Input((5, 2)), initial_state=Input(2))
