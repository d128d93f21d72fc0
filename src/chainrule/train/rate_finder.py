"""The learning-rate range test: one short run with a rate that grows from step to step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_number, check_positive_int
from chainrule._base.errors import ArgumentError
from chainrule.train.engine import Engine
from chainrule.train.feed import Feed, take_batch
from chainrule.train.state import TrainState


@dataclass(frozen=True)
class RateSweep:
    """The result of a range test.

    Args:
        rates: learning rate of every step.
        losses: loss of its batch before the update, smoothed.
        suggestion: the rate at which the smoothed loss fell fastest per decade of the rate.
        diverged_at: the first rate whose loss is NaN, or over 4 times the smallest and twice the first; or ``None``.
    """

    rates: np.ndarray
    losses: np.ndarray
    suggestion: float
    diverged_at: float | None

    def __str__(self) -> str:
        end = "never diverged" if self.diverged_at is None else f"diverged at {self.diverged_at:.2g}"
        return (
            f"rates {self.rates[0]:.1g} to {self.rates[-1]:.1g}: loss {self.losses[0]:.4g}, smallest "
            f"{np.nanmin(self.losses):.4g}, {end}; try learning_rate={self.suggestion:.2g}"
        )


def sweep_rates(
    engine: Engine, state: TrainState, feed: Feed, *, low: float = 1e-6, high: float = 10.0, steps: int = 100
) -> RateSweep:
    """Train ``steps`` batches with rates growing geometrically from ``low`` to ``high``; ``state`` is not changed.

    References:
        L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", 2017,
        https://arxiv.org/abs/1506.01186 (the range test).
    """
    check_number("low", low, "find_rate", above=0)
    check_number("high", high, "find_rate", above=low)
    check_positive_int("steps", steps, "find_rate")
    rates = np.geomspace(low, high, steps).astype(np.float32)
    base = _base_rate(engine.recipe.optimizer, state)
    losses = np.asarray(_sweep(engine, feed, state, jnp.asarray(rates / base)))
    smooth = _smoothed(losses)
    return RateSweep(rates, smooth, *_suggestion(rates, smooth))


def _base_rate(optimizer: Any, state: TrainState) -> float:  # Any: the Optimizer protocol
    rate = getattr(optimizer, "learning_rate", None)
    if rate is None:
        raise ArgumentError(
            "find_rate: the optimizer does not tell its learning rate. Use one of ours, such as 'adam'."
        )
    base = float(rate(state.step) if callable(rate) else rate)
    if base <= 0:
        raise ArgumentError(f"find_rate: needs an optimizer whose rate is above 0 to scale it; received {base:g}.")
    return base


def _sweep(engine: Engine, feed: Feed, state: TrainState, scales: jax.Array) -> jax.Array:
    view = feed.epoch(state.key, 0)

    def one(current: TrainState, item: Any) -> Any:  # Any: scan's carry and output
        number, scale = item
        batch = take_batch(*view[:2], number % feed.steps, view.layout)
        new, logs = engine.train_step(current._replace(rate_scale=scale), batch)
        return new, logs.loss_sum / jnp.maximum(logs.weight, 1e-30)

    run = jax.jit(lambda start, s: jax.lax.scan(one, start, (jnp.arange(len(s)), s))[1])
    losses: jax.Array = run(state, scales)
    return losses


def _smoothed(losses: np.ndarray, keep: float = 0.8) -> np.ndarray:
    """Exponential mean with bias correction; NaN from the first NaN on."""
    mean, smooth = 0.0, []
    for count, loss in enumerate(losses.tolist(), start=1):
        mean = keep * mean + (1 - keep) * loss
        smooth.append(mean / (1 - keep**count))
    return np.asarray(smooth)


def _suggestion(rates: np.ndarray, smooth: np.ndarray) -> tuple[float, float | None]:
    best = np.fmin.accumulate(np.where(np.isfinite(smooth), smooth, np.inf))
    diverged = ~np.isfinite(smooth) | (smooth > np.maximum(4 * best, 2 * smooth[0]))
    end = int(np.argmax(diverged)) if diverged.any() else len(rates)
    lowest = int(np.nanargmin(np.where(np.isfinite(smooth[:end]), smooth[:end], np.inf))) if end else 0
    usable = smooth[: max(lowest + 1, 2)]  # behind the lowest point a loss falls back from a jump, not by learning
    slope = np.gradient(usable, np.log10(rates[: len(usable)]))
    return float(rates[int(np.nanargmin(slope))]), float(rates[end]) if diverged.any() else None
