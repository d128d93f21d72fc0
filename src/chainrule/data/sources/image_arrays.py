"""Images that come as arrays: in memory, in ``.npz`` files, or in pairs of IDX files."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from chainrule._base.checks import describe
from chainrule._base.errors import DataError
from chainrule.data.sources.archive import Archive
from chainrule.data.sources.idx import idx_pairs, read_idx

_LAYOUTS = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels"), ("x", "y"), ("images", "labels")),
    "validation": (("x_val", "y_val"), ("x_valid", "y_valid"), ("val_images", "val_labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
}
_IDX_PARTS = {
    "train": "train", "": "train", "t10k": "test", "test": "test", "val": "validation", "validation": "validation",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Arrays:
    """Images and labels of each part that a source gives.

    Args:
        images: part -> uint8 [n, height, width, channels].
        labels: part -> class numbers or names [n]; empty where none were asked for.
        notes: how values were changed.
    """

    images: dict[str, np.ndarray] = field(repr=False)
    labels: dict[str, np.ndarray] = field(repr=False)
    notes: tuple[str, ...] = ()


def from_arrays(source: Mapping[str, Any] | Sequence[Any], name: str, *, labelled: bool) -> Arrays:
    """Arrays in memory: ``(x, y)``, or a mapping with ``x`` and ``y``, or ``x_train``, ``y_train``, ``x_test``, ...

    ``Any``: whatever NumPy makes an array of.

    Raises:
        DataError: no images are there, or their shape or values are none of an image's.
    """
    if not isinstance(source, Mapping):
        source = dict(zip(("x", "y"), source, strict=False))
    by_name = {str(key).lower(): value for key, value in source.items()}
    images, labels, notes = {}, {}, []
    for part, layouts in _LAYOUTS.items():
        for x, y in layouts:
            if x not in by_name or part in images:
                continue
            images[part], said = as_pixels(np.asarray(by_name[x]), f"{name}: {x}")
            notes += [note for note in said if note not in notes]
            if labelled:
                labels[part] = _labels(by_name, x, y, len(images[part]), name)
    if not images:
        raise DataError(
            f"{name}: expected images under x and y, or under x_train, y_train, x_test and y_test; received "
            f"{', '.join(sorted(by_name)[:20]) or 'nothing'}. Rename the arrays."
        )
    return Arrays(images, labels, tuple(notes))


def read_npz(path: Path, *, labelled: bool) -> Arrays:
    """The arrays of an ``.npz`` file; nothing in it is ever executed, and nothing is unpacked that is not there.

    Raises:
        DataError: the file is damaged, holds Python objects, or no images.
    """
    archive = Archive(path, most_member_bytes=1 << 34)
    wanted = {name for layouts in _LAYOUTS.values() for pair in layouts for name in pair}
    found = {}
    for member in archive.names:
        name = member.removesuffix(".npy")
        if name.lower() in wanted:
            _check_member(path, member)
            found[name] = _member(path, name)
    return from_arrays(found, path.name, labelled=labelled)


def read_idx_folder(path: Path, *, labelled: bool) -> Arrays:
    """The pairs of IDX files in a folder, or the one of a file of images; ``train`` and ``t10k`` are given parts.

    Raises:
        DataError: a file is damaged, a pair's sizes differ, or images lack their labels.
    """
    if path.is_file() and not labelled:
        pixels, said = as_pixels(read_idx(path), path.name)
        return Arrays({"train": pixels}, {}, tuple(said))
    folder = path if path.is_dir() else path.parent
    pairs = idx_pairs(file.name for file in folder.iterdir())
    if path.is_file():
        pairs = {prefix: pair for prefix, pair in pairs.items() if pair[0] == path.name}
        if not pairs:
            raise DataError(f"{path.name}: its labels are not beside it. Put the file of labels into the same folder.")
    images, labels, notes = {}, {}, []
    for prefix, (image_file, label_file) in pairs.items():
        part = _IDX_PARTS.get(prefix, "train")
        if part in images:
            raise DataError(f"{folder.name}: {image_file} and another pair are both for {part}. Leave one out.")
        images[part], said = as_pixels(read_idx(folder / image_file), image_file)
        notes += said
        if labelled:
            labels[part] = _as_labels(read_idx(folder / label_file), label_file, len(images[part]))
    return Arrays(images, labels, tuple(notes))


def as_pixels(array: np.ndarray, name: str) -> tuple[np.ndarray, list[str]]:
    """The array as uint8 [n, height, width, channels], and notes on what was changed.

    Taken are [n, height, width] and [n, height, width, 1 or 3], with 4 channels where the last is opaque, and the same
    with the channels first. Whole numbers stand between 0 and 255; fractions between 0 and 1, or 0 and 255.

    Raises:
        DataError: shape or values are none of an image's.

    Example:
        >>> pixels, notes = as_pixels(np.array([[[0.0, 1.0], [0.5, 0.25]]]), "x")
        >>> pixels[0, :, :, 0].tolist(), notes
        ([[0, 255], [128, 64]], ['x: values between 0 and 1 were multiplied by 255 and rounded.'])
    """
    notes = []
    if array.ndim == 3:
        array = array[..., None]
    elif array.ndim == 4 and array.shape[1] in (1, 3) and array.shape[3] not in (1, 3, 4):
        array = np.moveaxis(array, 1, -1)
        notes.append(f"{name}: the channels came first and were put last.")
    if array.ndim != 4 or array.shape[3] not in (1, 3) or not array.size:
        raise DataError(
            f"{name}: expected images [n, height, width], or with 1 or 3 channels [n, height, width, channels]; "
            f"received {describe(array)}. Reshape the array."
        )
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array), notes
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255, notes
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all() or array.min() < 0 or array.max() > 255:
        extent = f" from {array.min():g} to {array.max():g}" if array.dtype.kind in "iuf" else ""
        raise DataError(
            f"{name}: expected pixels between 0 and 255 (or fractions between 0 and 1); received values of type "
            f"{array.dtype}{extent}. Scale the array."
        )
    if array.dtype.kind == "f" and array.max() <= 1:
        notes.append(f"{name}: values between 0 and 1 were multiplied by 255 and rounded.")
        array = array * 255
    return np.floor(array + 0.5).astype(np.uint8) if array.dtype.kind == "f" else array.astype(np.uint8), notes


def _labels(by_name: Mapping[str, Any], x: str, y: str, size: int, name: str) -> np.ndarray:
    if y not in by_name:
        raise DataError(f"{name}: {x} has no labels; expected them under {y}. Add them.")
    return _as_labels(np.asarray(by_name[y]), f"{name}: {y}", size)


def _as_labels(array: np.ndarray, name: str, size: int) -> np.ndarray:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    is_whole = array.dtype.kind in "iub" or (array.dtype.kind == "f" and bool((array == np.round(array)).all()))
    if array.shape != (size,) or not (is_whole or array.dtype.kind == "U"):
        raise DataError(
            f"{name}: expected one class for each of the {size:,} images, as whole numbers or text; received "
            f"{describe(array)}. Give class numbers."
        )
    return array if array.dtype.kind == "U" else array.astype(np.int64)


def _check_member(path: Path, member: str) -> None:
    """Refuse an array whose header announces more than is stored, before room is made for it."""
    with zipfile.ZipFile(path) as archive, archive.open(member) as file:
        stored = archive.getinfo(member).file_size
        try:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, kind = read(file)
        except (ValueError, EOFError, SyntaxError, TokenError) as error:  # what NumPy's reader of headers raises
            raise DataError(f"{path.name}: {member}: not an array ({str(error)[:160]}). Save it again.") from error
        if kind.hasobject:
            raise DataError(f"{path.name}: {member}: holds Python objects, which are never read. Save numbers.")
        size = kind.itemsize
        for extent in shape:
            size *= int(extent)
        if size > stored:
            raise DataError(f"{path.name}: {member}: announces {size:,} bytes; {stored:,} are stored. Save it again.")


def _member(path: Path, name: str) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as file:
            array: np.ndarray = file[name]
            return array
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, KeyError) as error:
        raise DataError(
            f"{path.name}: {name}: the array cannot be read ({str(error)[:160]}). Save it again."
        ) from error
