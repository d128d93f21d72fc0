"""One call of ``fit``: arrays to feeds, callbacks to listeners, and the loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from chainrule._base.checks import check_choice, check_number, check_positive_int, describe
from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule._base.partition import deal
from chainrule.losses import resolve_class_weight
from chainrule.models.arrays import Arrays, as_inputs, as_targets, as_weights
from chainrule.train import Callback, Feed, History, Loop, Plan, Progress, Run, StopWhen
from chainrule.train.carried import carried_rows, check_carried
from chainrule.train.feed import EVALUATION_ROWS

if TYPE_CHECKING:
    from chainrule.models.model import Model

# training examples judged after each epoch; the standard error of an accuracy is then below 0.7 points
_JUDGED_ROWS = 5_000


Rows = tuple[Arrays, Arrays, np.ndarray | None]  # inputs, targets, weights


class Fitting:
    """What one ``fit`` needs while it runs.

    Args:
        model: whose state is trained.
        feeds: training examples, those of them that are judged after each epoch, and validation examples.
    """

    def __init__(self, model: Model, feeds: tuple[Feed, Feed, Feed | None]) -> None:
        self.model = model
        self.feeds = feeds
        self.run = Run(model.state, model.history, 0)

    @classmethod
    def prepare(
        cls,
        model: Model,
        x: Any,
        y: Any,
        *,
        batch_size: Any,
        validation: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
    ) -> Fitting:
        """Check the arrays, split off validation, put all on the device. ``Any``: as in :meth:`Model.fit`."""
        inputs, targets, weight = _checked(model, x, y, sample_weight)
        carried = carried_rows(model.graph)
        check_carried(len(inputs[0]), carried)
        judge: Feed | None = None
        if isinstance(validation, tuple | list):
            judge = _validation_feed(model, validation)
        elif validation is not None:
            _check_order(carried)
            train, held = _fraction(validation, targets, model.seed)
            judge = Feed(*_rows(inputs, targets, weight, held), len(held))
            inputs, targets, weight = _rows(inputs, targets, weight, train)
        weight = as_weights(weight, class_weight, targets, len(inputs[0]))
        _settle_losses(model, targets)
        rows = _batch_rows(batch_size, len(inputs[0]), model.recipe.accumulate, carried)
        feed = Feed(inputs, targets, weight, rows, eval_rows=carried or EVALUATION_ROWS, shuffle=carried is None)
        return cls(model, (feed, _judged(feed, (inputs, targets, weight), model.seed, carried), judge))

    def fit(
        self,
        *,
        epochs: int,
        callbacks: Sequence[Any],
        until: str | None,
        verbose: int,
        steps_per_call: int | None,
        train_metrics: Literal["same", "running"],
    ) -> History:
        """Run the loop."""
        check_positive_int("epochs", epochs, "fit")
        check_choice("train_metrics", train_metrics, ("same", "running"), "fit")
        if steps_per_call is not None:
            check_positive_int("steps_per_call", steps_per_call, "fit")
        listeners = _listeners(callbacks)
        if until is not None:
            listeners.append(StopWhen(until))
        if verbose:
            listeners.append(Progress(self.model.recipe.optimizer))
        listeners.sort(key=lambda listener: not isinstance(listener, Callback))  # progress tells what callbacks did
        history = self.model.history
        history.best_epoch = None  # an earlier fit's
        plan = Plan(epochs, len(history), steps_per_call, train_metrics)
        self.run = Run(self.model.state, history, epochs)
        Loop(self.model.engine, self.run, self.feeds, plan=plan, listeners=listeners).fit()
        return history


def _listeners(callbacks: Any) -> list[Any]:  # Any: what the user typed
    given = [] if callbacks is None else [callbacks] if callable(callbacks) else callbacks
    if not isinstance(given, list | tuple):
        raise ArgumentTypeError(f"callbacks: must be a list; received {describe(callbacks)}. Type callbacks=[...].")
    for callback in given:
        if isinstance(callback, type) or not callable(callback):
            kind = " (a class: add parentheses)" if isinstance(callback, type) else ""
            raise ArgumentTypeError(
                f"callbacks: must be Callback objects or functions (event, run); received {describe(callback)}{kind}."
            )
    return list(given)


def _settle_losses(model: Model, targets: Arrays) -> None:
    """Turn a loss's ``class_weight="balanced"`` into numbers, from the training targets."""
    recipe = model.recipe
    given: tuple[Any, ...] = recipe.losses  # Any: losses, or functions that stand for them
    settled = tuple(resolve_class_weight(loss, target) for loss, target in zip(given, targets, strict=True))
    if settled != recipe.losses:
        model.restore(model.variables, dataclasses.replace(recipe, losses=settled), frozen=model.frozen)


