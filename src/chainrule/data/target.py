"""The column to predict: which task it makes, why, and the values as the trainer needs them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import polars as pl

from chainrule._base.checks import check_choice
from chainrule._base.errors import ArgumentError, DataError
from chainrule._base.registry import register_class
from chainrule._base.wording import counted
from chainrule.data.schema import value_text
from chainrule.data.sources.numbers import number_mask
from chainrule.data.sources.table import Table

Task = Literal["binary", "multiclass", "multilabel", "regression"]
TASKS: tuple[str, ...] = get_args(Task)
MAX_NUMERIC_CLASSES = 10
MIN_CLASS_ROWS = 3  # one each for training, validation and test
_MAX_TEXT_CLASSES = 1000
_EXPRESSION = re.compile(r"^(?P<column>.+?)\s*(?P<operator>>=|<=|==|!=|>|<)\s*(?P<value>[^<>=!]+)$")


@register_class
@dataclass(frozen=True)
class TargetEncoder:
    """Between the target as written in a table and as numbers; saved with the model.

    Args:
        columns: the target's columns.
        task: the task.
        classes: class names in the order of their numbers; for multi-label the two values.
        expression: ``num>0`` and the like; its classes are ``no`` and ``yes``.
        mean: for regression, subtracted from the target.
        scale: for regression, what it is divided by afterwards.

    Example:
        >>> encoder = TargetEncoder(("disease",), "binary", classes=("no", "yes"))
        >>> encoder.encode(Table(pl.DataFrame({"disease": ["yes", "no"]}), "new.csv")).tolist()
        [1, 0]
        >>> TargetEncoder(("price",), "regression", mean=10.0, scale=2.0).inverse(np.array([1.0])).tolist()
        [12.0]
    """

    columns: tuple[str, ...]
    task: Task
    classes: tuple[str, ...] = ()
    expression: str | None = None
    mean: float = 0.0
    scale: float = 1.0

    def encode(self, table: Table) -> np.ndarray:
        """Class numbers (int32), a 0/1 matrix (multi-label, float32) or unscaled amounts (float64).

        Raises:
            DataError: a value is missing, or is a class that training did not know; names the row.
        """
        encoded = [self._encode_column(table, name) for name in self.columns]
        if self.task == "multilabel":
            return np.column_stack(encoded).astype(np.float32)
        return encoded[0]

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Regression targets as trained on: ``(y - mean) / scale`` in float32."""
        return ((np.asarray(values, np.float64) - self.mean) / self.scale).astype(np.float32)

    def inverse(self, values: np.ndarray) -> np.ndarray:
        """From the model's scale back to the target's own."""
        return np.asarray(values, np.float64) * self.scale + self.mean

    def class_names(self, indices: np.ndarray) -> list[str]:
        """Names of the given class numbers."""
        return [self.classes[int(index)] for index in np.asarray(indices)]

    def _encode_column(self, table: Table, name: str) -> np.ndarray:
        values = _evaluate(table, self.expression) if self.expression else table.column(name)
        if values.null_count():
            row = int(values.is_null().arg_max() or 0)
            raise DataError(
                f"{table.where(row)}, column {name!r}: the target is missing. Fill it in or leave the row out."
            )
        if self.task == "regression":
            if not values.dtype.is_numeric():
                raise DataError(
                    f"{table.source}: the target {name!r} must hold numbers, as in training; received text such as "
                    f"{values[0]!r}. Correct the values."
                )
            return values.to_numpy().astype(np.float64)
        text = value_text(values)
        index = text.replace_strict(
            list(self.classes), list(range(len(self.classes))), default=-1, return_dtype=pl.Int32
        )
        if (index < 0).any():
            row = int((index < 0).arg_max() or 0)
            raise DataError(
                f"{table.where(row)}, column {name!r}: {text[row]!r} is not a class of this model; expected one of "
                f"{', '.join(self.classes[:20])}. Correct the value or train a new model."
            )
        return index.to_numpy()


@dataclass(frozen=True, eq=False)
class Target:
    """The target of a table.

    Args:
        encoder: names, classes and task; not yet scaled (see :meth:`encoder_for`).
        reason: why the task is what it is.
        rows: the rows that have a target; use ``table.take(target.rows)``.
        values: their targets: int32 class numbers, float32 0/1 [rows, labels], or float64 amounts.
        notes: what was dropped, or should be known.
    """

    encoder: TargetEncoder
    reason: str
    rows: np.ndarray = field(repr=False)
    values: np.ndarray = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def task(self) -> Task:
        """The task."""
        return self.encoder.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of their numbers."""
        return self.encoder.classes

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each class (for multi-label, rows with each label)."""
        if self.task == "regression":
            return {}
        if self.task == "multilabel":
            return dict(zip(self.encoder.columns, self.values.sum(axis=0).astype(int).tolist(), strict=True))
        counted = np.bincount(self.values, minlength=len(self.classes))
        return dict(zip(self.classes, counted.tolist(), strict=True))

    def encoder_for(self, train_rows: np.ndarray) -> TargetEncoder:
        """The encoder to save: for regression, mean and scale are those of the training rows only.

        Args:
            train_rows: positions within ``values``, as a split gives them.
        """
        if self.task != "regression":
            return self.encoder
        part = self.values[np.asarray(train_rows, np.int64)]
        deviation = float(part.std()) or 1.0
        return TargetEncoder(self.encoder.columns, "regression", mean=float(part.mean()), scale=deviation)


