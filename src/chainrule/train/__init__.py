"""Training: one pure step, one loop, one stream of events."""

from chainrule.train.callbacks import (
    Callback,
    EarlyStopping,
    JsonLines,
    Progress,
    ReduceLROnPlateau,
    StopOnConvergence,
    StopWhen,
)
from chainrule.train.engine import Engine
from chainrule.train.feed import Feed
from chainrule.train.history import History
from chainrule.train.loop import Loop, Plan
from chainrule.train.run import Run
from chainrule.train.state import Batch, TrainState, initial_state
from chainrule.train.step import Recipe, make_eval_step, make_train_step

__all__ = [
    "Batch",
    "Callback",
    "EarlyStopping",
    "Engine",
    "Feed",
    "History",
    "JsonLines",
    "Loop",
    "Plan",
    "Progress",
    "Recipe",
    "ReduceLROnPlateau",
    "Run",
    "StopOnConvergence",
    "StopWhen",
    "TrainState",
    "initial_state",
    "make_eval_step",
    "make_train_step",
]
