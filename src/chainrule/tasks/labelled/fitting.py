"""The run of a labelled task: claim the folder, train, judge, write every file."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from chainrule import report as reports
from chainrule.data import balance, class_weights
from chainrule.tasks.advice import repeated
from chainrule.tasks.card import model_card
from chainrule.tasks.finished import Answers, FinishedRun, warn
from chainrule.tasks.labelled.dividing import split_words
from chainrule.tasks.labelled.facts import collect_facts
from chainrule.tasks.labelled.job import Job, Options
from chainrule.tasks.labelled.judging import TASK, Judgement, judge_run
from chainrule.tasks.labelled.page import build_page
from chainrule.tasks.labelled.predictor import LabelledPredictor
from chainrule.tasks.run_folder import RunFolder, claim, give_up
from chainrule.tasks.scores import Scores
from chainrule.tasks.watched import Trained, Watch, fit_watched
from chainrule.tasks.words import printable

_FILES = ("model.chainrule", "metrics.json", "predictions_test.csv", "model_card.md", "events.jsonl")


@dataclass(frozen=True, eq=False)
class LabelledRun(FinishedRun):
    """A finished run on labelled examples; see :class:`FinishedRun`."""

    predictor: LabelledPredictor = field(repr=False)

    def answer(self, source: Any, *, on_bad: str = "error") -> Answers:  # Any: a path, or data in memory
        """Answers for each example, with notes; see :meth:`LabelledPredictor.answer`."""
        return self.predictor.answer(source, on_bad=on_bad)

    def predict(self, source: Any, *, on_bad: str = "error") -> pl.DataFrame:  # Any: as in answer
        """Answers for each example; see :meth:`FinishedRun.predict`.

        With ``on_bad="skip"``, image files that cannot be read get a row without an answer; ``problem`` says why.
        """
        answers = self.answer(source, on_bad=on_bad)
        warn(answers.notes)
        return answers.frame

    def evaluate(self, source: Any, *, on_bad: str = "error") -> Scores:  # Any: as in answer
        """The metrics on a source with classes; see :meth:`FinishedRun.evaluate`."""
        scores = self.predictor.evaluate(source, on_bad=on_bad)
        warn(self.evaluation_notes(source))
        return scores


def fit_labelled(job: Job, options: Options) -> LabelledRun:
    """Train the job's model, judge it beside the baselines, and save everything.

    If Ctrl-C ended the training, the run's status is ``interrupted``; the model of the best epoch so far is judged and
    saved like any other.

    Raises:
        ArgumentError: the run's folder holds something already.
        NonFiniteError: training met NaN or Inf; the folder then says ``failed`` and keeps the events.
    """
    notes = [printable(line) for line in (*job.notes, *_shared_words(job, options))]
    for line in notes if options.verbose else ():
        print(line, file=sys.stderr)
    now = datetime.now()
    folder = claim(options.run, job.source, now)
    source = repr(str(job.path)) if job.path is not None else "..."
    command = options.command or f"{options.owner}({source}, seed={options.seed})"
    try:
        folder.write_json("config.json", _config(job, options, command, "running"))
        trained = _train(job, options, folder)
        actions = _next_actions(job, options, folder, command)
        judgement = judge_run(job, trained, balance=options.balance, seed=options.seed, actions=actions)
        facts = collect_facts(job, options, judgement, trained, notes=notes, command=command, now=now)
        predictor = _write(folder, job, judgement, facts)
        if options.report:
            page = build_page(job, judgement, trained, facts, {name: str(folder.file(name)) for name in _FILES})
            reports.write(page, folder.file("report.html"))
        folder.write_json("config.json", _config(job, options, command, trained.status))
        return LabelledRun(folder.path, predictor, facts, trained.history)
    except BaseException as error:
        give_up(folder, _config(job, options, command, "failed"), error)
        raise


def _train(job: Job, options: Options, folder: RunFolder) -> Trained:
    settings, labels, held = job.settings, job.labels, job.split.validation
    rows, weights = job.split.train, None
    validation: tuple[Any, ...] = (job.inputs[held], labels[held])  # Any: arrays
    if options.balance != "none":
        chosen, weights = balance(labels[rows], options.balance, seed=options.seed)  # type: ignore[arg-type]  # checked
        rows = rows[chosen]
        validation += (class_weights(labels[held], len(job.classes))[labels[held]],)
    return fit_watched(
        job.model,
        job.inputs[rows],
        labels[rows],
        Watch(
            settings.patience if options.early_stop else settings.epochs,
            folder.file("events.jsonl"),
            options.verbose,
            options.callbacks,
            start=int(settings.keep_from * settings.epochs),
        ),
        sample_weight=weights,
        validation=validation,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
    )


def _shared_words(job: Job, options: Options) -> list[str]:
    lines = split_words(job.split, options, job.unit, job.counts())
    return lines + [f"{found.message[:1].upper()}{found.message[1:]} {found.action}" for found in job.findings]


def _next_actions(job: Job, options: Options, folder: RunFolder, command: str) -> dict[str, str]:
    """The next thing to type, for each verdict and flag."""
    if not repeated(command):
        command = shlex.join(["chainrule", "fit", str(job.path or "FILE"), *job.options])
    again, settings = repeated(command), job.settings
    return {
        "under-fit": f"{again} {job.bigger}".rstrip(),
        "over-fit": f"{again} {job.smaller}".rstrip(),
        "good": f"chainrule predict {shlex.quote(str(folder.path))} {job.example} -o answers.csv",
        "unlikely": f"{repeated(command, '--seed')} --seed {options.seed + 1}  # does it hold on another split? "
        "then look for leaks",
        "diverged": f"{again} --set learning_rate={settings.learning_rate / 10:g}",
        "not converged": f"{repeated(command, '--epochs')} --epochs {2 * settings.epochs}",
        "possible leak": again,
    }


def _config(job: Job, options: Options, command: str, status: str) -> dict[str, Any]:  # Any: JSON values
    return {
        "status": status,
        "command": command,
        "data": job.source,
        "question": {
            "kind": job.kind,
            "target": job.target,
            "task": TASK,
            "validation": options.validation,
            "test": options.test,
            "balance": options.balance,
            "seed": options.seed,
        },
        "hyperparameters": job.settings.rows(),
    }


def _write(folder: RunFolder, job: Job, judgement: Judgement, facts: dict[str, Any]) -> LabelledPredictor:
    """Model, facts, answers on the test rows and the model card."""
    predictor = LabelledPredictor(job.model, job.preparation, job.classes, job.target, job.kind, facts)
    predictor.pack()
    job.model.save(folder.file("model.chainrule"))
    folder.write_json("metrics.json", facts)
    shown = job.shown[judgement.rows].hstack(
        pl.DataFrame({f"true {job.target}": np.array(job.classes)[judgement.labels]})
    )
    answers = predictor.frame(shown, judgement.probabilities["network"])
    folder.write_text("predictions_test.csv", answers.write_csv())
    folder.write_text("model_card.md", model_card(facts))
    return predictor
