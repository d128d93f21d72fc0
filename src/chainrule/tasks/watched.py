"""One training that is watched: early stopping, a line per event, and Ctrl-C that ends it without losing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.core import Variables
from chainrule.models import Model
from chainrule.train import EarlyStopping, History, JsonLines, Run
from chainrule.train.events import EpochEnd, Event

Listener = Callable[..., Any]  # Any: (event, run) -> None


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network.

    Args:
        model: with its best weights.
        history: the learning curves.
        start: the weights before the first step.
        interruption: the Ctrl-C or SIGTERM that ended training, if one did.
        last_rate: the learning rate after the last epoch, as a schedule has it; ``None`` if the optimizer tells none.
    """

    model: Model
    history: History
    start: Variables = field(repr=False)
    interruption: KeyboardInterrupt | None = field(default=None, repr=False)
    last_rate: float | None = None

    @property
    def status(self) -> str:
        """``finished``, or ``interrupted``."""
        return "finished" if self.interruption is None else "interrupted"


@dataclass(frozen=True, eq=False)
class Watch:
    """How a training is watched.

    Args:
        patience: epochs without a lower validation loss before it stops; the best weights are kept in any case.
        events: file that gets a JSON line per event.
        verbose: 0 is silent.
        callbacks: further listeners.
        start: so many epochs at the beginning cannot be the best one.
    """

    patience: int
    events: Path | None = None
    verbose: int = 0
    callbacks: Sequence[Listener] = ()
    start: int = 0

    def listeners(self) -> list[Any]:  # Any: callbacks and functions (event, run)
        """All that listens to the training."""
        written = [] if self.events is None else [JsonLines(self.events)]
        return [EarlyStopping(patience=self.patience, start_from_epoch=self.start), *self.callbacks, *written]


def fit_watched(
    model: Model,
    x: np.ndarray,
    y: np.ndarray,
    watch: Watch,
    **options: Any,  # Any: further arguments of Model.fit
) -> Trained:
    """``model.fit`` under ``watch``; Ctrl-C ends the training, not the run: what has been learned by then is kept."""
    start = model.variables
    rates: list[float | None] = [None]

    def note_rate(event: Event, run: Run) -> None:
        if isinstance(event, EpochEnd):
            rates.append(run.learning_rate(model.optimizer))

    try:
        model.fit(x, y, callbacks=[*watch.listeners(), note_rate], verbose=watch.verbose, **options)
    except KeyboardInterrupt as interruption:
        return Trained(model, model.history, start, interruption, rates[-1])
    return Trained(model, model.history, start, last_rate=rates[-1])
