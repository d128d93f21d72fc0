"""Position encodings: what tells attention, which is blind to order, where a step stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_number, check_positive_int, owner_name
from chainrule._base.errors import ShapeError
from chainrule._base.policy import wide_dtype
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, DType, Spec, Weight
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._declare import InitializerLike, RegularizerLike, check_rank, declare, known_size


@register_class
@dataclass(frozen=True, eq=False)
class SinusoidalPositionalEncoding(Layer):
    """Add waves of geometrically growing length to a sequence; nothing is learned, and any length will do.

    ``y[pos, 2i] = x + sin(pos / L^(2i/d))`` and ``y[pos, 2i + 1] = x + cos(pos / L^(2i/d))``, with the wavelengths from
    2π to L·2π. (KerasHub's layer returns the waves alone and leaves the sum to the caller.)

    Args:
        max_wavelength: L.
        name: name in the model.

    Shapes:
        x: [batch, time, d] -> the same.

    References:
        Vaswani et al., "Attention Is All You Need", 2017, https://arxiv.org/abs/1706.03762, section 3.5.

    Example:
        >>> import jax.numpy as jnp
        >>> SinusoidalPositionalEncoding().call({}, jnp.zeros((1, 2, 2)))[0, 0].tolist()
        [0.0, 1.0]
    """

    max_wavelength: float = 10_000.0
    name: str | None = None

    def __post_init__(self) -> None:
        check_number("max_wavelength", self.max_wavelength, self, above=0)

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # noqa: ARG002 - no weights
        """``x`` plus the waves."""
        check_rank(x, 3, self, exactly=True)
        waves = sinusoids(x.shape[1], known_size(x, 2, self), self.max_wavelength, wide_dtype(x.dtype))
        return x + waves[None].astype(x.dtype)


@register_class
@dataclass(frozen=True, eq=False)
class PositionEmbedding(Layer):
    """Add a learned vector for each position to a sequence.

    (KerasHub's layer returns the vectors alone and leaves the sum to the caller.)

    Args:
        sequence_length: number of positions, the longest sequence there can be.
        initializer: starting values.
        embeddings_regularizer: penalty on ``position_embeddings``.
        name: name in the model.

    Shapes:
        x: [batch, time, d] -> the same; position_embeddings: [sequence_length, d].

    Raises:
        ShapeError: the sequence is longer than ``sequence_length``.

    References:
        Gehring et al., "Convolutional Sequence to Sequence Learning", 2017, https://arxiv.org/abs/1705.03122, section
        3.1.

    Example:
        >>> import jax.numpy as jnp
        >>> table = {"position_embeddings": jnp.array([[1.0], [2.0], [3.0]])}
        >>> PositionEmbedding(3).call(table, jnp.zeros((1, 2, 1))).tolist()
        [[[1.0], [2.0]]]
    """

    sequence_length: int
    initializer: InitializerLike = "glorot_uniform"
    embeddings_regularizer: RegularizerLike = None
    name: str | None = None

    def __post_init__(self) -> None:
        check_positive_int("sequence_length", self.sequence_length, self)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """The table ``position_embeddings``."""
        check_rank(x, 3, self, exactly=True)
        shape = (self.sequence_length, known_size(x, 2, self))
        table = declare(shape, self.initializer, self.embeddings_regularizer, axes=("position", "out"))
        return {"position_embeddings": table}

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """``x`` plus the first rows of the table."""
        check_rank(x, 3, self, exactly=True)
        steps = x.shape[1]
        if isinstance(steps, int) and steps > self.sequence_length:
            raise ShapeError(
                f"{owner_name(self)}: sequences may have at most sequence_length={self.sequence_length} steps; "
                f"received {steps}. Cut them, or build the layer for longer ones."
            )
        rows = jnp.take(params["position_embeddings"], jnp.arange(steps), axis=0, mode="fill", fill_value=jnp.nan)
        return x + rows[None]


def sinusoids(steps: Any, size: int, max_wavelength: float = 10_000.0, dtype: DType = jnp.float32) -> Array:
    """The waves of :class:`SinusoidalPositionalEncoding`, ``[steps, size]``.

    ``Any``: an integer, or a symbolic size in shape inference.

    Example:
        >>> sinusoids(3, 4).shape
        (3, 4)
    """
    places = np.arange(size)
    rates = jnp.asarray(max_wavelength ** (-(places - places % 2) / size), dtype)
    angles = jnp.arange(steps).astype(dtype)[:, None] * rates[None, :]
    return jnp.where((places % 2 == 0)[None, :], jnp.sin(angles), jnp.cos(angles))
