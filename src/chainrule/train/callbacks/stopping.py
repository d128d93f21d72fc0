"""Stops other than early stopping: a threshold on a quantity, and convergence."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from chainrule._base.checks import check_number, check_positive_int
from chainrule._base.errors import ArgumentError
from chainrule._base.wording import counted
from chainrule.train.callbacks.base import Callback, monitored

if TYPE_CHECKING:
    from chainrule.train.run import Run

_COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class StopWhen(Callback):
    """Stop as soon as a condition such as ``"loss<0.05"`` or ``"val_accuracy>=0.9"`` holds.

    ``fit(until="loss<0.05")`` adds one.

    Raises:
        ArgumentError: the condition is not ``name``, one of ``< <= > >=``, and a number.

    Example:
        >>> StopWhen("loss < 0.05").limit
        0.05
    """

    def __init__(self, condition: str) -> None:
        match = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*(<=|>=|<|>)\s*([-+.\deE]+)\s*", str(condition))
        try:
            if match is None:
                raise ValueError(condition)
            self.monitor, self.sign, self.limit = match[1], match[2], float(match[3])
        except ValueError:
            raise ArgumentError(
                f"until must read like 'loss<0.05' (a quantity, one of < <= > >=, a number); received {condition!r}."
            ) from None

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float], run: Run) -> None:  # noqa: ARG002
        """Look at the condition."""
        value = monitored(logs, self.monitor, "until")
        if _COMPARISONS[self.sign](value, self.limit):
            run.stop(f"{self.monitor} = {value:.4g} {self.sign} {self.limit:g}")


class StopOnConvergence(Callback):
    """Stop once the loss changes by less than ``tolerance`` (relative) for ``patience`` epochs: loop until convergence.

    The loss ``J`` has converged when ``|J_k - J_{k-1}| <= tolerance * max(1, |J_{k-1}|)``.
    """

    def __init__(self, monitor: str = "loss", *, tolerance: float = 1e-6, patience: int = 3) -> None:
        check_number("tolerance", tolerance, "StopOnConvergence", above=0)
        check_positive_int("patience", patience, "StopOnConvergence")
        self.monitor, self.tolerance, self.patience = monitor, tolerance, patience
        self.last: float | None = None
        self.still = 0

    def on_train_begin(self, run: Run) -> None:  # noqa: ARG002 - Callback's signature
        """Forget an earlier run."""
        self.last, self.still = None, 0

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float], run: Run) -> None:  # noqa: ARG002
        """Compare with the epoch before."""
        value = monitored(logs, self.monitor, "StopOnConvergence")
        if self.last is not None:
            small = abs(value - self.last) <= self.tolerance * max(1.0, abs(self.last))
            self.still = self.still + 1 if small else 0
        self.last = value
        if self.still >= self.patience:
            run.stop(
                f"converged: {self.monitor} changed by less than {self.tolerance:g} for "
                f"{counted(self.patience, 'epoch', 'epochs')}"
            )
