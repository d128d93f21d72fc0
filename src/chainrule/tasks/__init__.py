"""Tasks: a file of yours becomes a trained, judged and saved model.

>>> from chainrule.tasks import fit_table  # fit_table("heart.csv", target="disease")
"""

from chainrule.tasks.linear import LinearModel, fit_linear
from chainrule.tasks.predictor import Answers, TablePredictor
from chainrule.tasks.settings import TableConfig, default_config
from chainrule.tasks.tabular import TableRun, fit_table, load_run

__all__ = [
    "Answers",
    "LinearModel",
    "TableConfig",
    "TablePredictor",
    "TableRun",
    "default_config",
    "fit_linear",
    "fit_table",
    "load_run",
]
