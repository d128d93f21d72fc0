"""Taking a pass apart: blocks opened, shared calls told apart, activations split off only where they are last."""

from dataclasses import dataclass

import jax
import numpy as np

from chainrule.core import Block, Context, Graph, Input
from chainrule.explain.trace import Source, trace
from chainrule.layers import Activation, Add, Dense

KEY = jax.random.key(0)


@dataclass(frozen=True, eq=False)
class Residual(Block):
    units: int
    name: str | None = None

    def build(self, x):
        return Add()(x, Dense(self.units, "relu")(x))


def test_blocks_are_opened_and_calls_are_numbered():
    x = Input(3)
    block = Residual(3, name="block")
    graph = Graph((x,), (block(block(x)),))
    variables, data = graph.init(KEY), np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    kept = trace(graph, variables, [data])
    assert [call.path for call in kept.calls] == ["block/dense", "block/add", "block#1/dense", "block#1/add"]
    assert [call.weights_path for call in kept.calls] == ["block/dense", "block/add"] * 2
    assert kept.outputs == (Source(3, 0),)
    assert kept.calls[2].sources == (Source(1, 0),)
    np.testing.assert_array_equal(kept.value(kept.outputs[0]), graph.apply(variables, data, context=Context())[0])


def test_activation_is_split_off_where_it_comes_last():
    x = Input(3)
    graph = Graph((x,), (Dense(2, name="linear")(Activation("tanh")(Dense(4, "relu", name="split")(x))),))
    calls = {call.path: call for call in trace(graph, graph.init(KEY), [np.ones((2, 3), np.float32)]).calls}
    split = calls["split"]
    np.testing.assert_array_equal(np.maximum(split.z, 0), split.outputs[0])
    assert (np.asarray(split.z) < 0).any()
    assert split.activation_name == "relu"
    assert calls["activation"].z is None  # no weights, so no weighted input
    assert calls["linear"].z is None
