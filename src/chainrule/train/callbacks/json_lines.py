"""The run folder's ``events.jsonl``: one event a line, readable while training goes on."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.train.events import Event, FitEnd, FitStart

if TYPE_CHECKING:
    from io import TextIOWrapper

    from chainrule.train.run import Run


class JsonLines:
    """Append every event to ``path`` as a JSON line. NaN and Inf are written as the strings ``"nan"``, ``"inf"``."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file: TextIOWrapper | None = None

    def __call__(self, event: Event, run: Run) -> None:  # noqa: ARG002 - a listener's signature
        """Write one line; the file is open from FitStart to FitEnd."""
        if isinstance(event, FitStart) or self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        self._file.write(json.dumps(_plain(event.to_json()), allow_nan=False) + "\n")
        self._file.flush()
        if isinstance(event, FitEnd):
            self._file.close()
            self._file = None


def _plain(value: Any) -> Any:  # Any: JSON values
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
