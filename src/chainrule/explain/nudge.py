"""What happens to the loss when one weight is changed a little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from chainrule._base import tree as trees
from chainrule._base.checks import check_number
from chainrule.explain.problem import changed, double_precision, find_weight, make_problem
from chainrule.models.model import Model


@dataclass(frozen=True)
class Nudge:
    """The loss before and after a small change of one weight.

    Args:
        weight: the weight's address.
        value: the weight before.
        epsilon: what was added to it.
        loss_before: ``J`` with the weight as it is.
        loss_after: ``J`` with ``epsilon`` added.
        slope: ``∂J/∂w``.
    """

    weight: str
    value: float
    epsilon: float
    loss_before: float
    loss_after: float
    slope: float

    @property
    def change(self) -> float:
        """``ΔJ``: what the loss really did."""
        return self.loss_after - self.loss_before

    @property
    def predicted(self) -> float:
        """``∂J/∂w · ε``: what the slope says it does."""
        return self.slope * self.epsilon

    def __str__(self) -> str:
        return "\n".join(
            [
                f"w = {self.weight}: {self.value:.6g} → {self.value + self.epsilon:.6g}",
                f"J: {self.loss_before:.6g} → {self.loss_after:.6g}",
                f"ΔJ        = {self.change:.6g}",
                f"∂J/∂w · ε = {self.slope:.6g} · {self.epsilon:.6g} = {self.predicted:.6g}",
                f"difference  {self.change - self.predicted:.2g}, of the order of ε² = {self.epsilon**2:.2g}",
            ]
        )


def nudge(model: Model, x: Any, y: Any, *, weight: str, epsilon: float = 1e-3) -> Nudge:  # Any: as in fit
    """How a small change ``ε`` of one weight affects ``J``, and what ``∂J/∂w · ε`` foretells.

    The two agree but for terms of the order of ``ε²``: halving ``ε`` quarters their difference. ``J`` is the mean
    over the examples, without weight penalties, in inference mode and float64. The model is not changed.

    Args:
        model: a compiled model.
        x: examples.
        y: targets.
        weight: which number, such as ``"dense/kernel[0,3]"``.
        epsilon: what is added to it; not 0.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Dense, Input
        >>> model = cr.Sequential([Input(1), Dense(1)])
        >>> model.set_weights({"dense/kernel": [[2.0]], "dense/bias": [0.0]})
        >>> model.compile(loss="mse")
        >>> print(nudge(model, [[3.0]], [5.0], weight="dense/kernel[0,0]", epsilon=0.01))
        w = dense/kernel[0,0]: 2 → 2.01
        J: 1 → 1.0609
        ΔJ        = 0.0609
        ∂J/∂w · ε = 6 · 0.01 = 0.06
        difference  0.0009, of the order of ε² = 0.0001
    """
    check_number("epsilon", abs(epsilon), "nudge", above=0)
    with double_precision():
        problem = make_problem(model, x, y)
        params = problem.variables.params
        path, index = find_weight(params, weight)
        measure = jax.jit(jax.value_and_grad(problem.objective))
        before, gradient = measure(params)
        after, _ = measure(changed(params, path, index, epsilon))
        return Nudge(
            weight=f"{path}[{','.join(map(str, index))}]",
            value=float(np.asarray(trees.flatten(params)[path])[index]),
            epsilon=epsilon,
            loss_before=float(before),
            loss_after=float(after),
            slope=float(np.asarray(trees.flatten(gradient)[path])[index]),
        )
