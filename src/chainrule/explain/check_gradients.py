"""The gradient check: automatic differentiation against differences of the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from chainrule._base import tree as trees
from chainrule._base.checks import check_number, check_positive_int
from chainrule.explain.problem import changed, double_precision, make_problem
from chainrule.models.model import Model

_FLOOR = 1e-7  # gradients below this are compared absolutely: central differences of float64 are no finer


@dataclass(frozen=True)
class GradientCheck:
    """The largest relative error of each weight's gradient.

    Args:
        errors: weight path -> ``max |a − n| / max(|a|, |n|, 1e-7)`` over the numbers checked.
        checked: weight path -> how many of its numbers were checked.
        tolerance: what counts as equal.
    """

    errors: dict[str, float]
    checked: dict[str, int]
    tolerance: float

    @property
    def max_error(self) -> float:
        """The largest of all errors."""
        return max(self.errors.values(), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether all errors are within the tolerance."""
        return self.max_error <= self.tolerance

    def __str__(self) -> str:
        width = max(map(len, self.errors), default=0)
        lines = [f"{path:<{width}}  {error:.1e}  ({self.checked[path]} checked)" for path, error in self.errors.items()]
        verdict = "gradients are right" if self.passed else "GRADIENTS DIFFER (or a kink such as ReLU's 0 is near)"
        return "\n".join([*lines, f"largest relative error {self.max_error:.1e}: {verdict}"])


def check_gradients(
    model: Model,
    x: Any,
    y: Any,
    *,
    epsilon: float = 1e-5,
    max_per_weight: int = 50,
    tolerance: float = 1e-5,
    seed: int = 0,
) -> GradientCheck:  # Any: as in fit
    """Compare ``∂J/∂w`` with ``(J(w + ε) − J(w − ε)) / 2ε`` for every weight, in float64.

    Central differences are wrong by the order of ``ε²``, and by rounding of the order of ``1e-16 J/ε``: with the
    default ``ε`` about 1e-10 either way. At a kink (a ReLU exactly at 0) they may differ rightly.

    Args:
        model: a compiled model.
        x: examples.
        y: targets.
        epsilon: half the distance of the two points.
        max_per_weight: numbers checked of each weight; of larger ones that many, drawn at random.
        tolerance: relative error that counts as equal.
        seed: for the draw.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Dense, Input
        >>> model = cr.Sequential([Input(2), Dense(3, "tanh"), Dense(1)])
        >>> model.compile(loss="mse")
        >>> check_gradients(model, [[1.0, 2.0], [0.5, -1.0]], [1.0, 0.0]).passed
        True
    """
    check_number("epsilon", epsilon, "check_gradients", above=0)
    check_positive_int("max_per_weight", max_per_weight, "check_gradients")
    draw = np.random.default_rng(seed)
    with double_precision():
        problem = make_problem(model, x, y)
        params = problem.variables.params
        objective = jax.jit(problem.objective)
        gradients = trees.flatten(jax.jit(jax.grad(problem.objective))(params))
        errors, checked = {}, {}
        for path, gradient in gradients.items():
            exact = np.asarray(gradient)
            chosen = draw.permutation(exact.size)[:max_per_weight]
            indices = [tuple(int(i) for i in np.unravel_index(k, exact.shape)) for k in chosen]
            sides = [[objective(changed(params, path, index, sign * epsilon)) for sign in (1, -1)] for index in indices]
            numeric = [float(up - down) / (2 * epsilon) for up, down in sides]
            errors[path] = max(map(_relative, (float(exact[index]) for index in indices), numeric), default=0.0)
            checked[path] = len(indices)
    return GradientCheck(errors, checked, tolerance)


def _relative(exact: float, numeric: float) -> float:
    return abs(exact - numeric) / max(abs(exact), abs(numeric), _FLOOR)
