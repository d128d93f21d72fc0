"""Mixup: each example of a batch blended with another, inputs and losses alike."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from chainrule._base.rng import Key, key_for
from chainrule._base.spec import Array
from chainrule.ops.stateless_random import hash_uniform
from chainrule.train.state import Batch

_QUANTILES = 4_097  # of the distribution of the share; between two of them it is interpolated
_DRAWS = 400_000


def mixed(batch: Batch, key: Key, alpha: float) -> tuple[tuple[Array, ...], tuple[Array, ...], Array]:
    """``λ x_i + (1 − λ) x_j`` with ``λ`` from Beta(α, α), one for the batch, and the targets ``y_j``.

    ``j`` follows ``i`` in the batch, whose order is random already. The loss to minimise is
    ``λ l(y_i) + (1 − λ) l(y_j)``, which for the cross-entropy is that of mixed one-hot targets.

    Args:
        batch: of the step; integers (bytes of images) are rounded after mixing.
        key: of the step.
        alpha: 0.2 mixes little most of the time, 1 evenly.

    Returns:
        The mixed inputs, the other targets, and ``λ``.

    References:
        Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2017, https://arxiv.org/abs/1710.09412.

    Example:
        >>> import jax
        >>> batch = Batch((jnp.array([[0.0], [1.0]]),), (jnp.array([3, 4]),), jnp.ones(2))
        >>> (x,), (y,), share = mixed(batch, jax.random.key(0), 1.0)
        >>> bool(jnp.allclose(x[:, 0], jnp.array([1 - share, share]))), y.tolist()
        (True, [4, 3])
    """
    uniform = hash_uniform(key_for(key, "mixup"), (1,)) * (_QUANTILES - 1)
    share = jnp.interp(uniform, jnp.arange(_QUANTILES, dtype=jnp.float32), jnp.asarray(_quantiles(alpha)))[0]

    def blend(x: Array) -> Array:
        other = jnp.roll(x, -1, axis=0)
        if jnp.issubdtype(x.dtype, jnp.floating):
            return share.astype(x.dtype) * x + (1 - share).astype(x.dtype) * other
        wide = share * x.astype(jnp.float32) + (1 - share) * other.astype(jnp.float32)
        return jnp.round(wide).astype(x.dtype)

    return tuple(map(blend, batch.x)), tuple(jnp.roll(y, -1, axis=0) for y in batch.y), share


def _quantiles(alpha: float) -> np.ndarray:
    """Beta(α, α) at equal steps of probability, from many draws: JAX's own sampler takes seconds to compile."""
    drawn = np.random.default_rng(0).beta(alpha, alpha, _DRAWS)
    return np.quantile(drawn, np.linspace(0, 1, _QUANTILES)).astype(np.float32)
