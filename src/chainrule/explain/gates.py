"""What happens inside a recurrent layer: every gate at every step, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_int
from chainrule._base.errors import ArgumentError, did_you_mean
from chainrule._base.wording import counted
from chainrule.core import Layer
from chainrule.explain.problem import double_precision, doubled
from chainrule.explain.trace import Call, trace
from chainrule.layers import Bidirectional
from chainrule.layers.recurrent_base import Recurrent
from chainrule.layers.recurrent_cell import given_carry, one_step, project_one
from chainrule.models.arrays import as_inputs
from chainrule.models.model import Model

Numbers = np.ndarray[Any, np.dtype[np.float64]]  # Any: shapes hang on the layer

_MEANINGS = {
    "f": "forget gate",
    "g": "gain",
    "i": "input gate",
    "o": "output gate",
    "c": "memory (carrier)",
    "z": "update gate",
    "r": "reset gate",
    "h": "output",
}
_MOST_UNITS, _MOST_STEPS = 4, 16


@dataclass(frozen=True)
class Gates:
    """The values inside a recurrent layer for one example; ``print`` it, or index it by name (``gates["f"]``).

    Args:
        path: the layer.
        kind: its class.
        steps: the numbers of the steps in the order they were read; masked ones are left out.
        values: name -> ``[steps, units]``. An LSTM has ``f``, ``g``, ``i``, ``o`` (forget, gain, input, output),
            ``c`` (memory) and ``h`` (output); a GRU ``z``, ``r`` (update, reset), ``g`` (candidate) and ``h``;
            a simple layer ``h``.
    """

    path: str
    kind: str
    steps: tuple[int, ...]
    values: dict[str, Numbers]

    def __getitem__(self, name: str) -> Numbers:
        """The values called ``name``, ``[steps, units]``."""
        if name not in self.values:
            raise ArgumentError(f"gates: {self.path} has no {name!r}. It has {', '.join(self.values)}.")
        return self.values[name]

    def __str__(self) -> str:
        units = self.values["h"].shape[1]
        lines = [
            f"{self.path} ({self.kind}): {counted(len(self.steps), 'step', 'steps')}, {counted(units, 'unit', 'units')}"
        ]
        lines.append("  " + ", ".join(f"{name} {_MEANINGS[name]}" for name in self.values))
        for unit in range(min(units, _MOST_UNITS)):
            lines += self._unit(unit)
        if units > _MOST_UNITS:
            lines.append(f"... and {counted(units - _MOST_UNITS, 'unit', 'units')} more")
        return "\n".join(lines)

    def _unit(self, unit: int) -> list[str]:
        lines = [f"unit {unit}", "  step" + "".join(f"{name:>9}" for name in self.values)]
        for place, step in enumerate(self.steps[:_MOST_STEPS]):
            numbers = "".join(f"{values[place, unit]:9.4f}" for values in self.values.values())
            lines.append(f"  {step:4}{numbers}")
        if len(self.steps) > _MOST_STEPS:
            lines.append(f"  ... and {counted(len(self.steps) - _MOST_STEPS, 'step', 'steps')} more")
        return lines


def gates(model: Model, x: Any, layer: str | None = None, *, example: int = 0) -> Gates:
    """The gate values of a recurrent layer at each step of one example, computed in float64.

    For an LSTM these are ``f = σ(x W_f + h U_f + b_f)``, ``g = tanh(x W_g + h U_g + b_g)``,
    ``i = σ(x W_i + h U_i + b_i)``, ``o = σ(x W_o + h U_o + b_o)``, ``c_t = f·c + g·i`` and ``h_t = o·tanh(c_t)``, where
    ``h`` and ``c`` are those of the step before. ``figures.gates`` draws them over time.

    Args:
        model: a model with weights; it need not be compiled.
        x: examples, batch axis first (``Any``: arrays, lists or dicts, as in ``predict``).
        layer: path of the layer; by default the first recurrent one. A Bidirectional has two:
            ``"bidirectional/forward_layer"`` and ``"bidirectional/backward_layer"``.
        example: which of the examples to show.

    Raises:
        ArgumentError: there is no such layer, it is not recurrent, or its cell does not name its parts.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import LSTM, Input
        >>> model = cr.Sequential([Input((2, 1)), LSTM(1)])
        >>> model.set_weights({"lstm/kernel": [[0.5, 1, 2, 0]], "lstm/recurrent_kernel": [[0, 0, 0, 0]]})
        >>> model.set_weights({"lstm/bias": [0, 0, 0, 0]})
        >>> print(gates(model, [[[1.0], [0.0]]]))
        lstm (LSTM): 2 steps, 1 unit
          f forget gate, g gain, i input gate, o output gate, c memory (carrier), h output
        unit 0
          step        f        g        i        o        c        h
             0   0.7311   0.9640   0.6225   0.5000   0.6001   0.2685
             1   0.5000   0.0000   0.5000   0.5000   0.3000   0.1457
    """
    check_int("example", example, "gates", minimum=0)
    with double_precision():
        inputs = as_inputs(model.graph, x)
        if example >= len(inputs[0]):
            raise ArgumentError(
                f"gates: example must be below the number of examples, {len(inputs[0])}; received {example}."
            )
        calls = trace(model.graph, doubled(model.variables), [jnp.asarray(a[example : example + 1]) for a in inputs])
        path, found, call = _find(calls.calls, layer)
        steps, values = _values(found, call, path)
    return Gates(path, type(found).__name__, steps, values)


def _find(calls: Sequence[Call], wanted: str | None) -> tuple[str, Recurrent, Call]:
    """The recurrent layer at ``wanted`` with its path, and the call that it or the layer around it made."""
    known = {path: (layer, call) for call in calls for path, layer in _recurrent(call)}
    if not known:
        raise ArgumentError("gates: the model must have a recurrent layer (LSTM, GRU, ...); received one without.")
    if wanted is not None and wanted not in known:
        raise ArgumentError(
            f"gates: no recurrent layer is at {wanted!r}.{did_you_mean(wanted, known)} There are: {', '.join(known)}."
        )
    path = next(iter(known)) if wanted is None else wanted
    layer, call = known[path]
    return path, layer, call


def _recurrent(call: Call) -> list[tuple[str, Recurrent]]:
    layer: Layer = call.layer
    if isinstance(layer, Bidirectional):
        return [(f"{call.path}/{name}", part) for name, part in layer.readings().items()]
    return [(call.path, layer)] if isinstance(layer, Recurrent) else []


def _values(layer: Recurrent, call: Call, path: str) -> tuple[tuple[int, ...], dict[str, Numbers]]:
    """The cell's parts at every real step, in the order of reading."""
    cell = layer.recurrent_cell
    parts = getattr(cell, "parts", None)
    if parts is None:
        raise ArgumentError(
            f"gates: {path} has a cell ({type(cell).__name__}) that does not name what it computes. "
            "Give it a method parts(params, carry, x) that returns arrays by name."
        )
    x, mask, given = call.inputs[0].astype(jnp.float64), (*call.inputs, None)[1], call.inputs[2:]
    params, state = call.variables
    if isinstance(call.layer, Bidirectional):
        name = path.rpartition("/")[2]
        half = len(given) // 2
        given = given[:half] if name == "forward_layer" else given[half:]
        params, state = params[name], state.get(name, {})
    start = given or [state[f"carry_{i}"] for i in range(len(state))]
    carry = (
        given_carry(cell, one_step(x), [part.astype(x.dtype) for part in start]) if start else cell.initial(one_step(x))
    )
    order = range(x.shape[1])[:: -1 if layer.go_backwards else 1]
    steps = tuple(t for t in order if mask is None or bool(mask[0, t]))
    made: list[dict[str, Numbers]] = []
    for t in steps:
        here = project_one(cell, params, x[:, t])
        made.append({name: np.asarray(value)[0] for name, value in parts(params, carry, here).items()})
        carry = cell.step(params, carry, here)
    names = made[0] if made else parts(params, carry, jax.tree.map(jnp.zeros_like, project_one(cell, params, x[:, 0])))
    return steps, {name: np.array([row[name] for row in made]) for name in names}
