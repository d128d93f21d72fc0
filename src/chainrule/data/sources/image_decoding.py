"""One image file to pixels: what is not read as it stands gets a named error or a stated treatment.

Files are untrusted. Only the formats of :data:`FORMATS` are tried, whatever the file is called; the number of pixels
is taken from the header and limited before anything is unpacked; and every way in which the decoder gives up becomes
a :class:`~chainrule.errors.DataError` with the file's name.

Treated without an error, and said in a note where the picture may look different:

- palettes and single bits become colours or greys, CMYK and YCbCr become RGB;
- 16 bits a channel are scaled to 8 (divided by 257);
- what is transparent is laid over white;
- a camera's orientation mark (EXIF) is applied;
- of an animation the first frame is taken.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule._base.errors import DataError
from chainrule._base.optional import optional_import

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
MOST_PIXELS = 64_000_000
MOST_BYTES = 1 << 28  # of one file
_GREY = ("1", "L", "I;16", "I;16B", "I;16L", "I")
_SIXTEEN = ("I;16", "I;16B", "I;16L", "I")
# all that Pillow's readers raise on damaged files, warnings included: they are errors while images are read
_GIVES_UP = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class Header:
    """What a file says of its image before it is unpacked.

    Args:
        height: rows, after the orientation mark.
        width: columns, after it.
        is_grey: whether it has no colours (a palette counts as colours).
        is_animated: whether there are further frames.
        is_clear: whether parts are transparent.
    """

    height: int
    width: int
    is_grey: bool = False
    is_animated: bool = False
    is_clear: bool = False


def read_header(data: bytes, name: str, *, most_pixels: int = MOST_PIXELS) -> Header:
    """What the file says of its image; nothing is unpacked.

    Raises:
        DataError: the file is empty, no image of a known format, or has too many pixels.
    """
    image = _opened(data, name, most_pixels)
    try:
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        is_clear = image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info
        width, height = image.size
        return Header(
            height=width if turned else height,
            width=height if turned else width,
            is_grey=image.mode in (*_GREY, "LA", "La"),
            is_animated=getattr(image, "n_frames", 1) > 1,
            is_clear=is_clear,
        )
    except _GIVES_UP as error:
        raise _damaged(name, error) from error


def decode(
    data: bytes, name: str, *, size: tuple[int, int], channels: int, most_pixels: int = MOST_PIXELS
) -> np.ndarray:
    """The pixels of one image file, stretched to ``size``.

    Args:
        data: the bytes of the file.
        name: of the file, for messages.
        size: height and width; another size is resampled (bilinear over all pixels that a new one covers).
        channels: 1 for greys, 3 for colours.
        most_pixels: the most that the header may announce.

    Returns:
        uint8 [height, width, channels].

    Raises:
        DataError: the file is damaged, or no image.
    """
    image = _opened(data, name, most_pixels)
    height, width = size
    try:
        if image.format == "JPEG" and min(image.size) > 2 * max(size):
            image.draft(None, (2 * max(size), 2 * max(size)))  # unpacks at a fraction of the size: several times faster
        image.load()
        image = optional_import("PIL.ImageOps", package="pillow", purpose="reading images").exif_transpose(image)
        image = _plain(image, name, "L" if channels == 1 else "RGB")
        if image.size != (width, height):
            image = image.resize((width, height), resample=2)  # bilinear
        return np.asarray(image, np.uint8).reshape(height, width, channels)
    except _GIVES_UP as error:
        if isinstance(error, DataError):
            raise
        raise _damaged(name, error) from error


def resample(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """One image [height, width, channels] of bytes stretched to ``size``, as :func:`decode` does."""
    pillow = optional_import("PIL.Image", package="pillow", purpose="resizing images")
    image = pillow.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    scaled = np.asarray(image.resize(size[::-1], resample=2), np.uint8)  # bilinear
    return scaled.reshape(*size, pixels.shape[-1])


def _opened(data: bytes, name: str, most_pixels: int) -> Any:  # Any: PIL.Image.Image; Pillow is imported late
    if not data:
        raise DataError(f"{name}: the file is empty. Copy it again, or leave it out.")
    pillow = optional_import("PIL.Image", package="pillow", purpose="reading images")
    try:
        image = pillow.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
    except pillow.UnidentifiedImageError as error:
        raise DataError(
            f"{name}: expected an image ({', '.join(FORMATS)}); received {len(data):,} bytes of something else. "
            "Correct or remove the file."
        ) from error
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
        raise DataError(f"{name}: {str(error).rstrip('.')}. Scale the image down, or leave it out.") from error
    except _GIVES_UP as error:
        raise _damaged(name, error) from error
    if width * height > most_pixels:
        raise DataError(
            f"{name}: expected at most {most_pixels:,} pixels; its header announces {width:,} x {height:,}. Scale the "
            "image down, or raise most_pixels of read_images if you trust it."
        )
    if width < 1 or height < 1:
        raise DataError(f"{name}: the image has no pixels ({width} x {height}). Leave it out.")
    return image


def _plain(image: Any, name: str, mode: str) -> Any:  # Any: PIL.Image.Image
    """The image in ``mode``, ``L`` or ``RGB``."""
    if image.mode in _SIXTEEN:
        image = _from_sixteen(image, name)
    if image.mode == "F":
        raise DataError(
            f"{name}: its pixels are fractions of an unknown scale (mode F). Save it with 8 or 16 bits a channel."
        )
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        pillow = optional_import("PIL.Image", package="pillow", purpose="reading images")
        image = pillow.alpha_composite(pillow.new("RGBA", image.size, (255, 255, 255, 255)), image).convert("RGB")
    return image if image.mode == mode else image.convert(mode)


def _from_sixteen(image: Any, name: str) -> Any:  # Any: PIL.Image.Image
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65_535:
        raise DataError(
            f"{name}: expected 8 or 16 bits a channel; received values from {values.min():,} to {values.max():,}. Save "
            "it with 8 bits."
        )
    pillow = optional_import("PIL.Image", package="pillow", purpose="reading images")
    return pillow.fromarray((values / 257).round().astype(np.uint8))


def _damaged(name: str, error: BaseException) -> DataError:
    said = " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__
    return DataError(f"{name}: the image is damaged and cannot be read ({said}). Copy it again, or leave it out.")
