"""A finished run of any task: its folder, its model, and what was found out about it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from chainrule._base.errors import ChainruleWarning
from chainrule.models import Model
from chainrule.tasks.provenance import sha256, source_path
from chainrule.tasks.scores import Scores
from chainrule.tasks.words import shown
from chainrule.train import History


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers for the examples of a source.

    Args:
        frame: one row per example: which one it is, the answer, and the probabilities or a number.
        notes: how unusual input was treated, one sentence each.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...] = ()


class Predictor(Protocol):
    """A network with all that is needed to ask it: raw sources in, answers out."""

    @property
    def model(self) -> Model: ...  # noqa: D102
    @property
    def facts(self) -> Mapping[str, Any]: ...  # noqa: D102 - Any: plain JSON values
    def answer(self, source: Any) -> Answers: ...  # noqa: D102 - Any: a path, or data in memory
    def evaluate(self, source: Any) -> Scores: ...  # noqa: D102 - Any: as in answer


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A finished run: its folder, its model and what was found out about it.

    Args:
        folder: where everything lies; for a model file alone, the folder of that file.
        predictor: the network with its preparation.
        facts: everything that was recorded, as plain JSON values.
        history: the learning curves, in the process that trained.
    """

    folder: Path
    predictor: Predictor = field(repr=False)
    facts: Mapping[str, Any] = field(repr=False)  # Any: plain JSON values
    history: History | None = field(default=None, repr=False)

    @property
    def metrics(self) -> Scores:
        """Scores of the network on the test part."""
        return _numbers(self.facts["scores"]["test"]["network"])

    @property
    def baselines(self) -> dict[str, Scores]:
        """Scores on the same test part of ``linear`` (logistic or linear regression) and ``guess``."""
        tested = self.facts["scores"]["test"]
        return {name: _numbers(tested[name]) for name in ("linear", "guess")}

    @property
    def verdict(self) -> str:
        """The verdict of the learning curves with its reason, or why there is none."""
        found = self.facts["verdict"]
        return f"{found['name']}: {found['reason']}" if found else "none: not one epoch was finished"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found in the data and what was done, a line each."""
        return tuple(self.facts["notes"])

    @property
    def status(self) -> str:
        """``finished``, or ``interrupted`` by Ctrl-C or a signal."""
        return str(self.facts["status"])

    def answer(self, source: Any) -> Answers:  # Any: a path, or data in memory
        """Answers for each example, with notes on how unusual input was treated."""
        return self.predictor.answer(source)

    def predict(self, source: Any) -> pl.DataFrame:  # Any: as in answer
        """Answers for each example of ``source``: the class with its probabilities, or a number.

        Unusual input is treated as in training, and each such treatment comes with a warning. In a table, columns are
        found by name: their order does not matter, further ones are ignored, and a missing one is an error.

        Raises:
            DataError: the source cannot be used; names the file, row or column.
        """
        answers = self.answer(source)
        warn(answers.notes)
        return answers.frame

    def evaluate(self, source: Any) -> Scores:  # Any: as in answer
        """The task's metrics on a source with the target; warns if it is what the model was trained on."""
        scores = self.predictor.evaluate(source)
        warn(self.evaluation_notes(source))
        return scores

    def evaluation_notes(self, source: Any) -> tuple[str, ...]:  # Any: as in answer
        """What to know of scores on ``source``: whether the model learned from its examples."""
        path, known = source_path(source), self.facts["data"]["sha256"]
        if path is None or not path.exists() or sha256(path) != known:
            return ()
        measure, what = self.facts["measure"], "folder" if path.is_dir() else "file"
        return (
            f"this is the {what} the model was trained on, so most of its {self.facts.get('examples', 'rows')} were "
            f"learned from; the honest score is the test score, {measure} {shown(self.metrics[measure])}",
        )


def warn(notes: Iterable[str]) -> None:
    """Each note as a warning at the line that called the method which calls this."""
    for note in notes:
        warnings.warn(note, ChainruleWarning, stacklevel=3)


def _numbers(scores: Mapping[str, float | None]) -> Scores:
    """Scores as recorded, with NaN where JSON has ``null``."""
    return {name: float("nan") if value is None else float(value) for name, value in scores.items()}
