import pytest

from chainrule.data.sources import text_files
from chainrule.data.sources.text_files import TextFile, class_files, decode, find_files, lines_of
from chainrule.errors import ArgumentError, DataError


def lines(tmp_path, raw, encoding="utf-8"):
    path = tmp_path / "a.txt"
    path.write_bytes(raw)
    return lines_of(TextFile(path, "a.txt"), encoding)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\ntwo", ["one", "two"]),  # no line end at the end of the file
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"one\rtwo", ["one", "two"]),
        (b"\xef\xbb\xbfone\n", ["one"]),
        ("one\ntwö".encode("utf-16"), ["one", "twö"]),
        ("one\ntwö".encode("utf-32"), ["one", "twö"]),
        (b"one\n\n two \n", ["one", "", " two "]),
        (b"", []),
        (b"\n", [""]),
        ("a\u2028b\x0cc\x85d\n".encode(), ["a\u2028b\x0cc\x85d"]),  # these end no line
        ("a\u202eb\n".encode(), ["a\u202eb"]),
    ],
)
def test_lines(tmp_path, raw, expected):
    """T-D6: byte order marks, all line ends, a missing line end, empty lines."""
    assert lines(tmp_path, raw) == expected


def test_another_encoding_is_used_when_named(tmp_path):
    assert lines(tmp_path, "café\n".encode("cp1252"), "cp1252") == ["café"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"fine\ncaf\xe9\n", r"a\.txt: line 2 is not utf-8 \(byte 0xE9 at offset 8\).*--encoding cp1252"),
        (b"one\ntwo\nab\x00c", r"a\.txt: line 3 holds a NUL character"),
        (b"ok\n\xed\xa0\x80\n", r"a\.txt: line 2 is not utf-8 \(byte 0xED"),  # half of a surrogate pair
        (b"\xff\xfea\x00\x00\xd8", r"a\.txt: line 1 is not utf-16-le"),
        (b"ok\nend \xf0\x9f\x91", r"a\.txt: line 2 is not utf-8"),  # cut off
        (b"\x89PNG\r\n\x1a\n\x00", r"a\.txt: must be a text file; received a PNG image\. Save its text"),
        (b"%PDF-1.7\n", r"a\.txt: must be a text file; received a PDF document"),
    ],
)
def test_bytes_that_are_no_text_name_the_line(tmp_path, raw, words):
    """T-D6: invalid UTF-8, NUL and surrogates are errors with file and line."""
    with pytest.raises(DataError, match=words):
        lines(tmp_path, raw)


def test_an_unknown_encoding_is_an_argument_error():
    for name in ("utf-9", "rot13"):  # the second is a codec, but of no bytes
        with pytest.raises(ArgumentError, match="must be a known text encoding"):
            decode(b"a", "a.txt", name)


def test_an_endless_line_is_refused(tmp_path, monkeypatch):
    """T-D6: a line of a hundred megabytes is an error; here with a smaller limit."""
    monkeypatch.setattr(text_files, "MAX_CHARACTERS", 50)
    with pytest.raises(DataError, match=r"a\.txt: the text on line 2 has 51 characters; at most 50"):
        lines(tmp_path, b"short\n" + b"x" * 51)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        lines_of(TextFile(tmp_path, "folder"))


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_plain_files_are_classes_by_their_endings_or_stems(tmp_path):
    write(tmp_path / "a", {"rt.pos": "x", "rt.neg": "y", "README.md": "about", ".hidden": ""})
    assert [(file.label, file.name) for file in find_files(tmp_path / "a")[0]] == [("neg", "rt.neg"), ("pos", "rt.pos")]
    write(tmp_path / "b", {"ham.txt": "x", "spam.txt": "y"})
    assert [file.label for file in find_files(tmp_path / "b")[0]] == ["ham", "spam"]
    write(tmp_path / "c", {"x.pos": "x", "x.neg": "y", "y.pos": "z"})
    assert [file.label for file in find_files(tmp_path / "c")[0]] == ["x.neg", "x.pos", "y.pos"]
    assert not any(file.is_whole for file in find_files(tmp_path / "c")[0])


def test_folders_are_classes(tmp_path):
    write(tmp_path, {"pos/1.txt": "x", "pos/deep/2.txt": "x", "neg/1.txt": "y", "neg/notes.pdf": "%"})
    files, notes = find_files(tmp_path)
    assert [(file.label, file.name) for file in files] == [
        ("neg", "neg/1.txt"),
        ("pos", "pos/1.txt"),
        ("pos", "pos/deep/2.txt"),
    ]
    assert all(file.is_whole and file.part is None for file in files)
    assert notes == ("1 file that is no .txt was left out.",)


def test_an_image_beside_plain_files_is_left_out(tmp_path):
    write(tmp_path, {"rt.pos": "x", "rt.neg": "y", "logo.png": "z"})
    files, notes = find_files(tmp_path)
    assert [file.label for file in files] == ["neg", "pos"]
    assert notes == ("1 file that is no .txt was left out.",)


def test_parts_stand_above_the_classes(tmp_path):
    write(tmp_path, {"train/pos/1.txt": "x", "train/neg/1.txt": "y", "Test/pos/1.txt": "z", "Test/neg/2.txt": "z"})
    files, notes = find_files(tmp_path)
    assert sorted((file.part, file.label) for file in files) == [
        ("test", "neg"),
        ("test", "pos"),
        ("train", "neg"),
        ("train", "pos"),
    ]
    assert not notes


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"only.txt": "x"}, "received 1 plain file. Give a file for each class"),
        ({"train.tsv": "x", "test.tsv": "y"}, r"a folder of tables. Name one of them: test\.tsv, train\.tsv"),
        ({"pos/1.png": "x", "neg/1.png": "y"}, r"expected folders of \.txt files.*it holds no texts but 2 images\."),
        ({"1.png": "x", "2.png": "y"}, r"it holds no texts but 2 images\."),
        ({"pos/notes.pdf": "x"}, r"one folder for each class; it holds no texts\."),
    ],
)
def test_other_layouts_are_errors(tmp_path, files, words):
    write(tmp_path, files)
    with pytest.raises(DataError, match=words):
        find_files(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"b\.neg: expected a file of texts; there is none"):
        class_files([tmp_path / "b.neg", tmp_path / "b.pos"], "b")
