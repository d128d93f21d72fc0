"""Images from folders, zip files, IDX pairs, ``.npz``, Parquet or memory, as one array of bytes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chainrule._base.checks import describe
from chainrule._base.errors import ArgumentTypeError, DataError
from chainrule.data.sources.contents import contents_of
from chainrule.data.sources.idx import idx_pairs, is_idx_images
from chainrule.data.sources.image_arrays import Arrays, from_arrays, read_idx_folder, read_npz
from chainrule.data.sources.image_decoding import ENDINGS, MOST_PIXELS
from chainrule.data.sources.image_loading import Bad, LeftOut, Wanted, load_files, resized
from chainrule.data.sources.image_parquet import has_image_column, read_image_parquet
from chainrule.data.sources.image_tree import ImageFile, find_images

_NAMED = 5  # classes in a message
_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True, eq=False)
class Images:
    """Images of one size.

    Args:
        pixels: uint8 [n, height, width, channels].
        labels: class numbers [n], or ``None`` where none were asked for.
        classes: names, in the order of their numbers.
        names: where each image comes from.
        parts: ``train``, ``validation``, ``test`` -> rows, where the source divides them itself.
        source: name of the whole.
        target: what the classes are called.
        notes: what was changed or left out, one sentence each.
        left_out: files that cannot be read, where such are skipped.
    """

    pixels: np.ndarray = field(repr=False)
    labels: np.ndarray | None = field(repr=False)
    classes: tuple[str, ...]
    names: tuple[str, ...] = field(repr=False)
    parts: Mapping[str, np.ndarray] = field(repr=False)
    source: str
    target: str = "label"
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def __len__(self) -> int:
        return len(self.pixels)


def read_images(
    source: Any,  # Any: a path, or arrays in memory
    *,
    target: str | None = None,
    size: tuple[int, int] | int | None = None,
    channels: int | None = None,
    labelled: bool = True,
    on_bad: Bad = "error",
    most_pixels: int = MOST_PIXELS,
    cache: Path | None = None,
    least: int = 1,
) -> Images:
    """Read images and their classes.

    Args:
        source: a folder with a subfolder for each class (also below ``train``, ``val`` and ``test``), a zip file of
            such a folder, a folder with IDX files (``train-images-idx3-ubyte`` and so on, gzipped or not), an ``.npz``
            or Parquet file, a single image, or in memory ``(x, y)`` or a mapping with ``x`` and ``y`` or ``x_train``,
            ``y_train``, ``x_test``, ``y_test``.
        target: for Parquet files, the column of the classes.
        size: height and width in pixels, or one number for both. Without it images of one size keep it, up to 96
            pixels; others are stretched to the median height and width, rounded to a multiple of 8 and scaled down so
            that the longer side has at most 96.
        channels: 1 for greys or 3 for colours; without it, 3 if any image has colours.
        labelled: whether classes are wanted.
        on_bad: ``"skip"`` leaves out files that cannot be read, and says how many; ``"error"`` names the first five.
        most_pixels: the most that a file's header may announce; larger ones count as bombs.
        cache: a folder of your own where decoded images of folders and zip files are kept from one reading to the next,
            if decoding takes more than two seconds; see :mod:`chainrule.data.sources.image_cache`.
        least: images that a class needs; smaller classes are named too where files cannot be read.

    Raises:
        DataError: nothing is there, or a file cannot be read; names it.

    Example:
        >>> images = read_images((np.zeros((3, 4, 5), np.uint8), ["cat", "dog", "cat"]))
        >>> images.pixels.shape, images.labels.tolist(), images.classes
        ((3, 4, 5, 1), [0, 1, 0], ('cat', 'dog'))
    """
    wanted = Wanted.checked(size, channels, on_bad=on_bad, most_pixels=most_pixels, cache=cache)
    if not isinstance(source, str | Path):
        return _from_arrays(_in_memory(source, labelled=labelled), "arrays", wanted, labelled=labelled)
    path = Path(source)
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder. Check the path.")
    if path.suffix.lower() == ".npz":
        return _from_arrays(read_npz(path, labelled=labelled), path.name, wanted, labelled=labelled)
    if is_idx_images(path.name) or (path.is_dir() and idx_pairs(file.name for file in path.iterdir())):
        return _from_arrays(read_idx_folder(path, labelled=labelled), path.name, wanted, labelled=labelled)
    notes: tuple[str, ...] = ()
    if path.suffix.lower() in _PARQUET:
        files, target = read_image_parquet(path, target, labelled=labelled)
    else:
        files, notes = find_images(path, labelled=labelled)
        target = None
    try:
        loaded = load_files(files, path.name, wanted)
    except DataError as error:
        error.args = (f"{error}{_small_classes(files, least)}",)
        raise
    labels, classes = _numbered([file.label for file in loaded.files], path.name) if labelled else (None, ())
    of = [file.part for file in loaded.files]
    parts = {part: np.flatnonzero([other == part for other in of]) for part in dict.fromkeys(of) if part is not None}
    names = tuple(file.name for file in loaded.files)
    notes = (*notes, *loaded.notes)
    return Images(
        loaded.pixels, labels, classes, names, parts, path.name, target or "label", notes, left_out=loaded.left_out
    )


def is_image_source(source: Any) -> bool:  # Any: whatever a command line or a user passes
    """Whether ``source`` is a path that holds images rather than a table or a text; of a folder its most files decide.

    Example:
        >>> is_image_source("heart.csv"), is_image_source("digits.npz"), is_image_source("cat.jpg")
        (False, True, True)
    """
    if not isinstance(source, str | Path):
        return False
    path = Path(source)
    ending = path.suffix.lower()
    if path.is_dir():
        return bool(idx_pairs(file.name for file in path.iterdir())) or contents_of(path).are_images
    if ending in _PARQUET:
        return path.is_file() and has_image_column(path)
    return ending in (*ENDINGS, ".zip", ".npz") or is_idx_images(path.name)


def equal_images(pixels: np.ndarray) -> np.ndarray:
    """A number per image, equal for images whose pixels are all equal.

    Example:
        >>> equal_images(np.array([[[[1]]], [[[2]]], [[[1]]]], np.uint8)).tolist()
        [0, 1, 0]
    """
    digests = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in pixels]
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(digest, len(first)) for digest in digests], np.int64)


def _small_classes(files: Sequence[ImageFile], least: int) -> str:
    """A sentence on the classes of a folder that have too few images, so that all mistakes are told at once."""
    if any(file.part is not None or file.label is None for file in files):
        return ""
    few = [f"{name!r} ({n})" for name, n in Counter(file.label for file in files).items() if n < least]
    return f"\nBesides, these classes have fewer than {least} images: {', '.join(few[:_NAMED])}." if few else ""


def _in_memory(source: Any, *, labelled: bool) -> Arrays:  # Any: whatever the user passes
    if isinstance(source, np.ndarray) and not labelled:
        source = (source,)
    if isinstance(source, Mapping) or (isinstance(source, tuple | list) and 1 <= len(source) <= 2):
        return from_arrays(source, "arrays", labelled=labelled)
    raise ArgumentTypeError(
        "read_images: expected a path, (x, y), or a mapping with x and y or x_train, y_train, x_test and y_test; "
        f"received {describe(source)}."
    )


def _from_arrays(arrays: Arrays, source: str, wanted: Wanted, *, labelled: bool) -> Images:
    order: list[str] = [part for part in ("train", "validation", "test") if part in arrays.images]
    shapes = {arrays.images[part].shape[1:] for part in order}
    if len(shapes) > 1:
        raise DataError(f"{source}: images of all parts must have one shape; received {sorted(shapes)}. Resize them.")
    pixels = resized(np.concatenate([arrays.images[part] for part in order]), wanted)
    starts = np.cumsum([0, *(len(arrays.images[part]) for part in order)]).tolist()
    parts = {part: np.arange(starts[i], starts[i + 1]) for i, part in enumerate(order)} if len(order) > 1 else {}
    names = [
        f"{part} {row + 1}" if parts else f"image {row + 1}"
        for part in order
        for row in range(len(arrays.images[part]))
    ]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    if labelled:
        kinds = {arrays.labels[part].dtype.kind for part in order}
        given = np.concatenate([arrays.labels[part] for part in order])
        labels, classes = _numbered(given.tolist(), source, numbers=kinds == {"i"})
    return Images(pixels, labels, classes, tuple(names), parts, source, notes=arrays.notes)


def _numbered(given: Sequence[Any], source: str, *, numbers: bool = False) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class numbers and names; names that are whole numbers stand in their order.

    ``Any``: whole numbers, text, or ``None`` for a missing class.
    """
    if None in given:
        row = list(given).index(None)
        raise DataError(f"{source}: row {row + 1}: the class is missing. Fill it in, or leave the row out.")
    values = set(given)
    by_number = numbers or all(value.isascii() and value.isdigit() for value in values)
    names = sorted(values, key=(lambda value: (int(value), str(value))) if by_number else None)
    if len(names) < 2:
        raise DataError(
            f"{source}: expected two classes or more; received {len(names)} ({names[0] if names else 'no image'}). Put "
            "the images of each class into a folder of its own."
        )
    number = {value: index for index, value in enumerate(names)}
    return np.array([number[value] for value in given], np.int32), tuple(str(name) for name in names)
