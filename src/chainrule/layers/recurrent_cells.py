"""The cells by themselves: simple, LSTM, GRU, and several one on top of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import jax.numpy as jnp

from chainrule import initializers
from chainrule._base.checks import check_number, check_positive_int
from chainrule._base.registry import register_class
from chainrule._base.rng import Key, key_for
from chainrule._base.spec import Array, Initializer, Spec, Weight
from chainrule._base.tree import Tree
from chainrule.core import Context, Variables
from chainrule.layers._declare import (
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    check_rank,
    check_size,
    declare,
    known_size,
)
from chainrule.layers.dropout import Dropout
from chainrule.layers.recurrent_cell import Carry, Cell
from chainrule.ops import activations
from chainrule.ops.activations import Activation

ActivationLike = str | Activation | None


@dataclass(frozen=True, eq=False)
class UnitsCell(Cell):
    """What the cells of ``units`` numbers share: their fields, their weights, their dropout masks.

    Args:
        units: size of the output and of each part of the carry.
        activation: of the candidate values.
        use_bias: whether ``bias`` is added.
        kernel_initializer: starting values of ``kernel``, which multiplies the input.
        recurrent_initializer: starting values of ``recurrent_kernel``, which multiplies the last output.
        bias_initializer: starting values of ``bias``.
        kernel_regularizer: penalty on ``kernel``.
        recurrent_regularizer: penalty on ``recurrent_kernel``.
        bias_regularizer: penalty on ``bias``.
        kernel_constraint: projection of ``kernel`` after every update.
        recurrent_constraint: projection of ``recurrent_kernel``.
        bias_constraint: projection of ``bias``.
        dropout: share of the input's features dropped in training, the same ones at every step of a sequence.
        recurrent_dropout: share of the last output dropped where it is multiplied by ``recurrent_kernel``, the same
            ones at every step (Gal, Ghahramani, 2016, https://arxiv.org/abs/1512.05287).
        name: name in the model.
    """

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
    name: str | None = None

    gates: ClassVar[int]  # how many blocks of `units` columns the kernels have

    def __post_init__(self) -> None:
        check_fields(self)

    def weights(self, x: Spec, *_carry: Spec) -> dict[str, Weight]:  # type: ignore[override]  # one input, and a carry
        """``kernel``, ``recurrent_kernel`` and, with ``use_bias``, ``bias``; ``x`` is one step."""
        check_rank(x, 2, self, exactly=True)
        columns = self.gates * self.units
        wanted = {
            "kernel": declare(
                (known_size(x, -1, self), columns),
                self.kernel_initializer,
                self.kernel_regularizer,
                self.kernel_constraint,
                axes=("in", "out"),
            ),
            "recurrent_kernel": declare(
                (self.units, columns),
                self.recurrent_initializer,
                self.recurrent_regularizer,
                self.recurrent_constraint,
                axes=("in", "out"),
            ),
        }
        if self.use_bias:
            shape = self._bias_shape()
            wanted["bias"] = declare(shape, self._bias_initializer(), self.bias_regularizer, self.bias_constraint)
        return wanted

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _bias_initializer(self) -> InitializerLike:
        return self.bias_initializer

    def initial(self, x: Spec | Array) -> Carry:
        """Zeros."""
        return jnp.zeros((x.shape[0], self.units), x.dtype)

    def prepare(self, params: Tree, x: Spec | Array, key: Key) -> Tree:
        """``params`` with the dropout masks of one sequence: ``input_mask`` and ``recurrent_mask``."""
        shapes = {
            "input_mask": (self.dropout, x.shape),
            "recurrent_mask": (self.recurrent_dropout, (x.shape[0], self.units)),
        }
        return {**params, **dropout_masks(shapes, x.dtype, key)}

    def project(self, params: Tree, x: Array) -> Array:
        """``x @ kernel + bias`` of all steps in one product."""
        check_size(x, -1, params["kernel"].shape[0], self)
        projected: Array = dropped(params, x) @ params["kernel"]
        bias = self._outer_bias(params)
        return projected if bias is None else projected + bias.reshape((1,) * (projected.ndim - 1) + bias.shape)

    def _outer_bias(self, params: Tree) -> Array | None:
        bias: Array | None = params.get("bias")
        return bias


@register_class
@dataclass(frozen=True, eq=False)
class SimpleRNNCell(UnitsCell):
    """One step of the simple recurrence, ``h' = activation(x W + h U + b)``; see :class:`UnitsCell` for the arguments.

    Shapes:
        x: [batch, features], h: [batch, units] -> output and new h, [batch, units].

    References:
        Elman, "Finding Structure in Time", 1990.

    Example:
        >>> import jax.numpy as jnp
        >>> weights = {"kernel": jnp.ones((1, 1)), "recurrent_kernel": jnp.ones((1, 1)) / 2, "bias": jnp.zeros(1)}
        >>> output, h = SimpleRNNCell(1, "linear").call(weights, jnp.array([[3.0]]), jnp.array([[4.0]]))
        >>> output.tolist()
        [[5.0]]
    """

    gates: ClassVar[int] = 1

    def step(self, params: Tree, carry: Carry, x: Array) -> Carry:
        """The new output."""
        return self.parts(params, carry, x)["h"]

    def parts(self, params: Tree, carry: Carry, x: Array) -> dict[str, Array]:
        """What one step computes, by name: the output ``h``."""
        return {"h": activations.get(self.activation)(x + recalled(params, carry) @ params["recurrent_kernel"])}


@register_class
@dataclass(frozen=True, eq=False)
class LSTMCell(UnitsCell):
    """One step of long short-term memory; see :class:`UnitsCell` for the other arguments.

    ``i, f, o = σ(x W + h U + b)`` (input, forget and output gate, each with its own columns of the weights),
    ``g = tanh(x W + h U + b)`` (the gain, Keras's c), ``c' = f·c + i·g`` and ``h' = o·tanh(c')``. One bias per gate, as
    in the paper and in Keras: n features and h units make ``4 (n h + h² + h)`` parameters; PyTorch keeps two biases.

    Args:
        recurrent_activation: of the three gates.
        unit_forget_bias: start the forget gate's bias at 1, so that a fresh cell remembers.

    Shapes:
        x: [batch, features], h and c: [batch, units] -> output, new h, new c, [batch, units];
        kernel: [features, 4 units] in the order i, f, g, o.

    References:
        Hochreiter, Schmidhuber, "Long Short-Term Memory", 1997. The forget gate: Gers, Schmidhuber, Cummins, 2000; its
        bias: Jozefowicz et al., 2015.

    Example:
        >>> from chainrule.core import Input
        >>> output, h, c = LSTMCell(5)(Input(3))
        >>> h.shape, sum(a * b for a, b in [(3, 20), (5, 20), (1, 20)])
        ((b, 5), 180)
    """

    recurrent_activation: ActivationLike = "sigmoid"
    _: KW_ONLY
    unit_forget_bias: bool = True

    gates: ClassVar[int] = 4

    def _bias_initializer(self) -> InitializerLike:
        return forget_bias(self.bias_initializer) if self.unit_forget_bias else self.bias_initializer

    def initial(self, x: Spec | Array) -> Carry:
        """Zeros for ``h`` and ``c``."""
        return super().initial(x), super().initial(x)

    def step(self, params: Tree, carry: Carry, x: Array) -> Carry:
        """The new output ``h`` and memory ``c``."""
        parts = self.parts(params, carry, x)
        return parts["h"], parts["c"]

    def parts(self, params: Tree, carry: Carry, x: Array) -> dict[str, Array]:
        """What one step computes, by name: the gates ``f``, ``g``, ``i``, ``o``, memory ``c`` and output ``h``."""
        h, c = carry
        return lstm_parts(x + recalled(params, h) @ params["recurrent_kernel"], c, self)


@register_class
@dataclass(frozen=True, eq=False)
class GRUCell(UnitsCell):
    """One step of a gated recurrent unit; see :class:`UnitsCell` for the other arguments.

    ``z, r = σ(x W + h U + b)`` (update and reset gate) and ``h' = z·h + (1 − z)·ĥ``, where the candidate is
    ``ĥ = tanh(x W + b + r·(h U + b'))`` (``reset_after``: one product for all gates; Keras's and PyTorch's form) or
    ``ĥ = tanh(x W + b + (r·h) U)`` (the paper's first version). PyTorch orders the gates r, z, n.

    Args:
        recurrent_activation: of the two gates.
        reset_after: whether the reset gate acts after the product with ``recurrent_kernel``; then there is a second
            bias.

    Shapes:
        x: [batch, features], h: [batch, units] -> output and new h, [batch, units];
        kernel: [features, 3 units] in the order z, r, h; bias: [2, 3 units] (``reset_after``) or [3 units].

    References:
        Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014, https://arxiv.org/abs/1406.1078.

    Example:
        >>> from chainrule.core import Input
        >>> output, h = GRUCell(5)(Input(3))
        >>> h.shape, GRUCell(5).weights(Input(3).spec)["bias"].shape
        ((b, 5), (2, 15))
    """

    recurrent_activation: ActivationLike = "sigmoid"
    _: KW_ONLY
    reset_after: bool = True

    gates: ClassVar[int] = 3

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _outer_bias(self, params: Tree) -> Array | None:
        bias: Array | None = params.get("bias")
        return bias if bias is None or not self.reset_after else bias[0]

    def step(self, params: Tree, carry: Carry, x: Array) -> Carry:
        """The new output."""
        return self.parts(params, carry, x)["h"]

    def parts(self, params: Tree, carry: Carry, x: Array) -> dict[str, Array]:
        """What one step computes, by name: gates ``z`` and ``r``, candidate ``g`` and output ``h``."""
        h, kernel = carry, params["recurrent_kernel"]
        activation, gate = activations.get(self.activation), activations.get(self.recurrent_activation)
        split, seen = 2 * self.units, recalled(params, h)
        hidden = seen @ (kernel if self.reset_after else kernel[:, :split])
        if self.reset_after and self.use_bias:
            hidden = hidden + params["bias"][1:]
        z, r = jnp.split(gate(x[..., :split] + hidden[..., :split]), 2, axis=-1)
        inner = r * hidden[..., split:] if self.reset_after else (r * seen) @ kernel[:, split:]
        candidate = activation(x[..., split:] + inner)
        return {"z": z, "r": r, "g": candidate, "h": z * h + (1 - z) * candidate}


def lstm_parts(z: Array, c: Array, owner: Any) -> dict[str, Array]:
    """Gates, memory and output by name, from the four blocks ``z`` and the last memory.

    ``Any``: something with ``activation`` and ``recurrent_activation``.
    """
    activation, gate = activations.get(owner.activation), activations.get(owner.recurrent_activation)
    blocks = jnp.split(z, 4, axis=-1)
    i, f, g, o = gate(blocks[0]), gate(blocks[1]), activation(blocks[2]), gate(blocks[3])
    c = f * c + i * g
    return {"f": f, "g": g, "i": i, "o": o, "c": c, "h": o * activation(c)}


def check_fields(owner: Any) -> None:  # Any: a cell, or a layer with the same fields
    """Check the fields that the cells and the layers made of them share."""
    size = "units" if hasattr(owner, "units") else "filters"
    check_positive_int(size, getattr(owner, size), owner)
    for rate in ("dropout", "recurrent_dropout"):
        check_number(rate, getattr(owner, rate), owner, at_least=0, below=1)
    for name in ("activation", "recurrent_activation"):
        activations.get(getattr(owner, name, None))


def forget_bias(initializer: InitializerLike) -> Initializer:
    """Starting values of a bias of four gates by ``initializer``, but ones for the second, the forget gate."""
    plain = initializers.get(initializer)

    def init(key: Key, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:  # Any: a dtype
        gate = jnp.arange(shape[-1]) // (shape[-1] // 4)
        return jnp.where(gate == 1, jnp.ones((), dtype), plain(key, shape, dtype))

    return init


def dropout_masks(wanted: Mapping[str, tuple[float, Sequence[Any]]], dtype: Any, key: Key) -> dict[str, Array]:
    """By name, for each rate above 0 and shape: factors ``1 / (1 − rate)``, or 0 with probability ``rate``.

    ``Any``: sizes may be symbolic; a dtype.
    """
    made = {}
    for name, (rate, shape) in wanted.items():
        if rate:
            context = Context(training=True, key=key_for(key, name))
            made[name], _ = Dropout(rate).apply(Variables({}, {}), jnp.ones(shape, dtype), context=context)
    return made


def dropped(params: Tree, x: Array) -> Array:
    """The input of all steps, ``[batch, time, ...]``, times the sequence's ``input_mask`` if there is one."""
    mask = params.get("input_mask")
    return x if mask is None else x * mask[:, None]


def recalled(params: Tree, h: Array) -> Array:
    """The last output times the sequence's ``recurrent_mask`` if there is one."""
    mask: Array | None = params.get("recurrent_mask")
    return h if mask is None else h * mask
