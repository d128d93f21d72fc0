"""Learning rates that change with the step: frozen callables ``step -> rate``.

Steps count updates from 0, so the first update is made at ``schedule(0)``. A plain number is the constant schedule,
and any function of the step serves too. Field names are Keras's where Keras has the schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_int, check_number, check_positive_int
from chainrule._base.errors import ArgumentError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array
from chainrule.optimizers.base import Scalar, Schedule, check_rate


def values(schedule: float | Schedule, num_steps: int) -> np.ndarray[Any, np.dtype[np.floating[Any]]]:
    """The rates of the first ``num_steps`` steps, for a plot before training.

    Example:
        >>> values(StepDecay(0.5, every=2), 5).tolist()
        [0.5, 0.5, 0.25, 0.25, 0.125]
    """
    check_positive_int("num_steps", num_steps, "values")
    curve: Callable[[Array], Array] = jax.vmap(lambda step: jnp.asarray(_at(schedule, step)))
    return np.asarray(curve(jnp.arange(num_steps)))


@register_class
@dataclass(frozen=True)
class StepDecay:
    """``rate = initial · factor^⌊step / every⌋``: cut by ``factor`` after every ``every`` steps.

    Example:
        >>> float(StepDecay(0.5, every=10)(10))
        0.25
    """

    initial_learning_rate: float
    every: int
    factor: float = 0.5

    def __post_init__(self) -> None:
        check_number("initial_learning_rate", self.initial_learning_rate, self, at_least=0)
        check_positive_int("every", self.every, self)
        check_number("factor", self.factor, self, above=0, at_most=1)

    def __call__(self, step: Scalar) -> Array:
        """The rate at ``step``."""
        return self.initial_learning_rate * self.factor ** jnp.floor(_real(step) / self.every)


@register_class
@dataclass(frozen=True)
class PiecewiseConstant:
    """``values[i]`` from step ``boundaries[i-1]`` up to, and without, step ``boundaries[i]``.

    With ``boundaries=(100, 200)`` the first 100 updates use ``values[0]``, as in Optax; Keras's
    ``PiecewiseConstantDecay`` changes one step later.

    Args:
        boundaries: rising steps.
        values: rates, one more than boundaries.

    Example:
        >>> [float(PiecewiseConstant((2, 4), (1.0, 0.5, 0.25))(step)) for step in range(5)]
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    boundaries: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        for boundary in self.boundaries:
            check_int("boundaries", boundary, self, minimum=1)
        for value in self.values:
            check_number("values", value, self, at_least=0)
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ArgumentError(f"PiecewiseConstant: boundaries must rise; received {self.boundaries}. Sort them.")
        if len(self.values) != len(self.boundaries) + 1:
            raise ArgumentError(
                f"PiecewiseConstant: values must be one more than boundaries, {len(self.boundaries) + 1}; received "
                f"{len(self.values)}. Give the rate before the first boundary too."
            )

    def __call__(self, step: Scalar) -> Array:
        """The rate at ``step``."""
        passed = sum((_real(step) >= boundary).astype(jnp.int32) for boundary in self.boundaries)
        return _table(self.values)[passed]


@register_class
@dataclass(frozen=True)
class ExponentialDecay:
    """``rate = initial · decay_rate^(step / decay_steps)``; in whole powers only if ``staircase``.

    Example:
        >>> float(ExponentialDecay(0.5, decay_steps=10, decay_rate=0.25)(5))
        0.25
    """

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        check_number("initial_learning_rate", self.initial_learning_rate, self, at_least=0)
        check_positive_int("decay_steps", self.decay_steps, self)
        check_number("decay_rate", self.decay_rate, self, above=0)

    def __call__(self, step: Scalar) -> Array:
        """The rate at ``step``."""
        power = _real(step) / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (jnp.floor(power) if self.staircase else power)


@register_class
@dataclass(frozen=True)
class InverseTimeDecay:
    """``rate = initial / (1 + decay_rate · step / decay_steps)``; in whole steps only if ``staircase``.

    Example:
        >>> float(InverseTimeDecay(0.5, decay_steps=10, decay_rate=1.0)(10))
        0.25
    """

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        check_number("initial_learning_rate", self.initial_learning_rate, self, at_least=0)
        check_positive_int("decay_steps", self.decay_steps, self)
        check_number("decay_rate", self.decay_rate, self, at_least=0)

    def __call__(self, step: Scalar) -> Array:
        """The rate at ``step``."""
        time = _real(step) / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (jnp.floor(time) if self.staircase else time))


@register_class
@dataclass(frozen=True)
class PolynomialDecay:
    """``rate = end + (initial - end) · (1 - step / decay_steps)^power``, then ``end``; a line for power 1.

    Example:
        >>> float(PolynomialDecay(0.5, decay_steps=10, end_learning_rate=0.0)(5))
        0.25
    """

    initial_learning_rate: float
    decay_steps: int
    end_learning_rate: float = 0.0001
    power: float = 1.0

    def __post_init__(self) -> None:
        check_number("initial_learning_rate", self.initial_learning_rate, self, at_least=0)
        check_positive_int("decay_steps", self.decay_steps, self)
        check_number("end_learning_rate", self.end_learning_rate, self, at_least=0)
        check_number("power", self.power, self, above=0)

    def __call__(self, step: Scalar) -> Array:
        """The rate at ``step``."""
        left = 1 - _share(step, self.decay_steps)
        return self.end_learning_rate + (self.initial_learning_rate - self.end_learning_rate) * left**self.power


