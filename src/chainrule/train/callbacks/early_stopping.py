"""Early stopping: end when validation no longer improves, with the best weights put back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from chainrule._base.checks import check_choice, check_int, check_number, check_positive_int
from chainrule._base.wording import counted
from chainrule.train.callbacks.base import Callback, larger_is_better, monitored

if TYPE_CHECKING:
    from chainrule.train.run import Run
    from chainrule.train.state import TrainState


class EarlyStopping(Callback):
    """Stop after ``patience`` epochs without an improvement of more than ``min_delta``.

    Args:
        monitor: name in the logs.
        patience: epochs to wait.
        min_delta: smaller changes do not count.
        restore_best: put the weights of the best epoch back at the end, also when training ends otherwise. Keras
            leaves the last weights by default; ours are the best ones.
        start_from_epoch: so many epochs at the beginning are neither waited for nor kept (Keras's name). Where few
            examples validate, an early epoch is often the best one by chance alone.
        mode: ``"min"``, ``"max"``, or ``"auto"`` by the name (losses and errors fall, accuracies and AUC rise).

    References:
        L. Prechelt, "Early Stopping - But When?", 1998.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        patience: int = 10,
        min_delta: float = 0.0,
        restore_best: bool = True,
        start_from_epoch: int = 0,
        mode: Literal["auto", "min", "max"] = "auto",
    ) -> None:
        check_positive_int("patience", patience, "EarlyStopping")
        check_number("min_delta", min_delta, "EarlyStopping", at_least=0)
        check_int("start_from_epoch", start_from_epoch, "EarlyStopping", minimum=0)
        check_choice("mode", mode, ("auto", "min", "max"), "EarlyStopping")
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.restore_best = restore_best
        self.start_from_epoch = start_from_epoch
        self.sign = -1.0 if mode == "max" or (mode == "auto" and larger_is_better(monitor)) else 1.0
        self._forget()

    def _forget(self) -> None:
        self.best = float("inf")
        self.best_epoch: int | None = None
        self.best_state: TrainState | None = None
        self.waited = 0

    def on_train_begin(self, run: Run) -> None:  # noqa: ARG002 - Callback's signature
        """Forget an earlier run."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float], run: Run) -> None:
        """Compare with the best so far."""
        if epoch <= self.start_from_epoch:
            return
        value = self.sign * monitored(logs, self.monitor, "EarlyStopping")
        if value < self.best - self.min_delta:
            self.best, self.best_epoch, self.best_state, self.waited = value, epoch, run.state, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            run.stop(f"early stopping: {self.monitor} has not improved for {counted(self.patience, 'epoch', 'epochs')}")

    def on_train_end(self, reason: str, run: Run) -> None:  # noqa: ARG002 - Callback's signature
        """Put the best weights back."""
        if self.restore_best and self.best_state is not None:
            run.restore(self.best_state)
            run.history.best_epoch = self.best_epoch
