"""Trees of image files: folders, or zip files of such folders, with a class for each folder.

Two layouts are known, with any number of common folders around them::

    cats/1.jpg  cats/2.jpg  dogs/1.jpg                                 classes
    train/cats/1.jpg  train/dogs/1.jpg  test/cats/1.jpg  val/...       given parts, then classes

Folders within a class's folder belong to the class; a few images beside the classes' folders are left out, with a note.
``train.zip`` and ``test.zip`` side by side are read as the second layout. Other files are left out and counted; hidden
ones are not even counted.
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

_NAMED = 5  # folders or images in a note
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
        DataError: there is none; or, with ``labelled``, more lie in no class's folder than in one.
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
    """The files with class and part, from their paths alone; and notes on those left out and on folders in classes'."""
    paths = [PurePosixPath(file.name).parts for file in files]
    while (inside := [path for path in paths if len(path) > 1]) and _is_common(inside):
        paths = [path[1:] or path for path in paths]
    first = {path[0].lower() for path in inside}
    is_deep = any(len(path) > 2 for path in paths)
    is_divided = is_deep and first <= set(PARTS) and "train" in {PARTS[name] for name in first}
    depth = 2 if is_divided else 1
    placed = [(file, path) for file, path in zip(files, paths, strict=True) if len(path) > depth]
    strays = [file.name for file, path in zip(files, paths, strict=True) if len(path) <= depth]
    if len(placed) < len(strays):
        raise DataError(
            f"{source}: {strays[0]}: the image lies in no class's folder. Put every image into a folder that is "
            "called like its class, as in cats/1.jpg or train/cats/1.jpg."
        )
    made = [
        dataclasses.replace(file, label=path[depth - 1], part=PARTS[path[0].lower()] if is_divided else None)
        for file, path in placed
    ]
    return made, (*_strays(strays), *_inner_folders([path[depth - 1 : -1] for _, path in placed]))


def _is_common(paths: Sequence[tuple[str, ...]]) -> bool:
    """Whether all paths begin with one folder that is no class's."""
    return all(len(path) > 2 for path in paths) and len({path[0] for path in paths}) == 1


def _strays(names: Sequence[str]) -> tuple[str, ...]:
    """A note on images that lie beside the classes' folders."""
    if not names:
        return ()
    listed = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    lies = counted(len(names), "image lies in no class's folder and was", "images lie in no class's folder and were")
    return (f"{lies} left out ({listed}).",)


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
