"""RandomBranch: several answers to one question, trained apart and averaged in use."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule._base.checks import owner_name
from chainrule._base.errors import ShapeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, shape_text
from chainrule._base.tree import Tree
from chainrule.core import Context, Layer, Variables
from chainrule.ops.stateless_random import hash_uniform


@register_class
@dataclass(frozen=True, eq=False)
class RandomBranch(Layer):
    """One of the inputs, drawn for each example, in training; their mean in inference.

    Branches that are merely added learn together: what one of them says at once, the others never learn. Drawn one at a
    time, each must answer alone, as the members of an ensemble do, and their mean is better than the best of them.
    With one input nothing happens. (Dropping branches, as "drop path" does, lets them lean on each other.)

    Args:
        name: name in the model.

    Shapes:
        inputs: [batch, ...] each, of one shape -> [batch, ...].

    Raises:
        ShapeError: the inputs differ in shape.

    References:
        Larsson et al., "FractalNet", 2017, https://arxiv.org/abs/1605.07648, section 3.1 (global drop path).

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> from chainrule.core import Context, Variables
        >>> low, high, nothing = jnp.zeros((4, 1)), jnp.ones((4, 1)), Variables({}, {})
        >>> RandomBranch().apply(nothing, low, high, context=Context())[0].ravel().tolist()
        [0.5, 0.5, 0.5, 0.5]
        >>> context = Context(training=True, key=jax.random.key(1))
        >>> sorted(set(RandomBranch().apply(nothing, low, high, context=context)[0].ravel().tolist()))
        [0.0, 1.0]
    """

    name: str | None = None

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Array, Tree]:
        """Draw in training, average in inference."""
        first = inputs[0]
        for other in inputs[1:]:
            if other.shape != first.shape:
                shapes = ", ".join(shape_text(Spec(x.shape, x.dtype)) for x in inputs)
                raise ShapeError(
                    f"{owner_name(self)}: all inputs must have one shape; received {shapes}. Project them with Dense."
                )
        if len(inputs) == 1:
            return first, variables.state
        stacked = jnp.stack(inputs)  # [branches, batch, ...]
        if not context.training:
            return jnp.mean(stacked, axis=0), variables.state
        drawn = hash_uniform(context.need_key(self), first.shape[:1])
        number = jnp.floor(drawn * len(inputs)).astype(jnp.int32)  # [batch]
        number = number.reshape(1, -1, *(1,) * (first.ndim - 1))
        return jnp.take_along_axis(stacked, number, axis=0)[0], variables.state
