"""Zip files from strangers: every member is checked before the first one is read, and nothing is written to disk.

Refused, each with the member's name: paths that lead out (``../``, absolute, drive letters, backslashes), links,
devices, encrypted members, two members of one name, data before or after the archive, and bombs (too many members, too
many bytes, packed more than 200 times). What is read is counted, not believed.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from chainrule._base.errors import DataError

MOST_MEMBERS = 200_000
MOST_MEMBER_BYTES = 1 << 28
MOST_BYTES = 1 << 35
MOST_RATIO = 200
_END = b"PK\x05\x06"
_LARGEST_COMMENT = 65_535


class Archive:
    """A zip file whose members have been checked; :meth:`read` gives their bytes.

    Args:
        path: the zip file.
        most_member_bytes: the largest member, unpacked.

    Raises:
        DataError: it is no zip file, or is refused.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with zipfile.ZipFile(Path(folder) / "a.zip", "w") as file:
        ...         file.writestr("cats/1.txt", "purr")
        ...     archive = Archive(Path(folder) / "a.zip")
        ...     archive.names, archive.read("cats/1.txt")
        (('cats/1.txt',), b'purr')
    """

    def __init__(self, path: str | Path, *, most_member_bytes: int = MOST_MEMBER_BYTES) -> None:
        self.path = Path(path)
        _check_ends(self.path)
        try:
            self._file = zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise DataError(f"{self.path.name}: not a readable zip file ({error}). Download it again.") from error
        members = [info for info in self._file.infolist() if not info.is_dir()]
        _check(self.path.name, members, most_member_bytes)
        if min((info.header_offset for info in self._file.infolist()), default=0):
            raise DataError(f"{self.path.name}: refused, because something stands before the archive's first member.")
        self._members = {info.filename: info for info in members}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the files in it, sorted."""
        return tuple(sorted(self._members))

    def read(self, name: str) -> bytes:
        """The bytes of one member.

        Raises:
            DataError: it is damaged, or holds another number of bytes than it says.
        """
        info = self._members[name]
        try:
            with self._file.open(info) as member:
                data = member.read(info.file_size + 1)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
            raise DataError(f"{self.path.name}: {name}: the member cannot be read ({error}).") from error
        if len(data) != info.file_size:
            raise DataError(
                f"{self.path.name}: {name}: expected {info.file_size:,} bytes, as the archive says; received "
                f"{len(data):,}. Download it again."
            )
        return data


def _check(archive: str, members: list[zipfile.ZipInfo], most_member_bytes: int) -> None:
    if len(members) > MOST_MEMBERS:
        raise DataError(f"{archive}: expected at most {MOST_MEMBERS:,} files; received {len(members):,}. Unpack it.")
    seen: set[str] = set()
    for info in members:
        problem = _problem(info, most_member_bytes)
        if info.filename in seen:
            problem = "stands there twice"
        if problem:
            raise DataError(f"{archive}: refused, because its member {info.filename[:200]!r} {problem}.")
        seen.add(info.filename)
    packed, unpacked = sum(info.compress_size for info in members), sum(info.file_size for info in members)
    if unpacked > MOST_BYTES or unpacked > MOST_RATIO * max(packed, 1):
        raise DataError(
            f"{archive}: refused, because its {packed:,} bytes would become {unpacked:,}; at most {MOST_BYTES:,} and "
            f"{MOST_RATIO} times as many are unpacked. Unpack it yourself if you trust it, and give the folder."
        )


def _problem(info: zipfile.ZipInfo, most_member_bytes: int) -> str:
    """Why a member is refused; empty if it is not."""
    name, kind = info.filename, info.external_attr >> 16
    if "\\" in name or "\0" in info.orig_filename or ":" in name.split("/")[0]:
        return "has a path of another system"
    if name.startswith("/") or ".." in PurePosixPath(name).parts:
        return "leads out of the archive"
    if stat.S_IFMT(kind) not in (0, stat.S_IFREG):
        return "is a link or a device"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.file_size > most_member_bytes:
        return f"has {info.file_size:,} bytes; at most {most_member_bytes:,} are unpacked"
    return ""


def _check_ends(path: Path) -> None:
    """Refuse data before or after the archive, with which two programs can see two different archives in one file."""
    try:
        with path.open("rb") as file:
            first = file.read(4)
            size = file.seek(0, 2)
            file.seek(max(0, size - 22 - _LARGEST_COMMENT))
            tail = file.read()
    except OSError as error:
        raise DataError(f"{path.name}: the file cannot be read ({error.strerror}).") from error
    place = tail.rfind(_END)
    whole = place >= 0 and len(tail) - place >= 22
    comment = struct.unpack("<H", tail[place + 20 : place + 22])[0] if whole else -1
    if first not in (b"PK\x03\x04", _END) or comment != len(tail) - place - 22:
        raise DataError(
            f"{path.name}: expected a zip file and nothing else; there is something before or after the archive, or it "
            "is cut short. Download it again."
        )
