"""What a convolutional layer computes, checked: cross-correlation, and convolution once the kernel is flipped."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from chainrule._base.errors import ShapeError
from chainrule.ops.convolution import conv

Floats = npt.NDArray[np.float64]


class FlipCheck(NamedTuple):
    """What the layer's operation gives with a kernel and with the kernel flipped, beside both sums written out.

    Args:
        layer: with the kernel as it is.
        correlation: ``Σ_k x[p + k] · w[k]``.
        flipped: with the kernel turned round along each axis.
        convolution: ``Σ_k x[p + K − 1 − k] · w[k]``, mathematics' convolution where the kernel lies inside the input.
    """

    layer: Floats
    correlation: Floats
    flipped: Floats
    convolution: Floats

    @property
    def holds(self) -> bool:
        """Whether the layer correlates, and convolves with the kernel flipped, up to float32 rounding."""
        pairs = ((self.layer, self.correlation), (self.flipped, self.convolution))
        return all(np.allclose(a, b, rtol=1e-4, atol=1e-5 * max(1.0, float(np.abs(b).max()))) for a, b in pairs)

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "does not hold"
        return (
            "the layer gives the cross-correlation Σ x[p + k]·w[k]; with the kernel flipped it gives the convolution "
            f"Σ x[p − k]·w[k]: {verdict} at {self.layer.size} positions"
        )


def flip_check(x: npt.ArrayLike, kernel: npt.ArrayLike) -> FlipCheck:
    """Check on numbers that the convolution of networks is cross-correlation, and how to get the one of mathematics.

    Learned kernels make the difference immaterial: a network that flipped them would learn them flipped.

    Args:
        x: one map.
        kernel: one window of weights.

    Shapes:
        x: [height, width]; kernel: [rows, columns], at most as large -> [height − rows + 1, width − columns + 1].

    Raises:
        ShapeError: they do not have two axes each, or the kernel is larger than the map.

    Example:
        >>> made = flip_check([[1, 2, 4], [0, 1, 0]], [[1, 10]])
        >>> made.correlation.tolist(), made.convolution.tolist(), made.holds
        ([[21.0, 42.0], [10.0, 1.0]], [[12.0, 24.0], [1.0, 10.0]], True)
    """
    image, weights = np.asarray(x, np.float64), np.asarray(kernel, np.float64)
    if image.ndim != 2 or weights.ndim != 2 or any(k > n for n, k in zip(image.shape, weights.shape, strict=True)):
        raise ShapeError(
            "flip_check: x and kernel must have two axes each, the kernel no larger than x; received shapes "
            f"{image.shape} and {weights.shape}. Pass one channel: x[0, :, :, 0]."
        )
    turned = weights[::-1, ::-1]
    return FlipCheck(_layer(image, weights), _sums(image, weights), _layer(image, turned), _sums(image, turned))


def _layer(image: Floats, weights: Floats) -> Floats:
    x = jnp.asarray(image, jnp.float32)[None, :, :, None]
    y = conv(x, jnp.asarray(weights, jnp.float32)[:, :, None, None])
    return np.asarray(y[0, :, :, 0], np.float64)


def _sums(image: Floats, weights: Floats) -> Floats:
    """``Σ_k x[p + k] · w[k]`` at every position."""
    windows = np.lib.stride_tricks.sliding_window_view(image, weights.shape)  # [positions..., rows, columns]
    summed: Floats = np.einsum("pqij,ij->pq", windows, weights)
    return summed
