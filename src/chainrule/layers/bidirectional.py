"""Bidirectional: a sequence read from both ends."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp

from chainrule._base.checks import check_choice, describe, owner_name
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec
from chainrule._base.tree import Tree
from chainrule.core import Context, Layer, Variables
from chainrule.core.layer import Weights
from chainrule.layers.recurrent_base import Recurrent, bind_states

_MODES = ("concat", "sum", "mul", "ave")


@register_class
@dataclass(frozen=True, eq=False)
class Bidirectional(Layer):
    """Two recurrent layers of one kind, reading from the start and from the end; their outputs are joined step by step.

    Called as the layer itself, with ``mask`` and ``initial_state`` (the forward state's arrays, then the backward's).
    With a mask both readings skip the padding, wherever it is, so the backward one begins at the last real step.
    Masked steps of a sequence repeat the last output, as in the layer itself; in Keras they are 0 here, and only here.

    Args:
        layer: the recurrent layer that reads forward; its options hold for both.
        merge_mode: how the outputs are joined: ``"concat"``, ``"sum"``, ``"mul"``, ``"ave"``, or ``None`` for both
            apart.
        backward_layer: the layer that reads backward, if it shall differ; by default a copy of ``layer``.
        name: name in the model; weights stand under ``forward_layer`` and ``backward_layer``.

    Shapes:
        x: [batch, time, features] -> [batch, 2 units] ("concat"), with ``return_sequences`` [batch, time, 2 units];
        with ``return_state`` then the forward and the backward state.

    References:
        Schuster, Paliwal, "Bidirectional Recurrent Neural Networks", 1997.

    Example:
        >>> from chainrule.core import Input
        >>> from chainrule.layers import LSTM
        >>> Bidirectional(LSTM(5, return_sequences=True))(Input((7, 3))).shape
        (b, 7, 10)
    """

    layer: Recurrent
    merge_mode: Literal["concat", "sum", "mul", "ave"] | None = "concat"
    backward_layer: Recurrent | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if self.merge_mode is not None:
            check_choice("merge_mode", self.merge_mode, _MODES, self)
        for name in ("layer", "backward_layer"):
            layer = getattr(self, name)
            if not isinstance(layer, Recurrent) and (name == "layer" or layer is not None):
                raise ArgumentTypeError(
                    f"{owner_name(self)}: {name} must be a recurrent layer, such as LSTM(32); received "
                    f"{describe(layer)}."
                )
        forward, backward = self.readings().values()
        for option in ("return_sequences", "return_state"):
            if getattr(forward, option) != getattr(backward, option):
                raise ArgumentError(
                    f"{owner_name(self)}: both layers must have the same {option}; received "
                    f"{getattr(forward, option)} and {getattr(backward, option)}. Give it to both."
                )
        if forward.go_backwards == backward.go_backwards:
            raise ArgumentError(
                f"{owner_name(self)}: the layers must read in opposite directions; received go_backwards="
                f"{forward.go_backwards} for both. Write backward_layer=LSTM(..., go_backwards=True)."
            )

    def readings(self) -> dict[str, Recurrent]:
        """The two layers, by the names under which their weights stand."""
        backward = self.backward_layer
        if backward is None:
            backward = dataclasses.replace(self.layer, go_backwards=not self.layer.go_backwards)
        return {"forward_layer": self.layer, "backward_layer": backward}

    def weights(self, x: Spec, *_rest: Spec) -> Weights:  # type: ignore[override]  # the first input decides
        """Those of both layers."""
        return {name: layer.weights(x) for name, layer in self.readings().items()}

    def __call__(self, *inputs: Any, initial_state: Any = None, **named: Any) -> Any:
        """Record a call on symbols, as the recurrent layer's (``Any``: symbols)."""
        return super().__call__(*bind_states(inputs, named, initial_state), **named)

    def call(self, params: Tree, x: Array, mask: Array | None = None, *initial_state: Array) -> Any:  # type: ignore[override]  # Any: one array or several
        """The joined outputs, in inference."""
        return self.apply(Variables(params, {}), x, mask, *initial_state, context=Context())[0]  # type: ignore[arg-type]  # None: left out

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Any, Tree]:
        """Read both ways and join."""
        x, mask = (*inputs, None)[:2]
        states = inputs[2:]
        if len(states) % 2:
            raise ShapeError(
                f"{owner_name(self)}: initial_state must hold as many arrays for the backward reading as for the "
                f"forward; received {len(states)} in all. Pass the forward state's arrays, then the backward's."
            )
        half = len(states) // 2
        given = {"forward_layer": states[:half], "backward_layer": states[half:]}
        outputs: list[Array] = []
        rest: list[Array] = []
        state: Tree = {}
        for name, layer in self.readings().items():
            own = Variables(variables.params[name], variables.state.get(name, {}))
            made, kept = layer.apply(own, x, mask, *given[name], context=context.child(name))  # type: ignore[arg-type]  # None
            first, *after = made if isinstance(made, tuple) else (made,)
            outputs.append(jnp.flip(first, axis=1) if layer.go_backwards and layer.return_sequences else first)
            rest += after
            state |= {name: kept} if kept else {}
        several = (*self._merge(*outputs), *rest)
        return (several if len(several) > 1 else several[0]), state or variables.state

    def _merge(self, forward: Array, backward: Array) -> tuple[Array, ...]:
        if self.merge_mode is None:
            return forward, backward
        if self.merge_mode == "concat":
            return (jnp.concatenate([forward, backward], axis=-1),)
        if self.merge_mode == "mul":
            return (forward * backward,)
        return ((forward + backward) / (2 if self.merge_mode == "ave" else 1),)
