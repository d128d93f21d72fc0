"""Reading against Python's csv module on generated pollution."""

import csv
import io

import numpy as np
import pytest

from chainrule._base.errors import DataError
from chainrule.data.sources.delimited import read_delimited
from chainrule.data.sources.structure import detect_separator, scan

FIELDS = ["", "a", "1.5", 'say "hi"', "x,y", "x;y", "two\nlines", " padded ", "é", "'", '"', "\t", "|", "?"]


def generated(rng, separator, quoting):
    width, height = int(rng.integers(2, 6)), int(rng.integers(2, 8))
    rows = [[str(rng.choice(FIELDS)) for _ in range(width)] for _ in range(height)]
    rows[0][0] = "name"  # a record that is one empty field would be a blank line
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=separator, quoting=quoting, lineterminator="\n").writerows(rows)
    return rows, stream.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_equal_to_csv_module(tmp_path, separator, quoting, newline):
    rng = np.random.default_rng([ord(separator), quoting, len(newline)])
    path = tmp_path / "t.csv"
    for _ in range(25):
        rows, text = generated(rng, separator, quoting)
        path.write_bytes(text.replace("\n", newline).encode())
        table = read_delimited(path, separator=separator, header=False)
        assert [[cell or "" for cell in row] for row in table.frame.rows()] == rows
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        starts, last = [], 0
        for _row in reader:
            starts.append(last + 1)
            last = reader.line_num
        assert table.lines.tolist() == starts


def test_stray_quotes_follow_the_csv_module(tmp_path):
    path = tmp_path / "t.csv"
    for text in ('a,b\n5" pipe,x\n', 'a,b\n "q",x\n', 'a,b\nx"y"z,"w"\n'):
        path.write_text(text)
        expected = list(csv.reader(io.StringIO(text)))
        table = read_delimited(path, header=True)
        assert [list(table.frame.columns), *map(list, table.frame.rows())] == expected


def test_mutilated_text_is_equal_or_refused(tmp_path):
    """Deleting one character never gives a table that differs from the strict csv module's."""
    rng = np.random.default_rng(5)
    path = tmp_path / "t.csv"
    num_read = num_refused = wrongly_refused = 0
    for _ in range(150):
        _, text = generated(rng, ",", csv.QUOTE_MINIMAL)
        cut = int(rng.integers(len(text)))
        text = text[:cut] + text[cut + 1 :]
        path.write_bytes(text.encode())
        try:
            expected = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
        except csv.Error:
            expected = None
        try:
            table = read_delimited(path, separator=",", header=False)
        except DataError:
            num_refused += 1
            wrongly_refused += expected is not None and len({len(row) for row in expected}) == 1
        else:
            num_read += 1
            assert [[cell or "" for cell in row] for row in table.frame.rows()] == expected
    assert wrongly_refused == 0
    assert num_read > 20
    assert num_refused > 20


def test_irregular_quotes_are_left_to_the_full_parser():
    assert scan(b'a,b\nx"y,z\n', ",") is None
    assert scan(b'a,b\n"x"y,z\n', ",") is None
    assert scan(b'a,b\n"x""y",z\n', ",") is not None


@pytest.mark.parametrize(
    ("text", "separator"),
    [("a;b\n1,5;2,5\n", ";"), ("a,b\nx;y,2\nz;w,3\n", ","), ("a\tb\n1,2\t3\n", "\t"), ("only\none\n", ",")],
)
def test_separator_detection(text, separator):
    assert detect_separator(text.encode(), "t") == separator
