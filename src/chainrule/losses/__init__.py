"""Losses: from predictions and targets to one value per example; :func:`reduce` alone averages them."""

from chainrule.losses.base import FunctionLoss, Loss, register
from chainrule.losses.catalogue import (
    LossRow,
    check_output_activation,
    check_targets,
    get,
    resolve_class_weight,
)
from chainrule.losses.catalogue import list_losses as list
from chainrule.losses.class_weight import balanced_class_weight, class_weight_vector
from chainrule.losses.classification import BinaryCrossEntropy, CrossEntropy, KLDivergence
from chainrule.losses.focal import BinaryFocalLoss, FocalLoss
from chainrule.losses.margin import CategoricalHinge, Hinge, SquaredHinge
from chainrule.losses.reduce import empirical_risk, reduce
from chainrule.losses.regression import (
    CosineDistance,
    HalfSquaredError,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanSquaredError,
    PoissonLoss,
)

__all__ = [
    "BinaryCrossEntropy",
    "BinaryFocalLoss",
    "CategoricalHinge",
    "CosineDistance",
    "CrossEntropy",
    "FocalLoss",
    "FunctionLoss",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossRow",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "PoissonLoss",
    "SquaredHinge",
    "balanced_class_weight",
    "check_output_activation",
    "check_targets",
    "class_weight_vector",
    "empirical_risk",
    "get",
    "list",
    "reduce",
    "register",
    "resolve_class_weight",
]
