"""The folder of a run: claimed when training begins, written file by file, never half a file."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from chainrule._base.errors import ArgumentError, ChainruleError, CheckpointError, NonFiniteError

Status = Literal["running", "finished", "interrupted", "failed"]


@dataclass(frozen=True)
class RunFolder:
    """A run's folder.

    ``config.json`` says under ``status`` how far the run came; only ``finished`` and ``interrupted`` ones hold a model.

    Args:
        path: where it is.
        is_new: whether this run made it (and may take it away again).
    """

    path: Path
    is_new: bool = True

    def file(self, name: str) -> Path:
        """The path of a file in the folder."""
        return self.path / name

    def write_text(self, name: str, text: str) -> Path:
        """Write a file whole or not at all."""
        return write_whole(self.file(name), text)

    def write_json(self, name: str, values: Mapping[str, Any]) -> Path:  # Any: JSON values
        """Write plain values as JSON, whole or not at all; numbers that are not finite become ``null``."""
        return self.write_text(name, json.dumps(plain(values), indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    def remove(self) -> None:
        """Take the folder away, if this run made it."""
        if self.is_new:
            shutil.rmtree(self.path, ignore_errors=True)


def claim(path: str | Path | None, source: str, now: datetime) -> RunFolder:
    """Make the folder of a run: the one named, or ``runs/<data>-<time>``.

    Raises:
        ArgumentError: the folder holds something already, or is a file.
        CheckpointError: it cannot be made.
    """
    if path is not None:
        folder, is_new = Path(path), not Path(path).exists()
        check_free(folder)
    else:
        stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(source).stem)[:60] or "table"
        first = Path("runs") / f"{stem}-{now:%Y%m%d-%H%M%S}"
        numbered = (first.with_name(f"{first.name}-{number}") for number in range(2, 1000))
        folder, is_new = next((f for f in (first, *numbered) if not f.exists()), first), True
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"{folder}: the run's folder cannot be made ({error.strerror}). Name another with --run."
        ) from error
    return RunFolder(folder, is_new)


def check_free(path: str | Path | None) -> None:
    """Refuse a folder that holds something already; called before any work is done."""
    if path is None:
        return
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise ArgumentError(f"{folder}: the run needs a folder; this is a file. Name another with --run.")
    if folder.is_dir() and any(folder.iterdir()):
        raise ArgumentError(
            f"{folder}: the run's folder must be empty or not there yet; it holds files. Name another with --run."
        )


def give_up(folder: RunFolder, config: Mapping[str, Any], error: BaseException) -> None:  # Any: JSON values
    """Leave no folder that looks finished: none at all for the user's mistakes, a marked one for other failures.

    Args:
        folder: the run's.
        config: what ``config.json`` is to hold, with ``status`` set to ``failed``.
        error: what ended the run.
    """
    if isinstance(error, ChainruleError) and not isinstance(error, NonFiniteError):
        folder.remove()
        return
    folder.file("model.chainrule").unlink(missing_ok=True)
    folder.write_json("config.json", {**config, "error": f"{type(error).__name__}: {error}"})


def write_whole(path: Path, text: str) -> Path:
    """Write ``text`` beside ``path`` and put it in place: whoever reads sees the old file or the new one."""
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written ({error.strerror}). Choose another place.") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException as error:
        Path(beside).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise CheckpointError(f"{path}: cannot be written ({error.strerror}). Free some space.") from error
        raise
    return path


def plain(value: Any) -> Any:  # Any: JSON values, with NumPy numbers among them
    """``value`` as JSON keeps it: tuples as lists, NumPy numbers as Python's, and ``None`` for NaN and infinities."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value
