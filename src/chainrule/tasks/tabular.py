"""The table task: from a raw file and a target to a trained, judged and saved model."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from chainrule import report as reports
from chainrule.data import ColumnKind, Task
from chainrule.tasks.advice import next_actions
from chainrule.tasks.card import model_card
from chainrule.tasks.facts import collect_facts
from chainrule.tasks.finished import FinishedRun
from chainrule.tasks.judgement import choose, judge_once
from chainrule.tasks.material import Material, Question, gather
from chainrule.tasks.page import build_page
from chainrule.tasks.predictor import TablePredictor
from chainrule.tasks.provenance import source_path
from chainrule.tasks.run_folder import RunFolder, check_free, claim, give_up
from chainrule.tasks.training import train, train_again
from chainrule.tasks.watched import Listener, Trained


@dataclass(frozen=True, eq=False)
class TableRun(FinishedRun):
    """A finished run on a table; see :class:`FinishedRun`."""

    predictor: TablePredictor = field(repr=False)


def fit_table(  # noqa: PLR0913 - the one door of the task: every option has its name here
    source: Any,  # Any: a path, a Table, or a data frame of any library
    target: str | Sequence[str],
    *,
    run: str | Path | None = None,
    seed: int = 0,
    task: Task | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    validation: float = 0.2,
    test: float = 0.2,
    group: str | None = None,
    time: str | None = None,
    balance: str = "none",
    early_stop: bool = True,
    kinds: Mapping[str, ColumnKind] | None = None,
    drop: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,  # Any: values of TableConfig's fields
    report: bool = True,
    verbose: int = 1,
    callbacks: Sequence[Listener] = (),
    command: str | None = None,
) -> TableRun:
    """Read a table, train a network on it, judge it beside simpler models, and save everything.

    Rows are split first; everything learned from data (filling, scaling, categories, weights) is learned from the
    training rows, everything chosen (when to stop, the threshold) from the validation rows, and the test rows are
    opened once, at the end. Of small tables the validation rows are learned from too, once they have chosen
    (``refit``).

    Args:
        source: CSV, TSV, Parquet or Excel file, or a data frame.
        target: the column to predict; ``"num>0"`` asks a question of a column; several columns are labels.
        run: folder to write, which must not hold anything; default ``runs/<data>-<time>``.
        seed: the one seed.
        task: ``"binary"``, ``"multiclass"``, ``"multilabel"`` or ``"regression"``, if the target's values should not
            decide.
        epochs: most passes over the training rows.
        batch_size: rows of one step.
        validation: share of the rows that decide when to stop.
        test: share of the rows that judge.
        group: column whose equal values stay on one side of the split.
        time: column by which training comes first and the test last.
        balance: ``"none"``, ``"weights"``, ``"undersample"`` or ``"oversample"``.
        early_stop: stop when the validation loss no longer falls.
        kinds: column -> kind, where you know better than the inference.
        drop: columns to leave out.
        settings: hyperparameters that differ from the default rule; see :class:`TableConfig`.
        report: whether to write ``report.html``.
        verbose: 0 is silent; 1 tells on stderr what is found and shows progress.
        callbacks: further listeners of the training.
        command: how the run was started, for the report.

    Returns:
        The run. If Ctrl-C ended the training, its status is ``interrupted``; the model of the best epoch so far is
        judged and saved like any other.

    Raises:
        DataError: the table cannot be used; nothing has been written then.
        ArgumentError: an option has a value it must not have.
        NonFiniteError: training met NaN or Inf; the folder then says ``failed`` and keeps the events.

    Example:
        >>> import tempfile
        >>> from chainrule import datasets
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = fit_table(datasets.path("heart.csv"), "disease", run=folder, epochs=3, report=False, verbose=0)
        ...     sorted(file.name for file in run.folder.iterdir())
        ['config.json', 'events.jsonl', 'metrics.json', 'model.chainrule', 'model_card.md', 'predictions_test.csv']
    """
    chosen = dict(settings or {})
    chosen |= {name: value for name, value in (("epochs", epochs), ("batch_size", batch_size)) if value is not None}
    asked = Question(
        target=target if isinstance(target, str) else tuple(target),
        task=task,
        validation=validation,
        test=test,
        group=group,
        time=time,
        balance=balance,
        kinds=dict(kinds or {}),
        drop=tuple(drop),
        settings=chosen,
        seed=seed,
    )
    check_free(run)
    material = gather(source, asked)
    for line in material.words if verbose else ():
        print(line, file=sys.stderr)
    path, now = source_path(source), datetime.now()
    folder = claim(run, material.table.source, now)
    how = command or f"fit_table({str(source) if path else '...'!r}, {asked.target!r}, seed={seed})"
    try:
        _announce(folder, material, asked, how)
        trained = train(
            material,
            how=balance,
            seed=seed,
            early_stop=early_stop,
            events=folder.file("events.jsonl"),
            verbose=verbose,
            callbacks=callbacks,
        )
        return _finish(folder, material, asked, trained, path=path, command=how, now=now, report=report)
    except BaseException as error:
        give_up(folder, _config(material, asked, how, "failed"), error)
        raise


def _announce(folder: RunFolder, material: Material, asked: Question, command: str) -> None:
    folder.write_json("config.json", _config(material, asked, command, "running"))


def _config(material: Material, asked: Question, command: str, status: str) -> dict[str, Any]:  # Any: JSON values
    return {
        "status": status,
        "command": command,
        "data": material.table.source,
        "question": {
            "target": asked.target,
            "task": material.encoder.task,
            "validation": asked.validation,
            "test": asked.test,
            "group": asked.group,
            "time": asked.time,
            "balance": asked.balance,
            "kinds": asked.kinds,
            "drop": asked.drop,
            "seed": asked.seed,
        },
        "hyperparameters": material.config.rows(),
    }


def _finish(
    folder: RunFolder,
    material: Material,
    asked: Question,
    trained: Trained,
    *,
    path: Path | None,
    command: str,
    now: datetime,
    report: bool,
) -> TableRun:
    """Judge, write every file, and say in ``config.json`` last that the run is whole."""
    model, history, schema = trained.model, trained.history, material.schema
    status = trained.status
    plain = TablePredictor(model, material.preparer, material.encoder, schema)
    actions = next_actions(material, asked, command=command, path=path, folder=folder.path)
    choice = choose(material, plain, history, question=asked, actions=actions)
    learned_from = material.split.train
    if material.config.refit and status == "finished":
        learned_from = train_again(material, trained, how=asked.balance, seed=asked.seed)
    threshold = choice.thresholds["network"]
    judged = TablePredictor(model, material.preparer, material.encoder, schema, threshold)
    judgement = judge_once(material, judged, choice, learned_from, seed=asked.seed)
    facts = collect_facts(material, asked, judgement, history, path=path, command=command, status=status, now=now) | {
        "learned_from": learned_from.size
    }
    predictor = TablePredictor(model, material.preparer, material.encoder, schema, threshold, facts)
    predictor.pack()
    model.save(folder.file("model.chainrule"))
    folder.write_json("metrics.json", facts)
    folder.write_text("predictions_test.csv", _test_predictions(material, predictor, judgement.predictions["network"]))
    folder.write_text("model_card.md", model_card(facts))
    if report:
        names = ("model.chainrule", "metrics.json", "predictions_test.csv", "model_card.md", "events.jsonl")
        page = build_page(material, judgement, history, facts, {name: str(folder.file(name)) for name in names})
        reports.write(page, folder.file("report.html"))
    folder.write_json("config.json", _config(material, asked, command, status))
    return TableRun(folder.path, predictor, facts, history)


def _test_predictions(material: Material, predictor: TablePredictor, raw: Any) -> str:  # Any: NumPy array
    """Line in the file (or row), true value and answer of every test row, as CSV."""
    rows = material.split.test
    truth = material.table.take(rows).frame.select(list(material.encoder.columns))
    lines = material.table.lines  # of a file that has some; else rows are counted
    place = pl.DataFrame({"row": rows + 1} if lines is None else {"line": lines[rows]})
    frame = place.hstack(truth)
    return frame.hstack(predictor.frame(raw)).write_csv()
