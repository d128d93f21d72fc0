"""The callback base: Keras's method names, fed by the event stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from chainrule._base.errors import ArgumentError, did_you_mean
from chainrule.train.events import ChunkEnd, EpochEnd, EpochStart, Event, FitEnd, FitStart

if TYPE_CHECKING:
    from chainrule.train.run import Run

_LARGER_IS_BETTER = ("accuracy", "auc", "precision", "recall", "f1", "r2", "top")


class Callback:
    """Override what you need; ``run`` is the handle to stop, to change the rate or to keep weights.

    Epochs count from 1. ``logs`` holds numbers of the epoch: ``loss``, ``val_loss`` and the metrics.

    Example:
        >>> class Bell(Callback):
        ...     def on_epoch_end(self, epoch, logs, run):
        ...         if logs["loss"] < 0.1:
        ...             run.stop("the loss is below 0.1")
    """

    def on_train_begin(self, run: Run) -> None:
        """Training begins."""

    def on_epoch_begin(self, epoch: int, run: Run) -> None:
        """An epoch begins."""

    def on_chunk_end(self, step: int, logs: Mapping[str, float], run: Run) -> None:
        """Some steps are done; ``step`` counts within the epoch."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float], run: Run) -> None:
        """An epoch is done and judged."""

    def on_train_end(self, reason: str, run: Run) -> None:
        """Training is over."""

    def __call__(self, event: Event, run: Run) -> None:
        """Call the method that fits the event."""
        match event:
            case FitStart():
                self.on_train_begin(run)
            case EpochStart():
                self.on_epoch_begin(event.epoch, run)
            case ChunkEnd():
                self.on_chunk_end(event.step, event.logs, run)
            case EpochEnd():
                self.on_epoch_end(event.epoch, event.logs, run)
            case FitEnd():
                self.on_train_end(event.reason, run)


def monitored(logs: Mapping[str, float], monitor: str, owner: str) -> float:
    """The value called ``monitor``, or an error that lists what there is."""
    if monitor not in logs:
        hint = did_you_mean(monitor, logs)
        if monitor.startswith("val_") and not any(name.startswith("val_") for name in logs):
            hint = " There is no validation set: pass validation=0.2 to fit."
        raise ArgumentError(f"{owner}: monitor must be one of {', '.join(sorted(logs))}; received {monitor!r}.{hint}")
    return logs[monitor]


def larger_is_better(monitor: str) -> bool:
    """Whether a quantity of this name improves by growing (accuracies, AUC, R², ...); losses and errors do not."""
    return any(part in monitor.lower() for part in _LARGER_IS_BETTER)
