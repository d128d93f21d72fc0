"""ApplyMask: zeros where a mask says that nothing is."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule._base.registry import register_class
from chainrule._base.spec import Array
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._declare import check_rank
from chainrule.layers.masking import check_mask


@register_class
@dataclass(frozen=True, eq=False)
class ApplyMask(Layer):
    """The input at real steps, 0 at masked ones: what padding holds can then reach no neighbour.

    A convolution that pads with zeros itself gives the same at a text's end whether padding follows or not, if the
    padding is 0 too.

    Args:
        name: name in the model.

    Shapes:
        x: [batch, time, ...], mask: booleans [batch, time] (true at real steps) -> as x.

    Example:
        >>> import jax.numpy as jnp
        >>> ApplyMask().call({}, jnp.array([[[2.0], [jnp.nan]]]), jnp.array([[True, False]])).tolist()
        [[[2.0], [0.0]]]
    """

    name: str | None = None

    def call(self, params: Tree, x: Array, mask: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """``x`` where ``mask``, else 0."""
        check_rank(x, 2, self)
        check_mask(mask, x, self)
        return jnp.where(mask.reshape(*mask.shape, *(1,) * (x.ndim - 2)), x, jnp.zeros((), x.dtype))
