"""Tasks: a file of yours becomes a trained, judged and saved model.

>>> from chainrule.tasks import fit_table  # fit_table("heart.csv", target="disease")
"""

from chainrule.tasks.finished import Answers, FinishedRun
from chainrule.tasks.linear import LinearModel, fit_linear
from chainrule.tasks.loading import load_run
from chainrule.tasks.predictor import TablePredictor
from chainrule.tasks.settings import TableConfig, default_config
from chainrule.tasks.tabular import TableRun, fit_table

__all__ = [
    "Answers",
    "FinishedRun",
    "LinearModel",
    "TableConfig",
    "TablePredictor",
    "TableRun",
    "default_config",
    "fit_linear",
    "fit_table",
    "load_run",
]
