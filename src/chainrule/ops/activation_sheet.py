"""What an activation is like: its slope, a table of values, a sheet of properties, and advice on which to take.

The properties are measured from the function itself, so they hold for activations of your own too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_choice
from chainrule._base.errors import ArgumentError
from chainrule._base.spec import Array
from chainrule.ops import activations
from chainrule.ops.activations import Activation
from chainrule.ops.precision import as_float

# name: (formula, derivative, where it is used)
FORMULAS: dict[str, tuple[str, str, str]] = {
    "linear": ("z", "1", "output of a regression; logits"),
    "sigmoid": ("1 / (1 + exp(−z))", "σ(z) (1 − σ(z))", "output: one yes/no probability, or several; gates"),
    "tanh": ("(exp z − exp(−z)) / (exp z + exp(−z))", "1 − tanh² z", "recurrent layers; outputs in (−1, 1)"),
    "relu": ("max(0, z)", "1 if z > 0 else 0", "hidden layers: the first choice"),
    "swish": ("z σ(z)", "σ(z) + z σ(z) (1 − σ(z))", "hidden layers of deep convolutional nets"),
    "leaky_relu": ("max(0.1 z, z)", "1 if z ≥ 0 else 0.1", "hidden layers where ReLU units die"),
    "elu": ("z if z ≥ 0 else exp(z) − 1", "1 if z ≥ 0 else exp z", "hidden layers; mean nearer 0 than ReLU"),
    "selu": ("1.0507 (z if z > 0 else 1.6733 (exp(z) − 1))", "1.0507 if z > 0 else 1.7581 exp z",
             "deep dense nets without normalisation, with LeCun-normal weights"),
    "gelu": ("z Φ(z)", "Φ(z) + z φ(z)", "hidden layers of transformers"),
    "gelu_tanh": ("z/2 (1 + tanh(√(2/π)(z + 0.044715 z³)))", "by the product rule", "GELU, cheaper"),
    "softplus": ("log(1 + exp z)", "σ(z)", "outputs that must be positive (a scale, a rate)"),
    "softsign": ("z / (1 + |z|)", "1 / (1 + |z|)²", "like tanh, saturating slowly"),
    "hard_sigmoid": ("min(max(z/6 + 1/2, 0), 1)", "1/6 if |z| < 3 else 0", "gates on small devices"),
    "mish": ("z tanh(softplus z)", "by the product rule", "hidden layers of convolutional nets"),
    "exponential": ("exp z", "exp z", "rates of counts"),
    "step": ("1 if z > 0 else 0", "0", "the classic perceptron; not trainable by gradients"),
}  # fmt: skip


@dataclass(frozen=True)
class Properties:
    """The property sheet of one activation, measured by :func:`properties`.

    Args:
        name: how it is called.
        low: lowest value, or −inf.
        high: highest value, or inf.
        is_nonlinear: whether it is not a straight line; without that, depth adds nothing.
        is_monotone: whether it never falls.
        is_continuous: whether it has no jumps.
        is_differentiable: whether its slope has no jumps either (continuously differentiable).
        is_bounded: whether both ends of the range are finite.
        saturates: where its slope dies out: ``"left"``, ``"right"``, ``"both"`` or ``"no"``.
        is_zero_centred: whether ``f(−z) = −f(z)``, so that outputs of centred inputs average to 0.
        max_slope: steepest slope on [−10, 10]; products of slopes below 1 make gradients vanish.
        formula: in letters, empty for a function of your own.
        derivative: likewise.
        use: where it is used.
    """

    name: str
    low: float
    high: float
    is_nonlinear: bool
    is_monotone: bool
    is_continuous: bool
    is_differentiable: bool
    is_bounded: bool
    saturates: str
    is_zero_centred: bool
    max_slope: float
    formula: str
    derivative: str
    use: str


@dataclass(frozen=True)
class Row:
    """One row of a value table: ``z``, ``f(z)`` and ``f'(z)``."""

    z: float
    value: float
    slope: float


@dataclass(frozen=True)
class Suggestion:
    """Which activations to take for a task, and why."""

    task: str
    hidden: str
    output: str
    loss: str
    reason: str


def derivative(activation: str | Activation) -> Callable[[Array], Array]:
    """The slope ``f'`` of an elementwise activation, by automatic differentiation.

    Example:
        >>> import jax.numpy as jnp
        >>> derivative("sigmoid")(jnp.array([0.0])).tolist()
        [0.25]

    Raises:
        ArgumentError: the activation is not elementwise (softmax): its derivative is a matrix.
    """
    function = _elementwise(activation)

    def slope(z: Array) -> Array:
        z = as_float(z)
        tangent: Array = jax.jvp(function, (z,), (jnp.ones_like(z),))[1]
        return tangent

    return slope


def value_table(activation: str | Activation, points: Sequence[float] = (-2.0, -1.0, 0.0, 1.0, 2.0)) -> list[Row]:
    """``z``, ``f(z)`` and ``f'(z)`` at some points.

    Example:
        >>> for row in value_table("relu", (-1.0, 0.0, 2.0)):
        ...     print(row.z, row.value, row.slope)
        -1.0 0.0 0.0
        0.0 0.0 0.0
        2.0 2.0 1.0
    """
    z = np.asarray(points, np.float32)
    columns = (points, _values(activation, z), _slopes(activation, z))
    return [Row(float(at), float(value), float(slope)) for at, value, slope in zip(*columns, strict=True)]


