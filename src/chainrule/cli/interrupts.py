"""Ctrl-C and SIGTERM as one exception, and the exit status that belongs to each."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """While active, SIGINT and SIGTERM raise :class:`KeyboardInterrupt`, and ``status`` is 128 plus the signal.

    Example:
        >>> with Interrupts() as interrupts:
        ...     interrupts.status
        130
    """

    def __init__(self) -> None:
        self.received = signal.SIGINT
        self._before: dict[int, Any] = {}  # Any: what the signal module takes as a handler

    @property
    def status(self) -> int:
        """The exit status of a process ended by the signal received: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + int(self.received)

    def __enter__(self) -> Interrupts:
        """Install the handlers."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._raise)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the former handlers back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _raise(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's signature
        self.received = signal.Signals(number)
        raise KeyboardInterrupt
