"""Training that makes its micro-batches smaller when memory runs out, and keeps the batch of an update as it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import jax

from chainrule.models.model import Model
from chainrule.train import Callback, History, Run, TrainState
from chainrule.train.events import Event, FitStart

_OUT_OF_MEMORY = "RESOURCE_EXHAUSTED"  # how XLA's messages begin on every device


class BackOff(NamedTuple):
    """How a :func:`fit_with_back_off` ended.

    Args:
        history: as from ``fit``.
        batch_size: the micro-batch that fitted into memory.
        accumulate: micro-batches of one update; the model's recipe keeps this number.
    """

    history: History
    batch_size: int | Literal["full"]
    accumulate: int


def fit_with_back_off(
    model: Model,
    x: Any,  # Any: as in Model.fit
    y: Any,
    *,
    batch_size: int | Literal["full"] = 32,
    callbacks: Sequence[Any] = (),
    **arguments: Any,
) -> BackOff:
    """``model.fit`` that, out of memory, begins again with half the micro-batch and twice ``accumulate``.

    Gradients of micro-batches are added up before each update, so the product ``batch_size · accumulate`` decides
    what is learned, and it stays: the weights are those that one big batch would have given, up to rounding. Dropout
    draws other masks, and batch normalisation sees smaller batches. A batch with an odd number of examples goes on to
    the next whole divisor. Callbacks see a new start of the run after each failure.

    Args:
        model: a compiled model.
        x: examples, as in ``fit``.
        y: targets, as in ``fit``.
        batch_size: micro-batch to start with; the recipe's ``accumulate`` of them make one update.
        callbacks: as in ``fit``.
        arguments: what else ``fit`` takes, such as ``epochs``.

    Returns:
        The history and the sizes that fitted.

    Raises:
        jax.errors.JaxRuntimeError: out of memory with one example, or before the first step (then the examples
            themselves do not fit); or another error of the device.

    Example:
        >>> import chainrule as cr
        >>> model = cr.mlp([1, 3, 1])
        >>> model.compile("sgd", "mse")
        >>> fit_with_back_off(model, [[0.0], [1.0]], [0.0, 2.0], batch_size=2, epochs=3, verbose=0)[1:]
        (2, 1)
    """
    begin = _Begin(len(model.history))
    while True:
        try:
            history = model.fit(x, y, batch_size=batch_size, callbacks=[begin, *callbacks], **arguments)
        except jax.errors.JaxRuntimeError as error:
            smaller = _smaller(batch_size, model.recipe.accumulate, begin.examples)
            if not str(error).startswith(_OUT_OF_MEMORY) or begin.state is None or smaller is None:
                raise
        else:
            return BackOff(history, batch_size, model.recipe.accumulate)
        # Here the error is gone, and with it what its traceback held in the device's memory.
        batch_size, accumulate = smaller
        recipe = dataclasses.replace(model.recipe, accumulate=accumulate)
        model.restore(begin.state.variables, recipe, frozen=model.frozen)
        del model.history.epochs[begin.epochs :]


class _Begin(Callback):
    """Remembers the state in which the first run began, and begins every later run in it, optimizer included."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.examples = 0
        self.state: TrainState | None = None

    def __call__(self, event: Event, run: Run) -> None:
        """Keep the state of the first start, or put it back."""
        if isinstance(event, FitStart):
            self.examples = event.examples
            if self.state is None:
                self.state = run.state
            run.state = self.state


def _smaller(
    batch_size: int | Literal["full"], accumulate: int, examples: int
) -> tuple[int | Literal["full"], int] | None:
    """The next smaller micro-batch with the same product, or ``None`` where one example is left."""
    if batch_size == "full":
        return ("full", 2 * accumulate) if accumulate < examples else None
    total = batch_size * accumulate
    parts = next((count for count in range(2 * accumulate, total + 1) if total % count == 0), None)
    return None if parts is None else (total // parts, parts)