def read_target(
    table: Table,
    target: str | Sequence[str],
    *,
    task: Task | None = None,
    positive: str | None = None,
    num_left_out: int = 0,
) -> Target:
    """Find the task from the target's values, say why, and encode them.

    Two different values make a binary task, text or up to ten whole numbers a multi-class one, other numbers a
    regression; several columns of 0/1 a multi-label one. ``"num>0"`` asks whether ``num`` exceeds 0.

    Args:
        table: the table.
        target: a column, a comparison with a column (``>``, ``>=``, ``<``, ``<=``, ``==``, ``!=``), or several columns.
        task: the task, if the inference should not decide.
        positive: for binary tasks, the class to be numbered 1 (the last in order, unless given).
        num_left_out: rows that the source holds beside those of ``table``, so that notes count against all of them.

    Raises:
        DataError: no such column, no values, one class only, a class too rare to be split, mixed values.

    Example:
        >>> from chainrule.data.sources import read_table
        >>> target = read_target(read_table({"num": [0, 1, 2, 0, 3, 0, None]}), "num>0")
        >>> target.task, target.classes, target.values.tolist(), target.notes
        ('binary', ('no', 'yes'), [0, 1, 1, 0, 1, 0], ('1 of 7 rows has no target and was left out.',))
    """
    if task is not None:
        check_choice("task", task, TASKS, "read_target")
    names = (target,) if isinstance(target, str) else tuple(target)
    if not names:
        raise ArgumentError("read_target: target must name at least one column; received none. Name a column.")
    if len(names) > 1 or task == "multilabel":
        return _multilabel(table, names)
    column, expression = _resolve(table, names[0])
    values = _evaluate(table, expression) if expression else column
    rows = np.flatnonzero(values.is_not_null().to_numpy())
    notes = _missing_notes(values, names[0], table, num_left_out)
    present = values.drop_nulls()
    found, reason = _infer_task(present, table, names[0], rows)
    if task is not None and task != found:
        _check_task_fits(present, task, names[0])
        found, reason = task, f"task {task!r} was chosen by you"
    if expression:
        reason = f"whether {expression}: two classes"
    if found == "regression":
        encoder = TargetEncoder((column.name,), "regression")
        return Target(encoder, reason, rows, present.to_numpy().astype(np.float64), notes)
    classes = ("no", "yes") if expression else _class_order(present, positive, names[0])
    encoder = TargetEncoder((column.name,), found, classes, expression)
    encoded = encoder.encode(table.take(rows))
    _check_counts(encoded, classes, names[0])
    return Target(encoder, reason, rows, encoded, notes)


def _resolve(table: Table, target: str) -> tuple[pl.Series, str | None]:
    if target not in table.columns and (match := _EXPRESSION.match(target)):
        return table.column(match["column"].strip()), target
    return table.column(target), None


def _evaluate(table: Table, expression: str) -> pl.Series:
    """``column OP value`` as ``no``/``yes`` text; missing stays missing. Nothing is ever executed."""
    match = _EXPRESSION.match(expression)
    if match is None:
        raise DataError(f"target: {expression!r} is not a comparison. Write it like 'num>0'.")
    column, operator, wanted = table.column(match["column"].strip()), match["operator"], match["value"].strip()
    if column.dtype.is_numeric():
        if not number_mask(pl.Series([wanted]))[0]:
            raise DataError(f"target: {expression!r} compares numbers with {wanted!r}, which is none. Give a number.")
        outcome = _compare(column, operator, float(wanted))
    elif operator in ("==", "!="):
        outcome = _compare(value_text(column), operator, wanted.strip("'\""))
    else:
        raise DataError(
            f"target: {expression!r}: {column.name!r} holds text, which has no order. Compare with == or !=."
        )
    return outcome.cast(pl.Int8).replace_strict({0: "no", 1: "yes"}, return_dtype=pl.String).alias(column.name)


def _compare(column: pl.Series, operator: str, value: float | str) -> pl.Series:
    comparisons = {
        ">": column.gt,
        ">=": column.ge,
        "<": column.lt,
        "<=": column.le,
        "==": column.eq,
        "!=": column.ne,
    }
    return comparisons[operator](value)


def _missing_notes(values: pl.Series, name: str, table: Table, num_left_out: int) -> tuple[str, ...]:
    num_missing = values.null_count()
    if num_missing == values.len():
        raise DataError(
            f"{table.source}: the target {name!r} is missing in all {values.len():,} rows. Choose another target."
        )
    if not num_missing:
        return ()
    of = f"of {values.len() + num_left_out:,} rows"
    return (counted(num_missing, f"{of} has no target and was left out.", f"{of} have no target and were left out."),)


