"""Gradient descent as the textbooks write it: compute the gradient, take a step, repeat until convergence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_number, check_positive_int
from chainrule._base.errors import ArgumentTypeError, ShapeError
from chainrule._base.rng import root_key
from chainrule._base.spec import Array

# `Any` below: weights are any tree of arrays (one array, a tuple, a nested dict).

RISES_THAT_MEAN_DIVERGENCE = 10

StopReason = Literal["converged", "diverged", "max_steps"]


@dataclass
class DescentHistory:
    """What :func:`gradient_descent` saw, one entry before each step and one at the end.

    Args:
        losses: ``J(W)``.
        gradient_norms: ``‖∂J/∂W‖`` over all weights.
        weights: the weights themselves.
        reason: ``"converged"``, ``"diverged"`` or ``"max_steps"``.
        message: the reason in words, with its numbers.
    """

    losses: list[float] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)
    reason: StopReason = "max_steps"
    message: str = ""

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.losses) - 1


def gradient_descent(
    loss: Callable[[Any], Array],
    start: Any,
    *,
    learning_rate: float = 0.1,
    max_steps: int = 1000,
    tolerance: float = 1e-6,
    loss_tolerance: float | None = None,
    loss_below: float | None = None,
) -> tuple[Any, DescentHistory]:
    """``W ← W − η ∂J/∂W`` until convergence; returns the weights and what happened on the way.

    The step takes the *gradient* of the loss. (Some lecture notes write ``update(W, Y − loss)``; that is no
    gradient, and the evaluation there adds up errors instead of losses.)

    It stops when the gradient's norm is at most ``tolerance``, when the loss changes by at most
    ``loss_tolerance``, or when it is below ``loss_below``. It also stops, and says so, when the loss is not finite
    or has risen ten steps in a row to above its start: on a quadratic of largest curvature ``L`` every rate above
    ``2/L`` diverges.

    Args:
        loss: ``J``, from weights to one number, written with ``jax.numpy``.
        start: where to start: an array, or a tree of arrays; see :func:`random_normal`.
        learning_rate: ``η``.
        max_steps: steps at most.
        tolerance: bound on the gradient's norm.
        loss_tolerance: bound on ``|J_t − J_{t−1}|``; ``None`` does not ask.
        loss_below: the loss that is good enough; ``None`` does not ask.

    Raises:
        ShapeError: the loss is not one number.

    References:
        Cauchy, "Méthode générale pour la résolution des systèmes d'équations simultanées", 1847.

    Example:
        >>> import jax.numpy as jnp
        >>> weights, history = gradient_descent(lambda w: jnp.sum((w - 3.0) ** 2), jnp.zeros(2), learning_rate=0.25)
        >>> weights.round(4).tolist(), history.reason
        ([3.0, 3.0], 'converged')
        >>> print(gradient_descent(lambda w: w**2, 1.0, learning_rate=1.1)[1].message)
        diverged: the loss rose 10 steps in a row, from 1 to 38.34. Take a learning rate below 1.1.
    """
    _check(learning_rate, max_steps, tolerance)
    weights = jax.tree.map(_floating, start)
    loss_and_gradient = jax.jit(jax.value_and_grad(_scalar(loss)))
    history = DescentHistory()
    rises = 0
    for step in range(max_steps + 1):
        value, gradient = loss_and_gradient(weights)
        _record(history, weights, float(value), gradient)
        rises = rises + 1 if step and history.losses[-1] > history.losses[-2] else 0
        if _stopped(history, rises, learning_rate, tolerance, loss_tolerance=loss_tolerance, loss_below=loss_below):
            break
        if step < max_steps:
            weights = jax.tree.map(lambda w, g: w - learning_rate * g, weights, gradient)
    return weights, history


def random_normal(shape: tuple[int, ...], *, sigma: float = 1.0, seed: int = 0) -> Array:
    """Weights drawn from the normal distribution ``N(0, σ²)``, to start from.

    Example:
        >>> random_normal((2, 3), sigma=0.1).shape
        (2, 3)
    """
    check_number("sigma", sigma, "random_normal", at_least=0)
    return sigma * jax.random.normal(root_key(seed), shape)


def _check(learning_rate: float, max_steps: int, tolerance: float) -> None:
    check_number("learning_rate", learning_rate, "gradient_descent", above=0)
    check_positive_int("max_steps", max_steps, "gradient_descent")
    check_number("tolerance", tolerance, "gradient_descent", at_least=0)


def _floating(leaf: Any) -> Array:
    array = jnp.asarray(leaf)
    if not jnp.issubdtype(array.dtype, jnp.number):
        raise ArgumentTypeError(f"gradient_descent: start must hold numbers; received dtype {array.dtype}.")
    return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(float)


def _scalar(loss: Callable[[Any], Array]) -> Callable[[Any], Array]:
    def checked(weights: Any) -> Array:
        value = jnp.asarray(loss(weights))
        if value.shape != ():
            raise ShapeError(
                f"gradient_descent: the loss must be one number; received shape {value.shape}. "
                "Average it: jnp.mean(loss)."
            )
        return value

    return checked


def _record(history: DescentHistory, weights: Any, value: float, gradient: Any) -> None:
    squares = [np.sum(np.square(np.asarray(leaf, np.float64))) for leaf in jax.tree.leaves(gradient)]
    history.losses.append(value)
    history.gradient_norms.append(float(np.sqrt(np.sum(squares))))
    history.weights.append(weights)
    history.message = f"max_steps: stopped after {history.steps} steps, before convergence."


def _stopped(
    history: DescentHistory,
    rises: int,
    learning_rate: float,
    tolerance: float,
    *,
    loss_tolerance: float | None,
    loss_below: float | None,
) -> bool:
    value, norm, steps = history.losses[-1], history.gradient_norms[-1], history.steps
    rate = f"Take a learning rate below {learning_rate:.4g}."
    if not np.isfinite(value) or not np.isfinite(norm):
        return _stop(history, "diverged", f"the loss or its gradient is not finite after {steps} steps. {rate}")
    if rises >= RISES_THAT_MEAN_DIVERGENCE and value > history.losses[0]:
        rise = f"from {history.losses[-1 - rises]:.4g} to {value:.4g}"
        return _stop(history, "diverged", f"the loss rose {rises} steps in a row, {rise}. {rate}")
    if norm <= tolerance:
        return _stop(history, "converged", f"the gradient's norm is {norm:.2g} after {steps} steps.")
    if loss_below is not None and value < loss_below:
        return _stop(history, "converged", f"the loss is {value:.4g}, below {loss_below:.4g}, after {steps} steps.")
    if loss_tolerance is not None and steps and abs(value - history.losses[-2]) <= loss_tolerance:
        return _stop(history, "converged", f"the loss changed by at most {loss_tolerance:.2g} after {steps} steps.")
    return False


def _stop(history: DescentHistory, reason: StopReason, words: str) -> bool:
    history.reason, history.message = reason, f"{reason}: {words}"
    return True
