"""Plain text from files and folders: one text a line or one a file; the name of the file or folder says the class."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chainrule._base.errors import ArgumentError, DataError
from chainrule._base.wording import counted
from chainrule.data.sources.contents import NO_DATA, TABLE_ENDINGS, contents_of
from chainrule.data.sources.encoding import line_at, shown_name
from chainrule.data.sources.image_decoding import ENDINGS as IMAGE_ENDINGS

MAX_CHARACTERS = 10_000_000  # of one text; more is a file without line ends, or no text at all
PART_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NO_TEXTS = {
    b"\x89PNG\r\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF87a": "a GIF image",
    b"GIF89a": "a GIF image",
    b"%PDF-": "a PDF document",
    b"PK\x03\x04": "a zip archive or an Office document",
}
_TEXT_ENDINGS = (".txt", ".text", "")


@dataclass(frozen=True)
class TextFile:
    """A file of texts: its class and its part, if its place says so, and whether it holds one text or one a line."""

    path: Path
    name: str  # relative to the folder, for messages and answers
    label: str | None = None
    part: str | None = None
    is_whole: bool = False


def decode(raw: bytes, name: str, encoding: str = "utf-8") -> str:
    r"""The text of a file, strictly: what cannot be decoded is an error that names the line.

    A byte order mark of UTF-8, UTF-16 or UTF-32 counts more than ``encoding`` and is taken off; all line ends become
    ``\n``.

    Raises:
        DataError: bytes that are not text in this encoding, such as those of a picture, or a NUL character.
        ArgumentError: no such encoding.

    Example:
        >>> decode(b"\xef\xbb\xbfone\r\ntwo", "a.txt")
        'one\ntwo'
    """
    if (kind := next((kind for begin, kind in _NO_TEXTS.items() if raw.startswith(begin)), None)) is not None:
        raise DataError(f"{name}: must be a text file; received {kind}. Save its text as UTF-8, or leave it out.")
    mark = next(((mark, found) for mark, found in _MARKS if raw.startswith(mark)), None)
    if mark is not None:
        raw, encoding = raw[len(mark[0]) :], mark[1]
    try:
        text = raw.decode(encoding)
    except LookupError as error:
        raise ArgumentError(
            f"encoding: must be a known text encoding; received {encoding!r}. Use 'utf-8', 'cp1252' or 'utf-16'."
        ) from error
    except UnicodeError as error:  # some codecs raise no more than this, without a place
        at = getattr(error, "start", 0)
        byte = f"byte 0x{raw[at]:02X}" if at < len(raw) else "end of the file"
        raise DataError(
            f"{name}: line {line_at(raw, at)} is not {encoding} ({byte} at offset {at}). Save the file as UTF-8, or "
            "name its encoding, such as --encoding cp1252."
        ) from error
    if (zero := text.find("\0")) >= 0:
        raise DataError(
            f"{name}: line {text.count(chr(10), 0, zero) + 1} holds a NUL character, which no text has. The file is "
            "binary or damaged; if it is UTF-16, add --encoding utf-16."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines_of(file: TextFile, encoding: str = "utf-8") -> list[str]:
    """The texts of a file: its lines without their ends, or the whole of it.

    A line end at the end of the file begins no further text; the last line needs none.

    Raises:
        DataError: the file cannot be read or decoded, or one text has more than ten million characters.
    """
    try:
        raw = file.path.read_bytes()
    except OSError as error:
        raise DataError(f"{file.path}: the file cannot be read ({error.strerror}). Check its permissions.") from error
    text = decode(raw, file.name, encoding)
    texts = [text] if file.is_whole else text.removesuffix("\n").split("\n") if text else []
    for number, one in enumerate(texts, start=1):
        if len(one) > MAX_CHARACTERS:
            raise DataError(
                f"{file.name}: the text on line {number} has {len(one):,} characters; at most {MAX_CHARACTERS:,} are "
                "read as one text. Give one text a line, or split it."
            )
    return texts


def find_files(folder: Path) -> tuple[list[TextFile], tuple[str, ...]]:
    """The files of texts in a folder, and what was left out.

    Either the folder holds one folder for each class, with a text in each ``.txt`` file (and above these, perhaps,
    ``train`` and ``test``); or it holds one plain file for each class, with one text a line.

    Raises:
        DataError: it is laid out otherwise.
    """
    folders = [entry for entry in _entries(folder) if entry.is_dir()]
    parts = {entry: PART_NAMES.get(entry.name.lower()) for entry in folders}
    if folders and all(parts.values()):
        found = [_class_files(entry, folder, part) for entry, part in parts.items()]
        return [file for files, _ in found for file in files], _left_out(sum(number for _, number in found))
    if folders:
        files, number = _class_files(folder, folder, None)
        return files, _left_out(number)
    beside = [entry for entry in _entries(folder) if is_plain(entry) and entry.stem.lower() not in NO_DATA]
    plain = [entry for entry in beside if entry.suffix.lower() not in IMAGE_ENDINGS]
    if beside and not plain:
        raise DataError(_no_texts(folder))
    if not plain and any(entry.suffix.lower() in TABLE_ENDINGS for entry in _entries(folder)):
        raise DataError(
            f"{folder}: expected folders or plain files of texts; received a folder of tables. Name one of them: "
            f"{_listed(entry.name for entry in _entries(folder))}."
        )
    return class_files(plain, str(folder)), _left_out(len(beside) - len(plain))


def class_files(paths: Sequence[Path], source: str) -> list[TextFile]:
    """Plain files of one text a line, one file for each class, named by the endings if the stems agree, else by these.

    Raises:
        DataError: fewer than two files, or one that is not there.

    Example:
        >>> [file.label for file in class_files([Path("rt.pos"), Path("rt.neg")], "rt")]  # doctest: +SKIP
        ['pos', 'neg']
    """
    for path in paths:
        if not path.is_file():
            raise DataError(f"{path}: expected a file of texts; there is none. Check the path.")
    if len(paths) < 2:
        raise DataError(
            f"{source}: expected a folder for each class with .txt files in it, or a plain file for each class with "
            f"one text a line; received {counted(len(paths), 'plain file', 'plain files')}. Give a file for each "
            "class, or a table with a column of texts and one of classes."
        )
    stems, endings = [path.stem for path in paths], [path.suffix.lstrip(".") for path in paths]
    for labels in (endings if len(set(stems)) == 1 else stems, [path.name for path in paths]):
        if len(set(labels)) == len(paths) and all(labels):
            break
    names = [path.name for path in paths]
    names = names if len(set(names)) == len(names) else [str(path) for path in paths]
    return [TextFile(path, name, label) for path, name, label in zip(paths, names, labels, strict=True)]


def is_plain(path: Path) -> bool:
    """Whether a file is taken as plain text: any ending that no table has."""
    return path.is_file() and path.suffix.lower() not in TABLE_ENDINGS


def _class_files(root: Path, folder: Path, part: str | None) -> tuple[list[TextFile], int]:
    """Texts in the class folders of ``root``, and how many other files there are."""
    files, num_others = [], 0
    for place in (entry for entry in _entries(root) if entry.is_dir()):
        inside = sorted(entry for entry in place.rglob("*") if entry.is_file() and not entry.name.startswith("."))
        texts = [entry for entry in inside if entry.suffix.lower() in _TEXT_ENDINGS]
        num_others += len(inside) - len(texts)
        names = [shown_name(one.relative_to(folder).as_posix()) for one in texts]
        label = shown_name(place.name)
        files += [TextFile(one, name, label, part, is_whole=True) for one, name in zip(texts, names, strict=True)]
    if not files:
        raise DataError(_no_texts(root))
    return files, num_others


def _no_texts(folder: Path) -> str:
    images = contents_of(folder).images
    held = f"it holds no texts but {counted(images, 'image', 'images')}" if images else "it holds no texts"
    return (
        f"{folder}: expected folders of .txt files, one folder for each class; {held}. Give one text in each file, or "
        "a plain file for each class with one text a line."
    )


def _entries(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "_")))


def _left_out(number: int) -> tuple[str, ...]:
    return (counted(number, "file that is no .txt was left out.", "files that are no .txt were left out."),) * bool(
        number
    )


def _listed(names: Iterable[str], limit: int = 10) -> str:
    several = list(names)
    return ", ".join(several[:limit]) + (", ..." if len(several) > limit else "")
