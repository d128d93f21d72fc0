"""Maxout: the largest of several affine maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from chainrule import initializers
from chainrule._base.checks import check_int, check_positive_int
from chainrule._base.registry import register_class
from chainrule._base.rng import Key
from chainrule._base.spec import Array, Spec, Weight
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._declare import InitializerLike, along, check_rank, check_size, declare, known_size


@register_class
@dataclass(frozen=True, eq=False)
class Maxout(Layer):
    """Largest of k affine maps, ``y_u = max_k (x @ kernel_k + bias_k)_u``: a layer, not an elementwise function.

    The activation is learned: with two pieces it can become ReLU (one piece 0), the absolute value, or any other
    convex function of two straight parts.

    Args:
        units: number of outputs.
        pieces: number of affine maps of which the largest is taken; at least 2.
        use_bias: whether each map has a bias.
        kernel_initializer: starting values; each piece is started like a Dense layer of its own.
        bias_initializer: starting values of ``bias``.
        name: name in the model.

    Shapes:
        x: [batch, ..., in] -> [batch, ..., units]; kernel: [pieces, in, units]; bias: [pieces, units].

    References:
        Goodfellow et al., "Maxout Networks", 2013, https://arxiv.org/abs/1302.4389, section 3.

    Example:
        >>> import jax.numpy as jnp
        >>> weights = {"kernel": jnp.array([[[0.0]], [[1.0]]]), "bias": jnp.zeros((2, 1))}
        >>> Maxout(1).call(weights, jnp.array([[-2.0], [3.0]])).tolist()
        [[0.0], [3.0]]
    """

    units: int
    pieces: int = 2
    use_bias: bool = True
    kernel_initializer: InitializerLike = "glorot_uniform"
    bias_initializer: InitializerLike = "zeros"
    name: str | None = None

    def __post_init__(self) -> None:
        check_positive_int("units", self.units, self)
        check_int("pieces", self.pieces, self, minimum=2)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """``kernel`` and, with ``use_bias``, ``bias``; the first axis counts the pieces."""
        check_rank(x, 2, self)
        one = initializers.get(self.kernel_initializer)

        def each(key: Key, shape: tuple[int, ...], dtype: Any) -> Array:  # Any: a dtype
            return jnp.stack([one(piece, shape[1:], dtype) for piece in jax.random.split(key, shape[0])])

        shape = (self.pieces, known_size(x, -1, self), self.units)
        wanted = {"kernel": Weight(shape, each, axes=(None, "in", "out"))}
        if self.use_bias:
            wanted["bias"] = declare((self.pieces, self.units), self.bias_initializer, axes=(None, "out"))
        return wanted

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """The largest piece, for every unit."""
        check_size(x, -1, params["kernel"].shape[1], self)
        y = jnp.einsum("...i,kiu->...ku", x, params["kernel"])  # [batch, ..., pieces, units]
        if self.use_bias:
            y = y + along(params["bias"], (y.ndim - 2, y.ndim - 1), y.ndim)
        return jnp.max(y, axis=-2)
