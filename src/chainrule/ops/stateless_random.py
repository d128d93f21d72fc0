"""Cheap random bits for dropout masks: an integer hash of (key, position).

JAX's own generator (threefry) is what everything else uses; it takes about ten times as long per number on a CPU,
which is felt where every activation needs a bit at every step. The hash here is a counter through a well-tested
32-bit mixer, twice; it is good enough for masks and noise, and it is not meant for anything cryptographic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_number
from chainrule._base.rng import Key
from chainrule._base.spec import Array

_BITS = 24  # as many as a float32 holds exactly
_GOLDEN = np.uint32(0x9E3779B9)  # 2³² / golden ratio: neighbouring positions land far apart
_FIRST, _SECOND = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)  # the multipliers of lowbias32


def hash_bits(key: Key, shape: Sequence[Any]) -> Array:
    """24 random bits for every position of ``shape``, as uint32; the same key gives the same bits.

    ``Any``: integers, or JAX's symbolic sizes. Positions are counted in 32 bits, so arrays of more than 2³²
    elements repeat the pattern.

    References:
        Wellons, "Prospecting for Hash Functions", 2018 (the mixer ``lowbias32``),
        https://nullprogram.com/blog/2018/07/31/.

    Example:
        >>> import jax
        >>> bits = hash_bits(jax.random.key(0), (2, 3))
        >>> bits.shape, bits.dtype, bool((bits < 2**24).all())
        ((2, 3), dtype('uint32'), True)
    """
    first, second = _words(key)
    position = jax.lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
    mixed = _mix(_mix(position * _GOLDEN + first) ^ second)
    return mixed >> (32 - _BITS)


def hash_uniform(key: Key, shape: Sequence[Any]) -> Array:
    """Numbers in [0, 1) with 24 random bits each, as float32.

    Example:
        >>> import jax
        >>> numbers = hash_uniform(jax.random.key(0), (10_000,))
        >>> bool(abs(numbers.mean() - 0.5) < 0.01)
        True
    """
    return hash_bits(key, shape).astype(jnp.float32) * 2.0**-_BITS


def hash_bernoulli(key: Key, probability: float, shape: Sequence[Any]) -> Array:
    """Booleans that are true with ``probability`` (rounded to 24 bits).

    Example:
        >>> import jax
        >>> kept = hash_bernoulli(jax.random.key(0), 0.75, (10_000,))
        >>> bool(abs(kept.mean() - 0.75) < 0.02)
        True
    """
    check_number("probability", probability, "hash_bernoulli", at_least=0, at_most=1)
    bits: Array = hash_bits(key, shape)
    return jnp.less(bits, round(probability * 2**_BITS))


def _words(key: Key) -> tuple[Array, Array]:
    """Two words of the key; of generators with longer keys every word takes part."""
    first, *rest = jax.random.key_data(key).reshape(-1).astype(jnp.uint32)
    second = first
    for word in rest:
        second = _mix(second) ^ word
    return first, second


def _mix(bits: Array) -> Array:
    """Two rounds of xor-shift and odd multiplication: a bijection of 32 bits in which every input bit matters."""
    bits = bits ^ (bits >> 16)
    bits = bits * _FIRST
    bits = bits ^ (bits >> 15)
    bits = bits * _SECOND
    return bits ^ (bits >> 16)
