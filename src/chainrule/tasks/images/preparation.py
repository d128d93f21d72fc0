"""From raw images to the network's input: the size and channels that training found, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from chainrule._base.checks import check_choice, check_positive_int
from chainrule._base.errors import DataError
from chainrule._base.registry import register_class
from chainrule.data import Images, read_images
from chainrule.data.sources.image_loading import Bad
from chainrule.tasks.labelled import Prepared


@register_class
@dataclass(frozen=True)
class ImagePreparation:
    """Images of any source as uint8 ``[n, height, width, channels]``; see :func:`chainrule.data.read_images`.

    Args:
        height: in pixels; images of another size are stretched.
        width: in pixels.
        channels: 1 or 3.
        target: for Parquet files, the column of the classes.
        on_bad: ``"error"``, or ``"skip"`` to leave out files that cannot be read.

    Example:
        >>> prepared = ImagePreparation(2, 3, 1).prepare(np.zeros((4, 8, 9), np.uint8))
        >>> prepared.inputs.shape, prepared.shown["image"].to_list()[0]
        ((4, 2, 3, 1), 'image 1')
    """

    height: int
    width: int
    channels: int
    target: str | None = None
    on_bad: Bad = "error"

    def __post_init__(self) -> None:
        check_choice("on_bad", self.on_bad, ("error", "skip"), self)
        for name in ("height", "width", "channels"):
            check_positive_int(name, getattr(self, name), self)

    def prepare(self, source: Any) -> Prepared:  # Any: a path, or arrays in memory
        """The images of a folder, zip, IDX, npz or Parquet file, of one image file, or in memory."""
        return prepared(self._read(source, labelled=False))

    def prepare_labelled(self, source: Any, classes: Sequence[str]) -> tuple[Prepared, np.ndarray]:  # Any: as above
        """The same with their classes.

        Raises:
            DataError: a class that training did not know.
        """
        images = self._read(source, labelled=True)
        unknown = [name for name in images.classes if name not in classes]
        if unknown:
            raise DataError(
                f"{images.source}: {unknown[0]!r} is not a class of this model; expected {', '.join(classes[:20])}. "
                "Leave the class out, or train a new model."
            )
        number = np.array([classes.index(name) for name in images.classes], np.int32)
        return prepared(images), number[images.labels]

    def _read(self, source: Any, *, labelled: bool) -> Images:  # Any: as above
        return read_images(
            source,
            target=self.target,
            size=(self.height, self.width),
            channels=self.channels,
            labelled=labelled,
            on_bad=self.on_bad,
        )


def prepared(images: Images) -> Prepared:
    """Images as the run takes them."""
    left_out = None
    if images.left_out:
        rows = [(one.place, one.name, one.why) for one in images.left_out]
        left_out = pl.DataFrame(rows, schema=["place", "image", "problem"], orient="row")
    return Prepared(images.pixels, pl.DataFrame({"image": images.names}), images.notes, left_out)
