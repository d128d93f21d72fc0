"""``chainrule.load``: a model from the file that ``model.save`` wrote."""

from __future__ import annotations

from pathlib import Path

from chainrule._base.registry import from_config
from chainrule.core import Graph
from chainrule.models.model import Model
from chainrule.models.saving import read_parts
from chainrule.models.sequential import Sequential


def load(path: str | Path) -> Model:
    """The model saved at ``path``, with weights, recipe and extra data; no code is taken from the file.

    The optimizer's accumulators are not in the file: training goes on with fresh ones.

    Raises:
        FormatError: the file is damaged, foreign, newer than this release, or names a class that is not registered.

    Example:
        >>> import os, tempfile
        >>> import chainrule as cr
        >>> from chainrule.layers import Dense, Input
        >>> model = cr.Sequential([Input(3), Dense(2)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = os.path.join(folder, "small.chainrule")
        ...     model.save(file)
        ...     again = cr.load(file)
        >>> bool((again.predict([[1.0, 2.0, 3.0]]) == model.predict([[1.0, 2.0, 3.0]])).all())
        True
    """
    graph, variables, recipe, config = read_parts(path)
    settings = {
        "name": config.get("name"),
        "seed": config.get("seed", 0),
        "policy": from_config(config["policy"]),
    }
    model: Model
    if config.get("kind") == "Sequential" and _is_stack(graph):
        model = Sequential([*graph.inputs, *(node.layer for node in graph.nodes)], **settings)
    else:
        model = Model(list(graph.inputs), list(graph.outputs), **settings)
    model.restore(variables, recipe, frozen=tuple(config.get("frozen", ())))
    model.extra = config.get("extra", {})
    return model


def _is_stack(graph: Graph) -> bool:
    """Whether every layer follows the one before it alone."""
    before = [None, *graph.nodes]
    chained = (
        all(symbol is not None and symbol.node is last for symbol in node.inputs)
        for last, node in zip(before, graph.nodes, strict=False)
    )
    return len(graph.inputs) == 1 and all(chained) and all(symbol.node is before[-1] for symbol in graph.outputs)
