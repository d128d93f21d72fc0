"""A whole task of labelled examples in twenty lines: points on a plane, told apart by a line or a circle."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from chainrule._base.registry import register_class
from chainrule.errors import DataError
from chainrule.layers import Dense, Input
from chainrule.models import Model
from chainrule.optimizers import Adam
from chainrule.tasks.labelled import Job, Options, Prepared, TrainingSettings, divide, fit_labelled

CLASSES = ("inside", "outside")


@register_class
@dataclass(frozen=True)
class PlanePreparation:
    """Points [n, 2] are moved by ``shift``; points with a third column bring their class."""

    shift: float = 0.0

    def prepare(self, source):
        points = np.asarray(source, np.float32)[:, :2]
        return Prepared(points + self.shift, pl.DataFrame({"point": [f"p{i}" for i in range(len(points))]}))

    def prepare_labelled(self, source, classes):
        labels = np.asarray(source)[:, 2].astype(np.int32)
        if labels.max() >= len(classes):
            raise DataError("point: its class is not known.")
        return self.prepare(source), labels


def plane(rows=120, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (rows, 2))
    labels = (np.square(points).sum(axis=1) > 0.6).astype(np.int32)
    return np.column_stack([points, labels])


def baseline(inputs, labels):
    """The class shares of the training rows, whatever the point: enough to be beaten."""

    def fit(rows):
        shares = np.bincount(labels[rows], minlength=2) / rows.size
        return lambda asked: np.tile(shares, (asked.size, 1))

    return fit


def make_job(data, options, **changes):
    preparation = PlanePreparation(shift=0.5)
    prepared, labels = preparation.prepare_labelled(data, CLASSES)
    parts, findings = divide(labels, CLASSES, options, source="plane")
    x = Input(2)
    model = Model(x, Dense(2)(Dense(16, activation="relu")(x)), seed=options.seed)
    model.compile(Adam(changes.pop("rate", 0.03)), loss="cross_entropy", metrics=["accuracy"])
    settings = TrainingSettings(epochs=changes.pop("epochs", 40), batch_size=16, patience=20)
    return Job(
        kind="images", unit=("point", "points"), source="plane", path=None, target="place", classes=CLASSES,
        inputs=prepared.inputs, labels=labels, shown=prepared.shown, split=parts, model=model, settings=settings,
        preparation=preparation, baseline=baseline(prepared.inputs, labels), baseline_is="the class shares",
        notes=("A plane of points.",), findings=findings, bigger="--set width=32", smaller="--set width=8",
        **changes,
    )  # fmt: skip


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A run on the plane, trained once for all tests that only look at it."""
    options = Options("fit_plane", run=tmp_path_factory.mktemp("runs") / "plane", verbose=0)
    return fit_labelled(make_job(plane(), options), options)
