"""Optimizers, their schedules (``optimizers.schedules``) and wrappers. By name: ``get("adam")``."""

from chainrule.optimizers import schedules
from chainrule.optimizers.adadelta import Adadelta
from chainrule.optimizers.adagrad import Adagrad
from chainrule.optimizers.adam import Adam, AdamW
from chainrule.optimizers.adam_variants import Adamax, Nadam
from chainrule.optimizers.base import LeafOptimizer, Optimizer, Schedule, register
from chainrule.optimizers.lion import Lion
from chainrule.optimizers.lookup import get
from chainrule.optimizers.optax import FromOptax, from_optax
from chainrule.optimizers.rmsprop import RMSProp
from chainrule.optimizers.schedules import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    OneCycle,
    PiecewiseConstant,
    PolynomialDecay,
    StepDecay,
    Warmup,
)
from chainrule.optimizers.sgd import SGD
from chainrule.optimizers.wrappers import (
    Accumulate,
    AverageWeights,
    Clip,
    Proximal,
    accumulate_gradients,
    global_norm,
)

__all__ = [
    "SGD",
    "Accumulate",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "AverageWeights",
    "Clip",
    "CosineDecay",
    "ExponentialDecay",
    "FromOptax",
    "InverseTimeDecay",
    "LeafOptimizer",
    "Lion",
    "Nadam",
    "OneCycle",
    "Optimizer",
    "PiecewiseConstant",
    "PolynomialDecay",
    "Proximal",
    "RMSProp",
    "Schedule",
    "StepDecay",
    "Warmup",
    "accumulate_gradients",
    "from_optax",
    "get",
    "global_norm",
    "register",
    "schedules",
]
