"""Labelled classification: what the tasks of images and of text share, from examples with classes to a judged run.

A task does four things of its own and leaves the rest to :func:`fit_labelled`:

1. It makes an :class:`Options` of what was asked, and reads its source: arrays of examples and a class number each.
2. It divides the rows with :func:`divide` (a split that the source gives is kept; equal examples stay on one side).
3. It builds and compiles a :class:`~chainrule.models.Model` that takes the examples as they are and gives **one logit
   per class**; the loss takes integer labels (``"cross_entropy"``).
4. It has a *preparation*: a frozen dataclass with ``@register_class`` and the methods ``prepare(source) -> Prepared``
   and ``prepare_labelled(source, classes) -> (Prepared, labels)``, which turns a raw source into the model's input.
   It is saved in the model file, so that ``chainrule predict RUN new`` needs nothing else.

All that goes into one :class:`Job`; ``fit_labelled(job, options)`` then claims the run's folder, trains with early
stopping on the validation rows, fits the baseline (``job.baseline``), opens the test rows once, judges (accuracy with
Wilson's interval, macro F1, AUC, log loss, recall of each class, confusion matrix), finds the verdict and the next line
to type, and writes ``config.json``, ``events.jsonl``, ``model.chainrule``, ``metrics.json``, ``predictions_test.csv``,
``model_card.md`` and ``report.html``. ``job.figures(judgement, trained)`` adds the task's own figures to the report;
their kinds stand in ``chainrule.report.READINGS``, which also says in which section they go.
"""

from chainrule.tasks.labelled.dividing import LEAST, divide, split_words
from chainrule.tasks.labelled.fitting import LabelledRun, fit_labelled
from chainrule.tasks.labelled.job import Job, Options, Preparation, Prepared, TrainingSettings
from chainrule.tasks.labelled.judging import Judgement
from chainrule.tasks.labelled.predictor import KINDS, LabelledPredictor, unpack

__all__ = [
    "KINDS",
    "LEAST",
    "Job",
    "Judgement",
    "LabelledPredictor",
    "LabelledRun",
    "Options",
    "Preparation",
    "Prepared",
    "TrainingSettings",
    "divide",
    "fit_labelled",
    "split_words",
    "unpack",
]