def properties(activation: str | Activation) -> Properties:
    """Measure the property sheet of an elementwise activation.

    The function is evaluated on a grid over [−10, 10] and at ±100 and ±1,000,000. A jump is told from a steep piece
    by halving the grid: across a jump the largest difference stays, elsewhere it shrinks with the spacing.

    Raises:
        ArgumentError: the activation is not elementwise (softmax).

    Example:
        >>> sheet = properties("tanh")
        >>> sheet.low, sheet.high, sheet.is_monotone, sheet.saturates, sheet.is_zero_centred
        (-1.0, 1.0, True, 'both', True)
    """
    grid = np.linspace(-10, 10, 8001, dtype=np.float32)
    values, slopes = _values(activation, grid), _slopes(activation, grid)
    low, high = _range(activation, values)
    is_continuous = not _has_jump(values)
    name = _name(activation)
    formula, slope_formula, use = FORMULAS.get(name, ("", "", ""))
    return Properties(
        name=name,
        low=low,
        high=high,
        is_nonlinear=bool(np.ptp(slopes) > 1e-4 or not is_continuous),
        is_monotone=bool(np.all(np.diff(values) >= -1e-5)),
        is_continuous=is_continuous,
        is_differentiable=is_continuous and not _has_jump(slopes),
        is_bounded=math.isfinite(low) and math.isfinite(high),
        saturates=_saturation(activation),
        is_zero_centred=bool(np.allclose(values, -values[::-1], atol=1e-4)),
        max_slope=float(np.max(np.abs(slopes))),
        formula=formula,
        derivative=slope_formula,
        use=use,
    )


_SUGGESTIONS = {
    "binary": ("sigmoid", "binary_cross_entropy", "one probability of yes against no"),
    "multi_class": ("softmax", "cross_entropy", "probabilities of exclusive classes, summing to 1"),
    "multi_label": ("sigmoid", "binary_cross_entropy", "an independent probability for every label"),
    "regression": ("linear", "mse", "any real number"),
}


def suggest(task: str) -> Suggestion:
    """Advice: ReLU between layers, and the output activation that fits the task.

    Losses here take logits by default: train with a linear last layer and apply the output activation when
    probabilities are shown, or tell the loss that it gets probabilities.

    Args:
        task: ``"binary"``, ``"multi_class"``, ``"multi_label"`` or ``"regression"``.

    Example:
        >>> advice = suggest("multi_class")
        >>> advice.hidden, advice.output
        ('relu', 'softmax')
    """
    check_choice("task", task, _SUGGESTIONS, "suggest")
    output, loss, meaning = _SUGGESTIONS[task]
    reason = f"ReLU between layers is cheap and keeps gradients alive; {output} at the end: {meaning}."
    return Suggestion(task, "relu", output, loss, reason)


def _elementwise(activation: str | Activation) -> Activation:
    function = activations.get(activation)
    if function in (activations.softmax, activations.log_softmax):
        raise ArgumentError(
            f"{_name(activation)}: expected an elementwise activation; each of its outputs depends on the whole "
            "axis, so it has no single slope or curve. Use jax.jacobian for its matrix of derivatives."
        )
    return function


def _name(activation: str | Activation) -> str:
    function = activations.get(activation)
    own_name = str(getattr(function, "__name__", repr(function)))
    return activations.registry.name_of(function) or own_name


def _values(activation: str | Activation, z: np.ndarray) -> np.ndarray:
    return np.asarray(_elementwise(activation)(jnp.asarray(z)), np.float64)


def _slopes(activation: str | Activation, z: np.ndarray) -> np.ndarray:
    return np.asarray(derivative(activation)(jnp.asarray(z)), np.float64)


def _has_jump(values: np.ndarray) -> bool:
    fine = np.max(np.abs(np.diff(values)))
    coarse = np.max(np.abs(np.diff(values[::4])))
    return bool(fine > 1e-3 * max(1.0, np.ptp(values)) and fine > 0.5 * coarse)


def _range(activation: str | Activation, values: np.ndarray) -> tuple[float, float]:
    near, far = (_values(activation, np.array([-size, size], np.float32)) for size in (100, 1_000_000))
    low = float(min(values.min(), near.min(), far.min()))
    high = float(max(values.max(), near.max(), far.max()))
    grows_down = low < -1 and not far.min() > 2 * near.min()
    grows_up = high > 1 and not far.max() < 2 * near.max()
    return (-math.inf if grows_down else round(low, 4) + 0.0, math.inf if grows_up else round(high, 4) + 0.0)


def _saturation(activation: str | Activation) -> str:
    left, right = (
        bool(np.max(np.abs(_slopes(activation, np.array(ends, np.float32)))) < 1e-3)
        for ends in ((-100, -1_000), (100, 1_000))
    )
    return {(True, True): "both", (True, False): "left", (False, True): "right"}.get((left, right), "no")
