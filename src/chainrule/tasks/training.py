"""One training of a table network: callbacks, class balance, and what happens when it is interrupted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import metrics
from chainrule.data import Task, balance, class_weights
from chainrule.models import Model
from chainrule.tasks.linear import affordable_rows, fit_linear
from chainrule.tasks.material import Material, targets_of
from chainrule.tasks.network import LOSSES, build_network, make_optimizer
from chainrule.train import EarlyStopping, JsonLines


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network.

    Args:
        model: with its best weights.
        interruption: the Ctrl-C or SIGTERM that ended training, if one did.
    """

    model: Model
    interruption: KeyboardInterrupt | None = field(default=None, repr=False)


def train(
    material: Material,
    *,
    how: str,
    seed: int,
    early_stop: bool,
    events: Path | None,
    verbose: int,
    callbacks: Sequence[Callable[..., Any]] = (),  # Any: listeners (event, run)
) -> Trained:
    """Train the default network on the training rows, watching the validation rows.

    Ctrl-C ends the training, not the run: what has been learned by then is kept.

    Args:
        material: the rows.
        how: remedy against class imbalance; see ``Question.balance``.
        seed: initial weights, order of rows, dropout.
        early_stop: whether to stop when the validation loss no longer falls; the best weights are kept either way.
        events: file that gets a JSON line per event.
        verbose: 0 is silent.
        callbacks: further listeners.
    """
    config = material.config
    model = build_network(config, material.features.shape[1], material.num_outputs, seed=seed)
    task = material.encoder.task
    model.compile(make_optimizer(config), loss=LOSSES[task][0], metrics=_metrics(task))
    listeners = [EarlyStopping(patience=config.patience if early_stop else config.epochs), *callbacks]
    if events is not None:
        listeners.append(JsonLines(events))
    if config.linear_path and config.linear_start:
        _start_linear(model, material, how, seed)
    rows, weights = _balanced(material, how, seed)
    features, targets = material.features, targets_of(material)
    held = material.split.validation
    validation: tuple[Any, ...] = (features[held], targets[held])
    if how == "weights" or how.endswith("sample"):
        labels = material.target.values
        validation += (class_weights(labels[held], len(material.encoder.classes))[labels[held]],)
    try:
        model.fit(
            features[rows],
            targets[rows],
            sample_weight=weights,
            validation=validation,
            epochs=config.epochs,
            batch_size=config.batch_size,
            callbacks=listeners,
            verbose=verbose,
        )
    except KeyboardInterrupt as interruption:
        return Trained(model, interruption)
    return Trained(model)


def _start_linear(model: Model, material: Material, how: str, seed: int) -> None:
    """Set the linear path to the linear or logistic regression of the training rows.

    What a line can say is then said exactly at the first step, and training is left with what it cannot say. Class
    weights are taken as repeated rows.
    """
    rows, _ = _balanced(material, "oversample" if how == "weights" else how, seed)
    rows = rows[: affordable_rows(len(rows), material.features.shape[1])]
    targets, task = targets_of(material), material.encoder.task
    linear = fit_linear(material.features[rows], targets[rows], task, num_classes=len(material.encoder.classes) or None)
    model.set_weights({"linear/kernel": linear.weights, "linear/bias": linear.bias})


def _metrics(task: Task) -> list[Any]:  # Any: names or metrics
    if task == "regression":
        return []
    return [metrics.BinaryAccuracy()] if task == "multilabel" else ["accuracy"]


def _balanced(material: Material, how: str, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """The training rows to use and their weights."""
    rows = material.split.train
    if how == "none":
        return rows, None
    chosen, weights = balance(material.target.values[rows], how, seed=seed)  # type: ignore[arg-type]  # checked
    return rows[chosen], weights