def _infer_task(present: pl.Series, table: Table, name: str, rows: np.ndarray) -> tuple[Task, str]:
    unique = present.n_unique()
    if unique == 1:
        raise DataError(
            f"{table.source}: the target {name!r} has the single value {value_text(present)[0]!r} in all "
            f"{present.len():,} rows, so there is nothing to learn. Choose another target or add rows of other classes."
        )
    if unique == 2:
        return "binary", f"{name!r} has two different values: binary classification"
    if present.dtype.is_numeric():
        if (present == present.floor()).all() and unique <= MAX_NUMERIC_CLASSES and present.len() >= 2 * unique:
            return "multiclass", (
                f"{name!r} has {unique} different whole numbers: treated as classes "
                "(choose task 'regression' if they are amounts)"
            )
        return "regression", f"{name!r} holds numbers with {unique:,} different values: regression"
    if isinstance(present.dtype, pl.Datetime):
        raise DataError(f"{table.source}: the target {name!r} holds dates. Make it a number of days first.")
    _refuse_mixed(present, table, name, rows)
    if unique > _MAX_TEXT_CLASSES or unique > 0.5 * present.len():
        raise DataError(
            f"{table.source}: the target {name!r} is text with {unique:,} different values in {present.len():,} rows, "
            "which is no set of classes. Choose another target, or correct its numbers if it should be one."
        )
    return "multiclass", f"{name!r} is text with {unique} different values: classification"


def _refuse_mixed(present: pl.Series, table: Table, name: str, rows: np.ndarray) -> None:
    is_number = number_mask(present)
    if 0.5 < float(is_number.sum()) / present.len() < 1 and present.n_unique() > MAX_NUMERIC_CLASSES:
        first = int((~is_number).arg_max() or 0)
        raise DataError(
            f"{table.where(int(rows[first]))}, column {name!r}: the target holds numbers, but here {present[first]!r}. "
            f"Correct the value in the file, leave it empty, or pass missing=({present[first]!r},) to read_table."
        )


def _check_task_fits(present: pl.Series, task: Task, name: str) -> None:
    unique = present.n_unique()
    if task == "regression" and not present.dtype.is_numeric():
        raise DataError(
            f"target {name!r}: regression needs numbers; received text such as {present[0]!r}. "
            "Choose a classification task or another target."
        )
    if task == "binary" and unique != 2:
        raise DataError(
            f"target {name!r}: a binary task needs two different values; received {unique:,}. "
            f"Write a comparison such as '{name}>0', or choose task 'multiclass'."
        )
    if task == "multiclass" and unique > min(_MAX_TEXT_CLASSES, max(2, present.len() // 2)):
        raise DataError(
            f"target {name!r}: {unique:,} different values in {present.len():,} rows are too many classes. "
            "Choose task 'regression'."
        )


def _class_order(present: pl.Series, positive: str | None, name: str) -> tuple[str, ...]:
    classes = value_text(present.unique().sort()).to_list()
    if positive is None:
        return tuple(classes)
    if positive not in classes or len(classes) != 2:
        raise DataError(
            f"target {name!r}: positive must be one of its two classes; received {positive!r}. "
            f"Its classes are: {', '.join(classes[:20])}."
        )
    return tuple(sorted(classes, key=lambda label: label == positive))


def _check_counts(encoded: np.ndarray, classes: tuple[str, ...], name: str) -> None:
    counts = np.bincount(encoded, minlength=len(classes))
    if counts.min() == 0:
        only = classes[int(counts.argmax())]
        raise DataError(
            f"target {name!r}: all {encoded.size:,} rows are of the class {only!r}. Choose another comparison."
        )
    rare = [f"{classes[i]!r} ({counts[i]})" for i in np.flatnonzero(counts < MIN_CLASS_ROWS)]
    if rare:
        raise DataError(
            f"target {name!r}: at least {MIN_CLASS_ROWS} rows of each class are needed (for training, validation and "
            f"test); fewer are there of {', '.join(rare[:10])}. Add rows, merge these classes, or leave them out."
        )


def _multilabel(table: Table, names: tuple[str, ...]) -> Target:
    columns = [table.column(name) for name in names]
    complete = np.all([values.is_not_null().to_numpy() for values in columns], axis=0)
    rows = np.flatnonzero(complete)
    if not rows.size:
        raise DataError(f"{table.source}: no row has a value in all of the targets {', '.join(names)}. Choose others.")
    for values in columns:
        text = value_text(values)
        wrong = ~text.is_in(["0", "1"]) & text.is_not_null()
        if wrong.any():
            row = int(wrong.arg_max() or 0)
            raise DataError(
                f"{table.where(row)}, column {values.name!r}: several targets must each hold 0 or 1; received "
                f"{text[row]!r}. Name one target, or write 0/1."
            )
    encoder = TargetEncoder(names, "multilabel", ("0", "1"))
    num_left_out = len(table) - rows.size
    of = f"of {len(table):,} rows"
    note = counted(num_left_out, f"{of} lacks a target and was left out.", f"{of} lack a target and were left out.")
    notes = (note,) if num_left_out else ()
    reason = f"{len(names)} columns of 0/1: multi-label classification"
    return Target(encoder, reason, rows, encoder.encode(table.take(rows)), notes)
