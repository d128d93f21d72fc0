import json

import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, DataError, FormatError
from chainrule.data import Schema, describe, infer_schema, read_table

N = 40
NUMBERS = np.random.default_rng(0).permutation(N)
COLUMNS = {
    "amount": (NUMBERS / 7, "number", "different values"),
    "count": (NUMBERS // 3, "number", "whole numbers"),
    "thal": ([3, 6, 7, 3] * 10, "code", "only 3 different values: treated as a code, not an amount"),
    "sex": ([0, 1] * 20, "boolean", "'0' and '1'"),
    "smoker": (["yes", "no"] * 20, "boolean", "'no' and 'yes'"),
    "town": (["Oslo", "Bergen", "Moss", "Bodø"] * 10, "category", "text with 4"),
    "visited": ([f"2024-01-{1 + n % 28:02d}" for n in range(N)], "date", "every value is a date"),
    "story": ([f"word number {n} of many" for n in range(N)], "text", "running text"),
    "ticket": ([f"A/{n}" for n in range(N)], "identifier", "nearly tells rows apart"),
    "row": (NUMBERS + 100, "identifier", "in sequence"),
    "patient_id": (NUMBERS * 17 + 3, "identifier", "its name says identifier"),
    "unit": (["mg"] * N, "constant", "every row has 'mg'"),
    "flag": (["x", None] * 20, "category", "or nothing"),
    "blank": ([None] * N, "all_missing", "every value is missing"),
}


@pytest.fixture(scope="module")
def schema():
    return infer_schema(read_table({name: list(values) for name, (values, _, _) in COLUMNS.items()}))


@pytest.mark.parametrize("name", COLUMNS)
def test_kind_and_reason(schema, name):
    _, kind, reason = COLUMNS[name]
    assert schema[name].kind == kind
    assert reason in schema[name].reason


def test_counts(schema):
    column = schema["thal"]
    assert (column.rows, column.missing, column.unique, column.minimum, column.maximum) == (40, 0, 3, 3.0, 7.0)
    assert column.examples == ("3", "6", "7")
    assert (schema["flag"].missing, schema["flag"].unique) == (20, 1)


def test_json_round_trip(schema):
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
    with pytest.raises(FormatError, match="expected a Schema"):
        Schema.from_dict(schema.columns[0].__dict__ | {"type": "Column"})


def test_user_kinds_win():
    table = read_table({"cp": list(range(30)), "t": ["a", "b", "c"] * 10})
    schema = infer_schema(table, kinds={"cp": "category"})
    assert (schema["cp"].kind, schema["cp"].reason) == ("category", "chosen by you")
    with pytest.raises(ArgumentError, match=r"kinds\['cp'\] must be one of.*Did you mean 'category'"):
        infer_schema(table, kinds={"cp": "categry"})
    with pytest.raises(DataError, match=r"no column is called 'cpp'. Did you mean 'cp'"):
        infer_schema(table, kinds={"cpp": "code"})
    with pytest.raises(DataError, match=r"'t' cannot be a number: it holds text such as 'a'"):
        infer_schema(table, kinds={"t": "number"})


def test_description_has_a_row_per_column(schema):
    rows = describe(schema)
    assert [row[0] for row in rows] == list(COLUMNS)
    assert rows[2] == ("thal", "code", "3, 6, 7", schema["thal"].reason)


def test_examples_with_separators_are_quoted():
    table = read_table({"place": ["Perth, WA", "Rome", "a;b"] * 7})
    assert describe(infer_schema(table))[0][2] == "'Perth, WA', Rome, 'a;b'"


def test_unknown_name(schema):
    with pytest.raises(DataError, match="Did you mean 'smoker'"):
        schema["smokr"]


def test_heart_codes_and_titanic(shared_data):
    heart = infer_schema(read_table(shared_data / "heart_cleveland" / "heart_cleveland.csv"))
    assert set(heart.of_kind("code")) >= {"cp", "restecg", "slope", "thal"}
    assert heart.of_kind("boolean") == ("sex", "fbs", "exang")
    assert heart.of_kind("number") == ("age", "trestbps", "chol", "thalach", "oldpeak")
    titanic = infer_schema(read_table(shared_data / "titanic" / "titanic3.csv"))
    assert titanic.of_kind("identifier", "text") == ("name", "ticket", "cabin")
    assert titanic.of_kind("number") == ("age", "sibsp", "parch", "fare", "body")