def _check_order(carried: int | None) -> None:
    if carried is not None:
        raise ArgumentError(
            "validation: must be (x, y) where a model has stateful layers, as a fraction is taken at random and they "
            f"need rows in order, {carried} a batch. Keep examples aside and pass them."
        )


def _batch_rows(batch_size: Any, size: int, accumulate: int, carried: int | None) -> int:  # Any: what the user typed
    if batch_size == "full":
        rows = -(-size // accumulate)
    else:
        if isinstance(batch_size, str):
            raise ArgumentError(f"batch_size must be a whole number or 'full'; received {batch_size!r}.")
        check_positive_int("batch_size", batch_size, "fit")
        rows = min(int(batch_size), size) if accumulate == 1 else int(batch_size)
    if carried not in (None, rows):
        raise ArgumentError(
            f"batch_size must be {carried}, that of the model's stateful layers; received {batch_size!r}. "
            f"Type fit(..., batch_size={carried})."
        )
    return rows * accumulate


def _fraction(fraction: Any, targets: Arrays, seed: int) -> tuple[np.ndarray, np.ndarray]:  # Any: what the user typed
    check_number("validation", fraction, "fit", above=0, below=1)
    labels = targets[0]
    if labels.ndim == 2:  # one-hot, or one column of 0 and 1
        labels = labels[:, 0] if labels.shape[1] == 1 else labels.argmax(axis=1)
    whole = labels.ndim == 1 and bool((labels == np.round(labels)).all())
    classes = labels.astype(np.int64) if whole and len(np.unique(labels)) <= max(2, len(labels) // 10) else None
    if classes is not None:
        classes = np.unique(classes, return_inverse=True)[1]
    size = len(labels)
    groups = np.zeros(size, np.int64) if classes is None else classes
    train, held = deal(groups, np.arange(size), (1 - float(fraction), float(fraction)), np.random.default_rng(seed))
    if not len(train) or not len(held):
        raise ArgumentError(
            f"validation: {fraction:g} of {size} examples leaves one side empty. Choose another fraction, or pass "
            "validation=(x, y)."
        )
    return train, held


def _rows(inputs: Arrays, targets: Arrays, weight: np.ndarray | None, rows: np.ndarray) -> Rows:
    return (
        tuple(array[rows] for array in inputs),
        tuple(array[rows] for array in targets),
        None if weight is None else weight[rows],
    )


def _validation_feed(model: Model, given: Sequence[Any]) -> Feed:
    if len(given) not in (2, 3):
        raise ArgumentError(
            f"validation: must be a fraction, (x, y) or (x, y, sample_weight); received {len(given)} items."
        )
    return judging_feed(model, *given, what="validation")


def judging_feed(
    model: Model, x: Any, y: Any, sample_weight: Any = None, batch_size: int = EVALUATION_ROWS, *, what: str = "x"
) -> Feed:
    """Examples to judge ``model`` on, ``batch_size`` rows at a time; of stateful layers, as many as these take.

    ``Any``: as in :meth:`Model.evaluate`.
    """
    arrays = _checked(model, x, y, sample_weight)
    carried, size = carried_rows(model.graph), len(arrays[0][0])
    check_carried(size, carried, what)
    return Feed(*arrays, size, eval_rows=carried or batch_size)


def _checked(model: Model, x: Any, y: Any, sample_weight: Any) -> Rows:  # Any: what the user typed
    inputs = as_inputs(model.graph, x)
    targets = as_targets(model.graph, model.recipe.losses, y, len(inputs[0]))
    return inputs, targets, as_weights(sample_weight, None, targets, len(inputs[0]))


def _judged(feed: Feed, arrays: Rows, seed: int, carried: int | None) -> Feed:
    if feed.size <= _JUDGED_ROWS:
        return feed
    if carried is not None:
        rows = np.arange(max(_JUDGED_ROWS // carried, 1) * carried)
        return Feed(*_rows(*arrays, rows), len(rows), eval_rows=carried)
    rows = np.sort(np.random.default_rng(seed).choice(feed.size, _JUDGED_ROWS, replace=False))
    return Feed(*_rows(*arrays, rows), len(rows))
