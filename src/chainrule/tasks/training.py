"""One training of a table network: callbacks, class balance, and what happens when it is interrupted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import metrics
from chainrule.data import Task, balance, class_weights
from chainrule.models import Model
from chainrule.tasks.linear import affordable_rows, fit_linear
from chainrule.tasks.material import Material, targets_of
from chainrule.tasks.network import LOSSES, build_network, make_optimizer
from chainrule.tasks.watched import Trained, Watch, fit_watched
from chainrule.train import History


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
    _start_linear(model, material, material.split.train, how=how, seed=seed)
    rows, weights = _balanced(material, material.split.train, how=how, seed=seed)
    features, targets = material.features, targets_of(material)
    held = material.split.validation
    validation: tuple[Any, ...] = (features[held], targets[held])
    if how == "weights" or how.endswith("sample"):
        labels = material.target.values
        validation += (class_weights(labels[held], len(material.encoder.classes))[labels[held]],)
    return fit_watched(
        model,
        features[rows],
        targets[rows],
        Watch(config.patience if early_stop else config.epochs, events, verbose, callbacks),
        sample_weight=weights,
        validation=validation,
        epochs=config.epochs,
        batch_size=config.batch_size,
    )


def train_again(material: Material, trained: Trained, *, how: str, seed: int) -> np.ndarray:
    """Train the network anew on training and validation rows, for as many epochs as the validation rows chose.

    It begins at the same weights and changes ``trained.model`` in place; its history stays that of the first training,
    the only one with a validation loss. Ctrl-C puts the first training's weights back.

    Returns:
        The rows that the model has now learned from.
    """
    model, config = trained.model, material.config
    before, epochs = model.variables, trained.history.best_epoch
    both = np.concatenate([material.split.train, material.split.validation])
    if not epochs:
        return material.split.train
    model.restore(trained.start, model.recipe)
    _start_linear(model, material, both, how=how, seed=seed)
    rows, weights = _balanced(material, both, how=how, seed=seed)
    model.history = History()
    try:
        model.fit(
            material.features[rows],
            targets_of(material)[rows],
            sample_weight=weights,
            epochs=epochs,
            batch_size=config.batch_size,
            train_metrics="running",
            verbose=0,
        )
    except KeyboardInterrupt:
        model.restore(before, model.recipe)
        raise
    finally:
        model.history = trained.history
    return both


def _start_linear(model: Model, material: Material, given: np.ndarray, *, how: str, seed: int) -> None:
    """Set the linear path, where it is to start so, to the linear or logistic regression of the given rows.

    What a line can say is then said exactly at the first step, and training is left with what it cannot say. Class
    weights are taken as repeated rows.
    """
    if not (material.config.linear_path and material.config.linear_start):
        return
    rows, _ = _balanced(material, given, how="oversample" if how == "weights" else how, seed=seed)
    rows = rows[: affordable_rows(len(rows), material.features.shape[1])]
    targets, task = targets_of(material), material.encoder.task
    linear = fit_linear(material.features[rows], targets[rows], task, num_classes=len(material.encoder.classes) or None)
    model.set_weights({"linear/kernel": linear.weights, "linear/bias": linear.bias})


def _metrics(task: Task) -> list[Any]:  # Any: names or metrics
    if task == "regression":
        return []
    return [metrics.BinaryAccuracy()] if task == "multilabel" else ["accuracy"]


def _balanced(material: Material, rows: np.ndarray, *, how: str, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Which of ``rows`` to train on, and their weights."""
    if how == "none":
        return rows, None
    chosen, weights = balance(material.target.values[rows], how, seed=seed)  # type: ignore[arg-type]  # checked
    return rows[chosen], weights
