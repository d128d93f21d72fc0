"""Callbacks: what watches or steers a run."""

from chainrule.train.callbacks.base import Callback
from chainrule.train.callbacks.early_stopping import EarlyStopping
from chainrule.train.callbacks.json_lines import JsonLines
from chainrule.train.callbacks.plateau import ReduceLROnPlateau
from chainrule.train.callbacks.progress import Progress
from chainrule.train.callbacks.stopping import StopOnConvergence, StopWhen

__all__ = [
    "Callback",
    "EarlyStopping",
    "JsonLines",
    "Progress",
    "ReduceLROnPlateau",
    "StopOnConvergence",
    "StopWhen",
]
