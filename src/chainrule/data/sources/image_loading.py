"""Image files to one array: find the common size from the headers, then decode in threads."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from chainrule._base.checks import check_choice, check_positive_int
from chainrule._base.errors import ArgumentError, DataError
from chainrule._base.wording import counted
from chainrule.data.sources import image_cache
from chainrule.data.sources.image_decoding import Header, decode, read_header, resample
from chainrule.data.sources.image_tree import ImageFile

LARGEST_SIDE = 96  # pixels: larger images are scaled down, unless a size is given
MOST_ARRAY_BYTES = 1 << 32
_MULTIPLE = 8  # sizes that pooling halves three times
_BLOCK = 64  # files
_NAMED = 5  # files that cannot be read which a message names
Bad = Literal["error", "skip"]
T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """What the images are to become, and what happens to those that cannot be read.

    Args:
        size: height and width, or ``None`` for the rule of :func:`common_size`.
        channels: 1, 3 or ``None`` for what the images have.
        on_bad: ``"error"`` or ``"skip"``.
        most_pixels: the most that a file's header may announce.
        cache: a folder where decoded images are kept, or ``None``.
    """

    size: tuple[int, int] | None
    channels: int | None
    on_bad: Bad
    most_pixels: int
    cache: Path | None = None

    @classmethod
    def checked(
        cls,
        size: tuple[int, int] | int | None,
        channels: int | None,
        *,
        on_bad: Bad,
        most_pixels: int,
        cache: Path | None,
    ) -> Wanted:
        """From what a user typed."""
        check_choice("on_bad", on_bad, ("error", "skip"), "read_images")
        if channels not in (None, 1, 3):
            raise ArgumentError(f"read_images: channels must be 1 or 3; received {channels!r}.")
        pair = (size, size) if isinstance(size, int) else size
        if pair is not None and len(pair) != 2:
            raise ArgumentError(f"read_images: size must be a number, or height and width; received {size!r}.")
        for side in pair or ():
            check_positive_int("size", side, "read_images")
        return cls(pair, channels, on_bad, most_pixels, cache)


@dataclass(frozen=True)
class LeftOut:
    """A file that cannot be read and was left out.

    Args:
        place: its number among all files of the source, from 0.
        name: of the file.
        why: the error's message.
    """

    place: int
    name: str
    why: str


@dataclass(frozen=True, eq=False)
class Loaded:
    """Decoded images.

    Args:
        files: those that were read.
        pixels: uint8 [files, height, width, channels].
        notes: what was changed or left out.
        left_out: the files that were not read.
    """

    files: list[ImageFile]
    pixels: np.ndarray = field(repr=False)
    notes: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()


def load_files(files: Sequence[ImageFile], source: str, wanted: Wanted) -> Loaded:
    """Decode ``files`` into one array, or take it from the cache; see :func:`decode_files`."""
    if wanted.cache is None:
        return decode_files(files, source, wanted)
    asked = f"{wanted.size} {wanted.channels} {wanted.most_pixels} {LARGEST_SIDE}"
    path = image_cache.cached_path(wanted.cache, files, asked)
    kept = None if path is None else image_cache.load(path, len(files))
    if kept is not None:
        said = f"The decoded images were taken from the cache {wanted.cache} (CHAINRULE_CACHE=off decodes them anew)."
        return Loaded(list(files), kept.pixels, (*kept.notes, said))
    start = time.perf_counter()
    loaded = decode_files(files, source, wanted)
    seconds = time.perf_counter() - start
    if path is None or loaded.left_out or seconds < image_cache.WORTH_SECONDS:
        return loaded
    if not image_cache.store(path, image_cache.Kept(loaded.pixels, loaded.notes)):
        return loaded
    said = (
        f"Decoding the images took {seconds:.0f} s; they are kept in {wanted.cache} "
        f"({loaded.pixels.nbytes / 1e6:,.0f} MB), so that the next training on them need not."
    )
    return replace(loaded, notes=(*loaded.notes, said))


def decode_files(files: Sequence[ImageFile], source: str, wanted: Wanted) -> Loaded:
    """Decode ``files`` into one array.

    Raises:
        DataError: files cannot be read (unless such are skipped; names them), or the array would take more than 4 GiB.
    """
    with _warnings_as_errors(), ThreadPoolExecutor(os.cpu_count()) as pool:
        read = _attempt(lambda file: read_header(file.read(), file.name, most_pixels=wanted.most_pixels))
        good, headers, bad = _sorted_out(files, _in_blocks(pool, read, files))
        if not good:
            raise _unreadable(source, bad, files)
        size, said = common_size(headers, wanted.size)
        channels = wanted.channels or (1 if all(header.is_grey for header in headers) else 3)
        if len(good) * size[0] * size[1] * channels > MOST_ARRAY_BYTES:
            raise DataError(
                f"{source}: {len(good):,} images of {size[0]} x {size[1]} would fill more than "
                f"{MOST_ARRAY_BYTES >> 30} GiB. Give a smaller size."
            )

        def pixels_of(file: ImageFile) -> np.ndarray:
            return decode(file.read(), file.name, size=size, channels=channels, most_pixels=wanted.most_pixels)

        good, decoded, more = _sorted_out(good, _in_blocks(pool, _attempt(pixels_of), good))
    bad |= more
    if bad and (wanted.on_bad == "error" or not good):
        raise _unreadable(source, bad, files)
    left_out = tuple(LeftOut(at, file.name, str(bad[file])) for at, file in enumerate(files) if file in bad)
    return Loaded(good, np.stack(decoded), (*_treated(headers), *said, *_left_out(left_out)), left_out)


def common_size(headers: Sequence[Header], size: tuple[int, int] | None) -> tuple[tuple[int, int], tuple[str, ...]]:
    """Height and width that all images get, and how that changes them, in words.

    Images of one size keep it, up to 96 pixels; others get the median height and width, rounded to a multiple of 8 and
    scaled down so that the longer side has at most 96.

    Example:
        >>> common_size([Header(480, 640), Header(480, 640), Header(200, 200)], None)[0]
        (72, 96)
    """
    sizes = np.array([(header.height, header.width) for header in headers])
    least, most = sizes.min(axis=0), sizes.max(axis=0)
    is_one = bool((least == most).all())
    if size is None and is_one and most.max() <= LARGEST_SIDE:
        return (int(most[0]), int(most[1])), ()
    if size is None:
        median = np.median(sizes, axis=0)
        scaled = median * min(1.0, LARGEST_SIDE / median.max())
        rounded = np.maximum(_MULTIPLE, np.floor(scaled / _MULTIPLE + 0.5).astype(int) * _MULTIPLE)
        size = int(rounded[0]), int(rounded[1])
    if is_one and (int(most[0]), int(most[1])) == size:
        return size, ()
    extent = f"{most[0]} x {most[1]}" if is_one else f"{least[0]} x {least[1]} to {most[0]} x {most[1]}"
    return size, (f"The images ({extent} pixels, height x width) were stretched to {size[0]} x {size[1]}.",)


def resized(pixels: np.ndarray, wanted: Wanted) -> np.ndarray:
    """Decoded images as ``wanted``: of that size, with that many channels."""
    if wanted.channels == 3 and pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    elif wanted.channels == 1 and pixels.shape[-1] == 3:
        luma = pixels @ np.array([0.299, 0.587, 0.114])  # ITU-R 601, as Pillow's
        pixels = np.round(luma).astype(np.uint8)[..., None]
    if wanted.size is None or pixels.shape[1:3] == wanted.size:
        return pixels
    return np.stack([resample(image, wanted.size) for image in pixels])


def _in_blocks(pool: ThreadPoolExecutor, work: Callable[[ImageFile], T], files: Sequence[ImageFile]) -> Iterator[T]:
    """What ``work`` gives for each file, in order; threads take blocks, since handing over a small image costs more."""
    blocks = [files[start : start + _BLOCK] for start in range(0, len(files), _BLOCK)]
    for results in pool.map(lambda block: [work(file) for file in block], blocks):
        yield from results


def _attempt(work: Callable[[ImageFile], T]) -> Callable[[ImageFile], T | DataError]:
    """``work`` that returns its error, so that all files that cannot be read are found at once."""

    def attempt(file: ImageFile) -> T | DataError:
        try:
            return work(file)
        except DataError as error:
            return error

    return attempt


def _sorted_out(
    files: Sequence[ImageFile], results: Iterator[T | DataError]
) -> tuple[list[ImageFile], list[T], dict[ImageFile, DataError]]:
    """Files that could be read, what was read of them, and the errors of the others."""
    kept, good, bad = [], [], {}
    for file, result in zip(files, results, strict=True):
        if isinstance(result, DataError):
            bad[file] = result
        else:
            kept.append(file)
            good.append(result)
    return kept, good, bad


def _unreadable(source: str, bad: Mapping[ImageFile, DataError], files: Sequence[ImageFile]) -> DataError:
    """One error that names the files which cannot be read, in their order; of a single file its own."""
    errors = [bad[file] for file in files if file in bad]
    if len(files) == 1:
        return errors[0]
    more = [f"... and {len(errors) - _NAMED:,} more"] if len(errors) > _NAMED else []
    lines = "\n  ".join([*(str(error) for error in errors[:_NAMED]), *more])
    return DataError(
        f"{source}: expected images that can be read; {len(errors):,} of {len(files):,} files cannot:\n"
        f"  {lines}\nCorrect or remove them, or have them left out with --on-bad skip (in Python on_bad='skip')."
    )


def _treated(headers: Sequence[Header]) -> list[str]:
    """What was done to unusual images, a sentence each."""
    animated, clear = sum(h.is_animated for h in headers), sum(h.is_clear for h in headers)
    notes = []
    if animated:
        has = "image has several frames; its first was taken."
        notes.append(counted(animated, has, "images have several frames; the first was taken."))
    if clear:
        has = "image has transparent parts, which were laid over white."
        notes.append(counted(clear, has, "images have transparent parts, which were laid over white."))
    return notes


def _left_out(bad: Sequence[LeftOut]) -> list[str]:
    if not bad:
        return []
    first = " ".join(one.why for one in bad[:_NAMED])
    more = f" ({len(bad) - _NAMED:,} more)" if len(bad) > _NAMED else ""
    return [f"{counted(len(bad), 'file was', 'files were')} left out: {first}{more}"]


@contextmanager
def _warnings_as_errors() -> Iterator[None]:
    """Pillow warns where a file is odd and guesses; here an odd file is refused by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
