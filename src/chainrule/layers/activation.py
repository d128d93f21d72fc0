"""Activations as layers of their own."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule import initializers
from chainrule._base.checks import check_int, check_number
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, Weight
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._declare import (
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    along,
    check_sizes,
    declare,
    known_size,
    positive_axes,
)
from chainrule.ops import activations
from chainrule.ops.activations import LEAKY_SLOPE


@register_class
@dataclass(frozen=True, eq=False)
class Activation(Layer):
    """Apply an activation given by name, function or object.

    Example:
        >>> import jax.numpy as jnp
        >>> Activation("relu").call({}, jnp.array([[-1.0, 2.0]])).tolist()
        [[0.0, 2.0]]
    """

    activation: str | activations.Activation
    name: str | None = None

    def __post_init__(self) -> None:
        activations.get(self.activation)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """The activation, element by element."""
        return activations.get(self.activation)(x)


@register_class
@dataclass(frozen=True, eq=False)
class ReLU(Layer):
    """``max(0, z)``, as a layer; with ``max_value`` cut off there, ``min(max(0, z), max_value)``.

    Args:
        max_value: the largest output; 6 makes it ReLU6, as MobileNets for small integers have it.
        name: name in the model.

    Example:
        >>> import jax.numpy as jnp
        >>> ReLU().call({}, jnp.array([[-1.0, 2.0, 9.0]])).tolist()
        [[0.0, 2.0, 9.0]]
        >>> ReLU(max_value=6).call({}, jnp.array([[-1.0, 2.0, 9.0]])).tolist()
        [[0.0, 2.0, 6.0]]
    """

    max_value: float | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if self.max_value is not None:
            check_number("max_value", self.max_value, self, above=0)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """``max(0, x)``, at most ``max_value``."""
        y = activations.relu(x)
        return y if self.max_value is None else jnp.minimum(y, jnp.asarray(self.max_value, y.dtype))


@register_class
@dataclass(frozen=True, eq=False)
class LeakyReLU(Layer):
    """``max(slope · z, z)`` with a fixed slope below 0; see :class:`PReLU` for a learned one.

    Args:
        negative_slope: slope below 0. The default is 0.1; Keras's is 0.3, PyTorch's 0.01.
        name: name in the model.

    Example:
        >>> import jax.numpy as jnp
        >>> LeakyReLU(0.5).call({}, jnp.array([[-1.0, 2.0]])).tolist()
        [[-0.5, 2.0]]
    """

    negative_slope: float = LEAKY_SLOPE
    name: str | None = None

    def __post_init__(self) -> None:
        check_number("negative_slope", self.negative_slope, self, at_least=0)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """``x`` where it is positive, ``negative_slope · x`` elsewhere."""
        return activations.leaky_relu(x, self.negative_slope)


@register_class
@dataclass(frozen=True, eq=False)
class ELU(Layer):
    """``z`` for z ≥ 0, ``α (exp(z) − 1)`` below, as a layer.

    Example:
        >>> import jax.numpy as jnp
        >>> ELU(2.0).call({}, jnp.array([[-50.0, 2.0]])).tolist()
        [[-2.0, 2.0]]
    """

    alpha: float = 1.0
    name: str | None = None

    def __post_init__(self) -> None:
        check_number("alpha", self.alpha, self, at_least=0)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """The exponential linear unit."""
        return activations.elu(x, self.alpha)


@register_class
@dataclass(frozen=True, eq=False)
class Softmax(Layer):
    """Probabilities ``exp(z_i) / Σ_j exp(z_j)`` along ``axis``, as a layer.

    Losses take logits by default: leave this layer out in training, or use ``from_logits=False``.

    Example:
        >>> import jax.numpy as jnp
        >>> Softmax().call({}, jnp.array([[5.0, 5.0]])).tolist()
        [[0.5, 0.5]]
    """

    axis: int = -1
    name: str | None = None

    def __post_init__(self) -> None:
        check_int("axis", self.axis, self)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """Softmax along ``axis``; the batch axis is refused."""
        return activations.softmax(x, positive_axes(self.axis, x, self)[0])


@register_class
@dataclass(frozen=True, eq=False)
class PReLU(Layer):
    """Parametric ReLU, ``max(0, z) + alpha · min(0, z)`` with ``alpha`` learned.

    Args:
        alpha_initializer: starting slope; the paper's 0.25 (Keras starts at 0).
        alpha_regularizer: penalty on ``alpha``; weight decay would pull it to 0 and make it a ReLU.
        alpha_constraint: projection of ``alpha`` after every update.
        shared_axes: axes that share one slope, such as ``(1, 2)`` for images: one slope a channel.
        name: name in the model.

    Shapes:
        x: [batch, ...] -> the same; alpha: one example's shape, 1 along ``shared_axes``.

    References:
        He et al., "Delving Deep into Rectifiers", 2015, https://arxiv.org/abs/1502.01852, eq. 1.

    Example:
        >>> import jax.numpy as jnp
        >>> PReLU().call({"alpha": jnp.array([0.25, 0.5])}, jnp.array([[-4.0, -4.0]])).tolist()
        [[-1.0, -2.0]]
    """

    alpha_initializer: InitializerLike | float = 0.25
    alpha_regularizer: RegularizerLike = None
    alpha_constraint: ConstraintLike = None
    shared_axes: tuple[int, ...] = ()
    name: str | None = None

    def __post_init__(self) -> None:
        check_sizes("shared_axes", self.shared_axes, self)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """``alpha``, the slopes below 0."""
        shared = positive_axes(self.shared_axes, x, self) if self.shared_axes else ()
        shape = tuple(1 if axis in shared else known_size(x, axis, self) for axis in range(1, x.ndim))
        start = self.alpha_initializer
        if isinstance(start, int | float):
            start = initializers.Constant(start)
        return {"alpha": declare(shape, start, self.alpha_regularizer, self.alpha_constraint)}

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """``x`` where it is positive, ``alpha · x`` elsewhere."""
        alpha = along(params["alpha"], range(1, x.ndim), x.ndim)
        return jnp.where(x > 0, x, alpha * x)
