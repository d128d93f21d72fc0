"""What a network is without activations: one matrix; and the two-layer network as a formula."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from chainrule._base.errors import GraphError
from chainrule._base.spec import Array, has_symbolic
from chainrule.explain.problem import double_precision, doubled
from chainrule.explain.trace import trace
from chainrule.models.model import Model
from chainrule.ops import activations


class Affine(NamedTuple):
    """``y = x · kernel + bias``."""

    kernel: np.ndarray[Any, Any]
    bias: np.ndarray[Any, Any]


def collapse_linear(model: Model) -> Affine:
    """The one layer that a network without activations amounts to: ``y = x w₀ w₁ w₂ w₃ = x w_c``.

    Its kernel is the product of the kernels along the chain. Branches, reshaping and normalisation in inference
    mode collapse as well; inputs and outputs are flattened.

    Raises:
        GraphError: a layer is not linear (its path is named), or there are several inputs or outputs.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Dense, Input
        >>> model = cr.Sequential([Input(1)] + [Dense(1) for _ in range(4)])
        >>> model.set_weights({f"dense{i}/kernel": [[w]] for i, w in zip(["", "_1", "_2", "_3"], [2.0, 3, 5, 7])})
        >>> collapse_linear(model).kernel.tolist()
        [[210.0]]
    """
    graph = model.graph
    if len(graph.inputs) != 1 or len(graph.outputs) != 1 or has_symbolic(graph.inputs[0].shape[1:]):
        raise GraphError("collapse_linear: needs a model with one input of known shape and one output.")
    shape = tuple(graph.inputs[0].shape[1:])
    size = int(np.prod(shape))
    probes = np.random.default_rng(0).normal(size=(4, size))
    rows = np.concatenate([np.zeros((1, size)), np.eye(size), probes]).reshape(-1, *shape)
    with double_precision():
        kept = trace(graph, doubled(model.variables), [jnp.asarray(rows)])
        for call in kept.calls:
            given = getattr(call.layer, "activation", None)
            if given is not None and activations.get(given) is not activations.linear:
                raise GraphError(
                    f"collapse_linear: {call.path} has the activation {given!r}; only a chain without activations is "
                    "one linear map. That is what activations are for."
                )
        values = np.asarray(kept.value(kept.outputs[0])).reshape(len(rows), -1)
    bias, kernel = values[0], values[1 : size + 1] - values[0]
    if not np.allclose(probes @ kernel + bias, values[size + 1 :], rtol=1e-8, atol=1e-8 * (1 + np.abs(values).max())):
        names = ", ".join(f"{call.path} ({type(call.layer).__name__})" for call in kept.calls)
        raise GraphError(f"collapse_linear: the model is not linear in its input. One of its layers is not: {names}.")
    return Affine(kernel, bias)


def feed_forward(x: Any, W_h: Any, W_o: Any) -> Array:
    """``A(A(x W_h) W_o)`` with ``A = relu``: a network of one hidden layer without biases, as the texts write it.

    ``Z_h = x · W_h``, ``H = relu(Z_h)``, ``Z_o = H · W_o``, and the prediction is ``relu(Z_o)``. The output layer
    takes the hidden *outputs* ``H``, not ``x``.

    Shapes:
        x: [batch, in]; W_h: [in, hidden]; W_o: [hidden, out] -> [batch, out].

    Example:
        >>> feed_forward([[1.0, 2.0]], [[1.0, -1.0], [1.0, -1.0]], [[2.0], [5.0]]).tolist()
        [[6.0]]
    """
    hidden = activations.relu(jnp.asarray(x) @ jnp.asarray(W_h))
    return activations.relu(hidden @ jnp.asarray(W_o))
