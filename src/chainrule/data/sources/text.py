"""Texts with or without classes, from a table's column, plain files, folders or memory, as one :class:`Texts`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from chainrule._base.errors import DataError
from chainrule._base.wording import counted
from chainrule.data.schema import infer_schema
from chainrule.data.sources.contents import PACKED
from chainrule.data.sources.table import Table, read_table
from chainrule.data.sources.text_files import (
    MAX_CHARACTERS,
    TextFile,
    class_files,
    find_files,
    is_plain,
    lines_of,
)

TEXT, LABEL = "text", "label"  # names of the columns where files have none
_RUNNING_TEXT = 3  # words on average from which a column is taken for texts


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts as they stand in their source, one row each.

    Args:
        table: one row per text, with the column of texts (never missing: an empty text is ``""``) and, if there is one,
            the column of classes.
        text: name of the column of texts.
        target: name of the column of classes, where files and folders say them.
        shown: where each text stands: ``file`` if there are several, and ``line`` (or ``row``).
        parts: rows of the parts that the source divides itself.
        notes: what was noticed, one sentence each.
        num_left_out: empty texts of the source that are not among these.
    """

    table: Table
    text: str
    target: str | None
    shown: pl.DataFrame = field(repr=False)
    parts: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    num_left_out: int = 0

    def __len__(self) -> int:
        return len(self.table)

    @property
    def values(self) -> pl.Series:
        """The texts."""
        return self.table.column(self.text)

    def where(self, row: int) -> str:
        """Where a text stands, in words: ``reviews.csv: line 7``."""
        place = self.shown.row(row, named=True)
        name = place.get("file", self.table.source)
        return " ".join([f"{name}:", *(f"{kind} {place[kind]}" for kind in ("line", "row") if kind in place)]).rstrip(
            ":"
        )

    def take(self, rows: np.ndarray) -> Texts:
        """The given rows, in that order."""
        index = np.asarray(rows, np.int64)
        position = np.full(len(self), -1)
        position[index] = np.arange(index.size)
        parts = {part: kept[kept >= 0] for part, kept in ((part, position[old]) for part, old in self.parts.items())}
        return replace(self, table=self.table.take(index), shown=self.shown[index], parts=parts)

    def without_empty(self) -> Texts:
        """The texts that hold more than blanks; a note says how many do not."""
        is_empty = (self.values.str.strip_chars().str.len_chars() == 0).to_numpy()
        if not is_empty.any():
            return self
        number, first = int(is_empty.sum()), self.where(int(is_empty.argmax()))
        note = counted(number, "text is empty and was left out", "texts are empty and were left out")
        notes = (*self.notes, f"{note} (the first: {first}).")
        return replace(self.take(np.flatnonzero(~is_empty)), notes=notes, num_left_out=self.num_left_out + number)


def read_texts(
    source: Any,  # Any: a path, several paths, a Table, or a data frame of any library
    *,
    text: str | None = None,
    target: str | None = None,
    encoding: str = "utf-8",
) -> Texts:
    r"""Read texts from wherever they stand.

    - A table (CSV, TSV, Parquet, Excel, a data frame): a column of texts, and one of classes.
    - Plain files, one text a line: in one folder, a file for each class, named by its ending (``reviews.pos``,
      ``reviews.neg``) or, if the endings agree, by its stem. One plain file alone has no classes.
    - A folder with a folder for each class and a text in each ``.txt`` file; above the classes there may be ``train``,
      ``validation`` and ``test``.

    Line ends may be ``\n``, ``\r\n`` or ``\r``; a byte order mark is taken off; U+2028, form feeds and the like end no
    line. Bytes that cannot be decoded, NUL characters, halves of surrogate pairs and texts of more than ten million
    characters are errors that name the file and the line. Nothing else is changed here (see ``Tokenizer`` for what is
    done before counting words).

    Args:
        source: where the texts are.
        text: the column of texts, if it is not the only one with running text.
        target: the column of classes, or a comparison with it (``"stars>3"``); files and folders need none.
        encoding: of files without a byte order mark. Tables that are not UTF-8 are read as Windows-1252, with a note,
            unless another one than UTF-8 is named here.

    Raises:
        DataError: names the file and the line.

    Example:
        >>> texts = read_texts({"review": ["a fine film", "not so fine"], "stars": [5, 2]}, target="stars")
        >>> texts.text, texts.where(1)
        ('review', 'table: row 2')
    """
    if isinstance(source, list | tuple):
        files = class_files([Path(one) for one in source], ", ".join(str(one) for one in source))
        return _from_files(files, files[0].path.stem, encoding)
    if isinstance(source, str | Path):
        path = Path(source)
        if path.is_dir():
            files, notes = find_files(path)
            return _from_files(files, path.name or str(path), encoding, notes)
        if is_plain(path) and target is None:
            return _from_files([TextFile(path, path.name)], path.name, encoding)
    table = source if isinstance(source, Table) else _read_table(source, encoding)
    return _from_table(table, text, target)


def texts_of(values: Sequence[str] | pl.Series) -> Texts:
    """Texts in memory, without classes."""
    column = values if isinstance(values, pl.Series) else pl.Series(TEXT, list(values), dtype=pl.String)
    table = Table(pl.DataFrame({TEXT: column.cast(pl.String).fill_null("")}), "texts")
    return _checked(Texts(table, TEXT, None, pl.DataFrame({"row": np.arange(1, len(table) + 1)})))


