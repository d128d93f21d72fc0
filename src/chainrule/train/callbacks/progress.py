"""The progress line: loss, metrics, rate, speed, time left."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from chainrule._base.wording import counted
from chainrule.train.events import ChunkEnd, EpochEnd, Event, FitEnd, FitStart, NonFinite

if TYPE_CHECKING:
    from chainrule.train.run import Run

_LEAST_RATE = 1e-12  # what a schedule leaves below is rounding
_REDRAW_SECONDS = 0.1
_PLAIN_LINES = 10  # without a terminal: the first epoch, about this many in between, the last


class Progress:
    """Writes progress to ``stream`` (stderr): one live line on a terminal, a few plain lines elsewhere.

    The first compiled call and the first epoch also compile, which says nothing of the rest: time left is told from
    the second call on, measured without the first, and speed from the second epoch on.

    Args:
        optimizer: to show its rate.
        stream: where to write.
        live: redraw one line; by default whether ``stream`` is a terminal.
    """

    def __init__(self, optimizer: Any = None, *, stream: TextIO | None = None, live: bool | None = None) -> None:
        self.optimizer = optimizer  # Any: the Optimizer protocol
        self.stream = stream or sys.stderr
        terminal = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.live = terminal if live is None else live
        self._drawn = 0.0
        self._shown_epoch = 0
        self._mark: tuple[float, float] | None = None  # epochs done and the moment from which speed is measured

    def __call__(self, event: Event, run: Run) -> None:
        """Show the event."""
        match event:
            case FitStart():
                self._start = event
                self._mark = None
            case ChunkEnd():
                self._chunk(event)
            case EpochEnd():
                self._epoch(event, run)
            case NonFinite():
                self._line(f"step {event.step}: {event.message} ({event.action})")
            case FitEnd():
                self._end(event, run)

    def _chunk(self, event: ChunkEnd) -> None:
        if event.step == event.steps_per_epoch:
            return
        left = self._left(event.epoch - self._start.first_epoch + event.step / event.steps_per_epoch)
        if self.live and time.perf_counter() - self._drawn > _REDRAW_SECONDS:
            place = f"epoch {event.epoch}/{self._last} step {event.step}/{event.steps_per_epoch}"
            self._draw(f"{place} {format_logs(event.logs)}{left}")

    def _epoch(self, event: EpochEnd, run: Run) -> None:
        done = event.epoch - self._start.first_epoch + 1
        rate = run.learning_rate(self.optimizer)
        shown_rate = "" if rate is None else f" rate {rate if rate >= _LEAST_RATE else 0:.3g}"
        if done == 1:
            self._mark = None
        speed = f" {_short(event.examples_per_second)} examples/s" if done > 1 else ""
        text = f"epoch {event.epoch}/{self._last} {format_logs(event.logs)}{shown_rate}{speed}{self._left(done)}"
        if self.live:
            if time.perf_counter() - self._drawn > _REDRAW_SECONDS or event.epoch == self._last:
                self._draw(text)
        elif done == 1 or event.epoch - self._shown_epoch >= max(1, self._start.epochs // _PLAIN_LINES):
            self._shown_epoch = event.epoch
            self._line(text)

    def _end(self, event: FitEnd, run: Run) -> None:
        best = run.history.best_epoch
        chosen = f"; weights of epoch {best}" if best is not None else ""
        logs = run.history.epochs[(best or 0) - 1] if run.history.epochs else {}
        self._line(
            f"{counted(event.epochs, 'epoch', 'epochs')} in {_clock(event.seconds)} ({event.reason}{chosen}) "
            f"{format_logs(logs)}".rstrip()
        )

    @property
    def _last(self) -> int:
        return self._start.first_epoch + self._start.epochs - 1

    def _left(self, epochs_done: float) -> str:
        """Time left, from what came after the mark; the first call only sets the mark."""
        now = time.perf_counter()
        if self._mark is None:
            self._mark = epochs_done, now
        first, began = self._mark
        if epochs_done <= first:
            return ""
        left = (now - began) / (epochs_done - first) * (self._start.epochs - epochs_done)
        return f" {_clock(left)} left at most"

    def _draw(self, text: str) -> None:
        self._drawn = time.perf_counter()
        width = _width(self.stream) - 1
        self.stream.write("\r\x1b[K" + text[:width])
        self.stream.flush()

    def _line(self, text: str) -> None:
        self.stream.write(("\r\x1b[K" if self.live else "") + text + "\n")
        self.stream.flush()


def format_logs(logs: Mapping[str, float]) -> str:
    """``loss 0.4312 accuracy 0.81 | val loss 0.45 accuracy 0.79``.

    Example:
        >>> format_logs({"loss": 0.43123, "accuracy": 0.8125, "val_loss": 0.45})
        'loss 0.4312 accuracy 0.8125 | val loss 0.45'
    """
    own = [f"{name} {value:.4g}" for name, value in logs.items() if not name.startswith("val_")]
    judged = [f"{name[4:]} {value:.4g}" for name, value in logs.items() if name.startswith("val_")]
    return " ".join(own) + (" | val " + " ".join(judged) if judged else "")


def _width(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 120


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _short(number: float) -> str:
    for limit, suffix in ((1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g}{suffix}"
    return f"{number:.3g}"
