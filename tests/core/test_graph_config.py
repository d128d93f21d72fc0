"""Graphs as plain configs: the round trip, and files that were damaged."""

import copy
import json

import jax
import numpy as np
import pytest
from small_layers import AddConstant, Affine, Plus, Scaled, Skip, SplitAt

from chainrule._base.errors import ChainruleError, FormatError
from chainrule._base.registry import from_config, to_config
from chainrule._base.tree import flatten
from chainrule.core import Context, Graph, Input

KEY = jax.random.key(5)


def sample():
    x, scale = Input(3, name="x"), Input(3)
    shared = Affine(3, name="shared")
    a, b = SplitAt(1)(shared(Skip(3)(shared(x))))
    return Graph((x, scale), (AddConstant(0.5)(b), Scaled()(Plus()(x, x), scale), a), name="sample")


def test_round_trip_through_json_gives_the_same_graph():
    """C52: topology, names, shared layers and left-out inputs survive a file."""
    graph = sample()
    again = from_config(json.loads(json.dumps(to_config(graph))))
    variables = graph.init(KEY)
    assert to_config(again) == to_config(graph)
    assert list(flatten(again.init(KEY).params)) == list(flatten(variables.params))
    assert again.input_names == ("x", "input")
    data = [np.random.default_rng(i).normal(size=(4, 3)).astype(np.float32) for i in range(2)]
    for ours, theirs in zip(
        again.apply(variables, *data, context=Context())[0],
        graph.apply(variables, *data, context=Context())[0],
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_block_is_stored_as_its_own_fields():
    x = Input(3)
    config = to_config(Graph((x,), (Skip(3)(x),)))
    assert config["layers"] == {"skip": {"type": "Skip", "units": 3}}


def test_nested_graph_survives():
    x = Input(3)
    inner = Input(3)
    graph = Graph((x,), (Affine(2)(Graph((inner,), (Affine(4)(inner),), name="body")(x)),))
    again = from_config(to_config(graph))
    assert list(flatten(again.init(KEY).params)) == list(flatten(graph.init(KEY).params))


def damage(change):
    config = copy.deepcopy(to_config(sample()))
    change(config)
    return config


DAMAGES = {
    "cycle": lambda c: c["nodes"][0].update(inputs=[[3, 0]]),
    "call of an unknown layer": lambda c: c["nodes"][0].update(layer="no_such"),
    "unregistered class": lambda c: c["layers"]["skip"].update(type="Affin"),
    "unknown field": lambda c: c["layers"]["skip"].update(unit=3),
    "missing field": lambda c: c["layers"]["skip"].pop("units"),
    "wrong name": lambda c: c["layers"].update(other=c["layers"].pop("shared")),
    "name that the graph would not give": lambda c: (
        c["layers"].update(skip_7=c["layers"].pop("skip")),
        c["nodes"][1].update(layer="skip_7"),
    ),
    "layer never called": lambda c: c["layers"].update(extra={"type": "Affine", "units": 2}),
    "output that is not there": lambda c: c["outputs"].append([2, 7]),
    "negative output": lambda c: c["outputs"].append([2, -1]),
    "no outputs": lambda c: c.update(outputs=[]),
    "null output": lambda c: c["outputs"].append(None),
    "reference of three": lambda c: c["nodes"][0].update(inputs=[[0, 0, 0]]),
    "text for a reference": lambda c: c["nodes"][0].update(inputs=["x"]),
    "layers is a list": lambda c: c.update(layers=[]),
    "nodes left out": lambda c: c.pop("nodes"),
    "input without shape": lambda c: c["inputs"][0].pop("shape"),
    "input of negative size": lambda c: c["inputs"][0].update(shape=[-3]),
    "input dtype of nonsense": lambda c: c["inputs"][0].update(dtype="float33"),
    "sizes that do not fit": lambda c: c["inputs"][1].update(shape=[4]),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_config_is_refused(name):
    with pytest.raises(ChainruleError):
        from_config(damage(DAMAGES[name]))


def test_a_cycle_is_named():
    """C52: cycles are refused with a clear error."""
    with pytest.raises(FormatError, match=r"call 0 needs the output of call 3, which comes later: a cycle"):
        from_config(damage(DAMAGES["cycle"]))


def test_an_unregistered_class_suggests_the_nearest():
    with pytest.raises(FormatError, match="Did you mean 'Affine'"):
        from_config(damage(DAMAGES["unregistered class"]))
