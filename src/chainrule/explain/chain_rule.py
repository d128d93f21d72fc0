"""The chain rule on show: the gradient of one weight as a product of named factors.

``∂J/∂w = Σ over paths  ∂J/∂ŝ · ∂ŝ/∂z · ... · ∂z/∂w``. Every factor is a derivative of one step with respect to the
value before it; a path leads from the weight through one unit of each layer to the loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from chainrule._base import tree as trees
from chainrule._base.checks import check_positive_int
from chainrule.explain.paths import Path, PathSearch
from chainrule.explain.problem import double_precision, find_weight, make_problem
from chainrule.explain.trace import trace
from chainrule.models.model import Model


@dataclass(frozen=True)
class Factor:
    """One derivative of a chain.

    Args:
        symbol: such as ``∂ŝ/∂z₂``.
        meaning: what it is, in words.
        value: its number.
    """

    symbol: str
    meaning: str
    value: float


@dataclass(frozen=True)
class ChainRule:
    """The gradient of one weight, taken apart; ``print`` it to read it.

    Args:
        weight: the weight's address, ``dense/kernel[0,3]``.
        example: the example whose loss ``J`` is.
        num_examples: how many examples were passed.
        loss: ``J`` of that example.
        paths: factors of each path, from the loss back to the weight; the largest contribution first.
        remaining: what the paths not listed add, all together.
        is_complete: whether all paths are listed.
        autodiff: ``∂J/∂w`` of this example by automatic differentiation.
        batch_gradient: the mean of ``∂J/∂w`` over all examples passed: what a training step uses.
    """

    weight: str
    example: int
    num_examples: int
    loss: float
    paths: tuple[tuple[Factor, ...], ...]
    remaining: float
    is_complete: bool
    autodiff: float
    batch_gradient: float

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The factors of the first path, from the loss back to the weight."""
        return self.paths[0] if self.paths else ()

    @property
    def products(self) -> tuple[float, ...]:
        """The product of each listed path."""
        return tuple(math.prod(factor.value for factor in path) for path in self.paths)

    @property
    def product(self) -> float:
        """The products of all paths, added: equal to :attr:`autodiff` but for rounding."""
        return math.fsum((*self.products, self.remaining))

    @property
    def difference(self) -> float:
        """``|product − autodiff|`` relative to the larger of the two; 0 where both are 0."""
        largest = max(abs(self.product), abs(self.autodiff))
        return abs(self.product - self.autodiff) / largest if largest else 0.0

    def __str__(self) -> str:
        return "\n".join([*self._heading(), "", *self._table(), "", *self._sums(), "", *self._checks()])

    def _heading(self) -> list[str]:
        chain = " · ".join(factor.symbol for factor in self.factors) or "0 (no path leads from it to the loss)"
        if len(self.paths) > 1 or not self.is_complete:
            chain = f"Σ over paths, such as {chain}"
        return [f"w = {self.weight}, example {self.example}, J = {self.loss:.6g}", f"∂J/∂w = {chain}"]

    def _table(self) -> list[str]:
        distinct = {factor.symbol: factor for path in self.paths for factor in path}.values()
        width = max((len(factor.symbol) for factor in distinct), default=0)
        return [f"  {f.symbol:<{width}} = {f.value:>12.6g}   {f.meaning}" for f in distinct]

    def _sums(self) -> list[str]:
        lines = []
        for path, product in zip(self.paths, self.products, strict=True):
            lines.append("  " + " · ".join(_number(f.value) for f in path) + f" = {product:.6g}")
        if not self.is_complete:
            lines.append(f"  all other paths together = {self.remaining:.6g}")
        return lines

    def _checks(self) -> list[str]:
        lines = [
            f"  sum of products   {self.product:.6g}",
            f"  by autodiff       {self.autodiff:.6g}   (relative difference {self.difference:.0e})",
        ]
        if self.num_examples > 1:
            lines.append(f"  mean over the {self.num_examples} examples, as a step uses it: {self.batch_gradient:.6g}")
        return lines


