"""Keys that hang on names, not on order: adding a layer leaves every other layer's numbers as they were."""

from __future__ import annotations

import zlib

import jax

Key = jax.Array


def root_key(seed: int) -> Key:
    """The key from which everything random in one model or run is derived."""
    return jax.random.key(seed)


def key_for(key: Key, name: str) -> Key:
    """Fold ``name`` into ``key``; the same name always gives the same key.

    Example:
        >>> key = root_key(0)
        >>> bool((key_for(key, "dense/kernel") == key_for(key, "dense/kernel")).all())
        True
    """
    return jax.random.fold_in(key, zlib.crc32(name.encode()))
