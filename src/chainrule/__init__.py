"""chainrule: a small, typed deep-learning framework on JAX.

>>> import chainrule as cr
>>> from chainrule.layers import Dense
>>> model = cr.Sequential([Dense(32, "relu"), Dense(2)])
"""

from chainrule import (
    activations,
    constraints,
    errors,
    explain,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    regularizers,
)
from chainrule._base.registry import register
from chainrule.core import Block, Context, Graph, Input, Layer, Variables
from chainrule.explain import gradient_descent
from chainrule.models import Model, Sequential, load, mlp
from chainrule.train import (
    Callback,
    EarlyStopping,
    History,
    ReduceLROnPlateau,
    StopOnConvergence,
    make_train_step,
)

__version__ = "0.1.0"

__all__ = [
    "Block",
    "Callback",
    "Context",
    "EarlyStopping",
    "Graph",
    "History",
    "Input",
    "Layer",
    "Model",
    "ReduceLROnPlateau",
    "Sequential",
    "StopOnConvergence",
    "Variables",
    "activations",
    "constraints",
    "errors",
    "explain",
    "gradient_descent",
    "initializers",
    "layers",
    "load",
    "losses",
    "make_train_step",
    "metrics",
    "mlp",
    "models",
    "ops",
    "optimizers",
    "register",
    "regularizers",
]
