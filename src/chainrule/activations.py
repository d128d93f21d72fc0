"""Activation functions by name, function or object, with their slopes, value tables and property sheets.

Example:
    >>> import jax.numpy as jnp
    >>> from chainrule import activations
    >>> activations.relu(jnp.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    >>> activations.properties("sigmoid").max_slope
    0.25
"""

from chainrule.ops.activation_sheet import (
    Properties,
    Row,
    Suggestion,
    derivative,
    properties,
    suggest,
    value_table,
)
from chainrule.ops.activations import (
    Activation,
    Elu,
    LeakyRelu,
    Threshold,
    elu,
    exponential,
    gelu,
    gelu_tanh,
    get,
    hard_sigmoid,
    leaky_relu,
    linear,
    log_softmax,
    mish,
    names,
    registry,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    step,
    swish,
    tanh,
)

__all__ = [
    "Activation",
    "Elu",
    "LeakyRelu",
    "Properties",
    "Row",
    "Suggestion",
    "Threshold",
    "derivative",
    "elu",
    "exponential",
    "gelu",
    "gelu_tanh",
    "get",
    "hard_sigmoid",
    "leaky_relu",
    "linear",
    "log_softmax",
    "mish",
    "names",
    "properties",
    "registry",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "step",
    "suggest",
    "swish",
    "tanh",
    "value_table",
]
