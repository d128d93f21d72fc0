"""The loss around the weights: along one weight with its tangent, and over a plane of random directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base import tree as trees
from chainrule._base.checks import check_int, check_number
from chainrule._base.tree import Tree
from chainrule.explain.problem import changed, double_precision, find_weight, make_problem
from chainrule.models.model import Model

Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class LossSlice:
    """The loss as a curve over one weight.

    Args:
        weight: the weight's address.
        value: where the model stands.
        loss: ``J`` there.
        slope: ``∂J/∂w`` there: which way, and how steeply, the curve falls.
        values: values of the weight, ``[points]``.
        losses: ``J`` at each, ``[points]``.
    """

    weight: str
    value: float
    loss: float
    slope: float
    values: Numbers
    losses: Numbers

    @property
    def tangent(self) -> Numbers:
        """``J + ∂J/∂w · (w − value)`` at each of the values."""
        return self.loss + self.slope * (self.values - self.value)


def loss_slice(
    model: Model, x: Any, y: Any, *, weight: str, span: float = 1.0, points: int = 41
) -> LossSlice:  # Any: as in fit
    """The loss as a function of one weight, all others held; with its tangent where the model stands.

    The loss is a function wrapped around the prediction, and has a curve and derivatives of its own; the sign of the
    slope says in which direction to go.

    Args:
        model: a compiled model.
        x: examples.
        y: targets.
        weight: which number, such as ``"dense/kernel[0,3]"``.
        span: how far to each side.
        points: how many values.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Dense, Input
        >>> model = cr.Sequential([Input(1), Dense(1, use_bias=False)])
        >>> model.set_weights({"dense/kernel": [[2.0]]})
        >>> model.compile(loss="mse")
        >>> curve = loss_slice(model, [[1.0]], [1.0], weight="dense/kernel", points=3)
        >>> curve.losses.tolist(), curve.tangent.tolist()
        ([0.0, 1.0, 4.0], [-1.0, 1.0, 3.0])
    """
    check_number("span", span, "loss_slice", above=0)
    check_int("points", points, "loss_slice", minimum=2)
    with double_precision():
        problem = make_problem(model, x, y)
        params = problem.variables.params
        path, index = find_weight(params, weight)
        loss, gradient = jax.jit(jax.value_and_grad(problem.objective))(params)
        offsets = jnp.linspace(-span, span, points)
        along = jax.jit(lambda moves: jax.lax.map(lambda d: problem.objective(changed(params, path, index, d)), moves))
        value = float(np.asarray(trees.flatten(params)[path])[index])
        return LossSlice(
            f"{path}[{','.join(map(str, index))}]",
            value,
            float(loss),
            float(np.asarray(trees.flatten(gradient)[path])[index]),
            value + np.asarray(offsets),
            np.asarray(along(offsets)),
        )


@dataclass(frozen=True)
class Landscape:
    """The loss over a plane through the weights.

    Args:
        steps: distance along each of the two directions, ``[n]``; 0 is where the model stands.
        losses: ``J``, ``[n, n]``: the first axis is the first direction.
    """

    steps: Numbers
    losses: Numbers


def landscape(
    model: Model, x: Any, y: Any, *, span: float = 1.0, resolution: int = 21, seed: int = 0
) -> Landscape:  # Any: as in fit
    """The loss on the plane ``W + a d₁ + b d₂`` of two random directions, filter by filter as long as the weights.

    Each column of a kernel (the weights of one unit) in a direction is scaled to the norm of the same column of the
    weights, for otherwise the picture would depend on how the layers happen to be scaled. Biases and other vectors
    are held.

    Args:
        model: a compiled model.
        x: examples.
        y: targets.
        span: greatest ``|a|`` and ``|b|``.
        resolution: points along each direction; odd, so that the model itself is in the middle.
        seed: for the directions.

    References:
        Li, Xu, Taylor, Studer, Goldstein, "Visualizing the Loss Landscape of Neural Nets", 2017,
        https://arxiv.org/abs/1712.09913, section 4.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Dense, Input
        >>> model = cr.Sequential([Input(2), Dense(3, "tanh"), Dense(1)])
        >>> model.compile(loss="mse")
        >>> plane = landscape(model, [[1.0, 2.0]], [1.0], resolution=5)
        >>> bool(abs(plane.losses[2, 2] - model.evaluate([[1.0, 2.0]], [1.0])["loss"]) < 1e-6)
        True
    """
    check_number("span", span, "landscape", above=0)
    check_int("resolution", resolution, "landscape", minimum=3)
    draw = np.random.default_rng(seed)
    with double_precision():
        problem = make_problem(model, x, y)
        params = problem.variables.params
        first, second = (_direction(params, draw) for _ in range(2))
        steps = np.linspace(-span, span, resolution | 1)  # odd

        def loss_at(move: Any) -> Any:  # Any: a traced pair (a, b)
            moved = jax.tree.map(lambda w, d, e: w + move[0] * d + move[1] * e, params, first, second)
            return problem.objective(moved)

        pairs = jnp.asarray(np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2))
        losses = jax.jit(lambda moves: jax.lax.map(loss_at, moves))(pairs)
        return Landscape(steps, np.asarray(losses).reshape(len(steps), len(steps)))


def _direction(params: Tree, draw: np.random.Generator) -> Tree:
    def one(_path: str, leaf: Any) -> Numbers:
        weights = np.asarray(leaf)
        if weights.ndim < 2:
            return np.zeros_like(weights)
        random = draw.normal(size=weights.shape)
        axes = tuple(range(weights.ndim - 1))
        lengths = [np.sqrt(np.sum(array**2, axis=axes, keepdims=True)) for array in (weights, random)]
        scaled: Numbers = random * lengths[0] / lengths[1]
        return scaled

    return trees.map_with_path(one, params)
