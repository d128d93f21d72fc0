"""TimeDistributed: one layer at every step of a sequence."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from chainrule._base.checks import describe, owner_name
from chainrule._base.errors import ArgumentTypeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec
from chainrule._base.tree import Tree
from chainrule.core import Context, Layer, Variables
from chainrule.core.layer import Weights
from chainrule.layers._declare import check_rank
from chainrule.layers.masking import check_mask
from chainrule.layers.recurrent_cell import one_step


@register_class
@dataclass(frozen=True, eq=False)
class TimeDistributed(Layer):
    """Apply one layer, with the same weights, to every step of a sequence: a Dense to each word, a CNN to each frame.

    All steps of all examples are one batch of the layer inside. With ``mask`` the masked steps are left out of the
    statistics of batch normalisation there; their outputs are made as any other's.

    Args:
        layer: the layer; a whole model goes in as its graph, ``TimeDistributed(model.graph)``, which then starts with
            fresh weights.
        name: name in the model; the weights of ``layer`` stand directly under it.

    Shapes:
        x: [batch, time, ...] -> [batch, time, *what the layer makes of one step]; mask: booleans [batch, time].

    Example:
        >>> from chainrule.core import Input
        >>> from chainrule.layers import Dense
        >>> TimeDistributed(Dense(2))(Input((7, 3))).shape
        (b, 7, 2)
    """

    layer: Layer
    name: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Layer):
            raise ArgumentTypeError(
                f"{owner_name(self)}: layer must be a layer, such as Dense(32); received {describe(self.layer)}. "
                "Of a model, pass its graph."
            )

    def weights(self, x: Spec, *_mask: Spec) -> Weights:  # type: ignore[override]  # the first input decides
        """Those of the layer for one step."""
        check_rank(x, 2, self)
        return self.layer.weights(one_step(x))

    def check_values(self, name: str, values: Any, position: int = 0) -> None:
        """As the layer inside (``Any``: a NumPy array)."""
        if position == 0:
            self.layer.check_values(name, values)

    def call(self, params: Tree, x: Array, mask: Array | None = None) -> Any:  # type: ignore[override]  # Any: one array or several
        """The layer at every step, in inference."""
        inputs = (x,) if mask is None else (x, mask)
        return self.apply(Variables(params, {}), *inputs, context=Context())[0]

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Any, Tree]:
        """The layer on all steps as one batch."""
        x, mask = (*inputs, None)[:2]
        assert x is not None
        check_rank(x, 2, self)
        batch, steps = x.shape[:2]
        weight = context.weight
        if weight is not None:
            weight = jnp.broadcast_to(weight[:, None], (batch, steps))
        if mask is not None:
            check_mask(mask, x, self)
            weight = mask.astype(jnp.float32) if weight is None else weight * mask.astype(weight.dtype)
        inside = dataclasses.replace(context, weight=None if weight is None else weight.reshape(batch * steps))
        merged = x.reshape(batch * steps, *x.shape[2:])
        output, state = self.layer.apply(variables, merged, context=inside)
        return jax.tree.map(lambda array: array.reshape(batch, steps, *array.shape[1:]), output), state
