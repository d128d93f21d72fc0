"""A trained classifier of labelled examples with its preparation: raw sources in, answers out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from chainrule._base.errors import ArgumentError, FormatError
from chainrule._base.registry import from_config, to_config
from chainrule.models import Model
from chainrule.tasks.finished import Answers
from chainrule.tasks.labelled.job import Preparation, Prepared
from chainrule.tasks.linear import softmax
from chainrule.tasks.scores import Scores, judge

KINDS = ("images", "text")
_AT_ONCE = 512  # examples of one prediction


@dataclass(frozen=True, eq=False)
class LabelledPredictor:
    """The network, what prepares a source for it, and the names of its classes.

    Args:
        model: inputs -> logits [batch, classes].
        preparation: from a raw source to inputs.
        classes: names in the order of the logits.
        target: what is predicted, for the columns of answers.
        kind: the task.
        facts: plain JSON values for the model card.
    """

    model: Model
    preparation: Preparation
    classes: tuple[str, ...]
    target: str
    kind: str
    facts: dict[str, Any] = field(default_factory=dict)  # Any: plain JSON values

    def prepare(self, source: Any, *, on_bad: str = "error") -> Prepared:  # Any: a path, or data in memory
        """The examples of ``source`` as the network takes them; see :meth:`answer`."""
        prepared: Prepared = self._preparation(on_bad).prepare(source)
        return prepared

    def raw(self, inputs: np.ndarray) -> np.ndarray:
        """Probabilities of all classes: [examples, classes], float64."""
        return softmax(np.asarray(self.model.predict(inputs, batch_size=_AT_ONCE), np.float64))

    def answer(self, source: Any, *, on_bad: str = "error") -> Answers:  # Any: a path, or data in memory
        """The class of each example of ``source`` with all probabilities, and notes on unusual input.

        Args:
            source: the examples.
            on_bad: for images, ``"skip"`` leaves out files that cannot be read: they get a row without an answer, and
                a column ``problem`` says why.

        Raises:
            DataError: an example cannot be read; names it.
        """
        prepared = self.prepare(source, on_bad=on_bad)
        frame = self.frame(prepared.shown, self.raw(prepared.inputs))
        if on_bad == "skip":
            frame = _with_left_out(frame, prepared.left_out)
        return Answers(frame, prepared.notes)

    def evaluate(self, source: Any, *, on_bad: str = "error") -> Scores:  # Any: as in answer
        """The metrics on a source that has the classes too.

        Raises:
            DataError: an example cannot be read, or has a class that training did not know; names it.
        """
        prepared, labels = self._preparation(on_bad).prepare_labelled(source, self.classes)
        return judge("multiclass", self.raw(prepared.inputs), labels)

    def frame(self, shown: pl.DataFrame, raw: np.ndarray) -> pl.DataFrame:
        """What :meth:`raw` gave, beside the columns that say which example it is."""
        answers = [self.classes[int(index)] for index in raw.argmax(axis=1)]
        chances = {f"probability {label}": raw[:, i] for i, label in enumerate(self.classes)}
        return shown.hstack(pl.DataFrame({f"predicted {self.target}": answers, **chances}))

    def _preparation(self, on_bad: str) -> Any:  # Any: the task's own Preparation
        if on_bad == "error":
            return self.preparation
        if not hasattr(self.preparation, "on_bad"):
            raise ArgumentError(
                f"on_bad: must be 'error' for a model of {self.kind}; received {on_bad!r}. Correct the source instead."
            )
        return dataclasses.replace(self.preparation, on_bad=on_bad)  # type: ignore[type-var]  # a dataclass by protocol

    def pack(self) -> None:
        """Put everything but the weights into ``model.extra``, so that the saved file is complete."""
        self.model.extra = {
            "task": self.kind,
            "preparation": to_config(self.preparation),
            "classes": list(self.classes),
            "target": self.target,
            "facts": self.facts,
        }


def _with_left_out(frame: pl.DataFrame, left_out: pl.DataFrame | None) -> pl.DataFrame:
    """Answers with a column ``problem``, and the examples left out in their places."""
    frame = frame.with_columns(problem=pl.lit(None, pl.String))
    if left_out is None:
        return frame
    places = np.setdiff1d(np.arange(len(frame) + len(left_out)), left_out["place"].to_numpy())
    whole = pl.concat([frame.with_columns(place=pl.Series(places)), left_out], how="diagonal_relaxed")
    return whole.sort("place").drop("place")


def unpack(model: Model, source: str) -> LabelledPredictor:
    """The predictor inside a loaded model.

    Raises:
        FormatError: the model was not made by such a task, or its description is damaged.
    """
    extra: Mapping[str, Any] = model.extra
    try:
        preparation = from_config(extra["preparation"])
        classes, target, facts = tuple(extra["classes"]), extra["target"], dict(extra.get("facts", {}))
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{source}: the preparation in the file is damaged ({error!r}). Fit again.") from error
    outputs = model.graph.outputs[0].shape[-1]
    named = all(isinstance(name, str) for name in (*classes, target))
    if not named or len(classes) != outputs or not hasattr(preparation, "prepare_labelled"):
        raise FormatError(
            f"{source}: the preparation in the file does not fit the model, which has {outputs} outputs. The file is "
            "damaged; fit again."
        )
    return LabelledPredictor(model, preparation, classes, target, str(extra["task"]), facts)
