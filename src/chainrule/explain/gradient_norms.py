"""How large gradients are from layer to layer: vanishing and exploding, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base import tree as trees
from chainrule.explain.problem import double_precision, make_problem
from chainrule.models.model import Model

VANISHING_RATIO = 1e-3
EXPLODING_RATIO = 1e3

Diagnosis = Literal["vanishing", "exploding", "steady"]


@dataclass(frozen=True)
class GradientNorms:
    """Norms of the gradient, layer by layer in the order of the forward pass.

    Args:
        outputs: layer path -> root mean square over the examples of ``‖∂L/∂h‖``, ``h`` being its output.
        weights: weight path -> ``‖∂J/∂w‖``.
    """

    outputs: dict[str, float]
    weights: dict[str, float]

    @property
    def ratio(self) -> float:
        """First layer's output gradient over the last layer's; NaN with no gradient at the last."""
        norms = list(self.outputs.values())
        return norms[0] / norms[-1] if norms and norms[-1] > 0 else float("nan")

    @property
    def diagnosis(self) -> Diagnosis:
        """``"vanishing"`` for a ratio below 1e-3, ``"exploding"`` above 1e3, else ``"steady"``."""
        if self.ratio < VANISHING_RATIO:
            return "vanishing"
        return "exploding" if self.ratio > EXPLODING_RATIO else "steady"

    def __str__(self) -> str:
        width = max(map(len, self.outputs), default=0)
        largest = max(self.outputs.values(), default=0.0)
        lines = [
            f"{path:<{width}}  {norm:10.3g}  {'█' * round(30 * norm / largest) if largest else ''}".rstrip()
            for path, norm in self.outputs.items()
        ]
        return "\n".join([*lines, f"first/last = {self.ratio:.3g}: {self.diagnosis}"])


def gradient_norms(model: Model, x: Any, y: Any) -> GradientNorms:  # Any: as in fit
    """The gradient's size at every layer's output and weight: what is left of it on its way back.

    Each sigmoid on the way multiplies it by a slope of at most 1/4, so four of them leave at most
    ``0.25⁴ = 0.00390625`` where the weights are 1: the *vanishing gradient*. Weights above 1 in size, repeated, make
    it *explode*. Remedies: ReLU, normalisation, skip connections, Glorot or He initial weights; clipping.

    Args:
        model: a compiled model.
        x: examples.
        y: targets.

    References:
        Hochreiter, "Untersuchungen zu dynamischen neuronalen Netzen", 1991; Glorot, Bengio, "Understanding the
        difficulty of training deep feedforward neural networks", 2010.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Dense, Input
        >>> model = cr.Sequential([Input(1)] + [Dense(1, "sigmoid") for _ in range(8)])
        >>> model.set_weights({path: w * 0 + 1 for path, w in model.get_weights().items()})
        >>> model.compile(loss="mse")
        >>> gradient_norms(model, [[1.0]], [0.0]).diagnosis
        'vanishing'
    """
    with double_precision():
        problem = make_problem(model, x, y)
        params = problem.variables.params

        def outputs(params: Any) -> dict[str, Any]:
            record: dict[str, Any] = {}
            problem.per_example(params, record=record)
            return record

        shapes = jax.eval_shape(outputs, params)
        zeros = {path: np.zeros(spec.shape, spec.dtype) for path, spec in shapes.items() if _is_real(spec)}

        def total(params: Any, moved: dict[str, Any]) -> Any:
            return jnp.sum(problem.per_example(params, perturb=moved))

        by_weight, by_output = jax.jit(jax.grad(total, argnums=(0, 1)))(params, zeros)
        count = problem.num_examples
        return GradientNorms(
            {path: float(np.linalg.norm(np.asarray(by_output[path]))) / count**0.5 for path in zeros},
            {path: float(np.linalg.norm(np.asarray(leaf))) / count for path, leaf in trees.flatten(by_weight).items()},
        )


def _is_real(spec: Any) -> bool:  # Any: a spec, or a tuple of them for layers with several outputs
    return hasattr(spec, "dtype") and bool(jnp.issubdtype(spec.dtype, jnp.floating))
