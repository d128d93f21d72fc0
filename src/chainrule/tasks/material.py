"""From a file and a question to prepared rows: read, understand, divide, prepare; and say all of it in words."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from chainrule._base.checks import check_choice, check_int, check_number
from chainrule._base.errors import ArgumentError, DataError
from chainrule._base.wording import counted
from chainrule.data import (
    ColumnKind,
    Finding,
    FittedPreparer,
    Schema,
    Split,
    Table,
    TablePreparer,
    Target,
    TargetEncoder,
    Task,
    describe,
    duplicate_groups,
    imbalance_note,
    infer_schema,
    read_table,
    read_target,
    scan,
    split,
)
from chainrule.data.dates import epoch_days, to_moments
from chainrule.tasks.network import LOSSES
from chainrule.tasks.scores import MEASURES, main_measure
from chainrule.tasks.settings import TableConfig, default_config
from chainrule.tasks.words import printable

BALANCES = ("none", "weights", "undersample", "oversample")
_FEW_COMBINATIONS = 0.5  # below this share of different rows, equal rows are no copies: there are few combinations
MIN_ROWS = 10
_BLOCK = 50_000  # rows


@dataclass(frozen=True)
class Question:
    """What is asked of a table, and how its rows are divided.

    Args:
        target: a column, a comparison such as ``num>0``, or several columns of 0/1.
        task: the task, if the target's values should not decide.
        validation: share of the rows that decide when to stop.
        test: share of the rows that judge, once.
        group: a column whose equal values stay on one side (patients, households).
        time: a column by which training comes first and the test last.
        balance: ``"none"``, ``"weights"``, ``"undersample"`` or ``"oversample"``.
        kinds: column -> kind, where you know better than the inference.
        drop: columns to leave out.
        settings: hyperparameters that differ from the default rule.
        seed: decides the split, the initial weights, the order of rows and what is dropped out.
    """

    target: str | tuple[str, ...]
    task: Task | None = None
    validation: float = 0.2
    test: float = 0.2
    group: str | None = None
    time: str | None = None
    balance: str = "none"
    kinds: Mapping[str, ColumnKind] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)  # Any: values of TableConfig's fields
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("validation", "test"):
            check_number(name, getattr(self, name), "fit_table", above=0, below=1)
        if self.validation + self.test >= 1:
            raise ArgumentError(
                f"fit_table: validation and test must leave rows to train on; received {self.validation:g} and "
                f"{self.test:g}. Lower one of them."
            )
        check_choice("balance", self.balance, BALANCES, "fit_table")
        check_int("seed", self.seed, "fit_table", minimum=0)
        if self.group is not None and self.time is not None:
            raise ArgumentError("fit_table: group and time exclude each other; received both. Choose one.")


@dataclass(frozen=True, eq=False)
class Material:
    """A table made ready: everything fitted here has seen training rows only.

    Args:
        table: the rows that have a target.
        schema: its columns.
        target: the target of these rows.
        encoder: of the target, to be saved; for regression scaled by the training rows.
        split: rows of the three parts.
        preparer: fitted on the training rows.
        features: float32 [rows, features].
        config: hyperparameters.
        findings: of the leak scan.
        words: what was found and what will be done, a line each.
    """

    table: Table
    schema: Schema
    target: Target
    encoder: TargetEncoder
    split: Split
    preparer: FittedPreparer
    features: np.ndarray = field(repr=False)
    config: TableConfig
    findings: tuple[Finding, ...] = ()
    words: tuple[str, ...] = field(default=(), repr=False)

    @functools.cached_property
    def plain_features(self) -> np.ndarray:
        """Standardised and one-hot features for the linear baseline, also fitted on the training rows only."""
        if not self.config.piecewise_bins and self.config.scaling == "standard":
            return self.features
        fitted = TablePreparer().fit(self.table, self.schema, self.split.train, exclude=self.preparer.not_features)
        return features_in_blocks(fitted, self.table)

    @property
    def num_outputs(self) -> int:
        """Outputs of the network."""
        if self.encoder.task == "multiclass":
            return len(self.encoder.classes)
        return len(self.encoder.columns) if self.encoder.task == "multilabel" else 1


def gather(source: Any, question: Question) -> Material:  # Any: a path, a Table, or a data frame of any library
    """Read ``source`` and make it ready for ``question``.

    Raises:
        DataError: the file, a row or a column cannot be used; the message names it and says what to do.
        ArgumentError: an option names what is not there.
    """
    table = read_table(source)
    for name in (*question.drop, *question.kinds, *filter(None, (question.group, question.time))):
        table.column(name)  # raises with the nearest name
    table = table.drop(question.drop)
    target = read_target(table, _names(question.target), task=question.task)
    table = table.take(target.rows)
    if len(table) < MIN_ROWS:
        raise DataError(
            f"{table.source}: {len(table)} rows with a target are too few to learn from and to judge by; at least "
            f"{MIN_ROWS} are needed. Add rows."
        )
    _check_own_target(target, question)
    schema = infer_schema(table, kinds=question.kinds)
    parts = _divide(table, schema, target, question)
    encoder = target.encoder_for(parts.train)
    config = default_config(target.task, parts.train.size, len(schema.of_kind("number")))
    config = config.replaced(question.settings)
    exclude = tuple(dict.fromkeys([*encoder.columns, *filter(None, (question.group, question.time))]))
    preparer = TablePreparer(numeric=config.scaling, piecewise_bins=config.piecewise_bins).fit(  # type: ignore[arg-type]  # checked by TableConfig
        table, schema, parts.train, exclude=exclude
    )
    findings = scan(table, schema, target, parts)
    material = Material(
        table, schema, target, encoder, parts, preparer, features_in_blocks(preparer, table), config, findings
    )
    return Material(**{**material.__dict__, "words": tuple(_words(material, question))})


def features_in_blocks(preparer: FittedPreparer, table: Table) -> np.ndarray:
    """The features of ``table``, made some rows at a time: what a block needs in float64 is soon free again."""
    features = np.empty((len(table), len(preparer.feature_names)), np.float32)
    for start in range(0, len(table), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(table)))
        features[rows] = preparer.transform(table.take(rows) if len(table) > _BLOCK else table)
    return features


def targets_of(material: Material) -> np.ndarray:
    """Targets as the network learns them: class numbers, 0/1 or scaled amounts."""
    if material.encoder.task == "regression":
        return material.encoder.scaled(material.target.values)
    return material.target.values


def _names(target: str | Sequence[str]) -> str | tuple[str, ...]:
    if isinstance(target, str):
        return target
    return target[0] if len(target) == 1 else tuple(target)


def _check_own_target(target: Target, question: Question) -> None:
    for name in (question.group, question.time):
        if name in target.encoder.columns:
            raise ArgumentError(f"fit_table: {name!r} is the target, so it cannot also divide the rows. Name another.")
    if question.balance != "none" and target.task not in ("binary", "multiclass"):
        raise ArgumentError(
            f"fit_table: balance={question.balance!r} is for classes; the task is {target.task}. Leave it out."
        )


def _divide(table: Table, schema: Schema, target: Target, question: Question) -> Split:
    shares = {"validation": question.validation, "test": question.test, "seed": question.seed}
    if question.time is not None:
        return split(table, time=_moments(table, schema, question.time), **shares)  # type: ignore[arg-type]  # shares
    classes = target.values if target.task in ("binary", "multiclass") else None
    if question.group is not None:
        return split(table, groups=table.column(question.group), stratify=classes, **shares)  # type: ignore[arg-type]
    is_varied = duplicate_groups(table).max() + 1 >= _FEW_COMBINATIONS * len(table)
    return split(table if is_varied else len(table), stratify=classes, **shares)  # type: ignore[arg-type]


def _moments(table: Table, schema: Schema, name: str) -> pl.Series:
    values, column = table.column(name), schema[name]
    if column.kind == "date" and column.date_format is not None:
        return epoch_days(to_moments(values, column.date_format, table.source))
    if not values.dtype.is_numeric() and values.dtype == pl.String:
        raise DataError(
            f"{table.source}: column {name!r} must hold dates or numbers to order rows by; it holds {column.kind} "
            f"values such as {values.drop_nulls()[0]!r}. Write dates as 2024-01-31."
        )
    return values


def _words(material: Material, question: Question) -> list[str]:
    table, target, schema = material.table, material.target, material.schema
    lines = [
        f"{table.source}: {counted(len(table), 'row', 'rows')}, {counted(len(table.columns), 'column', 'columns')}."
    ]
    lines += [*table.notes, *target.notes]
    width = max(len(name) for name in table.columns)
    lines += [f"  {name:<{width}}  {kind:<10} {values}  ({why})" for name, kind, values, why in describe(schema)]
    lines += _task_words(material)
    lines += _split_words(material, question)
    given = dict.fromkeys(material.preparer.filled, "; only whether it is filled in is used")
    dropped = [f"{name} ({reason}{given.get(name, '')})" for name, reason in material.preparer.dropped]
    if dropped:
        lines.append(f"Left out: {'; '.join(dropped)}.")
    if material.config.refit:
        chosen = "epoch and threshold" if material.encoder.task == "binary" else "the epoch"
        lines.append(
            f"Few rows: once the validation rows have chosen {chosen}, the network is trained again on "
            "training and validation rows together, and the linear baseline too."
        )
    if note := imbalance_note(target.counts):
        lines.append(note[:1].upper() + note[1:] + _balance_words(question.balance))
    lines += [f"{finding.message[:1].upper()}{finding.message[1:]} {finding.action}" for finding in material.findings]
    return [printable(line) for line in lines]


def _split_words(material: Material, question: Question) -> list[str]:
    """How the rows are divided; and for dates, whether that is by time."""
    sizes, how = material.split.sizes, material.split.how
    how += f", seed {question.seed}" if question.time is None else f", column {question.time!r}"
    lines = [
        f"Split ({how}): {counted(sizes['train'], 'row', 'rows')} to train, {sizes['validation']:,} to decide when to "
        f"stop, {sizes['test']:,} to judge once at the end."
    ]
    if question.time is not None:
        values = material.table.column(question.time)
        parts = material.split
        ends = [values[int(row)] for row in (parts.train[-1], parts.validation[-1], parts.test[0])]
        lines.append(
            f"{question.time!r} only divides the rows and is no feature: training goes up to {ends[0]}, validation up "
            f"to {ends[1]}, and the test begins at {ends[2]}."
        )
    elif question.group is None:
        lines += [
            f"{name!r} is a date: if you will predict later rows, add --time {shlex.quote(name)}."
            for name in material.schema.of_kind("date")
            if name in material.preparer.column_of_feature
        ]
    return lines


def _task_words(material: Material) -> list[str]:
    task, (loss, output, why) = material.encoder.task, LOSSES[material.encoder.task]
    config, num = material.config, len(material.preparer.feature_names)
    columns = len(set(material.preparer.column_of_feature))
    layers = f"{counted(config.depth, 'hidden layer', 'hidden layers')} of {counted(config.width, 'unit', 'units')}"
    hidden = layers if config.depth else "no hidden layer"
    path = ", beside a linear path" if config.linear_path and config.depth else ""
    return [
        f"Task: {material.target.reason}.",
        f"Loss: {loss} ({why}); output: {output}; judged by {main_measure(task).name}: {MEASURES[task][1]}.",
        f"Input: {num} numbers made of {counted(columns, 'column', 'columns')}; network: {hidden}{path}.",
    ]


def _balance_words(balance: str) -> str:
    match balance:
        case "weights":
            return " Each class counts alike in the loss."
        case "none":
            return " All rows count alike, so probabilities stay honest; --balance weights changes that."
        case _:
            return f" Training rows are {balance}d."
