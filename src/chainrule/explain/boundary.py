"""A model's answers over a rectangle of two features: decision regions and their border."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_int
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule.models.model import Model
from chainrule.ops import activations, stable

Numbers = np.ndarray[Any, np.dtype[Any]]  # Any: float or integer grids


@dataclass(frozen=True)
class Boundary:
    """Answers on a grid, as figures want them.

    Args:
        x1: the first feature, ``[columns]``.
        x2: the second feature, ``[rows]``.
        scores: what the model says, ``[rows, columns, outputs]``.
        probabilities: the same as probabilities where the loss says how to read the scores, else the scores.
        classes: ``[rows, columns]``: whether the one probability (or margin) is above the middle, or the number of
            the largest output.
    """

    x1: Numbers
    x2: Numbers
    scores: Numbers
    probabilities: Numbers
    classes: Numbers


def boundary(model: Model, xlim: Sequence[float], ylim: Sequence[float], *, resolution: int = 100) -> Boundary:
    """Evaluate a model of two features over ``xlim × ylim``.

    With one output, the class is 1 where the probability is *above* 1/2; where the model's loss and last activation
    speak of no probability, where the score is above 0. With several outputs, it is the largest.

    Args:
        model: a model with one input of two features.
        xlim: least and greatest value of the first feature.
        ylim: likewise of the second.
        resolution: points along each side.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Dense, Input
        >>> model = cr.Sequential([Input(2), Dense(1, "sigmoid")])
        >>> model.set_weights({"dense/kernel": [[-5.0], [3.0]], "dense/bias": [1.0]})
        >>> model.compile(loss="binary_cross_entropy")
        >>> boundary(model, (0, 1), (0, 2), resolution=3).classes.tolist()
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    check_int("resolution", resolution, "boundary", minimum=2)
    for name, limits in (("xlim", xlim), ("ylim", ylim)):
        if len(limits) != 2 or not limits[0] < limits[1]:
            raise ArgumentError(f"boundary: {name} must be (least, greatest); received {tuple(limits)}.")
    shape = tuple(model.graph.inputs[0].shape[1:])
    if len(model.graph.inputs) != 1 or shape != (2,):
        raise ShapeError(f"boundary: the model must take two features; received a model of inputs {shape}.")
    x1, x2 = (np.linspace(low, high, resolution) for low, high in (xlim, ylim))
    points = np.stack(np.meshgrid(x1, x2), axis=-1).reshape(-1, 2)
    scores = np.asarray(model(points.astype(np.float32))).reshape(resolution, resolution, -1)
    meaning = str(getattr(model.loss, "expects", "real")) if model.is_compiled else "real"
    last = model.graph.outputs[0].node
    if last is not None and getattr(last.layer, "activation", None) == "sigmoid":
        meaning = "binary probabilities"
    probabilities, middle = _read(scores, meaning)
    single = (probabilities[..., 0] > middle).astype(np.int64)
    return Boundary(x1, x2, scores, probabilities, single if scores.shape[-1] == 1 else scores.argmax(axis=-1))


def _read(scores: Numbers, meaning: str) -> tuple[Numbers, float]:
    """Probabilities where ``meaning`` says so, and the value between the two classes."""
    if meaning == "binary logits":
        return np.asarray(activations.sigmoid(jnp.asarray(scores))), 0.5
    if meaning == "class logits":
        return np.asarray(stable.softmax(jnp.asarray(scores))), 0.5
    return scores, 0.5 if "probabilities" in meaning else 0.0
