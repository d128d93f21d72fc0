"""From one value per example to one number: the only place that averages over examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import jax.numpy as jnp

from chainrule._base.checks import check_choice, shapes_agree
from chainrule._base.errors import ShapeError
from chainrule._base.spec import Array
from chainrule.losses.base import LossFunction
from chainrule.ops.stable import at_least_float32, safe_divide

Reduction = Literal["mean", "sum", "none"]


def reduce(per_example: Array, weight: Array | None = None, how: Reduction = "mean") -> Array:
    """``Σ_i w_i l_i / Σ_i w_i`` (mean), ``Σ_i w_i l_i`` (sum), or the weighted values themselves (none).

    An example of weight 0 does not take part at all, even if its loss is NaN: padded rows have weight 0. If all
    weights are 0 the mean is 0. Keras divides by the number of rows instead of ``Σ w``.

    Args:
        per_example: what a loss returns.
        weight: importance of each example, not negative; ``None`` counts each once.
        how: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes:
        per_example, weight: ``[batch]`` -> ``[]``, or ``[batch]`` with ``how="none"``

    Example:
        >>> import jax.numpy as jnp
        >>> losses, weight = jnp.array([1.0, 4.0, jnp.nan]), jnp.array([2.0, 1.0, 0.0])
        >>> float(reduce(losses, weight)), float(reduce(losses, weight, "sum"))
        (2.0, 6.0)
    """
    check_choice("how", how, ("mean", "sum", "none"), "reduce")
    per_example = at_least_float32(per_example)
    if weight is None:
        return _HOW[how](per_example)
    weight = jnp.asarray(weight, per_example.dtype)
    if not shapes_agree(per_example.shape, weight.shape):
        raise ShapeError(
            f"reduce: weight must have one number per example, shape {tuple(per_example.shape)}; "
            f"received shape {tuple(weight.shape)}. Type weight.reshape(-1) if that is what it holds."
        )
    weighted = jnp.where(weight == 0, 0, weight * per_example)
    if how == "mean":
        return safe_divide(jnp.sum(weighted), jnp.sum(weight))
    return _HOW[how](weighted)


def empirical_risk(loss: LossFunction, predictions: Array, targets: Array, weight: Array | None = None) -> Array:
    """``J = 1/n Σ_i L(y_i, t_i)``: the mean loss over the examples at hand, weighted if weights are given.

    Texts call this one quantity the empirical risk, the empirical loss, the objective or the cost function ``J(W)``.
    With a weight penalty added it becomes the regularised objective that training minimises.

    Example:
        >>> import jax.numpy as jnp
        >>> from chainrule.losses import MeanSquaredError
        >>> float(empirical_risk(MeanSquaredError(), jnp.array([1.0, 2.0]), jnp.array([0.0, 4.0])))
        2.5
    """
    return reduce(loss(predictions, targets), weight)


_HOW: dict[str, Callable[[Array], Array]] = {"mean": jnp.mean, "sum": jnp.sum, "none": lambda values: values}
