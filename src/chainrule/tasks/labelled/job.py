"""What a task of labelled examples hands over: what was asked, the examples, the model and the task's own parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from chainrule import report
from chainrule._base.checks import check_choice, check_int, check_number, check_positive_int
from chainrule._base.errors import ArgumentError
from chainrule.data import Finding, Split
from chainrule.models import Model
from chainrule.tasks.hyperparameters import Hyperparameters
from chainrule.tasks.watched import Listener, Trained

if TYPE_CHECKING:
    from chainrule.tasks.labelled.judging import Judgement

BALANCES = ("none", "weights", "undersample", "oversample")
Answering = Callable[[np.ndarray], np.ndarray]  # rows -> probabilities [rows, classes]


@dataclass(frozen=True)
class Options:
    """What is asked of a task, whatever its examples are.

    Args:
        owner: the task's function, for messages: ``"fit_images"``.
        run: folder to write; default ``runs/<data>-<time>``.
        seed: decides the split, the initial weights, the order of examples and all that is random in training.
        validation: share of the examples that decides when to stop.
        test: share of the examples that judges, once.
        balance: ``"none"``, ``"weights"``, ``"undersample"`` or ``"oversample"``.
        early_stop: stop when the validation loss no longer falls.
        report: whether to write ``report.html``.
        verbose: 0 is silent.
        callbacks: further listeners of the training.
        command: how the run was started; without it the next lines to type begin with ``chainrule fit SOURCE``.
    """

    owner: str
    run: str | Path | None = None
    seed: int = 0
    validation: float = 0.2
    test: float = 0.2
    balance: str = "none"
    early_stop: bool = True
    report: bool = True
    verbose: int = 1
    callbacks: Sequence[Listener] = ()
    command: str | None = None

    def __post_init__(self) -> None:
        for name in ("validation", "test"):
            check_number(name, getattr(self, name), self.owner, above=0, below=1)
        if self.validation + self.test >= 1:
            raise ArgumentError(
                f"{self.owner}: validation and test must leave examples to train on; received {self.validation:g} and "
                f"{self.test:g}. Lower one of them."
            )
        check_choice("balance", self.balance, BALANCES, self.owner)
        check_int("seed", self.seed, self.owner, minimum=0)


@dataclass(frozen=True, eq=False)
class Prepared:
    """Examples as the model takes them.

    Args:
        inputs: [examples, ...].
        shown: columns that say which example a row is (a file, a line, the text), in the same order.
        notes: how unusual input was treated, one sentence each.
        left_out: examples that could not be read, where such are skipped: the columns of ``shown``, ``place`` (the
            number among all examples, from 0) and ``problem``.
    """

    inputs: np.ndarray = field(repr=False)
    shown: pl.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()
    left_out: pl.DataFrame | None = field(default=None, repr=False)


class Preparation(Protocol):
    """From a raw source to the model's input; a frozen dataclass with ``@register_class``, saved in the model file."""

    def prepare(self, source: Any) -> Prepared:  # Any: a path, or data in memory
        """The examples of a source without looking for classes."""

    def prepare_labelled(self, source: Any, classes: Sequence[str]) -> tuple[Prepared, np.ndarray]:  # Any: as above
        """The examples of a source and their class numbers; a class that is not among ``classes`` is an error."""


@dataclass(frozen=True)
class TrainingSettings(Hyperparameters):
    """The hyperparameters that every task of labelled examples has; a task adds its own.

    Args:
        epochs: passes over the training examples, at most (early stopping may end before).
        batch_size: examples of one step.
        patience: epochs without a lower validation loss before training stops.
        learning_rate: the highest rate.
        weight_decay: strength of the decoupled weight decay.
        keep_from: share of the epochs that must be over before an epoch's weights may be kept; 0 for any epoch.
    """

    epochs: int = 20
    batch_size: int = 64
    patience: int = 5
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    keep_from: float = 0.0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            check_positive_int(name, getattr(self, name), self)
        check_number("learning_rate", self.learning_rate, self, above=0)
        check_number("weight_decay", self.weight_decay, self, at_least=0)
        check_number("keep_from", self.keep_from, self, at_least=0, below=1)


@dataclass(frozen=True, eq=False)
class Job:
    """A labelled-classification task made ready to run.

    Args:
        kind: ``"images"`` or ``"text"``: the task's name in the model file.
        unit: one example and several, in words: ``("image", "images")``.
        source: name of the data.
        path: of the data, if it is a file or folder.
        target: what is predicted, for headings and columns: ``"label"``.
        classes: names in the order of their numbers.
        inputs: [examples, ...], as the model takes them.
        labels: int32 class numbers.
        shown: columns that say which example a row is.
        split: rows of the three parts; see :func:`divide`.
        model: compiled; inputs -> logits [batch, classes].
        settings: hyperparameters.
        preparation: saved with the model.
        baseline: fits the linear baseline on the given rows and returns what answers for rows.
        baseline_is: the baseline in words: ``"logistic regression on the pixels"``.
        notes: what was found and what will be done, a line each, split and loss not included.
        findings: of the leak scan.
        figures: the task's own figures for the report.
        texts: texts for the report, with the words marked that their answers hang on.
        bigger: option for more capacity, for the next line to type: ``"--set width=64"``.
        smaller: option for less.
        example: a source to predict, for the next line to type: ``"new_images/"``.
        options: further words of the command line that asks this again: ``("--target", "label")``.
    """

    kind: str
    unit: tuple[str, str]
    source: str
    path: Path | None
    target: str
    classes: tuple[str, ...]
    inputs: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    shown: pl.DataFrame = field(repr=False)
    split: Split
    model: Model
    settings: TrainingSettings
    preparation: Preparation
    baseline: Callable[[np.ndarray], Answering]
    baseline_is: str
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    figures: Callable[[Judgement, Trained], list[report.ReportFigure]] | None = None
    texts: Callable[[Judgement], Sequence[report.MarkedText]] | None = None
    bigger: str = ""
    smaller: str = ""
    example: str = "new"
    options: tuple[str, ...] = ()

    def counts(self, rows: np.ndarray | None = None) -> dict[str, int]:
        """Examples of each class, of all rows or of the given ones."""
        labels = self.labels if rows is None else self.labels[rows]
        counted = np.bincount(labels, minlength=len(self.classes))
        return dict(zip(self.classes, counted.tolist(), strict=True))
