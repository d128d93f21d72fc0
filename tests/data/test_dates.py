import datetime

import numpy as np
import polars as pl
import pytest

from chainrule._base.errors import DataError
from chainrule.data import read_table
from chainrule.data.dates import FORMATS, date_parts, find_date_format, to_moments

MOMENT = datetime.datetime(2023, 12, 24, 18, 30)


@pytest.mark.parametrize("form", [form for form in FORMATS if "%.f" not in form])
def test_format_is_found_and_read(form):
    values = pl.Series("d", [MOMENT.strftime(form), None])
    found = find_date_format(values)
    assert found == (form, "")
    expected = datetime.datetime.strptime(MOMENT.strftime(form), form)
    assert to_moments(values, form, "f").to_list() == [expected, None]


def test_ambiguous_dates_are_said():
    assert "exchanged" in find_date_format(pl.Series(["01/02/2024", "03/04/2024"]))[1]
    assert find_date_format(pl.Series(["01/13/2024", "03/04/2024"])) == ("%m/%d/%Y", "")


def test_not_dates():
    assert find_date_format(pl.Series(["1.2.3"])) is None
    assert find_date_format(pl.Series(["2024-13-45"])) is None
    assert find_date_format(pl.Series([1.0])) is None


def test_parts_against_datetime():
    parts = date_parts(pl.Series([MOMENT, None]), first=19_000.0)
    days = (MOMENT - datetime.datetime(1970, 1, 1)).total_seconds() / 86_400
    np.testing.assert_allclose(parts[0], [2023, 12, MOMENT.isoweekday(), 18, days - 19_000], rtol=1e-12)
    assert np.isnan(parts[1]).all()


def test_other_format_at_prediction_is_refused():
    with pytest.raises(
        DataError, match=r"new.csv: row 2, column 'd': expected a date such as 2023-01-31; received '3.4.2024'"
    ):
        to_moments(pl.Series("d", ["2024-01-01", "3.4.2024"]), "%Y-%m-%d", "new.csv")
    with pytest.raises(DataError, match="must hold dates"):
        to_moments(pl.Series("d", [1.0]), "%Y-%m-%d", "new.csv")


@pytest.mark.parametrize("form", FORMATS)
def test_the_example_in_a_message_is_a_date_of_the_column(form):
    with pytest.raises(DataError) as refused:
        to_moments(pl.Series("d", ["never"]), form, "f")
    example = str(refused.value).split("a date such as ")[1].split(";")[0]
    assert example.find("31") >= 0
    assert to_moments(pl.Series("d", [example]), form, "f")[0].date() == datetime.date(2023, 1, 31)


def test_a_bad_date_of_a_file_is_told_by_its_line(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("d\n\n2024-01-01\n3.4.2024\n")
    table = read_table(path)
    with pytest.raises(DataError, match=r"new.csv: line 4, column 'd'"):
        to_moments(table.column("d"), "%Y-%m-%d", table.source, table.where)
