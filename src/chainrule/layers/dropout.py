"""Layers that add noise in training and do nothing in inference: the dropout family and Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from chainrule._base.checks import check_number, owner_name
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule._base.registry import register_class
from chainrule._base.rng import Key
from chainrule._base.spec import Array, Spec, shape_text
from chainrule._base.tree import Tree
from chainrule.core import Context, Layer, Variables
from chainrule.layers._declare import check_rank
from chainrule.ops.stateless_random import hash_bernoulli

_SELU_FLOOR = -1.0507009873554805 * 1.6732632423543772  # where SELU saturates on the left


@register_class
@dataclass(frozen=True, eq=False)
class Dropout(Layer):
    """Set each value to 0 with probability ``rate`` in training, ``y = m x / (1 − rate)`` with ``m ∈ {0, 1}``.

    The kept values are divided by ``1 − rate`` (inverted scaling), so the expected output is the input and nothing
    has to change in inference, where the layer does nothing. The usual rate in hidden layers is 0.5. Masks come
    from an integer hash of the step's key and the position, ten times cheaper on a CPU than JAX's generator.

    Args:
        rate: probability of dropping a value, in [0, 1).
        noise_shape: shape of the mask, broadcast over the input; ``None`` entries take the input's size, 1 shares
            one decision along that axis. ``(None, 1, None)`` drops whole features of a sequence.
        name: name in the model.

    References:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> from chainrule.core import Context, Variables
        >>> context = Context(training=True, key=jax.random.key(1))
        >>> y, _ = Dropout(0.5).apply(Variables({}, {}), jnp.ones((1, 1000)), context=context)
        >>> sorted(set(y.ravel().tolist())), bool(abs(y.mean() - 1) < 0.1)
        ([0.0, 2.0], True)
    """

    rate: float
    noise_shape: tuple[int | None, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        _check_rate(self.rate, self)
        if self.noise_shape is not None and not isinstance(self.noise_shape, tuple | list):
            raise ArgumentError(
                f"{owner_name(self)}: noise_shape must be a tuple of integers and None; received "
                f"{self.noise_shape!r}. Write for example noise_shape=(None, 1, None)."
            )

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Array, Tree]:
        """Drop in training, pass on in inference."""
        (x,) = inputs
        shape = x.shape if self.noise_shape is None else _mask_shape(self.noise_shape, x, self)
        if not context.training or self.rate == 0:
            return x, variables.state
        return _drop(x, self.rate, shape, context.need_key(self)), variables.state


@dataclass(frozen=True, eq=False)
class _SpatialDropout(Layer):
    """What the spatial dropouts share: one decision for each feature map of each example."""

    rate: float
    name: str | None = None
    rank: ClassVar[int]

    def __post_init__(self) -> None:
        _check_rate(self.rate, self)

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Array, Tree]:
        """Drop whole feature maps in training, pass on in inference."""
        (x,) = inputs
        check_rank(x, self.rank + 2, self, exactly=True)
        if not context.training or self.rate == 0:
            return x, variables.state
        shape = (x.shape[0], *(1,) * self.rank, x.shape[-1])
        return _drop(x, self.rate, shape, context.need_key(self)), variables.state


@register_class
@dataclass(frozen=True, eq=False)
class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole features of a sequence: neighbouring steps are alike, so dropping single ones does little.

    Shapes:
        x: [batch, time, channels] -> the same.

    References:
        Tompson et al., "Efficient Object Localization Using Convolutional Networks", 2015,
        https://arxiv.org/abs/1411.4280, section 3.2.

    Example:
        >>> from chainrule.core import Input
        >>> SpatialDropout1D(0.5)(Input((4, 3))).shape
        (b, 4, 3)
    """

    rank = 1


