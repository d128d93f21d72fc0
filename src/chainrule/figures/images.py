"""Figures of images: examples of each class, what augmentation does, and the answers that were most wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chainrule._base.checks import check_positive_int
from chainrule._base.errors import ShapeError
from chainrule.figures import style
from chainrule.figures.style import GREY, INK, SMALL

_CRISP = 96  # pixels a side to which small images are repeated, so that no viewer blurs them
_EDGE, _GAP = 0.08, 0.08  # inches
_LINE = 0.125  # inches of one line of a caption
_TITLE = 0.34


def image_grid(
    images: Sequence[npt.ArrayLike], captions: Sequence[str] = (), *, title: str = "", columns: int = 6
) -> Figure:
    r"""Images side by side, each with its caption of one line or several (separated by ``\n``).

    Args:
        images: each [height, width], or with 1 or 3 channels; bytes.
        captions: one for each; drawn as they are, never as mathematics.
        title: above all.
        columns: images in one line.

    Raises:
        ShapeError: an image has another shape, or the captions are not as many.

    Example:
        >>> figure = image_grid([np.zeros((4, 4)), np.full((4, 4), 255)], ["cat 98 %", "dog 60 %"])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['cat 98 %', 'dog 60 %']
    """
    style.nonempty("images", images, "image_grid")
    check_positive_int("columns", columns, "image_grid")
    if captions:
        style.same_length("image_grid", images=images, captions=captions)
    lines = max((caption.count("\n") + 1 for caption in captions), default=0)
    side = (style.WIDTH - 2 * _EDGE - (columns - 1) * _GAP) / columns
    line_height = side + lines * _LINE + (0.03 if lines else 0) + _GAP
    rows = math.ceil(len(images) / columns)
    height = rows * line_height - _GAP + _EDGE + (_TITLE if title else 0)
    figure, axes = style.canvas(style.WIDTH, height)
    if title:
        axes.text(_EDGE, height - 0.09, title, va="top", fontsize=style.LARGE, color=INK, fontweight="bold")
    top = height - (_TITLE if title else _EDGE / 2)
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        left, above = _EDGE + column * (side + _GAP), top - row * line_height
        _draw(axes, image, (left, above - side), side)
        for index, line in enumerate(captions[number].split("\n") if captions else ()):
            most = max(6, int(side * 19))
            place = above - side - 0.03 - index * _LINE
            text = style.label(line, most=most)
            axes.text(left, place, text, va="top", fontsize=6.5, color=INK if index == 0 else GREY)
    axes.set_xlim(0, style.WIDTH)
    axes.set_ylim(0, height)
    return figure


def class_examples(examples: Mapping[str, Sequence[npt.ArrayLike]], *, most: int = 12) -> Figure:
    """A line of example images for each class.

    Args:
        examples: class -> images; as many for each as are to be shown.
        most: classes that are drawn.

    Example:
        >>> figure = class_examples({"cat": [np.zeros((4, 4))] * 3, "dog": [np.ones((4, 4))] * 3})
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['cat', 'dog', 'Examples of each class']
    """
    style.nonempty("examples", list(examples), "class_examples")
    shown = list(examples.items())[:most]
    columns, left = max(len(images) for _, images in shown), 1.05
    side = min(0.6, (style.WIDTH - left - _EDGE) / max(columns, 1) - 0.04)
    height = len(shown) * (side + 0.05) + _TITLE + _EDGE
    figure, axes = style.canvas(style.WIDTH, height)
    for row, (name, images) in enumerate(shown):
        bottom = height - _TITLE - (row + 1) * (side + 0.05)
        text = style.label(name, most=16)
        axes.text(left - 0.1, bottom + side / 2, text, ha="right", va="center", fontsize=SMALL, color=INK)
        for column, image in enumerate(images):
            _draw(axes, image, (left + column * (side + 0.04), bottom), side)
    more = f" (first {len(shown)} of {len(examples)})" if len(examples) > len(shown) else ""
    title = f"Examples of each class{more}"
    axes.text(_EDGE, height - 0.09, title, va="top", fontsize=style.LARGE, color=INK, fontweight="bold")
    axes.set_xlim(0, style.WIDTH)
    axes.set_ylim(0, height)
    return figure


def heat_over(image: npt.ArrayLike, heat: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """An image in pale greys with ``heat`` over it in orange: the stronger, the more; what is below 0 stays grey.

    Args:
        image: [height, width], or with 1 or 3 channels; bytes.
        heat: [height, width].

    Returns:
        uint8 [height, width, 3].

    Example:
        >>> heat_over(np.zeros((1, 2)), [[0.0, 1.0]])[0].tolist()
        [[128, 128, 128], [213, 94, 0]]
    """
    pixels = np.asarray(image, np.float64)
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    strength = np.clip(np.asarray(heat, np.float64), 0, None)
    strength = (strength / (strength.max() or 1.0))[..., None]
    pale = np.repeat(127.5 + grey[..., None] / 2, 3, axis=2)
    mixed = (1 - strength) * pale + strength * np.array([213.0, 94.0, 0.0])
    drawn: npt.NDArray[np.uint8] = np.clip(np.round(mixed), 0, 255).astype(np.uint8)
    return drawn


def augmentation_sheet(original: npt.ArrayLike, changed: Mapping[str, npt.ArrayLike]) -> Figure:
    """The contact sheet: one image as it is, and changed in each of several ways.

    Args:
        original: the image.
        changed: name of the change -> the changed image.

    Example:
        >>> figure = augmentation_sheet(np.zeros((4, 4)), {"mirrored": np.zeros((4, 4)), "noise": np.ones((4, 4))})
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['Augmentation', 'original', 'mirrored', 'noise']
    """
    return image_grid([original, *changed.values()], ["original", *changed], title="Augmentation", columns=4)


def _draw(axes: Axes, image: npt.ArrayLike, corner: tuple[float, float], side: float) -> None:
    """One image into a square of ``side`` inches, with its own proportions."""
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3) or not pixels.size:
        raise ShapeError(
            f"image_grid: an image must be [height, width] or [height, width, 1 or 3]; received {pixels.shape}. Pass "
            "one image at a time."
        )
    pixels = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    pixels = np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels
    times = max(1, round(_CRISP / max(pixels.shape[:2])))
    height, width = (side * extent / max(pixels.shape[:2]) for extent in pixels.shape[:2])
    pixels = np.repeat(np.repeat(pixels, times, axis=0), times, axis=1)
    left, bottom = corner[0] + (side - width) / 2, corner[1] + (side - height) / 2
    axes.imshow(pixels, extent=(left, left + width, bottom, bottom + height), aspect="auto", interpolation="none")
