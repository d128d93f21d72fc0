"""SimpleRNN, LSTM and GRU: the recurrent layers with a fast form for the whole sequence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

from chainrule._base.registry import register_class
from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.layers._declare import ConstraintLike, InitializerLike, RegularizerLike, check_size
from chainrule.layers.recurrent_base import Recurrent
from chainrule.layers.recurrent_cell import Carry, Cell
from chainrule.layers.recurrent_cells import (
    ActivationLike,
    GRUCell,
    LSTMCell,
    SimpleRNNCell,
    check_fields,
    dropped,
)
from chainrule.ops import activations, recurrent


@dataclass(frozen=True, eq=False)
class _Units(Recurrent):
    """The fields that SimpleRNN, LSTM and GRU hand on to their cells."""

    units: int
    activation: ActivationLike = "tanh"
    _: KW_ONLY
    use_bias: bool = True
    kernel_initializer: InitializerLike = "glorot_uniform"
    recurrent_initializer: InitializerLike = "orthogonal"
    bias_initializer: InitializerLike = "zeros"
    kernel_regularizer: RegularizerLike = None
    recurrent_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    kernel_constraint: ConstraintLike = None
    recurrent_constraint: ConstraintLike = None
    bias_constraint: ConstraintLike = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self)

    def _cell_of(self, kind: type[Cell]) -> Cell:
        """A cell of this kind with the fields of this layer."""
        return kind(**{field.name: getattr(self, field.name) for field in dataclasses.fields(kind)})

    def _whole(self, op: Callable[..., Any], params: Tree, x: Array, **given: Any) -> tuple[Array, Carry]:
        """The whole sequence through ``op``, one of ``ops.recurrent`` (``Any``: its arguments and results)."""
        check_size(x, -1, params["kernel"].shape[0], self)
        outputs, carry = op(
            dropped(params, x),
            params["kernel"],
            params["recurrent_kernel"],
            params.get("bias"),
            reverse=self.go_backwards,
            recurrent_mask=params.get("recurrent_mask"),
            **given,
        )
        return outputs, carry


@register_class
@dataclass(frozen=True, eq=False)
class SimpleRNN(_Units):
    """The simple recurrent layer: each step sees the input and the last output, ``h' = activation(x W + h U + b)``.

    Its gradient over many steps is a product of as many factors, so it vanishes or explodes; LSTM and GRU were made
    against that. :class:`Recurrent` describes masks, states and direction, :class:`SimpleRNNCell` the weights and
    the other arguments.

    Args:
        units: size of the output and of the state.
        activation: of the output.

    Shapes:
        x: [batch, time, features] -> [batch, units], with ``return_sequences`` [batch, time, units].

    Example:
        >>> import jax.numpy as jnp
        >>> weights = {"kernel": jnp.ones((1, 1)), "recurrent_kernel": jnp.ones((1, 1)) / 2, "bias": jnp.zeros(1)}
        >>> layer = SimpleRNN(1, "linear", return_sequences=True)
        >>> layer.call(weights, jnp.array([[[8.0], [0.0], [1.0]]])).ravel().tolist()
        [8.0, 4.0, 3.0]
    """

    @property
    def recurrent_cell(self) -> Cell:
        """The cell with these fields."""
        return self._cell_of(SimpleRNNCell)

    def _scan(self, params: Tree, x: Array, carry: Carry | None, mask: Array | None) -> tuple[Array, Carry]:
        activation = activations.get(self.activation)
        return self._whole(recurrent.simple_rnn, params, x, initial=carry, mask=mask, activation=activation)


@register_class
@dataclass(frozen=True, eq=False)
class LSTM(_Units):
    """Long short-term memory: a recurrent layer whose memory is kept, written and shown through gates.

    :class:`LSTMCell` gives the formulas, :class:`Recurrent` describes masks, states and direction. With tanh and
    sigmoid, the default, the whole sequence runs in one fast operation; other activations run step by step.

    Args:
        units: size of the output and of each of the two parts of the state.
        activation: of the gain ``g`` and of the memory where it is shown.
        recurrent_activation: of the three gates.
        unit_forget_bias: start the forget gate's bias at 1, so that a fresh layer remembers.

    Shapes:
        x: [batch, time, features] -> [batch, units], with ``return_sequences`` [batch, time, units]; with
        ``return_state`` also h and c, [batch, units].

    Example:
        >>> from chainrule.core import Input
        >>> LSTM(5, return_sequences=True)(Input((7, 3))).shape
        (b, 7, 5)
        >>> sorted((name, w.shape) for name, w in LSTM(5).weights(Input((7, 3)).spec).items())
        [('bias', (20,)), ('kernel', (3, 20)), ('recurrent_kernel', (5, 20))]
    """

    recurrent_activation: ActivationLike = "sigmoid"
    _: KW_ONLY
    unit_forget_bias: bool = True

    @property
    def recurrent_cell(self) -> Cell:
        """The cell with these fields."""
        return self._cell_of(LSTMCell)

    def _scan(self, params: Tree, x: Array, carry: Carry | None, mask: Array | None) -> tuple[Array, Carry]:
        if not _is_standard(self.activation, self.recurrent_activation):
            return super()._scan(params, x, carry, mask)
        return self._whole(recurrent.lstm, params, x, initial=carry, mask=mask)


@register_class
@dataclass(frozen=True, eq=False)
class GRU(_Units):
    """Gated recurrent units: the LSTM's idea with two gates and one state.

    :class:`GRUCell` gives the formulas, :class:`Recurrent` describes masks, states and direction. With tanh and
    sigmoid, the default, the whole sequence runs in one fast operation; other activations run step by step.

    Args:
        units: size of the output and of the state.
        activation: of the candidate.
        recurrent_activation: of the two gates.
        reset_after: whether the reset gate acts after the product with ``recurrent_kernel``, as in Keras and PyTorch,
            or before it, as in the first paper.

    Shapes:
        x: [batch, time, features] -> [batch, units], with ``return_sequences`` [batch, time, units]; with
        ``return_state`` also h, [batch, units].

    Example:
        >>> from chainrule.core import Input
        >>> output, h = GRU(5, return_sequences=True, return_state=True)(Input((7, 3)))
        >>> output.shape, h.shape
        ((b, 7, 5), (b, 5))
    """

    recurrent_activation: ActivationLike = "sigmoid"
    _: KW_ONLY
    reset_after: bool = True

    @property
    def recurrent_cell(self) -> Cell:
        """The cell with these fields."""
        return self._cell_of(GRUCell)

    def _scan(self, params: Tree, x: Array, carry: Carry | None, mask: Array | None) -> tuple[Array, Carry]:
        if not _is_standard(self.activation, self.recurrent_activation):
            return super()._scan(params, x, carry, mask)
        return self._whole(recurrent.gru, params, x, initial=carry, mask=mask, reset_after=self.reset_after)


def _is_standard(activation: ActivationLike, gate: ActivationLike) -> bool:
    """Whether the activations are those that the fast operations have built in."""
    return activations.get(activation) is activations.tanh and activations.get(gate) is activations.sigmoid
