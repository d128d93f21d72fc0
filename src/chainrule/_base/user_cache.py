"""The user's own cache folder: where it is, and whether it can be trusted.

What a cache holds is believed later, so it belongs to the user alone; a folder that others can write is not used.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def cache_path(name: str) -> Path:
    """``$XDG_CACHE_HOME/chainrule/<name>``, by default below ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "chainrule" / name


def private_folder(name: str) -> Path | None:
    """The folder ``name`` of the cache, made if need be; ``None`` if there can be none that is safe.

    ``CHAINRULE_CACHE=off`` switches all caches off.
    """
    if os.environ.get("CHAINRULE_CACHE", "").lower() == "off":
        return None
    try:
        folder = cache_path(name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder if is_private(folder) else None
    except (OSError, RuntimeError):  # no home folder, or a read-only one
        return None


def is_private(folder: Path) -> bool:
    """Whether ``folder`` is a real folder of this user that nobody else can write."""
    status = folder.lstat()
    own = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return stat.S_ISDIR(status.st_mode) and own and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
