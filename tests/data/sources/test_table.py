import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xlsxwriter

from chainrule._base.errors import ArgumentError, ArgumentTypeError, ChainruleError, DataError
from chainrule.data import duplicate_groups, infer_schema, read_table

ROWS = "age,sex\n63,m\n41,f\n"


def write(folder, content, name="t.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def columns(table):
    return {name: table.frame[name].to_list() for name in table.columns}


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_separator_and_newline_are_detected(tmp_path, separator, newline):
    text = ROWS.replace(",", separator).replace("\n", newline)
    assert columns(read_table(write(tmp_path, text))) == {"age": [63.0, 41.0], "sex": ["m", "f"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encoding_is_detected(tmp_path, encoding):
    table = read_table(write(tmp_path, "town,people\nMålmö,3\nÅbo,5\n".encode(encoding)))
    assert columns(table) == {"town": ["Målmö", "Åbo"], "people": [3.0, 5.0]}
    assert bool(table.notes) == (encoding in ("cp1252", "utf-16-le", "utf-16-be"))


def test_windows_encoding_is_said(tmp_path):
    (note,) = read_table(write(tmp_path, "a,b\n1,é\n".encode("cp1252"))).notes
    assert "not UTF-8 (byte 0xE9 on line 2); read as Windows-1252" in note


def test_named_encoding_wins(tmp_path):
    path = write(tmp_path, "a,b\n1,й\n".encode("cp1251"))
    assert read_table(path, encoding="cp1251").frame["b"].to_list() == ["й"]


@pytest.mark.parametrize("code", ["", "NA", "n/a", "NaN", "null", "None", "?", "-", " "])
def test_missing_codes(tmp_path, code):
    table = read_table(write(tmp_path, f"a,b\n1,x\n{code},y\n3,{code}\n"))
    assert columns(table) == {"a": [1.0, None, 3.0], "b": ["x", "y", None]}


def test_own_missing_code(tmp_path):
    path = write(tmp_path, "a,b\n1,x\n-9,x\n3,x\n")
    assert read_table(path, missing=("-9",)).frame["a"].to_list() == [1.0, None, 3.0]


BAD = {
    "empty": (b"", ["the file is empty", "header"]),
    "blank": (b" \n\n", ["the file is empty"]),
    "header only": (b"age,sex\n", ["header of 2 columns and no rows", "data rows"]),
    "ragged long": (b"a,b\n1,2\n3,4,5\n", ["line 3 has 3 fields", "expected 2", "correct the line"]),
    "ragged short": (b"a,b,c\n1,2,3\n\n4,5\n6,7\n", ["line 4 has 2 fields", "expected 3", "1 other line differs too"]),
    "ragged quoted": (b'a,b\n"x\ny",2\n3\n', ["line 4 has 1 fields", "expected 2"]),
    "damaged UTF-8": ("a,b\né,ü\nø,å\n".encode()[:-2] + b"\n", ["line 3", "0xC3", "offset", "export it again"]),
    "undecodable": (b"a,b\n1,\x81\n", ["byte 0x81 on line 2 (offset 6)", "name its encoding"]),
    "duplicate names": (b"a,b,a\n1,2,3\n", ["columns 1 and 3 are both called 'a'", "Rename"]),
    "pattern as name": (b"a,^a.*$\n1,2\n", ["column 2 is called '^a.*$'", "Rename"]),
    "NUL": (b"a,b\n1,\x00\n", ["line 2 holds a NUL byte (offset 6)", "export it again"]),
    "unterminated quote": (b'a,b\n1,"x\n2,y\n', ["line 2", "never closed", "Close the quote"]),
    "text after quote": (b'a,b\n1,"x"y\n', ["line 2", "quotes are not regular"]),
    "infinite": (b"a,b\n1,2\ninf,3\n", ["line 3, column 'a'", "'inf'", "Correct the value"]),
    "too large": (b"a,b\n1,2\n5,1e400\n", ["line 3, column 'b'", "'1e400'", "inf", "Correct the value"]),
    "Excel inside": (b"PK\x03\x04...", ["Excel", "Rename it to .xlsx"]),
    "gzip inside": (b"\x1f\x8b...", ["gzip", "Unpack"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_file_is_refused_with_place_and_action(tmp_path, case):
    content, parts = BAD[case]
    with pytest.raises(DataError) as caught:
        read_table(write(tmp_path, content))
    message = str(caught.value)
    assert message.startswith("t.csv:"), message
    for part in parts:
        assert part in message


def test_missing_file_suggests_a_neighbour(tmp_path):
    write(tmp_path, ROWS, "heart.csv")
    with pytest.raises(DataError, match=r"no such file. Did you mean 'heart.csv'\?"):
        read_table(tmp_path / "haert.csv")


def test_folder_instead_of_file_lists_its_tables(tmp_path):
    write(tmp_path, ROWS, "heart.csv")
    with pytest.raises(DataError, match=r"this is a folder. It holds: heart.csv. Name one file"):
        read_table(tmp_path)


@pytest.mark.parametrize(("name", "what"), [("t.parquet", "Parquet"), ("t.xlsx", "workbook")])
@pytest.mark.parametrize("content", [b"junk", b"PAR1" + b"\xff" * 40 + b"PAR1", b"PK\x03\x04junk"])
def test_corrupt_binary_file(tmp_path, name, what, content):
    with pytest.raises(DataError, match=rf"{name}: not a readable {what} .*again"):
        read_table(write(tmp_path, content, name))


def test_wrong_arguments():
    with pytest.raises(ArgumentTypeError, match=r"expected a path, a data frame.*received 3"):
        read_table(3)
    with pytest.raises(DataError, match=r"two axes.*shape \(3,\)"):
        read_table(np.zeros(3))
    with pytest.raises(DataError, match="same length"):
        read_table({"a": [1, 2], "b": [1, 2, 3]})


def test_separator_must_be_one_character(tmp_path):
    with pytest.raises(ArgumentError, match="one ASCII character"):
        read_table(write(tmp_path, ROWS), separator="::")


def test_headerless_file_gets_names_and_a_note(tmp_path):
    table = read_table(write(tmp_path, "63,1,?\n67,4,2\n41,2,3\n"))
    assert columns(table) == {"c1": [63.0, 67.0, 41.0], "c2": [1.0, 4.0, 2.0], "c3": [None, 2.0, 3.0]}
    assert "the first line holds values" in table.notes[0]
    assert table.where(2) == "t.csv: line 3"


def test_years_are_a_header(tmp_path):
    assert read_table(write(tmp_path, "1990,1995,2000\n1.5,2,3\n4,5.5,6\n")).columns == ("1990", "1995", "2000")


def test_decimal_comma_is_read_and_said(tmp_path):
    table = read_table(write(tmp_path, "a;b\n1,5;x\n-2;y\n"))
    assert columns(table) == {"a": [1.5, -2.0], "b": ["x", "y"]}
    assert any("decimal commas" in note for note in table.notes)


def test_blank_lines_are_skipped_and_counted(tmp_path):
    table = read_table(write(tmp_path, "a,b\n\n1,2\n\n3,4\n\n"))
    assert columns(table) == {"a": [1.0, 3.0], "b": [2.0, 4.0]}
    assert table.where(1) == "t.csv: line 5"
    assert "3 blank lines were skipped" in table.notes[0]


def test_parquet_and_frames_agree(tmp_path):
    frame = pl.DataFrame({"n": [1, None, 3], "t": ["x", None, "?"], "b": [True, False, None]})
    frame = frame.with_columns(pl.Series("d", [datetime.date(2020, 1, 2), None, datetime.date(2021, 3, 4)]))
    frame.write_parquet(tmp_path / "t.parquet")
    wanted = columns(read_table(frame))
    assert wanted["n"] == [1.0, None, 3.0]
    assert wanted["t"] == ["x", None, None]
    assert wanted["b"] == ["true", "false", None]
    assert wanted["d"][0] == datetime.datetime(2020, 1, 2)
    pandas = pd.DataFrame({"n": [1.0, np.nan, 3], "t": ["x", None, "?"]})
    pandas["b"] = pd.array([True, False, None], dtype="boolean")
    pandas["d"] = pd.to_datetime(["2020-01-02", None, "2021-03-04"])
    for other in (tmp_path / "t.parquet", frame.to_arrow(), pandas):
        assert columns(read_table(other)) == wanted
    assert isinstance(frame.to_arrow(), pa.Table)


def test_excel_sheet(tmp_path):
    path = tmp_path / "t.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in ("first", "second"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["n", "t"])
            sheet.write_row(1, 0, [1, name])
            sheet.write_row(2, 0, [2.5, "y"])
    table = read_table(path)
    assert columns(table) == {"n": [1.0, 2.5], "t": ["first", "y"]}
    assert "read sheet 'first' of 2" in table.notes[0]
    assert table.where(1) == "t.xlsx: line 3"
    assert read_table(path, sheet="second").frame["t"][0] == "second"
    with pytest.raises(DataError, match=r"no sheet 'secnd'. Did you mean 'second'\?"):
        read_table(path, sheet="secnd")


def test_names_that_mean_something_to_polars():
    names = ["*", "^a.*", "count", "value", "ab", "row"]
    frame = pl.DataFrame([pl.Series(name, [str(index), "?", "2", "2"]) for index, name in enumerate(names)])
    table = read_table(frame)
    assert columns(table) == {name: [float(index), None, 2.0, 2.0] for index, name in enumerate(names)}
    assert infer_schema(table).names == tuple(names)
    assert duplicate_groups(table).tolist() == [0, 1, 2, 2]
    assert table.drop(["*", "^a.*"]).columns == ("count", "value", "ab", "row")
    assert table.take([2, 0]).frame["ab"].to_list() == [2.0, 4.0]


def test_frame_with_infinity_or_lists_is_refused():
    with pytest.raises(DataError, match=r"data frame: row 2, column 'a'.*inf"):
        read_table(pl.DataFrame({"a": [1.0, float("inf")]}))
    with pytest.raises(DataError, match=r"column 'a' holds values of type List"):
        read_table(pl.DataFrame({"a": [[1], [2]]}))


def test_unknown_column_suggests_the_nearest():
    with pytest.raises(DataError, match=r"'thall'. Did you mean 'thal'\?"):
        read_table({"thal": [1, 2]}).column("thall")


def test_real_files(shared_data):
    heart = read_table(shared_data / "heart_cleveland" / "heart_cleveland.csv")
    raw = read_table(shared_data / "heart_cleveland" / "processed.cleveland.data")
    assert heart.frame.shape == raw.frame.shape == (303, 14)
    assert heart.frame.null_count().row(0) == raw.frame.null_count().row(0)
    assert heart.frame.null_count().to_dicts()[0] | {"ca": 4, "thal": 2} == heart.frame.null_count().to_dicts()[0]
    titanic = read_table(shared_data / "titanic" / "titanic3.csv")
    assert len(titanic) == 1309
    assert {name: titanic.frame[name].null_count() for name in ("age", "cabin", "embarked", "boat", "body")} == {
        "age": 263, "cabin": 1014, "embarked": 2, "boat": 823, "body": 1188,
    }  # fmt: skip


def test_no_row_is_lost_in_a_large_file(tmp_path):
    numbers = np.arange(200_000)
    frame = pl.DataFrame({"i": numbers, "x": numbers / 7, "t": [f'q"{n % 11},\n' for n in numbers]})
    frame.write_csv(tmp_path / "big.csv")
    table = read_table(tmp_path / "big.csv")
    assert len(table) == 200_000
    np.testing.assert_array_equal(table.frame["x"].to_numpy(), numbers / 7)  # text of a float round-trips exactly
    assert table.where(199_999) == "big.csv: line 400000"  # a line break in each row before: 2 + 2 * 199,999
    assert table.frame["t"][10] == 'q"10,'


def test_random_bytes_never_crash(tmp_path):
    rng = np.random.default_rng(0)
    alphabet = np.frombuffer(b'ab1.,;\t|"\n\r \xe9\xc3\xa9?-', np.uint8)
    refusals = []
    for _ in range(150):
        content = rng.choice(alphabet, size=rng.integers(1, 60)).tobytes()
        try:
            table = read_table(write(tmp_path, content))
        except ChainruleError as error:
            refusals.append(str(error))
        else:
            assert len(table) == len(table.lines) > 0
    assert all(message.startswith("t.csv") for message in refusals)
