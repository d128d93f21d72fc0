"""Where a run's numbers come from: the source, its checksum, and the versions of what computed them."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PACKAGES = ("chainrule", "jax", "numpy", "polars")
_HASHED_AT_ONCE = 1 << 20


def versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


def sha256(path: Path) -> str:
    """The checksum of a file, in hexadecimal; of a folder, that of its files' names and checksums.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     empty = sha256(Path(folder))
        ...     _ = (Path(folder) / "a.txt").write_text("a")
        ...     file = sha256(Path(folder) / "a.txt")
        ...     filled = sha256(Path(folder))
        >>> file[:8], empty == filled
        ('ca978112', False)
    """
    digest = hashlib.sha256()
    if path.is_dir():
        for file in sorted(file for file in path.rglob("*") if file.is_file()):
            digest.update(f"{file.relative_to(path).as_posix()}\0{sha256(file)}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()
    with path.open("rb") as opened:
        while block := opened.read(_HASHED_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()


def source_path(source: Any) -> Path | None:  # Any: a path, or data in memory
    """The path, if ``source`` is one."""
    return Path(source) if isinstance(source, str | Path) else None
