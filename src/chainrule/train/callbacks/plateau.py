"""Lower the learning rate when a quantity stops improving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from chainrule._base.checks import check_number, check_positive_int
from chainrule.train.callbacks.base import Callback, larger_is_better, monitored

if TYPE_CHECKING:
    from chainrule.train.run import Run


class ReduceLROnPlateau(Callback):
    """Multiply the learning rate by ``factor`` after ``patience`` epochs without improvement.

    Args:
        monitor: name in the logs.
        factor: between 0 and 1.
        patience: epochs to wait.
        min_delta: smaller changes do not count.
        min_scale: the rate is never scaled below this part of the optimizer's own.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 1e-4,
        min_scale: float = 1e-6,
    ) -> None:
        check_number("factor", factor, "ReduceLROnPlateau", above=0, below=1)
        check_positive_int("patience", patience, "ReduceLROnPlateau")
        check_number("min_delta", min_delta, "ReduceLROnPlateau", at_least=0)
        self.monitor, self.factor, self.patience = monitor, factor, patience
        self.min_delta, self.min_scale = min_delta, min_scale
        self.sign = -1.0 if larger_is_better(monitor) else 1.0
        self.best, self.waited = float("inf"), 0

    def on_train_begin(self, run: Run) -> None:  # noqa: ARG002 - Callback's signature
        """Forget an earlier run."""
        self.best, self.waited = float("inf"), 0

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float], run: Run) -> None:  # noqa: ARG002
        """Compare with the best so far."""
        value = self.sign * monitored(logs, self.monitor, "ReduceLROnPlateau")
        if value < self.best - self.min_delta:
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            run.set_rate_scale(max(run.rate_scale * self.factor, self.min_scale))
            self.waited = 0
