"""A trained table model with its preparation: raw tables in, answers out. All of it lies in ``model.chainrule``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from chainrule._base.checks import describe
from chainrule._base.errors import DataError, FormatError
from chainrule._base.registry import from_config, to_config
from chainrule.data import FittedPreparer, Schema, TargetEncoder, read_table
from chainrule.models import Model
from chainrule.tasks.finished import Answers
from chainrule.tasks.linear import sigmoid, softmax
from chainrule.tasks.scores import Scores, judge

KIND = "table"  # under extra["task"]; other tasks have other names


@dataclass(frozen=True, eq=False)
class TablePredictor:
    """The network, what prepares a table for it, and what turns its outputs into answers.

    Args:
        model: the network.
        preparer: fitted on the training rows.
        encoder: of the target.
        schema: the columns as training found them.
        threshold: for two classes: the second one from this probability on.
    """

    model: Model
    preparer: FittedPreparer
    encoder: TargetEncoder
    schema: Schema
    threshold: float = 0.5
    facts: dict[str, Any] = field(default_factory=dict)  # Any: plain JSON values for the model card

    def raw(self, features: np.ndarray, *, batch_size: int = 1024) -> np.ndarray:
        """Probabilities of class 1 ``[rows]``, of all classes, of each label; or amounts ``[rows]``, in float64."""
        outputs = np.asarray(self.model.predict(features, batch_size=batch_size), np.float64)
        match self.encoder.task:
            case "binary":
                return sigmoid(outputs[:, 0])
            case "multiclass":
                return softmax(outputs)
            case "multilabel":
                return sigmoid(outputs)
            case _:
                return self.encoder.inverse(outputs[:, 0])

    def answer(self, source: Any) -> Answers:  # Any: a path, a Table, or a data frame of any library
        """Answers with notes; see :meth:`chainrule.tasks.TableRun.predict`. Columns that name rows stand before them.

        Raises:
            DataError: a column is missing or of another type than in training.
        """
        table = read_table(source)
        prepared = self.preparer.prepare(table)
        frame = self.frame(self.raw(prepared.features, batch_size=_batch(len(table))))
        own = set(frame.columns)
        kept = [name for name in self.schema.of_kind("identifier") if name in table.columns and name not in own]
        frame = frame.with_columns(table.frame.select(kept).get_columns()).select(*kept, *frame.columns)
        return Answers(frame, prepared.notes)

    def evaluate(self, source: Any) -> Scores:  # Any: as in answer
        """The task's metrics on a table that has the target.

        Raises:
            DataError: a column is missing, or a target value is; names it.
        """
        table = read_table(source)
        targets = self.encoder.encode(table)
        features = self.preparer.prepare(table).features
        if self.encoder.task == "regression" and not np.isfinite(targets).all():
            raise DataError(f"{table.source}: the target must be finite. Correct the values.")
        return judge(self.encoder.task, self.raw(features), targets, threshold=self.threshold)

    def frame(self, raw: np.ndarray) -> pl.DataFrame:
        """What :meth:`raw` gave, as columns with the table's own names."""
        encoder = self.encoder
        if encoder.task == "regression":
            return pl.DataFrame({f"predicted {encoder.columns[0]}": raw})
        if encoder.task == "multilabel":
            answers = {f"predicted {name}": (raw[:, i] >= 0.5).astype(int) for i, name in enumerate(encoder.columns)}
            chances = {f"probability {name}": raw[:, i] for i, name in enumerate(encoder.columns)}
            return pl.DataFrame({**answers, **chances})
        if encoder.task == "binary":
            chosen = (raw >= self.threshold).astype(int)
            raw = np.column_stack([1 - raw, raw])
        else:
            chosen = raw.argmax(axis=1)
        name = encoder.expression or encoder.columns[0]
        chances = {f"probability {label}": raw[:, i] for i, label in enumerate(encoder.classes)}
        return pl.DataFrame({f"predicted {name}": encoder.class_names(chosen), **chances})

    def pack(self) -> None:
        """Put everything but the weights into ``model.extra``, so that the saved file is complete."""
        self.model.extra = {
            "task": KIND,
            "preparer": self.preparer.to_config(),
            "target": to_config(self.encoder),
            "schema": self.schema.to_dict(),
            "threshold": self.threshold,
            "facts": self.facts,
        }


def unpack(model: Model, source: str) -> TablePredictor:
    """The predictor inside a loaded model.

    Raises:
        FormatError: the model was not made by the table task, or its description is damaged.
    """
    extra = model.extra
    if extra.get("task") != KIND:
        raise FormatError(
            f"{source}: the model holds no table preparation (its task is {extra.get('task')!r}). Pass a run folder or "
            "a model.chainrule that `chainrule fit` wrote."
        )
    try:
        encoder = from_config(extra["target"])
        threshold = extra["threshold"]
        preparer, schema = FittedPreparer.from_config(extra["preparer"]), Schema.from_dict(extra["schema"])
        facts = dict(extra.get("facts", {}))
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{source}: the table preparation in the file is damaged ({error!r}). Fit again.") from error
    if not isinstance(encoder, TargetEncoder) or not isinstance(threshold, int | float):
        raise FormatError(f"{source}: the target in the file is {describe(encoder)}. The file is damaged; fit again.")
    return TablePredictor(model, preparer, encoder, schema, float(threshold), facts)


def _batch(num_rows: int) -> int:
    return 1024 if num_rows <= 65_536 else 16_384
