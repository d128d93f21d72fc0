"""The event stream of a run: one frozen class a moment, each with JSON-able fields.

History, progress, the run folder's ``events.jsonl`` and diagnosis are all listeners of this stream.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.train.run import Run


@dataclass(frozen=True)
class Event:
    """Base of all events."""

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """The event as plain values, with its class under ``event``."""
        return {"event": type(self).__name__, **dataclasses.asdict(self)}


@dataclass(frozen=True)
class FitStart(Event):
    """Training begins: planned epochs, steps of one epoch, examples, and the parameters that are trained."""

    epochs: int
    first_epoch: int
    steps_per_epoch: int
    examples: int
    validation_examples: int
    parameters: int


@dataclass(frozen=True)
class EpochStart(Event):
    """An epoch begins."""

    epoch: int


@dataclass(frozen=True)
class ChunkEnd(Event):
    """Some steps of an epoch are done (one compiled call); ``logs`` holds the running training loss."""

    epoch: int
    step: int
    steps_per_epoch: int
    seconds: float
    logs: Mapping[str, float]


@dataclass(frozen=True)
class EpochEnd(Event):
    """An epoch is done and judged; ``logs`` holds ``loss``, the metrics, and both again as ``val_...``."""

    epoch: int
    step: int
    seconds: float
    examples_per_second: float
    logs: Mapping[str, float]


@dataclass(frozen=True)
class NonFinite(Event):
    """A loss or a gradient was NaN or Inf at ``step``; ``action`` is what was done about it."""

    epoch: int
    step: int
    action: str
    message: str


@dataclass(frozen=True)
class FitEnd(Event):
    """Training is over; ``reason`` says why."""

    reason: str
    epochs: int
    step: int
    seconds: float


Listener = Callable[[Event, "Run"], None]
