import polars as pl
import pytest

from chainrule._base.errors import DataError
from chainrule.data.sources.numbers import number_mask, type_column


def typed(values, **options):
    return type_column(pl.Series("c", values), lambda row: f"f: line {row + 2}", **options)


@pytest.mark.parametrize("text", ["1", "-1", "+1.5", ".5", "5.", "1e3", "1E-3", "007.5"])
def test_numbers_are_what_float_says(text):
    assert number_mask(pl.Series([text])).to_list() == [True]
    assert typed([text, "2.5"]).values.to_list() == [float(text), 2.5]


@pytest.mark.parametrize("text", ["1_000", "١٢", "0x10", "1e", "e5", ".", "1.2.3", "--1", "1 2", "½", "1d5", "True"])
def test_not_numbers(text):
    assert number_mask(pl.Series([text])).to_list() == [False]
    if text != ".":
        assert typed([text, "1"]).values.to_list() == [text, "1"]


def test_blanks_around_do_not_matter():
    assert typed([" 1 ", "\t2"]).values.to_list() == [1.0, 2.0]


@pytest.mark.parametrize("text", ["inf", "-Infinity", "1e400"])
def test_infinite_is_refused_with_its_place(text):
    with pytest.raises(DataError, match=r"f: line 3, column 'c': a finite number was expected.*Correct"):
        typed(["1", text])


def test_inf_as_a_word_stays_text():
    assert typed(["inf", "plural", "noun"]).values.to_list() == ["inf", "plural", "noun"]


@pytest.mark.parametrize(
    ("values", "numbers", "word"),
    [
        (["$1,200.50", "$30"], [1200.5, 30.0], "currency"),
        (["12%", "7.5 %"], [12.0, 7.5], "percent"),
        (["1,000", "22,000"], [1000.0, 22000.0], "thousands"),
    ],
)
def test_dressed_numbers_are_undressed_and_said(values, numbers, word):
    column = typed(values)
    assert column.values.to_list() == numbers
    assert word in column.notes[0]


def test_codes_stay_text():
    assert typed(["007", "123"]).values.to_list() == ["007", "123"]
    assert "leading zeros" in typed(["007", "123"]).notes[0]
    long = ["9007199254740993", "9007199254740995"]  # above 2**53: a float would change them
    assert typed(long).values.to_list() == long
    assert "too long" in typed(long).notes[0]


def test_almost_numeric_column_says_what_keeps_it_from_being_numeric():
    (note,) = typed(["1", "2", "oops", "4"]).notes
    assert "1 of 4 values is not a number, the first 'oops' (f: line 4)" in note
    assert note.endswith("replace it in the file, or pass missing=('oops',) to read_table.")


def test_a_column_of_many_different_words_gets_no_hint_of_missing_codes():
    (note,) = typed(["1", "2", "3", "4", "5", "A/5", "PC 1", "SC 2", "W 3"]).notes
    assert "4 of 9 values are not numbers" in note
    assert "missing" not in note
