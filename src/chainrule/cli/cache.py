"""JAX's compiled programs, kept between processes in the user's own cache folder.

A compiled program is code: whoever can write the folder can run what he likes. So it belongs to the user alone, and
a folder that others can write is not used.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import jax


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/chainrule/compiled``, by default below ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "chainrule" / "compiled"


def enable_cache() -> bool:
    """Keep compiled programs from now on; returns whether that could be done safely.

    ``JAX_COMPILATION_CACHE_DIR`` is left alone where it is set, and ``CHAINRULE_CACHE=off`` switches this off.
    """
    if os.environ.get("CHAINRULE_CACHE", "").lower() == "off" or os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return False
    try:
        folder = cache_folder()
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if not is_private(folder):
            return False
    except (OSError, RuntimeError):  # no home folder, or a read-only one
        return False
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return True


def is_private(folder: Path) -> bool:
    """Whether ``folder`` is a real folder of this user that nobody else can write."""
    status = folder.lstat()
    own = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return stat.S_ISDIR(status.st_mode) and own and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
