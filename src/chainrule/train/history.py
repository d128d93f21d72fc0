"""What training gave, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from chainrule._base.wording import counted


@dataclass
class History:
    """The logs of every epoch.

    Attributes:
        epochs: one mapping per epoch: ``loss``, metrics, ``val_loss``, ``val_...``, ``seconds``.
        stop_reason: why training ended.
        best_epoch: the epoch whose weights the model holds, where early stopping restored them.

    ``history[name]`` has one value per epoch, so that all curves line up: NaN where an epoch had no such value (a
    ``fit`` without validation before one with it), and no values at all for a name that no epoch had.

    Example:
        >>> history = History([{"loss": 0.9, "val_loss": 1.0}, {"loss": 0.5, "val_loss": 0.7}])
        >>> history["val_loss"]
        [1.0, 0.7]
        >>> history
        History: 2 epochs, loss 0.9 -> 0.5, val_loss 1 -> 0.7
    """

    epochs: list[Mapping[str, float]] = field(default_factory=list)
    stop_reason: str | None = None
    best_epoch: int | None = None

    @property
    def history(self) -> dict[str, list[float]]:
        """Every quantity as a list over epochs (Keras's attribute), all of them equally long."""
        names = dict.fromkeys(name for logs in self.epochs for name in logs)
        return {name: self[name] for name in names}

    def __getitem__(self, name: str) -> list[float]:
        if not any(name in logs for logs in self.epochs):
            return []
        return [logs.get(name, math.nan) for logs in self.epochs]

    def __len__(self) -> int:
        return len(self.epochs)

    def __repr__(self) -> str:
        parts = [f"History: {counted(len(self), 'epoch', 'epochs')}"]
        for name in ("loss", "val_loss"):
            values = [logs[name] for logs in self.epochs if name in logs]
            if values:
                parts.append(f"{name} {values[0]:.4g} -> {values[-1]:.4g}")
        if self.best_epoch is not None:
            parts.append(f"best epoch {self.best_epoch}")
        if self.stop_reason:
            parts.append(self.stop_reason)
        return ", ".join(parts)

    def gap(self) -> list[float]:
        """Generalisation gap ``val_loss - loss`` of each epoch; both are measured on the same weights and mode."""
        return [v - t for t, v in zip(self["loss"], self["val_loss"], strict=False)]
