"""T-A1 to T-A4: archives from strangers are refused by name before anything is read."""

import io
import stat
import struct
import zipfile

import pytest

from chainrule.data.sources import archive as archives
from chainrule.data.sources.archive import Archive
from chainrule.errors import DataError


def zipped(tmp_path, members, *, compression=zipfile.ZIP_STORED, name="a.zip"):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w", compression) as file:
        for member, data in members:
            file.writestr(member, data)
    return path


def test_members_come_back_and_nothing_is_written(tmp_path):
    path = zipped(
        tmp_path, [("b/2.txt", b"two"), ("a/1.txt", b"one"), ("empty/", b"")], compression=zipfile.ZIP_DEFLATED
    )
    found = Archive(path)
    assert found.names == ("a/1.txt", "b/2.txt")
    assert found.read("b/2.txt") == b"two"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/etc/x.png", "a\\..\\x.png", "C:/x.png", "..", "a/.."])
def test_paths_that_lead_out_are_refused(tmp_path, name):
    with pytest.raises(DataError, match=r"leads out|another system"):
        Archive(zipped(tmp_path, [("fine.png", b"1"), (name, b"2")]))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    info = zipfile.ZipInfo("link.png")
    info.create_system, info.external_attr = 3, (kind | 0o777) << 16
    with pytest.raises(DataError, match=r"'link\.png' is a link or a device"):
        Archive(zipped(tmp_path, [(info, b"/etc/passwd")]))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path):
    with pytest.raises(DataError, match="stands there twice"):
        Archive(zipped(tmp_path, [("a.png", b"1"), ("a.png", b"2")]))


def test_bombs_are_refused(tmp_path, monkeypatch):
    path = zipped(tmp_path, [("a.png", bytes(1_000_000))], compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match="would become 1,000,000"):
        Archive(path)
    with pytest.raises(DataError, match=r"'a\.png' has 1,000,000 bytes; at most 999 are unpacked"):
        Archive(path, most_member_bytes=999)
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    with pytest.raises(DataError, match="at most 2 files; received 3"):
        Archive(zipped(tmp_path, [(f"{n}.png", b"x") for n in range(3)], name="many.zip"))


def test_a_size_that_is_not_true_is_refused(tmp_path):
    path = zipped(tmp_path, [("a.png", b"x" * 100)], compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    central = data.find(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 40)  # of 100 bytes, 40 are announced
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.zip: a\.png"):
        Archive(path).read("a.png")


@pytest.mark.parametrize(
    "change", [lambda d: b"#!/bin/sh\n" + d, lambda d: d + b"more", lambda d: d[:-1], lambda d: d[:40]]
)
def test_data_around_an_archive_is_refused(tmp_path, change):
    path = zipped(tmp_path, [("a.png", b"1")])
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=r"a\.zip"):
        Archive(path)


def test_two_archives_in_one_file_are_refused(tmp_path):
    path = zipped(tmp_path, [("a.png", b"1")])
    other = zipped(tmp_path, [("b.png", b"2")], name="b.zip")
    path.write_bytes(path.read_bytes() + other.read_bytes())
    with pytest.raises(DataError, match="before the archive's first member"):
        Archive(path)


def members_or_message(path):
    try:
        found = Archive(path)
        return [found.read(name) for name in found.names]
    except DataError as error:
        return str(error)


def test_every_flipped_byte_gives_the_members_or_a_named_error(tmp_path):
    path = zipped(tmp_path, [("a/1.png", b"first"), ("b/2.png", b"second")])
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        found = members_or_message(path)
        assert "a.zip" in found or set(found) <= {b"first", b"second"}


def test_what_is_no_archive_is_named(tmp_path):
    (tmp_path / "a.zip").write_bytes(io.BytesIO(b"words").getvalue())
    with pytest.raises(DataError, match=r"a\.zip: expected a zip file"):
        Archive(tmp_path / "a.zip")
