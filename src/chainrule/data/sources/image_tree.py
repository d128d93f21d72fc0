"""Trees of image files: folders, or zip files of such folders, with a class for each folder.

Two layouts are known, with any number of common folders around them::

    cats/1.jpg  cats/2.jpg  dogs/1.jpg                                 classes
    train/cats/1.jpg  train/dogs/1.jpg  test/cats/1.jpg  val/...       given parts, then classes

Folders within a class's folder belong to the class. ``train.zip`` and ``test.zip`` side by side are read as the second
layout. Other files are left out and counted; hidden ones are not even counted.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from chainrule._base.errors import DataError
from chainrule._base.wording import counted
from chainrule.data.sources.archive import Archive
from chainrule.data.sources.encoding import shown_name
from chainrule.data.sources.image_decoding import ENDINGS, MOST_BYTES

_NAMED = 5  # folders in a note
PARTS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ImageFile:
    """One image file of a tree.

    Args:
        name: its path within the tree, with slashes.
        read: gives its bytes.
        label: the class's name; ``None`` where no class was asked for.
        part: ``train``, ``validation`` or ``test``, if the tree is divided.
        stamp: where it lies, its size and its time of change; empty if unknown.
    """

    name: str
    read: Callable[[], bytes]
    label: str | None = None
    part: str | None = None
    stamp: str = ""


def find_images(source: str | Path, *, labelled: bool = True) -> tuple[list[ImageFile], tuple[str, ...]]:
    """The image files of a folder, a zip file, or a single file, in the order of their names; and notes.

    Raises:
        DataError: there is none; or, with ``labelled``, one that lies in no class's folder.
    """
    path = Path(source)
    if path.is_file() and path.suffix.lower() != ".zip":
        return [ImageFile(path.name, _reader(path))], ()
    found, others = _from_zip(path) if path.is_file() else _from_folder(path)
    if not found:
        raise DataError(f"{path.name}: it holds no image ({', '.join(ENDINGS)}). Name the folder with the images.")
    of = "file is no image and was left out."
    notes = (counted(others, of, "files are no images and were left out."),) if others else ()
    if not labelled:
        return found, notes
    arranged, said = _arranged(found, path.name)
    return arranged, (*said, *notes)


def _visible(folders: list[str], names: Sequence[str]) -> list[str]:
    folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
    return sorted(name for name in names if not name.startswith("."))


def _from_folder(folder: Path) -> tuple[list[ImageFile], int]:
    found, others = [], 0
    for where, folders, names in os.walk(folder):
        for name in _visible(folders, names):
            path = Path(where) / name
            relative = shown_name(path.relative_to(folder).as_posix())
            if path.suffix.lower() in ENDINGS:
                found.append(ImageFile(relative, _reader(path), stamp=_stamp(path)))
            elif path.suffix.lower() == ".zip":
                inside, more = _from_zip(path)
                found += [dataclasses.replace(file, name=_within(relative, file.name)) for file in inside]
                others += more
            else:
                others += 1
    return sorted(found, key=lambda file: file.name), others


def _within(archive: str, member: str) -> str:
    """``train.zip`` with ``train/cat/1.jpg`` or with ``cat/1.jpg``: both are ``train/cat/1.jpg``."""
    folder = archive[: -len(".zip")]
    return member if member.split("/")[0] == PurePosixPath(folder).name else f"{folder}/{member}"


def _from_zip(path: Path) -> tuple[list[ImageFile], int]:
    archive = Archive(path, most_member_bytes=MOST_BYTES)
    visible = [
        name for name in archive.names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    ]
    images = [name for name in visible if name.lower().endswith(ENDINGS)]
    stamp = _stamp(path)
    files = [
        ImageFile(name, functools.partial(archive.read, name), stamp=stamp and f"{stamp}\0{name}") for name in images
    ]
    return files, len(visible) - len(images)


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:  # a dangling link, say: reading it will name it
        return ""
    return f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}"


def _reader(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            size = path.stat().st_size
            if size > MOST_BYTES:
                raise DataError(f"{path.name}: expected at most {MOST_BYTES:,} bytes; received {size:,}.")
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"{path.name}: the file cannot be read ({error.strerror}).") from error

    return read


def _arranged(files: list[ImageFile], source: str) -> tuple[list[ImageFile], tuple[str, ...]]:
    """The files with class and part, from their paths alone; and a note if folders lie within the classes'."""
    paths = [PurePosixPath(file.name).parts for file in files]
    while all(len(path) > 2 for path in paths) and len({path[0] for path in paths}) == 1:
        paths = [path[1:] for path in paths]
    first = {path[0].lower() for path in paths if len(path) > 1}
    is_deep = any(len(path) > 2 for path in paths)
    is_divided = is_deep and first <= set(PARTS) and "train" in {PARTS[name] for name in first}
    depth = 2 if is_divided else 1
    made = []
    for file, path in zip(files, paths, strict=True):
        if len(path) <= depth:
            raise DataError(
                f"{source}: {file.name}: the image lies in no class's folder. Put every image into a folder that is "
                "called like its class, as in cats/1.jpg or train/cats/1.jpg."
            )
        part = PARTS[path[0].lower()] if is_divided else None
        made.append(dataclasses.replace(file, label=path[depth - 1], part=part))
    return made, _inner_folders([path[depth - 1 : -1] for path in paths])


def _inner_folders(folders: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """A note where classes have folders of their own, since those might have been meant."""
    inner = list(dict.fromkeys(path[1] for path in folders if len(path) > 1))
    if not inner:
        return ()
    listed = ", ".join(inner[:_NAMED]) + (", ..." if len(inner) > _NAMED else "")
    return (
        f"Folders within a class's folder ({listed}) belong to that class; if these are the classes, name the folder "
        "that holds them.",
    )
