"""Judging a labelled run: validation rows for the verdict, test rows once, baselines on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from chainrule.data import SealedTest
from chainrule.diagnose import Verdict, diagnose
from chainrule.tasks.advice import comparison
from chainrule.tasks.intervals import interval
from chainrule.tasks.labelled.job import Answering, Job
from chainrule.tasks.linear import softmax
from chainrule.tasks.page_parts import confusion_counts
from chainrule.tasks.scores import Scores, guess, judge, log_loss
from chainrule.tasks.verdicts import compared
from chainrule.tasks.watched import Trained
from chainrule.train import History

TASK: Final = "multiclass"  # of scores: probabilities of all classes
MEASURE = "accuracy"
_AT_ONCE = 512  # examples of one prediction
_DECAYED = 1e-3  # of the highest rate: steps that change nothing


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a labelled run ends with.

    Args:
        validation: scores on the validation rows, by model: ``network``, ``linear`` and ``guess``.
        test: the same on the test rows.
        intervals: 95 % interval of the accuracy on the test rows, by model.
        verdict: from the learning curves; ``None`` if not one epoch was finished.
        rows: the test rows.
        labels: their class numbers.
        probabilities: on the test rows, by model: [rows, classes].
    """

    validation: dict[str, Scores]
    test: dict[str, Scores]
    intervals: dict[str, tuple[float, float]]
    verdict: Verdict | None
    rows: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    probabilities: dict[str, np.ndarray] = field(repr=False)

    @property
    def answers(self) -> np.ndarray:
        """The network's answer for each test row."""
        chosen: np.ndarray = self.probabilities["network"].argmax(axis=1)
        return chosen

    @property
    def confusion(self) -> np.ndarray:
        """The network's answers on the test rows: row = truth, column = answer."""
        return confusion_counts(self.answers, self.labels, self.probabilities["network"].shape[1])

    def by_class(self) -> list[dict[str, float]]:
        """Examples, recall and precision of each class on the test rows; NaN where there is none to find."""
        counts = self.confusion
        found = []
        for number in range(len(counts)):
            hits, there, said = counts[number, number], counts[number].sum(), counts[:, number].sum()
            found.append(
                {
                    "examples": int(there),
                    "recall": float(hits / there) if there else float("nan"),
                    "precision": float(hits / said) if said else float("nan"),
                }
            )
        return found

    def most_wrong(self, most: int) -> np.ndarray:
        """Positions in ``rows`` of the wrong answers, the surest first."""
        sure = self.probabilities["network"][np.arange(self.labels.size), self.answers]
        wrong = np.flatnonzero(self.answers != self.labels)
        chosen: np.ndarray = wrong[np.argsort(-sure[wrong], kind="stable")][:most]
        return chosen


def probabilities(job: Job, rows: np.ndarray) -> np.ndarray:
    """The network's probabilities for the given rows: [rows, classes], float64."""
    return softmax(np.asarray(job.model.predict(job.inputs[rows], batch_size=_AT_ONCE), np.float64))


def judge_run(job: Job, trained: Trained, *, balance: str, seed: int, actions: Mapping[str, str]) -> Judgement:
    """Baselines, verdict and, last and once, the test rows."""
    linear = job.baseline(job.split.train)
    held = job.split.validation
    validation = _scores(_predictions(job, linear, held), job.labels[held])
    is_rival = validation["linear"]["log_loss"] < validation["network"]["log_loss"]
    line = log_loss(linear(job.split.train), job.labels[job.split.train]) if is_rival else None
    is_settled = validation["network"][MEASURE] == 1 or _has_decayed(trained, job.settings.learning_rate)
    verdict = _verdict(job, trained.history, line, balance=balance, actions=actions, is_settled=is_settled)
    rows = SealedTest(job.split.test).open("final evaluation")
    found, labels = _predictions(job, linear, rows), job.labels[rows]
    test = _scores(found, labels)
    verdict = verdict and replace(verdict, reason=verdict.reason.replace(" rows", f" {job.unit[1]}"))
    ends = {name: interval(TASK, found[name], labels, seed=seed) for name in ("network", "linear")}
    return Judgement(
        validation=validation,
        test=test,
        intervals={name: pair for name, pair in ends.items() if pair is not None},
        verdict=compared(verdict, comparison(TASK, test, ends["network"]).replace(" rows", f" {job.unit[1]}")),
        rows=rows,
        labels=labels,
        probabilities=found,
    )


def _predictions(job: Job, linear: Answering, rows: np.ndarray) -> dict[str, np.ndarray]:
    train = job.labels[job.split.train]
    return {
        "network": probabilities(job, rows),
        "linear": linear(rows),
        "guess": guess(TASK, train, len(rows), len(job.classes)),
    }


def _scores(predictions: Mapping[str, np.ndarray], labels: np.ndarray) -> dict[str, Scores]:
    return {name: judge(TASK, values, labels) for name, values in predictions.items()}


def _verdict(
    job: Job, history: History, line: float | None, *, balance: str, actions: Mapping[str, str], is_settled: bool
) -> Verdict | None:
    """The verdict; ``line`` is the linear model's loss on the training rows.

    It is compared only if the linear model is also better on the validation rows: with thousands of pixels or words it
    can learn its training rows by heart, which augmentation and dropout keep the network from, and proves nothing.
    """
    curves = {name: history[name] for name in ("loss", "val_loss")}
    if not curves["loss"] or len(curves["loss"]) != len(curves["val_loss"]):
        return None
    rows = job.split.train
    if balance == "none":
        baseline = log_loss(guess(TASK, job.labels[rows], len(rows), len(job.classes)), job.labels[rows])
    else:  # every class counts alike, so the best guess is an even one, and the linear model has another aim
        baseline, line = float(np.log(len(job.classes))), None
    return diagnose(
        curves,
        baseline=max(baseline, 1e-12),
        linear=line,
        best_epoch=history.best_epoch,
        validation_rows=job.split.validation.size,
        # weights are late ones by design where only such may be kept: then their place says nothing
        ran_out=history.stop_reason == "all epochs done" and not job.settings.keep_from,
        is_settled=is_settled,
        actions=actions,
    )


def _has_decayed(trained: Trained, highest: float) -> bool:
    """Whether a schedule has brought the learning rate to about nothing."""
    return trained.last_rate is not None and trained.last_rate < _DECAYED * highest
