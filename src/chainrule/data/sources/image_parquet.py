"""Parquet files with a column of encoded images (bytes, or ``{bytes, path}`` as Hugging Face writes them)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from chainrule._base.errors import DataError, did_you_mean
from chainrule.data.sources.image_decoding import MOST_BYTES
from chainrule.data.sources.image_tree import ImageFile

_LABELS = ("label", "labels", "class", "target", "fine_label", "category")


def has_image_column(path: Path) -> bool:
    """Whether a Parquet file has a column of bytes."""
    try:
        schema = pl.read_parquet_schema(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return False
    return any(_is_image(kind) for kind in schema.values())


def read_image_parquet(path: Path, target: str | None, *, labelled: bool = True) -> tuple[list[ImageFile], str | None]:
    """The images of a Parquet file, and the name of the column of their classes.

    Args:
        path: the file.
        target: that column; without it, a column called ``label`` or the like, or the only other one.
        labelled: whether classes are wanted.

    Raises:
        DataError: no or several columns of images, no such target, or a row that lacks image or class.
    """
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        first = str(error).strip().split("\n")[0][:160]
        raise DataError(f"{path.name}: not a readable Parquet file ({first}). Export it again.") from error
    images = [name for name, kind in frame.schema.items() if _is_image(kind)]
    if len(images) != 1 or not frame.height:
        raise DataError(
            f"{path.name}: expected rows with one column of encoded images (bytes); received {frame.height:,} rows and "
            f"{len(images)} such columns among {', '.join(frame.columns)}. Drop the others."
        )
    column = frame.get_column(images[0])
    if isinstance(column.dtype, pl.Struct):
        column = column.struct.field("bytes")
    if not labelled:
        return [_file(path, row, data, None) for row, data in enumerate(column)], None
    target = _target(path, frame, images[0], target)
    labels = _label_names(path, frame.get_column(target))
    return [_file(path, row, data, label) for row, (data, label) in enumerate(zip(column, labels, strict=True))], target


def _is_image(kind: pl.DataType) -> bool:
    if isinstance(kind, pl.Struct):
        return any(field.name == "bytes" and field.dtype == pl.Binary for field in kind.fields)
    return kind == pl.Binary


def _target(path: Path, frame: pl.DataFrame, image: str, target: str | None) -> str:
    others = [name for name in frame.columns if name != image]
    if target is not None:
        if target not in others:
            raise DataError(
                f"{path.name}: no column of classes is called {target!r}.{did_you_mean(target, others)} Its columns "
                f"are: {', '.join(others)}."
            )
        return target
    named = [name for name in _LABELS if name in others] or others
    if not named or (len(named) > 1 and named == others):
        raise DataError(
            f"{path.name}: which column holds the classes? Name it with --target; the columns are: "
            f"{', '.join(others) or 'none'}."
        )
    return named[0]


def _label_names(path: Path, values: pl.Series) -> Sequence[str | None]:
    if values.dtype.is_float() or not (
        values.dtype.is_integer() or values.dtype in (pl.String, pl.Boolean, pl.Categorical)
    ):
        raise DataError(
            f"{path.name}: column {values.name!r}: classes must be whole numbers or text; received {values.dtype}. "
            "Name another column."
        )
    known = _class_names(path, values.name) if values.dtype.is_integer() else []
    if known and values.min() >= 0 and values.max() < len(known):  # type: ignore[operator]  # integers
        return [None if value is None else known[value] for value in values]
    return values.cast(pl.String).to_list()


def _class_names(path: Path, column: str) -> list[str]:
    """The names that Hugging Face's ``datasets`` keeps beside a column of class numbers, if they are there."""
    try:
        kept = json.loads(pl.read_parquet_metadata(path).get("huggingface", "{}"))
        names = kept["info"]["features"][column]["names"]
    except (KeyError, TypeError, ValueError, pl.exceptions.PolarsError):
        return []
    fits = isinstance(names, list) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    return names if fits else []


def _file(path: Path, row: int, data: bytes | None, label: str | None) -> ImageFile:
    name = f"{path.name}: row {row + 1}"
    if data is not None and len(data) > MOST_BYTES:
        raise DataError(f"{name}: expected at most {MOST_BYTES:,} bytes; received {len(data):,}.")
    return ImageFile(name, lambda: data or b"", label)
