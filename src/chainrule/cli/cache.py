"""JAX's compiled programs, kept between processes in the user's own cache folder.

A compiled program is code: whoever can write the folder can run what he likes. So it belongs to the user alone, and
a folder that others can write is not used.
"""

from __future__ import annotations

import os
from pathlib import Path

import jax

from chainrule._base.user_cache import cache_path, is_private, private_folder


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/chainrule/compiled``, by default below ``~/.cache``."""
    return cache_path("compiled")


def enable_cache() -> bool:
    """Keep compiled programs from now on; returns whether that could be done safely.

    ``JAX_COMPILATION_CACHE_DIR`` is left alone where it is set, and ``CHAINRULE_CACHE=off`` switches this off.
    """
    if os.environ.get("JAX_COMPILATION_CACHE_DIR") or (folder := private_folder("compiled")) is None:
        return False
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return True


__all__ = ["cache_folder", "enable_cache", "is_private"]
