"""Decoded images, kept on disk so that the next training on the same files need not decode them again.

One ``.npz`` file for each set of files and each size asked for, in a folder of the user's own: plain arrays, never
Python objects, with the checksums of the zip format. Its name is a digest of all that the pixels depend on: the paths,
sizes and times of change of all files, and the size and channels wanted. So a changed file is simply another name; a
damaged cache is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from chainrule.data.sources.image_tree import ImageFile

VERSION = "1"  # of the decoding: raise it where decoded pixels change
MOST_BYTES = 1 << 32  # of all cached sets together; the oldest are removed
WORTH_SECONDS = 2.0  # of decoding, from which a set is kept
_ENDING = ".npz"


@dataclass(frozen=True, eq=False)
class Kept:
    """What a cache holds of a set of images.

    Args:
        pixels: uint8 [files, height, width, channels].
        notes: what was changed, a sentence each.
    """

    pixels: np.ndarray = field(repr=False)
    notes: tuple[str, ...]


def cached_path(folder: Path, files: Sequence[ImageFile], wanted: str) -> Path | None:
    """Where the decoded ``files`` are, or would be; ``None`` if a file does not say when it was changed.

    Args:
        folder: of the cache.
        files: in their order.
        wanted: size and channels, in words.
    """
    if not all(file.stamp for file in files):
        return None
    digest = hashlib.blake2b(f"{VERSION}\n{wanted}\n".encode(), digest_size=20)
    for file in files:
        digest.update(f"{file.stamp}\n".encode("utf-8", "surrogateescape"))
    return folder / f"{digest.hexdigest()}{_ENDING}"


def load(path: Path, num_files: int) -> Kept | None:
    """What is cached at ``path`` for so many files; ``None`` if there is nothing, or nothing sound."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            pixels, notes = file["pixels"], file["notes"]
        os.utime(path)  # used now, so removed last
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or len(pixels) != num_files or notes.dtype.kind != "U":
        return None
    return Kept(pixels, tuple(str(note) for note in notes))


def store(path: Path, kept: Kept) -> bool:
    """Keep decoded images at ``path``, whole or not at all; returns whether they are there now.

    A cache is a convenience: where it cannot be written, or would not fit, there is none.
    """
    if kept.pixels.nbytes > MOST_BYTES // 2:
        return False
    beside = None
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, pixels=kept.pixels, notes=np.array(kept.notes, np.str_))
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
        _remove_oldest(path)
    except OSError:
        if beside is not None:
            with contextlib.suppress(OSError):
                Path(beside).unlink(missing_ok=True)
        return False
    return True


def _remove_oldest(newest: Path) -> None:
    """Remove the sets used longest ago until the rest is small enough; ``newest`` stays."""
    sizes = {path: path.stat() for path in newest.parent.iterdir() if path.suffix in (_ENDING, ".part")}
    total = sum(status.st_size for status in sizes.values())
    for path in sorted(sizes, key=lambda path: sizes[path].st_mtime):
        if total <= MOST_BYTES:
            return
        if path != newest:
            path.unlink(missing_ok=True)
            total -= sizes[path].st_size
