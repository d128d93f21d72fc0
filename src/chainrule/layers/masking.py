"""Masks: which steps of a padded sequence are real."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule._base.checks import check_number, owner_name
from chainrule._base.errors import ArgumentTypeError, ShapeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, shape_text
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._declare import check_rank
from chainrule.ops.attention import sequence_mask


@register_class
@dataclass(frozen=True, eq=False)
class PaddingMask(Layer):
    """Which steps are real: true where a token is not ``value``; of vectors, where any entry is not ``value``.

    The mask goes to the layers that need it, as an ordinary input: ``LSTM(32)(x, mask=PaddingMask()(tokens))``. Keras
    hangs it on the tensor instead (``Embedding(mask_zero=True)``, ``Masking``), where any layer in between may lose it.

    Args:
        value: what padding is filled with.
        name: name in the model.

    Shapes:
        tokens: [batch, time], or vectors [batch, time, features] -> booleans [batch, time].

    Example:
        >>> import jax.numpy as jnp
        >>> PaddingMask().call({}, jnp.array([[7, 3, 0], [5, 0, 0]])).tolist()
        [[True, True, False], [True, False, False]]
    """

    value: float = 0
    name: str | None = None

    def __post_init__(self) -> None:
        check_number("value", self.value, self)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """``x != value``, over all features if there are any."""
        check_rank(x, 2, self)
        differs = x != jnp.asarray(self.value, x.dtype)
        return differs if x.ndim == 2 else jnp.any(differs, axis=tuple(range(2, x.ndim)))


@register_class
@dataclass(frozen=True, eq=False)
class SequenceMask(Layer):
    """Which steps are real, from the sequences' lengths: true for the first ``lengths`` steps.

    The second input is the padded sequence, of which only the number of steps is read.

    Shapes:
        lengths: integers [batch], or [batch, 1] as an ``Input(1)`` gives them; x: [batch, time, ...]
        -> booleans [batch, time].

    Example:
        >>> import jax.numpy as jnp
        >>> SequenceMask().call({}, jnp.array([2, 0]), jnp.zeros((2, 3, 5))).tolist()
        [[True, True, False], [False, False, False]]
    """

    name: str | None = None

    def call(self, params: Tree, lengths: Array, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """``step < length``."""
        if not jnp.issubdtype(lengths.dtype, jnp.integer) or any(size != 1 for size in lengths.shape[1:]):
            raise ShapeError(
                f"{owner_name(self)}: lengths, the first input, must be one integer for each example; received shape "
                f"{shape_text(Spec(lengths.shape, lengths.dtype))} and dtype {lengths.dtype}. "
                "Write Input(1, dtype='int32'), and the lengths first: SequenceMask()(lengths, x)."
            )
        check_rank(x, 2, self)
        return sequence_mask(lengths.reshape(lengths.shape[0]), x.shape[1])


def check_mask(mask: Array | Spec, x: Array | Spec, owner: object) -> None:
    """Require booleans ``[batch, time]`` that fit the sequence ``x``."""
    if mask.dtype != jnp.bool_:
        raise ArgumentTypeError(
            f"{owner_name(owner)}: mask must hold booleans, true where a step is real; received dtype {mask.dtype}. "
            "Make it with PaddingMask()(tokens), or declare Input(..., dtype='bool')."
        )
    if mask.ndim != 2 or mask.shape[1] != x.shape[1]:
        raise ShapeError(
            f"{owner_name(owner)}: mask must have shape [batch, time], with the {x.shape[1]} steps of the input; "
            f"received shape {shape_text(Spec(mask.shape, mask.dtype))}. Take it from the same sequence."
        )


def select_rows(condition: Array, yes: Array, no: Array) -> Array:
    """``where`` with a condition that lacks the last axes of ``yes``."""
    return jnp.where(jnp.expand_dims(condition, tuple(range(condition.ndim, yes.ndim))), yes, no)
