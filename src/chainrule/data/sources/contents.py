"""What a folder holds: how many images and how many texts, counted by the endings of the files' names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from chainrule._base.wording import counted
from chainrule.data.sources.image_decoding import ENDINGS

TABLE_ENDINGS = (".csv", ".tsv", ".tab", ".parquet", ".pq", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
NO_DATA = ("readme", "license", "licence", "changelog", "notice")  # stems of files that come with data
_TEXT_ENDINGS = (".txt", ".text")
PACKED = (".zip", ".gz", ".npz", ".npy")


@dataclass(frozen=True)
class Contents:
    """Numbers of files, at any depth.

    Args:
        images: image files.
        texts: ``.txt`` files, and plain files directly in the folder, whatever their ending.
        archives: zip files.
    """

    images: int
    texts: int
    archives: int

    @property
    def are_images(self) -> bool:
        """Whether the folder is one of images: it has some, and no more texts than images; or a zip file."""
        return self.archives > 0 or 0 < self.images >= self.texts

    def __str__(self) -> str:
        return f"{counted(self.images, 'image', 'images')} and {counted(self.texts, 'text', 'texts')}"


def contents_of(folder: Path) -> Contents:
    """Count the files of ``folder``; hidden ones do not count."""
    images, texts, archives = 0, 0, 0
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        for path in (Path(name) for name in names if not name.startswith(".")):
            ending = path.suffix.lower()
            images += ending in ENDINGS
            archives += ending == ".zip"
            texts += ending in _TEXT_ENDINGS or (Path(where) == folder and _is_plain(path))
    return Contents(images, texts, archives)


def _is_plain(path: Path) -> bool:
    known = (*ENDINGS, *TABLE_ENDINGS, *PACKED)
    return path.suffix.lower() not in known and path.stem.lower() not in NO_DATA