@register_class
@dataclass(frozen=True)
class CosineDecay:
    """``rate = initial · (α + (1-α) · ½ (1 + cos(π · step / decay_steps)))``, then ``α · initial``.

    Example:
        >>> [round(float(CosineDecay(0.5, decay_steps=10)(step)), 6) for step in (0, 5, 10)]
        [0.5, 0.25, 0.0]

    References:
        Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2016,
        https://arxiv.org/abs/1608.03983, eq. 5 (without restarts).
    """

    initial_learning_rate: float
    decay_steps: int
    alpha: float = 0.0

    def __post_init__(self) -> None:
        check_number("initial_learning_rate", self.initial_learning_rate, self, at_least=0)
        check_positive_int("decay_steps", self.decay_steps, self)
        check_number("alpha", self.alpha, self, at_least=0, at_most=1)

    def __call__(self, step: Scalar) -> Array:
        """The rate at ``step``."""
        # cos² (x/2) = ½ (1 + cos x) is exact at both ends
        fall = jnp.cos(0.5 * math.pi * _share(step, self.decay_steps)) ** 2
        return self.initial_learning_rate * (self.alpha + (1 - self.alpha) * fall)


@register_class
@dataclass(frozen=True)
class Warmup:
    """A line from ``start`` to the schedule's first rate over ``steps`` steps, then the schedule from its beginning.

    ``Warmup(CosineDecay(0.1, 900), 100)`` is the usual warm-up and cosine over 1000 steps. As elsewhere, the first
    update is made with ``start``.

    Args:
        schedule: what follows; a number stays.
        steps: length of the line.
        start: rate of the first step.

    Example:
        >>> [float(Warmup(1.0, steps=4)(step)) for step in range(6)]
        [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """

    schedule: float | Schedule
    steps: int
    start: float = 0.0

    def __post_init__(self) -> None:
        check_rate("schedule", self.schedule, self)
        check_positive_int("steps", self.steps, self)
        check_number("start", self.start, self, at_least=0)

    def __call__(self, step: Scalar) -> Array:
        """The rate at ``step``."""
        step = jnp.asarray(step)
        peak = _at(self.schedule, jnp.zeros_like(step))
        line = self.start + (peak - self.start) * _share(step, self.steps)
        return jnp.where(step < self.steps, line, _at(self.schedule, jnp.maximum(step - self.steps, 0)))


@register_class
@dataclass(frozen=True)
class OneCycle:
    """Up along a cosine from ``max / div_factor``, then down to ``max / (div_factor · final_div_factor)``.

    The same curve as PyTorch's and Optax's one-cycle schedule with cosine annealing, of the rate only: momentum is
    left as it is.

    Args:
        max_learning_rate: the peak.
        total_steps: length of the whole cycle; afterwards the last rate stays.
        rise: share of the steps on the way up, between 0 and 1.
        div_factor: the peak over the first rate.
        final_div_factor: the first rate over the last.

    Example:
        >>> [float(OneCycle(1.0, total_steps=8, rise=0.5, div_factor=4)(step)) for step in (0, 2, 4)]
        [0.25, 0.625, 1.0]

    References:
        Smith and Topin, "Super-convergence", 2018, https://arxiv.org/abs/1708.07120.
    """

    max_learning_rate: float
    total_steps: int
    rise: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4

    def __post_init__(self) -> None:
        check_number("max_learning_rate", self.max_learning_rate, self, at_least=0)
        check_positive_int("total_steps", self.total_steps, self)
        check_number("rise", self.rise, self, above=0, below=1)
        check_number("div_factor", self.div_factor, self, at_least=1)
        check_number("final_div_factor", self.final_div_factor, self, at_least=1)

    def __call__(self, step: Scalar) -> Array:
        """The rate at ``step``."""
        peak, top = self.max_learning_rate, max(1, int(self.rise * self.total_steps))
        first = peak / self.div_factor
        last = first / self.final_div_factor
        up = jnp.sin(0.5 * math.pi * _share(step, top)) ** 2
        down = jnp.cos(0.5 * math.pi * _share(_real(step) - top, max(1, self.total_steps - top))) ** 2
        return jnp.where(_real(step) < top, first + (peak - first) * up, last + (peak - last) * down)


def _real(step: Scalar) -> Array:
    """``step`` in the default float dtype: float32, or float64 where that is switched on."""
    return jnp.asarray(step).astype(jax.dtypes.canonicalize_dtype(float))


def _share(step: Scalar, steps: int) -> Array:
    """``step / steps``, held between 0 and 1."""
    return jnp.clip(_real(step) / steps, 0, 1)


def _table(rates: tuple[float, ...]) -> Array:
    return jnp.asarray(rates, jax.dtypes.canonicalize_dtype(float))


def _at(schedule: float | Schedule, step: Array) -> Array | float:
    return schedule(step) if callable(schedule) else schedule
