"""Paths from one weight to the loss, the largest contributions first.

A *unit* is one number of a forward pass. From a unit the search goes to the units that depend on it directly; the
derivative of that step comes from one forward-mode product, so no Jacobian matrix is ever made. The contribution of
all ways on from a unit is known beforehand (prefix times ``∂J/∂unit``), which orders the search and makes the sum of
what is left out exact.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base import tree as trees
from chainrule._base.spec import Array
from chainrule.explain.trace import Call, Source, Trace

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Place(NamedTuple):
    """One array of the pass: output ``output`` of call ``call``, or its weighted input (``stage`` "z")."""

    call: int
    stage: str
    output: int


class Step(NamedTuple):
    """One factor on the way from the weight to the loss."""

    symbol: str
    meaning: str
    value: float


Path = tuple[Step, ...]
Column = list[tuple[Place, np.ndarray[Any, Any]]]  # per place that depends on a unit: the derivatives, flat


@dataclass(frozen=True)
class Found:
    """The paths listed, the sum of the others, and whether there are no others."""

    paths: tuple[Path, ...]
    remaining: float
    is_complete: bool


class PathSearch:
    """Finds the paths of one forward pass (``trace``) into the loss of one example."""

    def __init__(self, trace: Trace, loss_of: Callable[[Any], Array]) -> None:
        self._trace = trace
        self._loss_of = loss_of
        self._adjoints = {place: np.asarray(value).ravel() for place, value in self._all_adjoints().items()}
        self._columns: dict[tuple[Place, int], Column] = {}
        self._pushes: dict[Any, Callable[[Array], tuple[Array, ...]]] = {}  # Any: (call, what is moved); compiled once
        self._output_slopes = self._slopes_at_outputs()

    def largest(self, weight: str, index: tuple[int, ...], max_paths: int) -> Found:
        """Up to ``max_paths`` paths from the weight at ``weight[index]``."""
        order = itertools.count()  # breaks ties, so that steps themselves are never compared
        waiting: list[Any] = []  # Any: heapq's items (-|flow|, -|local flow|, order, flow, value, steps, unit)
        done: list[Path] = []
        remaining, is_complete = 0.0, True

        def add(prefix: float, steps: Path, unit: tuple[Place, int] | None, step: Step) -> None:
            ahead = 1.0 if unit is None else float(self._adjoints[unit[0]][unit[1]])
            value = prefix * step.value
            flow = value * ahead
            rank = (-abs(flow), -abs(step.value * ahead), next(order))
            heapq.heappush(waiting, (*rank, flow, value, (*steps, step), unit))

        for place, column in self._from_weight(weight, index):
            own = [index[-1]] if index and index[-1] < column.size else []  # an input of 0: show its factor of 0
            for i in _nonzero(column) or own:
                add(1.0, (), (place, i), self._weight_step(place, i, weight, index, float(column[i])))
        while waiting and len(done) < max_paths:
            *_, value, steps, unit = heapq.heappop(waiting)
            if unit is None:
                done.append(steps)
                continue
            kept, left_out, skipped = self._ways_on(unit, max_paths if value else 1)  # one way on tells a 0
            remaining += value * left_out
            is_complete = is_complete and not skipped
            for following, step in kept:
                add(value, steps, following, step)
        remaining += sum(item[3] for item in waiting)
        return Found(tuple(done), float(remaining), is_complete and not waiting)

    def _ways_on(
        self, unit: tuple[Place, int], most: int
    ) -> tuple[list[tuple[tuple[Place, int] | None, Step]], float, bool]:
        """The largest steps from ``unit``, the summed flow of the others, and whether there are others."""
        ways: list[tuple[float, tuple[Place, int] | None, float]] = []
        slope = self._output_slopes.get(unit[0])
        if slope is not None:
            ways.append((float(slope[unit[1]]), None, float(slope[unit[1]])))
        for place, column in self._column(*unit):
            same = [unit[1]] if place.stage == "h" and unit[0].stage == "z" else []
            for i in _nonzero(column) or same:  # a dead unit goes on to itself, with a factor of 0
                ways.append((float(column[i] * self._adjoints[place][i]), (place, i), float(column[i])))
        ways.sort(key=lambda way: -abs(way[0]))
        left_out = sum(way[0] for way in ways[most:])
        return [(to, self._step(unit, to, value)) for _, to, value in ways[:most]], left_out, len(ways) > most

    # --- derivatives -------------------------------------------------------------------------------------------

    def _column(self, place: Place, i: int) -> Column:
        """Derivatives of all arrays that depend directly on number ``i`` of ``place``."""
        if (place, i) not in self._columns:
            self._columns[place, i] = list(self._derivatives(place, i))
        return self._columns[place, i]

    def _derivatives(self, place: Place, i: int) -> Iterator[tuple[Place, np.ndarray[Any, Any]]]:
        call = self._trace.calls[place.call]
        if place.stage == "z" and call.activation is not None and call.z is not None:
            activation = call.activation
            (slope,) = self._push(place, lambda z: (activation(z),), call.z, _one_hot(call.z, i))
            yield Place(place.call, "h", 0), slope
            return
        source = Source(place.call, place.output)
        array = call.outputs[place.output]
        for number, user in enumerate(self._trace.calls):
            if source in user.sources:
                yield from self._through(number, user, source, array, _one_hot(array, i))

    def _through(
        self, number: int, user: Call, source: Source, array: Array, tangent: np.ndarray[Any, Any]
    ) -> Iterator[tuple[Place, np.ndarray[Any, Any]]]:
        def run(moved: Array) -> tuple[Array, ...]:
            inputs = [moved if s == source else a for s, a in zip(user.sources, user.inputs, strict=True)]
            return user.before_activation(user.variables.params, inputs)

        for t, column in enumerate(self._push((number, source), run, array, tangent)):
            if _is_real(user.outputs[t]):
                yield _first_place(number, user, t), column

    def _push(
        self, key: Any, run: Callable[[Array], tuple[Array, ...]], at: Array, tangent: np.ndarray[Any, Any]
    ) -> list[np.ndarray[Any, Any]]:
        """The derivative of ``run`` at ``at`` in one direction: a flat array for each output (forward mode)."""
        if key not in self._pushes:
            self._pushes[key] = jax.jit(lambda d: jax.jvp(run, (at,), (d,))[1])
        return [np.asarray(column).ravel() for column in self._pushes[key](jnp.asarray(tangent))]

    def _from_weight(self, weight: str, index: tuple[int, ...]) -> Iterator[tuple[Place, np.ndarray[Any, Any]]]:
        """Derivatives of each call that uses the weight, with respect to it alone (inputs held fixed)."""
        for number, call in enumerate(self._trace.calls):
            inner = weight.removeprefix(call.weights_path + "/")
            leaves = trees.flatten(call.variables.params)
            if inner == weight or inner not in leaves:
                continue

            def run(leaf: Array, call: Call = call, inner: str = inner) -> tuple[Array, ...]:
                params = trees.unflatten({**trees.flatten(call.variables.params), inner: leaf})
                return call.before_activation(params, call.inputs)

            direction = np.zeros(leaves[inner].shape, leaves[inner].dtype)
            direction[index] = 1
            for t, column in enumerate(self._push((number, inner), run, leaves[inner], direction)):
                yield _first_place(number, call, t), column

    def _all_adjoints(self) -> dict[Place, Array]:
        """``∂J/∂v`` for every array ``v`` of the pass, by adding zeros to each and differentiating by them."""
        offsets: dict[Place, Any] = {}  # Any: NumPy zeros
        for number, call in enumerate(self._trace.calls):
            if call.z is not None:
                offsets[Place(number, "z", 0)] = np.zeros(call.z.shape, call.z.dtype)
            for t, output in enumerate(call.outputs):
                if _is_real(output):
                    offsets[Place(number, "h", t)] = np.zeros(output.shape, output.dtype)
        gradients: dict[Place, Array] = jax.jit(jax.grad(self._loss_when_moved))(offsets)
        return gradients

    def _loss_when_moved(self, offsets: dict[Place, Array]) -> Array:
        values: dict[Source, Array] = {Source(-1, i): array for i, array in enumerate(self._trace.inputs)}
        for number, call in enumerate(self._trace.calls):
            inputs = [None if source is None else values[source] for source in call.sources]
            made = call.before_activation(call.variables.params, inputs)
            if call.activation is not None:
                made = (call.activation(made[0] + offsets[Place(number, "z", 0)]),)
            for t, output in enumerate(made):
                offset = offsets.get(Place(number, "h", t))
                values[Source(number, t)] = output if offset is None else output + offset
        return self._loss(tuple(values[source] for source in self._trace.outputs))

    def _loss(self, predictions: tuple[Array, ...]) -> Array:
        return jnp.sum(self._loss_of(predictions))

    def _slopes_at_outputs(self) -> dict[Place, np.ndarray[Any, Any]]:
        """``∂J/∂ŝ``, other ways from an output to the loss (through further layers) left aside."""
        predictions = tuple(self._trace.value(source) for source in self._trace.outputs)
        slopes = jax.jit(jax.grad(self._loss))(predictions)
        found: dict[Place, np.ndarray[Any, Any]] = {}
        for source, slope in zip(self._trace.outputs, slopes, strict=True):
            place = Place(source.call, "h", source.output)
            found[place] = found.get(place, 0) + np.asarray(slope).ravel()
        return found

    # --- words -------------------------------------------------------------------------------------------------

    def _symbol(self, place: Place, i: int) -> str:
        call = self._trace.calls[place.call]
        array = call.z if place.stage == "z" and call.z is not None else call.outputs[place.output]
        number = str(place.call + 1).translate(_SUBSCRIPTS)
        outputs = self._trace.outputs
        if place.stage == "h" and Source(place.call, place.output) in outputs:
            where = outputs.index(Source(place.call, place.output)) + 1
            name = "ŝ" if len(outputs) == 1 else "ŝ" + str(where).translate(_SUBSCRIPTS)
        else:
            name = f"{place.stage}{number}"
        if array.size == 1:
            return name
        return f"{name}[{','.join(map(str, np.unravel_index(i, array.shape[1:])))}]"

    def _value(self, place: Place, i: int) -> float:
        call = self._trace.calls[place.call]
        array = call.z if place.stage == "z" and call.z is not None else call.outputs[place.output]
        return float(np.asarray(array).ravel()[i])

    def _weight_step(self, place: Place, i: int, weight: str, index: tuple[int, ...], value: float) -> Step:
        call = self._trace.calls[place.call]
        own = weight.removeprefix(call.weights_path + "/") + f"[{','.join(map(str, index))}]"
        return Step(f"∂{self._symbol(place, i)}/∂w", f"{_what(call)} of {call.path} by its {own}", value)

    def _step(self, unit: tuple[Place, int], to: tuple[Place, int] | None, value: float) -> Step:
        before = self._symbol(*unit)
        if to is None:
            return Step(f"∂J/∂{before}", f"slope of the loss at {before} = {self._value(*unit):.6g}", value)
        call = self._trace.calls[to[0].call]
        symbol = f"∂{self._symbol(*to)}/∂{before}"
        if unit[0].stage == "z":
            return Step(symbol, f"slope of {call.activation_name} at {before} = {self._value(*unit):.6g}", value)
        return Step(symbol, f"{_what(call)} of {call.path} by its input {before}", value)


def _what(call: Call) -> str:
    return "weighted input" if call.activation is not None else "output"


def _first_place(number: int, call: Call, output: int) -> Place:
    return Place(number, "z", 0) if call.activation is not None else Place(number, "h", output)


def _is_real(array: Array) -> bool:
    return bool(jnp.issubdtype(array.dtype, jnp.floating))


def _one_hot(array: Array, i: int) -> np.ndarray[Any, Any]:
    direction = np.zeros(array.size, array.dtype)
    direction[i] = 1
    return direction.reshape(array.shape)


def _nonzero(column: np.ndarray[Any, Any]) -> list[int]:
    return [int(i) for i in np.flatnonzero(column)]
