"""Keys that hang on names, not on order: adding a layer leaves every other layer's numbers as they were."""

from __future__ import annotations

import zlib

import jax
import numpy as np

Key = jax.Array
_WORD = 0xFFFFFFFF


def root_key(seed: int) -> Key:
    """The key from which everything random in one model or run is derived; all bits of ``seed`` count.

    JAX alone drops the bits above the 32nd unless it is told to use 64-bit numbers.

    Example:
        >>> bool((root_key(0) == root_key(2**40)).all())
        False
    """
    key = jax.random.key(seed & _WORD)
    while seed := seed >> 32:
        key = jax.random.fold_in(key, np.uint32(seed & _WORD))
    return key


def key_for(key: Key, name: str) -> Key:
    """Fold ``name`` into ``key``; the same name always gives the same key.

    Example:
        >>> key = root_key(0)
        >>> bool((key_for(key, "dense/kernel") == key_for(key, "dense/kernel")).all())
        True
    """
    return jax.random.fold_in(key, zlib.crc32(name.encode()))
