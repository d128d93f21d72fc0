"""Initial weights: frozen callables ``(key, shape, dtype) -> Array``.

Every random initializer draws in at least float32 and then rounds to the wanted dtype, so that half-precision weights
are not drawn from a coarse grid. Where Keras's classes take a ``seed``, these take a key: the same key and shape
always give the same weights. Any function ``(key, shape, dtype) -> Array`` serves too, those of
``jax.nn.initializers`` among them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import jax
import jax.numpy as jnp

from chainrule._base.checks import check_number, describe
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule._base.policy import wide_dtype
from chainrule._base.registry import Registry, register_class, register_function
from chainrule._base.rng import Key
from chainrule._base.spec import Array, DType, Initializer

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "LecunNormal",
    "LecunUniform",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "fans",
    "get",
    "ones",
    "zeros",
]

C = TypeVar("C", bound=Callable[..., Initializer])

initializers: Registry[Callable[[], Initializer]] = Registry("initializer")

# Standard deviation of the standard normal cut off at -2 and 2: sqrt(1 - 4 φ(2) / (2 Φ(2) - 1)).
_TRUNCATED_STDDEV = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


def get(initializer: str | Initializer) -> Initializer:
    """The initializer of that name, with its default arguments; a callable is passed on as it is.

    Raises:
        UnknownNameError: for a name that is not registered; suggests the nearest.

    Example:
        >>> get("glorot_uniform")
        GlorotUniform()
    """
    if isinstance(initializer, str):
        return initializers[initializer]()
    if callable(initializer) and not isinstance(initializer, type):
        return initializer
    raise ArgumentTypeError(
        f"initializer must be a name, an initializer or a function (key, shape, dtype) -> Array; received "
        f"{describe(initializer)}. Type 'glorot_uniform', or GlorotUniform() with its parentheses."
    )


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Number of inputs and of outputs of one unit, ``(fan_in, fan_out)``, of a weight of this shape.

    ``[in, out]`` of a dense kernel; a convolution kernel ``[height, width, in, out]`` counts every pixel of its
    window: ``fan_in = height · width · in``, ``fan_out = height · width · out``. A vector has both equal to its
    length (as in Keras), a scalar both 1.

    Example:
        >>> fans((784, 128)), fans((3, 5, 2, 7))
        ((784, 128), (30, 105))
    """
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def zeros(key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> Array:  # noqa: ARG001 - the protocol's key
    """Zeros. For biases; a kernel of zeros gives every unit of a layer the same updates for ever.

    Example:
        >>> zeros(jax.random.key(0), (3,)).tolist()
        [0.0, 0.0, 0.0]
    """
    return jnp.zeros(shape, dtype)


def ones(key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> Array:  # noqa: ARG001 - the protocol's key
    """Ones. For the scale of a normalisation.

    Example:
        >>> ones(jax.random.key(0), (3,)).tolist()
        [1.0, 1.0, 1.0]
    """
    return jnp.ones(shape, dtype)


def _register(name: str, *synonyms: str, class_name: str | None = None) -> Callable[[C], C]:
    def add(cls: C) -> C:
        register_class(cls, class_name)  # type: ignore[arg-type]  # classes whose objects are functions
        return initializers.register(cls, name, synonyms=synonyms)

    return add


register_function(zeros)
register_function(ones)
initializers.register(lambda: zeros, "zeros")
initializers.register(lambda: ones, "ones")


@_register("constant")
@dataclass(frozen=True)
class Constant:
    """Every weight is ``value``.

    Example:
        >>> Constant(0.5)(jax.random.key(0), (2,)).tolist()
        [0.5, 0.5]
    """

    value: float = 0.0

    def __post_init__(self) -> None:
        check_number("value", self.value, self)

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> Array:  # noqa: ARG002
        """An array of ``value``."""
        return jnp.full(shape, self.value, dtype)


@_register("random_normal", "normal")
@dataclass(frozen=True)
class RandomNormal:
    """``w ~ N(mean, stddev²)``, independent of the layer's size.

    Example:
        >>> RandomNormal(stddev=0.01)(jax.random.key(0), (2, 3)).shape
        (2, 3)
    """

    mean: float = 0.0
    stddev: float = 0.05

    def __post_init__(self) -> None:
        check_number("mean", self.mean, self)
        check_number("stddev", self.stddev, self, at_least=0)

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> Array:
        """Draw the weights."""
        return (self.mean + self.stddev * jax.random.normal(key, shape, wide_dtype(dtype))).astype(dtype)


@_register("random_uniform", "uniform")
@dataclass(frozen=True)
class RandomUniform:
    """``w ~ U[minval, maxval)``.

    Example:
        >>> weights = RandomUniform(2.0, 3.0)(jax.random.key(0), (100,))
        >>> bool((weights >= 2).all() and (weights < 3).all())
        True
    """

    minval: float = -0.05
    maxval: float = 0.05

    def __post_init__(self) -> None:
        check_number("minval", self.minval, self)
        check_number("maxval", self.maxval, self, at_least=self.minval)

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> Array:
        """Draw the weights."""
        return jax.random.uniform(key, shape, wide_dtype(dtype), self.minval, self.maxval).astype(dtype)


@_register("truncated_normal")
@dataclass(frozen=True)
class TruncatedNormal:
    """``w ~ N(mean, stddev²)``, drawn again beyond two standard deviations.

    ``stddev`` is that of the normal before the cut, as in Keras; the weights' own is 0.8796 of it.

    Example:
        >>> weights = TruncatedNormal(stddev=0.1)(jax.random.key(0), (1000,))
        >>> bool((abs(weights) <= 0.2).all())
        True
    """

    mean: float = 0.0
    stddev: float = 0.05

    def __post_init__(self) -> None:
        check_number("mean", self.mean, self)
        check_number("stddev", self.stddev, self, at_least=0)

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> Array:
        """Draw the weights."""
        draw = jax.random.truncated_normal(key, -2.0, 2.0, shape, wide_dtype(dtype))
        return (self.mean + self.stddev * draw).astype(dtype)


class ScaledUniform:
    """Base of ``w ~ U[-r, r)`` with ``r = √(3 · variance)`` chosen from the fans of the shape."""

    scale: ClassVar[tuple[float, str]]  # variance · size, and which size: "in" or "average" of in and out

    def limit(self, shape: Sequence[int]) -> float:
        """The ``r`` of a weight of this shape."""
        return math.sqrt(3 * _variance(self.scale, shape))

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> Array:
        """Draw the weights."""
        limit = self.limit(shape)
        return jax.random.uniform(key, shape, wide_dtype(dtype), -limit, limit).astype(dtype)


class ScaledNormal:
    """Base of a normal, cut at two standard deviations, whose variance *after* the cut is chosen from the fans.

    Keras and JAX cut and correct alike; PyTorch does not cut.
    """

    scale: ClassVar[tuple[float, str]]  # variance · size, and which size: "in" or "average" of in and out

    def stddev(self, shape: Sequence[int]) -> float:
        """The standard deviation of a weight of this shape."""
        return math.sqrt(_variance(self.scale, shape))

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> Array:
        """Draw the weights."""
        return TruncatedNormal(stddev=self.stddev(shape) / _TRUNCATED_STDDEV)(key, shape, dtype)


@_register("glorot_uniform", "xavier_uniform")
@dataclass(frozen=True)
class GlorotUniform(ScaledUniform):
    """``w ~ U[-r, r)``, ``r = √(6 / (n_in + n_out))``: keeps the variance of signals forward and backward.

    The default of dense and convolution kernels, derived for activations that are linear near 0.

    Example:
        >>> round(GlorotUniform().limit((784, 128)), 7)
        0.0811107

    References:
        Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, eq. 16.
    """

    scale: ClassVar[tuple[float, str]] = (1.0, "average")


@_register("glorot_normal", "xavier_normal")
@dataclass(frozen=True)
class GlorotNormal(ScaledNormal):
    """A cut normal with ``variance = 2 / (n_in + n_out)``; see :class:`GlorotUniform`.

    Example:
        >>> GlorotNormal().stddev((3, 5))
        0.5
    """

    scale: ClassVar[tuple[float, str]] = (1.0, "average")


@_register("he_uniform", "kaiming_uniform")
@dataclass(frozen=True)
class HeUniform(ScaledUniform):
    """``w ~ U[-r, r)``, ``r = √(6 / n_in)``: for layers followed by ReLU, which passes half of the variance.

    Example:
        >>> HeUniform().limit((24, 7))
        0.5

    References:
        He et al., "Delving deep into rectifiers", 2015, https://arxiv.org/abs/1502.01852, eq. 10.
    """

    scale: ClassVar[tuple[float, str]] = (2.0, "in")


@_register("he_normal", "kaiming_normal")
@dataclass(frozen=True)
class HeNormal(ScaledNormal):
    """A cut normal with ``variance = 2 / n_in``; see :class:`HeUniform`.

    Example:
        >>> HeNormal().stddev((8, 3))
        0.5
    """

    scale: ClassVar[tuple[float, str]] = (2.0, "in")


@_register("lecun_uniform")
@dataclass(frozen=True)
class LecunUniform(ScaledUniform):
    """``w ~ U[-r, r)``, ``r = √(3 / n_in)``: unit variance in and out (LeCun et al., "Efficient BackProp", 1998).

    Example:
        >>> LecunUniform().limit((12, 7))
        0.5
    """

    scale: ClassVar[tuple[float, str]] = (1.0, "in")


@_register("lecun_normal")
@dataclass(frozen=True)
class LecunNormal(ScaledNormal):
    """A cut normal with ``variance = 1 / n_in``; the one that SELU assumes (https://arxiv.org/abs/1706.02515).

    Example:
        >>> LecunNormal().stddev((4, 7))
        0.5
    """

    scale: ClassVar[tuple[float, str]] = (1.0, "in")


@_register("orthogonal")
@dataclass(frozen=True)
class Orthogonal:
    """Orthonormal rows or columns, whichever are fewer, times ``gain``; keeps lengths over many time steps.

    All axes but the last count as rows. Drawn uniformly: the QR factor of a normal matrix with the signs fixed.

    Example:
        >>> w = Orthogonal()(jax.random.key(0), (4, 3))
        >>> bool(abs(w.T @ w - jnp.eye(3)).max() < 1e-6)
        True

    References:
        Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear networks", 2014,
        https://arxiv.org/abs/1312.6120.
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        check_number("gain", self.gain, self)

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> Array:
        """Draw the weights."""
        if len(shape) < 2:
            raise ShapeError(
                f"Orthogonal: the weight must have at least two axes; received shape {tuple(shape)}. "
                "Use 'zeros' for biases."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = jax.random.normal(key, (max(rows, columns), min(rows, columns)), wide_dtype(dtype))
        q, r = jnp.linalg.qr(normal)
        q = q * jnp.sign(jnp.diagonal(r))[None, :]  # without it Q is not uniformly distributed
        if rows < columns:
            q = q.T
        return (self.gain * q).reshape(shape).astype(dtype)


@_register("identity", "eye", class_name="IdentityInitializer")  # a layer is called Identity too
@dataclass(frozen=True)
class Identity:
    """``gain`` on the main diagonal, 0 elsewhere; for matrices only.

    Example:
        >>> Identity()(jax.random.key(0), (2, 3)).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        check_number("gain", self.gain, self)

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> Array:  # noqa: ARG002
        """The matrix."""
        if len(shape) != 2:
            raise ShapeError(f"Identity: the weight must be a matrix; received shape {tuple(shape)}. Use Orthogonal().")
        return self.gain * jnp.eye(*shape, dtype=dtype)


def _variance(scale: tuple[float, str], shape: Sequence[int]) -> float:
    fan_in, fan_out = fans(shape)
    size = fan_in if scale[1] == "in" else (fan_in + fan_out) / 2
    if size == 0:
        raise ArgumentError(f"initializer: no size of the weight may be 0; received shape {tuple(shape)}.")
    return scale[0] / size
