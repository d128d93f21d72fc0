"""ConvLSTM1D and ConvLSTM2D: LSTM whose products are convolutions, for sequences of signals or images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from chainrule._base.registry import register_class
from chainrule._base.rng import Key
from chainrule._base.spec import Array, Spec, Weight
from chainrule._base.tree import Tree
from chainrule.core.layer import Weights
from chainrule.layers._declare import InitializerLike, RegularizerLike, check_rank, check_size, declare, known_size
from chainrule.layers.recurrent_base import Recurrent
from chainrule.layers.recurrent_cell import Carry, Cell
from chainrule.layers.recurrent_cells import (
    ActivationLike,
    check_fields,
    dropout_masks,
    dropped,
    forget_bias,
    lstm_parts,
    recalled,
)
from chainrule.ops import convolution
from chainrule.ops.window import Padding, per_axis

Sizes = int | Sequence[int]


@register_class
@dataclass(frozen=True, eq=False)
class ConvLSTMCell(Cell):
    """One step of a ConvLSTM; the fields are those of :class:`ConvLSTM2D`, the rank is the input's."""

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: Padding = "valid"
    dilation_rate: Sizes = 1
    _: KW_ONLY
    activation: ActivationLike = "tanh"
    recurrent_activation: ActivationLike = "sigmoid"
    use_bias: bool = True
    unit_forget_bias: bool = True
    kernel_initializer: InitializerLike = "glorot_uniform"
    recurrent_initializer: InitializerLike = "orthogonal"
    bias_initializer: InitializerLike = "zeros"
    kernel_regularizer: RegularizerLike = None
    recurrent_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    name: str | None = None

    def weights(self, x: Spec, *_carry: Spec) -> dict[str, Weight]:  # type: ignore[override]  # one input, and a carry
        """``kernel``, ``recurrent_kernel`` and, with ``use_bias``, ``bias``; ``x`` is one step."""
        check_rank(x, 3, self)
        window = per_axis("kernel_size", self.kernel_size, x.ndim - 2, type(self).__name__)
        wanted = {
            "kernel": declare(
                (*window, known_size(x, -1, self), 4 * self.filters), self.kernel_initializer, self.kernel_regularizer
            ),
            "recurrent_kernel": declare(
                (*window, self.filters, 4 * self.filters), self.recurrent_initializer, self.recurrent_regularizer
            ),
        }
        if self.use_bias:
            start = forget_bias(self.bias_initializer) if self.unit_forget_bias else self.bias_initializer
            wanted["bias"] = declare((4 * self.filters,), start, self.bias_regularizer)
        return wanted

    def initial(self, x: Spec | Array) -> Carry:
        """Zeros for ``h`` and ``c``, of the convolution's size."""
        window = per_axis("kernel_size", self.kernel_size, x.ndim - 2, type(self).__name__)
        kernel = Spec((*window, x.shape[-1], self.filters), x.dtype)
        made = jax.eval_shape(self._convolved, Spec(x.shape, x.dtype), kernel)
        return jnp.zeros(made.shape, made.dtype), jnp.zeros(made.shape, made.dtype)

    def _convolved(self, x: Array, kernel: Array, bias: Array | None = None) -> Array:
        return convolution.conv(
            x, kernel, bias, strides=self.strides, padding=self.padding, dilation=self.dilation_rate
        )

    def prepare(self, params: Tree, x: Spec | Array, key: Key) -> Tree:
        """``params`` with the dropout masks of one sequence."""
        h, _ = self.initial(x)
        shapes = {"input_mask": (self.dropout, x.shape), "recurrent_mask": (self.recurrent_dropout, h.shape)}
        return {**params, **dropout_masks(shapes, x.dtype, key)}

    def project(self, params: Tree, x: Array) -> Array:
        """The convolution of all steps as one batch."""
        check_size(x, -1, params["kernel"].shape[-2], self)
        frames = dropped(params, x).reshape(x.shape[0] * x.shape[1], *x.shape[2:])
        y = self._convolved(frames, params["kernel"], params.get("bias"))
        return y.reshape(*x.shape[:2], *y.shape[1:])

    def step(self, params: Tree, carry: Carry, x: Array) -> Carry:
        """The new output ``h`` and memory ``c``."""
        h, c = carry
        z = x + convolution.conv(recalled(params, h), params["recurrent_kernel"], padding="same")
        parts = lstm_parts(z, c, self)
        return parts["h"], parts["c"]


