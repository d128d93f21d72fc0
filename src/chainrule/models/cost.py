"""Multiply-adds of a layer, counted from its own computation rather than from a second rule."""

from __future__ import annotations

import math
from typing import Any

import jax

from chainrule._base.spec import Spec, concrete
from chainrule.core.layer import Context, Layer, Variables, abstract_variables


def multiply_adds(layer: Layer, *inputs: Spec, length: int = 16) -> int:
    """Multiply-adds of one example: those of matrix products and convolutions, as is usual.

    Args:
        layer: a layer or graph.
        inputs: specs of its inputs; symbolic sizes other than the batch count as ``length``.
        length: see ``inputs``.

    Example:
        >>> from chainrule._base.spec import batched
        >>> from chainrule.layers import Dense
        >>> multiply_adds(Dense(32), batched((13,)))
        416
    """
    variables = abstract_variables(layer.weights(*inputs))
    specs = [Spec((1, *concrete(spec, length).shape[1:]), spec.dtype) for spec in inputs]

    def run(given: Variables, *arrays: Any) -> Any:  # Any: arrays, or a tuple of them
        return layer.apply(given, *arrays, context=Context())[0]

    return _count(jax.make_jaxpr(run)(variables, *specs).jaxpr)


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
    times = equation.params.get("length", 1) if kind == "scan" else 1
    inner = 0
    for value in equation.params.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            body = getattr(item, "jaxpr", item)
            if hasattr(body, "eqns"):
                inner += _count(body)
    return times * inner
