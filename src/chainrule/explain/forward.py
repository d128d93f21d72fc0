"""One forward pass with every number on show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from chainrule._base import tree as trees
from chainrule._base.checks import check_int
from chainrule._base.errors import ArgumentError
from chainrule._base.wording import counted
from chainrule.explain.problem import double_precision, doubled
from chainrule.explain.trace import Call, trace
from chainrule.models.arrays import as_inputs
from chainrule.models.model import Model

Numbers = np.ndarray[Any, np.dtype[Any]]  # Any: shapes and dtypes of all layers

_MOST_NEURONS = 8
_LETTERS = {"sigmoid": "σ", "linear": "identity"}


@dataclass(frozen=True)
class Row:
    """One layer call on one example.

    Args:
        path: where it is.
        kind: the layer's class.
        inputs: what goes in, one array for each input.
        weights: its weights by name (``kernel``, ``bias``).
        linear_combination: ``Σ x_i w_i``, the weighted input without the bias (dense layers), or ``None``.
        bias: the constant added to it (dense layers with a bias), or ``None``.
        z: the weighted input ``z``: the sum of both, or ``None`` for layers without one.
        activation: name of the activation.
        output: what comes out, one array for each output.
    """

    path: str
    kind: str
    inputs: tuple[Numbers, ...]
    weights: dict[str, Numbers]
    linear_combination: Numbers | None
    bias: Numbers | None
    z: Numbers | None
    activation: str
    output: tuple[Numbers, ...]

    def __str__(self) -> str:
        if self.z is not None and self.linear_combination is not None and self.inputs[0].ndim == 1:
            return "\n".join(self._neurons())
        shapes = ", ".join(str(array.shape) for array in self.inputs)
        outputs = ", ".join(_short(array) for array in self.output)
        return f"{self.path} ({self.kind}): {shapes} → {outputs}"

    def _neurons(self) -> list[str]:
        units = self.output[0].size
        counts = f"{counted(self.inputs[0].size, 'input', 'inputs')}, {counted(units, 'output', 'outputs')}"
        lines = [f"{self.path} ({self.kind}, {self.activation}): {counts}"]
        lines += ["  " + self._neuron(unit) for unit in range(min(units, _MOST_NEURONS))]
        if units > _MOST_NEURONS:
            lines.append(f"  ... and {units - _MOST_NEURONS} more")
        return lines

    def _neuron(self, unit: int) -> str:
        x, kernel = self.inputs[0], self.weights["kernel"]
        assert self.z is not None
        terms = [f"{_operand(w)}·{_operand(v)}" for w, v in zip(kernel[:, unit], x, strict=True)]
        if len(terms) > _MOST_NEURONS:
            terms = [*terms[: _MOST_NEURONS - 1], f"... ({len(terms) - _MOST_NEURONS + 1} more)"]
        if self.bias is not None:
            terms.append(_operand(self.bias[unit]))
        summed = f"{' + '.join(terms)} = {_short(self.z[unit])}"
        if self.activation == "linear":
            return summed
        return f"{summed} → {_LETTERS.get(self.activation, self.activation)} = {_short(self.output[0][unit])}"


@dataclass(frozen=True)
class Forward:
    """All rows of one forward pass; ``print`` it to read it, index it by path (``result["dense"]``)."""

    rows: tuple[Row, ...]
    output: tuple[Numbers, ...]

    def __getitem__(self, path: str) -> Row:
        """The row of the call at ``path``."""
        for row in self.rows:
            if row.path == path:
                return row
        raise ArgumentError(f"forward: has no layer {path!r}. Its layers: {', '.join(row.path for row in self.rows)}.")

    def __str__(self) -> str:
        return "\n".join([*(str(row) for row in self.rows), f"output: {', '.join(_short(a) for a in self.output)}"])


def forward(model: Model, x: Any, *, example: int = 0) -> Forward:  # Any: arrays, lists or dicts, as in predict
    """Every step of the model on one example: inputs, weights, bias, linear combination, activation, output.

    A neuron computes ``ŝ = g(w₀ + Σ x_i w_i)``: the linear combination of its inputs, plus the bias ``w₀``, through
    the activation ``g``. In a network the inputs of the second layer are the *outputs* of the first. Texts that
    store pre-activations ``z`` write ``z_k = w₀ + Σ F(z_{k−1}) w`` for the same numbers; here ``z`` and the output
    stand side by side.

    Args:
        model: a model with weights; it need not be compiled.
        x: examples, batch axis first.
        example: which of them to show.

    Returns:
        Rows in order of the calls, without the batch axis, computed in float64.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Dense, Input
        >>> model = cr.Sequential([Input(3), Dense(1, "sigmoid")])
        >>> model.set_weights({"dense/kernel": [[0.3], [0.5], [0.6]], "dense/bias": [0.1]})
        >>> print(forward(model, [[0.8, 0.1, 0.3]]))
        dense (Dense, sigmoid): 3 inputs, 1 output
          0.3·0.8 + 0.5·0.1 + 0.6·0.3 + 0.1 = 0.57 → σ = 0.638763
        output: 0.638763
    """
    check_int("example", example, "forward", minimum=0)
    with double_precision():
        inputs = as_inputs(model.graph, x)
        if example >= len(inputs[0]):
            raise ArgumentError(
                f"forward: example must be below the number of examples, {len(inputs[0])}; received {example}."
            )
        kept = trace(
            model.graph, doubled(model.variables), [jnp.asarray(array[example : example + 1]) for array in inputs]
        )
        rows = tuple(_row(call) for call in kept.calls)
        return Forward(rows, tuple(np.asarray(kept.value(source))[0] for source in kept.outputs))


def _row(call: Call) -> Row:
    weights = {path: np.asarray(leaf) for path, leaf in trees.flatten(call.variables.params).items()}
    inputs = tuple(np.asarray(array)[0] for array in call.inputs if array is not None)
    output = tuple(np.asarray(array)[0] for array in call.outputs)
    combination, bias = None, None
    z = None if call.z is None else np.asarray(call.z)[0]
    if _is_dense(inputs, weights, output):
        combination, bias = inputs[0] @ weights["kernel"], weights.get("bias")
        z = output[0] if z is None else z
    return Row(
        call.path, type(call.layer).__name__, inputs, weights, combination, bias, z, call.activation_name, output
    )


def _is_dense(inputs: tuple[Numbers, ...], weights: dict[str, Numbers], output: tuple[Numbers, ...]) -> bool:
    """Whether the weights are those of an affine map of the last axis: ``[in, units]`` and perhaps ``[units]``."""
    kernel = weights.get("kernel")
    return (
        kernel is not None
        and set(weights) <= {"kernel", "bias"}
        and len(inputs) == len(output) == 1
        and kernel.shape == (inputs[0].shape[-1], output[0].shape[-1])
        and inputs[0].shape[:-1] == output[0].shape[:-1]
    )


def _operand(value: float) -> str:
    return f"({_short(value)})" if value < 0 else _short(value)


def _short(value: Any) -> str:  # Any: a number or an array
    array = np.asarray(value)
    if array.size == 1:
        return f"{array.item():.6g}"
    if array.size <= _MOST_NEURONS and array.ndim == 1:
        return "[" + ", ".join(f"{item:.6g}" for item in array) + "]"
    return f"array of shape {array.shape}, {array.min():.4g} to {array.max():.4g}"