@dataclass(frozen=True, eq=False)
class _ConvLSTM(Recurrent):
    """What ConvLSTM1D and ConvLSTM2D share."""

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: Padding = "valid"
    dilation_rate: Sizes = 1
    _: KW_ONLY
    activation: ActivationLike = "tanh"
    recurrent_activation: ActivationLike = "sigmoid"
    use_bias: bool = True
    unit_forget_bias: bool = True
    kernel_initializer: InitializerLike = "glorot_uniform"
    recurrent_initializer: InitializerLike = "orthogonal"
    bias_initializer: InitializerLike = "zeros"
    kernel_regularizer: RegularizerLike = None
    recurrent_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0

    rank: ClassVar[int]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self)
        for name in ("kernel_size", "strides", "dilation_rate"):
            per_axis(name, getattr(self, name), self.rank, type(self).__name__)

    @property
    def recurrent_cell(self) -> Cell:
        """The cell with these fields."""
        return ConvLSTMCell(**{field.name: getattr(self, field.name) for field in dataclasses.fields(ConvLSTMCell)})

    def weights(self, x: Spec, *rest: Spec) -> Weights:  # type: ignore[override]  # the first input decides
        """``kernel``, ``recurrent_kernel`` and, with ``use_bias``, ``bias``."""
        check_rank(x, self.rank + 3, self, exactly=True)
        return super().weights(x, *rest)


@register_class
@dataclass(frozen=True, eq=False)
class ConvLSTM1D(_ConvLSTM):
    """LSTM over a sequence of signals; see :class:`ConvLSTM2D`.

    Shapes:
        x: [batch, time, positions, channels] -> [batch, positions', filters], with ``return_sequences``
        [batch, time, positions', filters].

    Example:
        >>> from chainrule.core import Input
        >>> ConvLSTM1D(5, 3)(Input((4, 9, 2))).shape
        (b, 7, 5)
    """

    rank: ClassVar[int] = 1


@register_class
@dataclass(frozen=True, eq=False)
class ConvLSTM2D(_ConvLSTM):
    """LSTM over a sequence of images: the formulas of :class:`LSTMCell` with convolutions for the products.

    The input's convolution has the strides, padding and dilation given; the state's keeps its size ("same", stride 1).
    :class:`Recurrent` describes masks, states and direction.

    Args:
        filters: channels of the output and of each of the two parts of the state.
        kernel_size: window of both convolutions.
        strides: of the input's convolution.
        padding: of the input's convolution.
        dilation_rate: of the input's convolution.
        activation: of the gain and of the memory where it is shown.
        recurrent_activation: of the three gates.
        use_bias: whether ``bias`` is added.
        unit_forget_bias: start the forget gate's bias at 1.
        kernel_initializer: starting values of ``kernel``.
        recurrent_initializer: starting values of ``recurrent_kernel``.
        bias_initializer: starting values of ``bias``.
        kernel_regularizer: penalty on ``kernel``.
        recurrent_regularizer: penalty on ``recurrent_kernel``.
        bias_regularizer: penalty on ``bias``.
        dropout: share of each input image's values dropped in training, the same ones at every step.
        recurrent_dropout: share of the state's values dropped before its convolution, the same ones at every step.

    Shapes:
        x: [batch, time, height, width, channels] -> [batch, height', width', filters], with ``return_sequences``
        [batch, time, height', width', filters]; kernel: [*window, channels, 4 filters] in the order i, f, g, o.

    References:
        Shi et al., "Convolutional LSTM Network", 2015, https://arxiv.org/abs/1506.04214 (without its peepholes, as
        Keras).

    Example:
        >>> from chainrule.core import Input
        >>> ConvLSTM2D(5, 3, padding="same")(Input((4, 9, 8, 2))).shape
        (b, 9, 8, 5)
    """

    rank: ClassVar[int] = 2