def chain_rule(
    model: Model, x: Any, y: Any, *, weight: str, example: int = 0, max_paths: int = 6
) -> ChainRule:  # Any: arrays, lists or dicts, as in fit
    """Every factor of ``∂J/∂w`` by name and number, their products, and the same by automatic differentiation.

    For a neuron with one hidden layer this is the texts' ``∂J/∂w₁ = ∂J/∂ŝ · ∂ŝ/∂z₂ · ∂z₂/∂h₁ · ∂h₁/∂z₁ · ∂z₁/∂w₁``.
    Layers are numbered in the order of their calls: ``z₁`` is the weighted input of the first, ``h₁`` its output,
    ``ŝ`` the model's output, ``[i]`` counts units from 0. A layer with an activation gives two factors; any other
    layer gives one, its local derivative. Branches, shared layers and several units give several paths, whose
    products are added. All is computed in float64 in inference mode; weight penalties are no part of ``J``.

    Args:
        model: a compiled model.
        x: examples, as in ``fit``.
        y: targets.
        weight: which number, such as ``"dense/kernel[0,3]"`` (from input 0 to unit 3).
        example: whose loss ``J`` is; the gradient of a batch is the mean over its examples.
        max_paths: paths listed, the largest contributions first; the others are added up into one number.

    Raises:
        UnknownNameError: the model has no such weight.
        ArgumentError: the model is not compiled, or an index is outside.

    References:
        Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors", Nature 323, 1986.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Dense, Input
        >>> model = cr.Sequential([Input(2), Dense(1, "sigmoid")])
        >>> model.set_weights({"dense/kernel": [[-5.0], [3.0]], "dense/bias": [1.0]})
        >>> model.compile(loss="mse")
        >>> print(chain_rule(model, [[1.0, 2.0]], [0.0], weight="dense/kernel[1,0]"))
        w = dense/kernel[1,0], example 0, J = 0.775803
        ∂J/∂w = ∂J/∂ŝ · ∂ŝ/∂z₁ · ∂z₁/∂w
        <BLANKLINE>
          ∂J/∂ŝ   =      1.76159   slope of the loss at ŝ = 0.880797
          ∂ŝ/∂z₁  =     0.104994   slope of sigmoid at z₁ = 2
          ∂z₁/∂w  =            2   weighted input of dense by its kernel[1,0]
        <BLANKLINE>
          1.76159 · 0.104994 · 2 = 0.369912
        <BLANKLINE>
          sum of products   0.369912
          by autodiff       0.369912   (relative difference 0e+00)
    """
    check_positive_int("max_paths", max_paths, "chain_rule")
    with double_precision():
        whole = make_problem(model, x, y)
        path, index = find_weight(whole.variables.params, weight)
        problem = whole.only(example)
        loss, gradient = jax.jit(jax.value_and_grad(problem.objective))(problem.variables.params)
        batch = gradient
        if whole.num_examples > 1:
            batch = jax.jit(jax.grad(whole.objective))(whole.variables.params)
        search = PathSearch(trace(problem.graph, problem.variables, problem.inputs), problem.loss_of)
        found = search.largest(path, index, max_paths)
        return ChainRule(
            weight=f"{path}[{','.join(map(str, index))}]",
            example=example,
            num_examples=whole.num_examples,
            loss=float(loss),
            paths=tuple(_factors(one) for one in found.paths),
            remaining=found.remaining,
            is_complete=found.is_complete,
            autodiff=float(np.asarray(trees.flatten(gradient)[path])[index]),
            batch_gradient=float(np.asarray(trees.flatten(batch)[path])[index]),
        )


def _number(value: float) -> str:
    return f"({value:.6g})" if value < 0 else f"{value:.6g}"


def _factors(path: Path) -> tuple[Factor, ...]:
    return tuple(Factor(step.symbol, step.meaning, step.value) for step in reversed(path))
