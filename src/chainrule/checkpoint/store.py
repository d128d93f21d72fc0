"""Checkpoints of a run: a folder with one verified file per step.

One file a step, and not a folder a step with a manifest: a single rename then commits parameters, state, optimizer
and position together, so there is no half-written checkpoint to recognise and no marker file that could be missing.
The file's own checksum does what a manifest would do.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule._base.checks import check_int, check_positive_int
from chainrule._base.errors import ArgumentError, ChainruleWarning, CheckpointError, FormatError
from chainrule._base.tree import Tree, flatten, unflatten
from chainrule.checkpoint.format import read_model, write_model

_FILE = re.compile(r"step-(\d{6,15})\.chainrule", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """What was saved at one step.

    Args:
        step: the step's number.
        tree: the arrays, nested as they were saved.
        info: the plain values that were saved with them.
    """

    step: int
    tree: Tree
    info: dict[str, Any]  # Any: plain JSON values


@dataclass(frozen=True)
class CheckpointStore:
    """Saves and restores trees of arrays by step, in ``folder``.

    Args:
        folder: made at the first save.
        keep: how many checkpoints stay; older ones are deleted, and only after the newer has been read back.

    Example:
        >>> import tempfile, numpy as np
        >>> store = CheckpointStore(tempfile.mkdtemp(), keep=2)
        >>> for step in (1, 2, 3):
        ...     path = store.save(step, {"params": {"kernel": np.full((2,), step)}}, {"epoch": step})
        >>> store.steps(), path.name
        ([2, 3], 'step-000003.chainrule')
        >>> store.load().tree["params"]["kernel"].tolist()
        [3, 3]
    """

    folder: str | os.PathLike[str]
    keep: int = 3

    def __post_init__(self) -> None:
        """Check the fields."""
        check_positive_int("keep", self.keep, self)

    def save(self, step: int, tree: Mapping[str, Any], info: Mapping[str, Any]) -> Path:
        """Save ``tree`` and ``info`` as ``step``; when this returns, the file has been read back and is durable.

        Raises:
            ArgumentError: a later step is there already: a resumed run would pick that one up, not this.
            CheckpointError: the disk refused; every earlier checkpoint is still there.
        """
        check_int("step", step, self, minimum=0)
        later = [known for known in self.steps() if known > step]
        if later:
            raise ArgumentError(
                f"CheckpointStore: step {step} must be the newest, but {self.folder} holds step {later[-1]}. "
                f"Take an empty folder, resume from step {later[-1]}, or call rewind({step}) to discard what "
                "comes after."
            )
        try:
            Path(self.folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(
                f"{self.folder}: the folder for checkpoints cannot be made ({error.strerror}). Choose another."
            ) from error
        path = self._path(step)
        write_model(path, flatten(tree), {"step": step, "info": dict(info)})
        self._delete(self.steps()[: -self.keep])
        return path

    def load(self, step: int | None = None, *, strict: bool = False) -> Checkpoint:
        """The checkpoint of ``step``, or the newest that can be read.

        Args:
            step: ``None`` takes the newest; if that is damaged, the one before, with a warning that names both.
            strict: refuse a damaged newest checkpoint instead of falling back.

        Raises:
            CheckpointError: there is no such step, or none at all.
            FormatError: the asked-for checkpoint is damaged.
        """
        steps = self.steps()
        if step is not None:
            if step not in steps:
                raise CheckpointError(f"{self.folder}: there is no step {step}; there are {_listed(steps)}.")
            return self._read(step)
        failure: Exception | None = None
        for candidate in reversed(steps):
            try:
                found = self._read(candidate)
            except (FormatError, CheckpointError) as error:
                if strict:
                    raise
                failure = failure or error
                continue
            if failure is not None:
                warnings.warn(
                    f"{self.folder}: step {steps[-1]} cannot be used, step {found.step} is loaded instead. {failure}",
                    ChainruleWarning,
                    stacklevel=2,
                )
            return found
        raise CheckpointError(
            f"{self.folder}: there is no checkpoint that can be read; there are {_listed(steps)}. Start the run anew."
        ) from failure

    def steps(self) -> list[int]:
        """The steps that are there, ascending; their files have been committed but may have decayed since."""
        try:
            with os.scandir(self.folder) as entries:
                matches = [_FILE.fullmatch(entry.name) for entry in entries if entry.is_file()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise CheckpointError(
                f"{self.folder}: the folder of checkpoints cannot be listed ({error.strerror}). "
                "Check the path and its permissions."
            ) from error
        found = {int(match[1]) for match in matches if match and match[0] == _file_name(int(match[1]))}
        return sorted(found)

    def latest(self) -> int | None:
        """The newest step whose file is whole (read and compared with its checksum), or ``None``."""
        for step in reversed(self.steps()):
            try:
                self._read(step)
            except (FormatError, CheckpointError):
                continue
            return step
        return None

    def rewind(self, step: int) -> None:
        """Delete every checkpoint after ``step``, which must be whole, so that training can go on from there."""
        self.load(step)
        self._delete([known for known in self.steps() if known > step])

    def _path(self, step: int) -> Path:
        return Path(self.folder) / _file_name(step)

    def _read(self, step: int) -> Checkpoint:
        path = self._path(step)
        file = read_model(path)
        info = file.config.get("info")
        if file.config.get("step") != step or not isinstance(info, dict):
            raise FormatError(
                f"{path}: the file does not hold a checkpoint of step {step}. Was it renamed? Give it its name back."
            )
        return Checkpoint(step, unflatten(file.arrays), info)

    def _delete(self, steps: list[int]) -> None:
        for step in steps:
            try:
                self._path(step).unlink(missing_ok=True)
            except OSError as error:
                raise CheckpointError(
                    f"{self._path(step)}: the old checkpoint cannot be deleted ({error.strerror}); the new one is "
                    "saved. Check the folder's permissions."
                ) from error


def _file_name(step: int) -> str:
    return f"step-{step:06d}.chainrule"


def _listed(steps: list[int]) -> str:
    return ("steps " + ", ".join(map(str, steps[-10:]))) if steps else "none"
