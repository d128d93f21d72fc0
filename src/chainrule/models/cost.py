"""Multiply-adds of a layer, by its own count where it has one, else counted from its computation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax

from chainrule._base.errors import ChainruleError
from chainrule._base.spec import Spec, concrete, has_symbolic
from chainrule.core import Graph, Node, Symbol
from chainrule.core.layer import Context, Layer, Variables, abstract_variables

_LENGTHS = (16, 32, 64, 128, 256, 512)


def multiply_adds(layer: Layer, *inputs: Spec | None, length: int = 16) -> int:
    """Multiply-adds of one example: those of matrix products and convolutions, as is usual.

    A layer with a method ``multiply_adds(*specs)`` says the number itself (the convolutions do: how they are computed
    differs from machine to machine, and some ways multiply less often); blocks are opened; of any other layer the
    products in its computation are counted.

    Args:
        layer: a layer or graph.
        inputs: specs of its inputs, ``None`` for an optional one left out; symbolic sizes other than the batch count
            as ``length``.
        length: see ``inputs``.

    Example:
        >>> from chainrule._base.spec import batched
        >>> from chainrule.layers import Conv2D, Dense
        >>> multiply_adds(Dense(32), batched((13,)))
        416
        >>> multiply_adds(Conv2D(256, 3, padding="same"), batched((32, 32, 128)))
        301989888
    """
    specs: list[Any] = [None if spec is None else one_example(concrete(spec, length)) for spec in inputs]  # Any: None
    present = [spec for spec in specs if spec is not None]
    own = getattr(layer, "multiply_adds", None)
    if own is not None:
        return int(own(*specs))
    inside = getattr(layer, "graph_for", None)
    if inside is not None:
        graph: Graph = inside(*present)
        known = graph.specs(*present)
        return sum(multiply_adds(node.layer, *inputs_of(graph, node, known, present)) for node in graph.nodes)
    variables = abstract_variables(layer.weights(*specs))

    def run(given: Variables, *arrays: Any) -> Any:  # Any: arrays, or a tuple of them
        rest = iter(arrays)
        filled: list[Any] = [None if spec is None else next(rest) for spec in specs]
        return layer.apply(given, *filled, context=Context())[0]

    return _count(jax.make_jaxpr(run)(variables, *present).jaxpr)


def one_example(spec: Spec) -> Spec:
    """``spec`` with a batch of 1."""
    return Spec((1, *spec.shape[1:]), spec.dtype)


def known_specs(graph: Graph) -> tuple[dict[int, tuple[Any, ...]], list[Spec], int | None]:
    """Specs of every node (by ``id``) and of the inputs for one example, and what sizes that vary were taken as.

    ``Any``: :class:`Spec`. They are taken as 16, or as the first of 32, 64, ... 512 with which the network works.
    """
    inputs = [one_example(symbol.spec) for symbol in graph.inputs]
    if not any(has_symbolic(spec.shape) for spec in inputs):
        return {id(node): tuple(map(one_example, node.specs)) for node in graph.nodes}, inputs, None
    for length in _LENGTHS:
        sized = [concrete(spec, length) for spec in inputs]
        try:
            return graph.specs(*sized), sized, length
        except ChainruleError:
            if length == _LENGTHS[-1]:
                raise
    raise AssertionError("the last length returns or raises")


def inputs_of(graph: Graph, node: Node, specs: dict[int, tuple[Any, ...]], inputs: Sequence[Spec]) -> list[Spec | None]:
    """The specs of what goes into ``node``; ``None`` for an optional input left out (``Any``: :class:`Spec`)."""
    position = {id(symbol): i for i, symbol in enumerate(graph.inputs)}

    def of(symbol: Symbol | None) -> Spec | None:
        if symbol is None:
            return None
        return inputs[position[id(symbol)]] if symbol.node is None else specs[id(symbol.node)][symbol.index]

    return [of(symbol) for symbol in node.inputs]


def _count(jaxpr: Any) -> int:  # Any: JAX's jaxpr types are not public
    return sum(_equation(equation) for equation in jaxpr.eqns)


def _equation(equation: Any) -> int:
    kind = equation.primitive.name
    if kind == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        left = equation.invars[0].aval.shape
        return int(math.prod(equation.outvars[0].aval.shape) * math.prod(left[axis] for axis in contracted))
    if kind == "conv_general_dilated":
        kernel = equation.invars[1].aval.shape
        out_axis = equation.params["dimension_numbers"].rhs_spec[0]
        taps = math.prod(kernel) // kernel[out_axis]
        return int(math.prod(equation.outvars[0].aval.shape) * taps)
    inner = []
    for value in equation.params.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            body = getattr(item, "jaxpr", item)
            if hasattr(body, "eqns"):
                inner.append(_count(body))
    if kind == "cond":  # one branch runs; of kernels and their plain form only the latter can be counted
        return max(inner)
    times = equation.params.get("length", 1) if kind == "scan" else 1
    return int(times * sum(inner))
