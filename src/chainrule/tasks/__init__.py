"""Tasks: a file of yours becomes a trained, judged and saved model.

>>> from chainrule.tasks import fit_images, fit_table  # fit_table("heart.csv", target="disease"), fit_images("pets/")
"""

from chainrule.tasks.finished import Answers, FinishedRun
from chainrule.tasks.images import ImageConfig, fit_images
from chainrule.tasks.labelled import LabelledPredictor, LabelledRun
from chainrule.tasks.linear import LinearModel, fit_linear
from chainrule.tasks.loading import load_run
from chainrule.tasks.predictor import TablePredictor
from chainrule.tasks.settings import TableConfig, default_config
from chainrule.tasks.tabular import TableRun, fit_table
from chainrule.tasks.text import TextSettings, fit_text

__all__ = [
    "Answers",
    "FinishedRun",
    "ImageConfig",
    "LabelledPredictor",
    "LabelledRun",
    "LinearModel",
    "TableConfig",
    "TablePredictor",
    "TableRun",
    "TextSettings",
    "default_config",
    "fit_images",
    "fit_linear",
    "fit_table",
    "fit_text",
    "load_run",
]
