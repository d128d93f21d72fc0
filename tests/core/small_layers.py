"""Layers of a few lines, so that tests of the graph do not hang on the layers of the library."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from chainrule._base.registry import register_class
from chainrule._base.spec import Weight
from chainrule.core import Block, Layer


def normal(key, shape, dtype):
    return jax.random.normal(key, shape, dtype)


@register_class
@dataclass(frozen=True, eq=False)
class Affine(Layer):
    units: int
    activation: str = "linear"
    name: str | None = None

    def weights(self, x):
        return {"kernel": Weight((x.shape[-1], self.units), normal), "bias": Weight((self.units,), normal)}

    def call(self, params, x):
        z = x @ params["kernel"] + params["bias"]
        return {"linear": lambda v: v, "tanh": jnp.tanh}[self.activation](z)


@register_class
@dataclass(frozen=True, eq=False)
class Plus(Layer):
    name: str | None = None

    def call(self, params, left, right):
        return left + right


@register_class
@dataclass(frozen=True, eq=False)
class AddConstant(Layer):
    amount: float = 1.0
    name: str | None = None

    def call(self, params, x):
        return x + self.amount


@register_class
@dataclass(frozen=True, eq=False)
class SplitAt(Layer):
    """One tensor in, two out."""

    at: int
    name: str | None = None

    def call(self, params, x):
        return x[:, : self.at], x[:, self.at :]


@register_class
@dataclass(frozen=True, eq=False)
class Scaled(Layer):
    """An optional second and third input."""

    name: str | None = None

    def call(self, params, x, scale=None, shift=None):
        x = x if scale is None else x * scale
        return x if shift is None else x + shift


@register_class
@dataclass(frozen=True, eq=False)
class Noise(Layer):
    """Random in training, the identity otherwise."""

    name: str | None = None

    def apply(self, variables, x, *, context):
        if not context.training:
            return x, variables.state
        return x + jax.random.normal(context.need_key(self), x.shape, x.dtype), variables.state


@register_class
@dataclass(frozen=True, eq=False)
class CallCounter(Layer):
    """State that grows by one at every call."""

    name: str | None = None

    def weights(self, x):
        return {"calls": Weight((), lambda _key, shape, dtype: jnp.zeros(shape, dtype), kind="state")}

    def apply(self, variables, x, *, context):
        return x, {"calls": variables.state["calls"] + 1}


@register_class
@dataclass(frozen=True, eq=False)
class Skip(Block):
    """``x + affine(x)``."""

    units: int
    name: str | None = None

    def build(self, x):
        return Plus()(x, Affine(self.units)(x))