@register_class
@dataclass(frozen=True, eq=False)
class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of an image (see :class:`SpatialDropout1D`).

    Shapes:
        x: [batch, height, width, channels] -> the same.

    Example:
        >>> from chainrule.core import Input
        >>> SpatialDropout2D(0.5)(Input((4, 5, 3))).shape
        (b, 4, 5, 3)
    """

    rank = 2


@register_class
@dataclass(frozen=True, eq=False)
class AlphaDropout(Layer):
    """Dropout that keeps mean 0 and variance 1 behind SELU: dropped values become SELU's lower limit.

    ``y = a (m x + (1 − m) α′) + c`` with ``α′ = −1.7581``, ``a = ((1 − rate)(1 + rate α′²))^(−1/2)`` and
    ``c = −a rate α′``.

    Args:
        rate: probability of dropping a value, in [0, 1).
        name: name in the model.

    References:
        Klambauer et al., "Self-Normalizing Neural Networks", 2017, https://arxiv.org/abs/1706.02515, section 2.

    Example:
        >>> from chainrule.core import Input
        >>> AlphaDropout(0.1)(Input(3)).shape
        (b, 3)
    """

    rate: float
    name: str | None = None

    def __post_init__(self) -> None:
        _check_rate(self.rate, self)

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Array, Tree]:
        """Drop to SELU's lower limit in training, pass on in inference."""
        (x,) = inputs
        if not context.training or self.rate == 0:
            return x, variables.state
        a = ((1 - self.rate) * (1 + self.rate * _SELU_FLOOR**2)) ** -0.5
        kept = hash_bernoulli(context.need_key(self), 1 - self.rate, x.shape)
        return a * jnp.where(kept, x, _SELU_FLOOR) - a * self.rate * _SELU_FLOOR, variables.state


@register_class
@dataclass(frozen=True, eq=False)
class GaussianDropout(Layer):
    """Multiply by noise of mean 1 and standard deviation ``√(rate / (1 − rate))``, dropout's own variance.

    Args:
        rate: the dropout rate whose variance it has, in [0, 1).
        name: name in the model.

    Example:
        >>> from chainrule.core import Input
        >>> GaussianDropout(0.2)(Input(3)).shape
        (b, 3)
    """

    rate: float
    name: str | None = None

    def __post_init__(self) -> None:
        _check_rate(self.rate, self)

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Array, Tree]:
        """Multiply by noise in training, pass on in inference."""
        (x,) = inputs
        if not context.training or self.rate == 0:
            return x, variables.state
        deviation = (self.rate / (1 - self.rate)) ** 0.5
        return x * (1 + deviation * _normal(context.need_key(self), x)), variables.state


@register_class
@dataclass(frozen=True, eq=False)
class GaussianNoise(Layer):
    """Add noise of mean 0 and standard deviation ``stddev`` in training.

    Args:
        stddev: standard deviation, in the unit of the input; at least 0.
        name: name in the model.

    Example:
        >>> from chainrule.core import Input
        >>> GaussianNoise(0.1)(Input(3)).shape
        (b, 3)
    """

    stddev: float
    name: str | None = None

    def __post_init__(self) -> None:
        check_number("stddev", self.stddev, self, at_least=0)

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Array, Tree]:
        """Add noise in training, pass on in inference."""
        (x,) = inputs
        if not context.training or self.stddev == 0:
            return x, variables.state
        return x + self.stddev * _normal(context.need_key(self), x), variables.state


def _check_rate(rate: float, owner: object) -> None:
    check_number("rate", rate, owner, at_least=0, below=1)


def _drop(x: Array, rate: float, mask_shape: tuple[Any, ...], key: Key) -> Array:  # Any: sizes may be symbolic
    kept = jnp.broadcast_to(hash_bernoulli(key, 1 - rate, mask_shape), x.shape)
    return jnp.where(kept, x / (1 - rate), 0)


def _normal(key: Key, x: Array) -> Array:
    return jax.random.normal(key, x.shape, x.dtype)


def _mask_shape(noise_shape: tuple[int | None, ...], x: Array, owner: object) -> tuple[Any, ...]:
    fits = len(noise_shape) == x.ndim and all(
        size in (None, 1) or size == actual for size, actual in zip(noise_shape, x.shape, strict=True)
    )
    if not fits:
        raise ShapeError(
            f"{owner_name(owner)}: noise_shape must have one entry for each axis of the input, being None, 1 or "
            f"the axis's size; received {noise_shape} for an input of shape {shape_text(Spec(x.shape, x.dtype))}."
            " Put None where every position decides for itself, 1 where they share."
        )
    return tuple(actual if size is None else size for size, actual in zip(noise_shape, x.shape, strict=True))