def looks_like_text(source: Any, target: str | None) -> bool:  # Any: see read_texts
    """Whether a table's only feature is running text, or a folder holds plain files of texts.

    Tables of more than 50 MB are not looked at.

    Example:
        >>> rows = {"id": range(1, 25), "ill": [0, 1] * 12, "note": [f"the case number {n} again" for n in range(24)]}
        >>> looks_like_text(rows, "ill"), looks_like_text(rows | {"age": range(30, 54)}, "note")
        (True, False)
    """
    if isinstance(source, str | Path) and Path(source).is_dir():
        try:
            return all(file.path.suffix.lower() not in PACKED for file in find_files(Path(source))[0])
        except DataError:
            return False
    if isinstance(source, str | Path) and Path(source).is_file() and Path(source).stat().st_size > _LARGEST_LOOKED_AT:
        return False
    table = read_table(source)
    classes = _target_column(table, target)
    useless = {"identifier", "constant", "all_missing"}
    columns = infer_schema(table).columns
    kinds = [column.kind for column in columns if column.name != classes and column.kind not in useless]
    return kinds == ["text"]


_LARGEST_LOOKED_AT = 50_000_000  # bytes of a table; half a second
_COMPARISON = re.compile(r"(?P<column>.+?)\s*(>=|<=|==|!=|>|<)")


def _from_files(files: Sequence[TextFile], source: str, encoding: str, notes: tuple[str, ...] = ()) -> Texts:
    found = [lines_of(file, encoding) for file in files]
    counts = [len(texts) for texts in found]
    columns: dict[str, Any] = {TEXT: pl.Series([text for texts in found for text in texts], dtype=pl.String)}
    has_labels = all(file.label is not None for file in files)
    if has_labels:
        columns[LABEL] = np.repeat(np.array([file.label for file in files]), counts)
    if not sum(counts):
        raise DataError(f"{source}: the files hold no text. Give a text on each line.")
    lines = np.concatenate([np.arange(1, number + 1) for number in counts])
    places: dict[str, Any] = {}
    if len(files) > 1 or files[0].is_whole:
        places["file"] = np.repeat(np.array([file.name for file in files]), counts)
    if not all(file.is_whole for file in files):
        places["line"] = lines
    part = np.repeat(np.array([file.part or "" for file in files]), counts)
    parts = {name: np.flatnonzero(part == name) for name in np.unique(part).tolist() if name}
    table = Table(pl.DataFrame(columns), source, (), lines)
    return _checked(Texts(table, TEXT, LABEL if has_labels else None, pl.DataFrame(places), parts, notes))


def _read_table(source: Any, encoding: str) -> Table:  # Any: see read_texts
    is_default = encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    try:
        return read_table(source, encoding=None if is_default else encoding)
    except DataError as error:
        if not isinstance(error.__cause__, UnicodeEncodeError):
            raise
        raise DataError(
            "data frame: a text holds half of a surrogate pair, which is no character. Decode the source as UTF-8 with "
            "errors='replace', or correct the text."
        ) from error


def _from_table(table: Table, text: str | None, target: str | None) -> Texts:
    target = _target_column(table, target)
    name = _text_column(table, text, target)
    values = table.column(name).fill_null("")
    table = Table(table.frame.with_columns(values), table.source, table.notes, table.lines)
    kind = "row" if table.lines is None else "line"
    lines = np.arange(1, len(table) + 1) if table.lines is None else table.lines
    return _checked(Texts(table, name, target, pl.DataFrame({kind: lines}), notes=table.notes))


def _target_column(table: Table, target: str | None) -> str | None:
    """The column that a target names, or compares with something."""
    match = None if target is None or target in table.columns else _COMPARISON.match(target)
    return match["column"].strip() if match else target


def _text_column(table: Table, text: str | None, target: str | None) -> str:
    if text is not None:
        values = table.column(text)
        if text == target or values.dtype != pl.String:
            held = "the classes" if text == target else "numbers or dates"
            raise DataError(
                f"{table.source}: the column of texts must hold text; {text!r} holds {held}. Name another with --text."
            )
        return text
    columns = [values for values in table.frame.iter_columns() if values.dtype == pl.String and values.name != target]
    words = {values.name: values.str.count_matches(r"\S+").mean() for values in columns}
    running = [name for name, mean in words.items() if isinstance(mean, float) and mean >= _RUNNING_TEXT]
    chosen = running or list(words)
    if len(chosen) != 1:
        found = f"these may be: {', '.join(map(repr, chosen))}" if chosen else "no column holds text"
        raise DataError(f"{table.source}: one column of texts is needed; {found}. Name it with --text COL.")
    return chosen[0]


def _checked(texts: Texts) -> Texts:
    """Refuse what no text holds; files have been looked at already, but tables have not."""
    values = texts.values
    sizes, zeros = values.str.len_chars(), values.str.contains("\0", literal=True)
    if zeros.any():
        raise DataError(
            f"{texts.where(int(zeros.arg_max() or 0))}: the text holds a NUL character, which no text has. Remove it."
        )
    if len(texts) and int(sizes.max()) > MAX_CHARACTERS:  # type: ignore[arg-type]  # a column of counts
        row = int(sizes.arg_max() or 0)
        raise DataError(
            f"{texts.where(row)}: the text has {sizes[row]:,} characters; at most {MAX_CHARACTERS:,} are read as one "
            "text. Split it."
        )
    return texts


__all__ = ["LABEL", "TEXT", "Texts", "looks_like_text", "read_texts", "texts_of"]
