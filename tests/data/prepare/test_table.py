import json

import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, DataError, FormatError
from chainrule.data import FittedPreparer, TablePreparer, infer_schema, read_table

N = 40
RNG = np.random.default_rng(0)


def columns():
    age = (20 + RNG.permutation(N) / 3).tolist()
    age[3] = None
    return {
        "age": age,
        "dose": RNG.lognormal(size=N).tolist(),
        "thal": [3, 6, 7, 3] * 10,
        "sex": ["m", "f"] * 20,
        "town": ["Oslo", "Moss", "Bodø", None] * 10,
        "seen": [f"2024-{1 + n % 12:02d}-{1 + n % 28:02d}" for n in range(N)],
        "name": [f"name {n}" for n in range(N)],
        "ill": ["yes", "no", "no", "yes"] * 10,
    }


COLUMNS = columns()
TABLE = read_table(COLUMNS)
SCHEMA = infer_schema(TABLE)
TRAIN = np.arange(24)
FITTED = TablePreparer().fit(TABLE, SCHEMA, TRAIN, exclude=("ill",))


def changed(**values):
    return read_table({**COLUMNS, **values})


def test_features_and_their_columns():
    assert FITTED.feature_names == (
        "age", "dose", "seen.month", "seen.day_of_week", "seen.elapsed_days", "age is missing",
        "thal=3", "thal=6", "thal=7", "sex=m", "town=Bodø", "town=Moss", "town=Oslo", "town=(missing)",
    )  # fmt: skip
    assert FITTED.column_of_feature == (
        "age", "dose", "seen", "seen", "seen", "age", "thal", "thal", "thal", "sex", "town", "town", "town", "town",
    )  # fmt: skip
    assert FITTED.transform(TABLE).shape == (N, 14)
    assert FITTED.transform(TABLE).dtype == np.float32
    assert FITTED.dropped == (("name", SCHEMA["name"].reason),)
    assert ("name", f"left out: {SCHEMA['name'].reason}") in FITTED.describe()


def test_against_numpy_by_hand():
    """C133 C135: median, mean and deviation of the training rows only, to float32."""
    age = np.array([np.nan if value is None else value for value in COLUMNS["age"]])
    filled = np.where(np.isnan(age), np.nanmedian(age[TRAIN]), age)
    expected = (filled - filled[TRAIN].mean()) / filled[TRAIN].std()
    features = FITTED.transform(TABLE)
    np.testing.assert_allclose(features[:, 0], expected, rtol=1e-5, atol=1e-6)
    assert features[:, 5].tolist() == [float(n == 3) for n in range(N)]
    assert features[:, 9].tolist() == [1.0, 0.0] * 20
    assert features[:4, 6:9].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_test_rows_change_nothing():
    """C143: what is fitted does not depend on rows outside the training part."""
    other = dict(COLUMNS)
    other["dose"] = [*COLUMNS["dose"][:24], *[1e6] * 16]
    other["town"] = [*COLUMNS["town"][:24], *["Rome"] * 16]
    assert TablePreparer().fit(read_table(other), SCHEMA, TRAIN, exclude=("ill",)) == FITTED


@pytest.mark.parametrize("numeric", ["standard", "minmax", "robust", "quantile"])
@pytest.mark.parametrize("bins", [0, 3])
def test_json_round_trip(numeric, bins):
    preparer = TablePreparer(numeric=numeric, piecewise_bins=bins, text="length")
    fitted = preparer.fit(TABLE, SCHEMA, TRAIN, exclude=("ill",))
    loaded = FittedPreparer.from_config(json.loads(json.dumps(fitted.to_config())))
    assert loaded == fitted
    features = loaded.transform(TABLE)
    assert np.array_equal(features, fitted.transform(TABLE))
    assert features.shape[1] == len(fitted.feature_names) == len(fitted.column_of_feature)
    assert np.isfinite(features).all()
    assert ("dose bin 3" in fitted.feature_names) == (bins == 3)
    with pytest.raises(FormatError):
        FittedPreparer.from_config({"type": "StandardScaler"})


def test_order_and_extra_columns():
    shuffled = {name: COLUMNS[name] for name in reversed(COLUMNS)} | {"new": list(range(N))}
    prepared = FITTED.prepare(read_table(shuffled))
    assert np.array_equal(prepared.features, FITTED.transform(TABLE))
    assert prepared.notes == ("columns that training did not have were ignored: new.",)


def test_target_and_dropped_columns_are_not_needed():
    part = read_table({name: values for name, values in COLUMNS.items() if name not in ("ill", "name")})
    assert FITTED.prepare(part).notes == ()


def test_missing_columns_are_all_named():
    with pytest.raises(DataError, match=r"2 of the 6 columns.*'age', 'thal'.*'thal': Did you mean 'thall'\?.*rename"):
        FITTED.transform(read_table({name + ("l" if name == "thal" else ""): values
                                     for name, values in COLUMNS.items() if name != "age"}))  # fmt: skip


def test_text_where_numbers_were():
    with pytest.raises(DataError, match=r"table: row 2, column 'dose': a number was expected.*'high'"):
        FITTED.transform(changed(dose=["1", "high"] * 20))


def test_category_column_of_numbers_is_unknown():
    notes = FITTED.prepare(changed(town=[1.0] * N)).notes
    assert notes == ("column 'town': 40 values were rare or not there in training; given the training average.",)


def test_unseen_missing_and_far_values_are_noted():
    prepared = FITTED.prepare(changed(
        sex=[None, *COLUMNS["sex"][1:]],
        thal=[9, 9, *COLUMNS["thal"][2:]],
        dose=[None, 1e9, *COLUMNS["dose"][2:]],
    ))  # fmt: skip
    text = "\n".join(prepared.notes)
    assert "column 'dose': 1 of 40 values is missing, though none was in training; filled with" in text
    assert "column 'dose': 1 of 40 values is far outside the training range" in text
    assert "column 'thal': 2 values were rare or not there in training; given the training average" in text
    assert "column 'sex': 1 value is missing, though none was in training" in text
    assert np.isfinite(prepared.features).all()
    np.testing.assert_allclose(prepared.features[0, 6:9], [0.5, 0.25, 0.25])
    assert prepared.features[0, 9] == 0.5


def test_all_missing_column_at_prediction_is_filled():
    prepared = FITTED.prepare(changed(age=[None] * N, town=[None] * N, seen=[None] * N))
    assert np.isfinite(prepared.features).all()
    assert prepared.features[:, 5].tolist() == [1.0] * N


def test_dropped_column_keeps_whether_it_is_given():
    cabin = [f"C{n}" if n % 2 else None for n in range(N)]
    table = read_table({"cabin": cabin * 2, "x": [n / 3 for n in range(2 * N)]})
    schema = infer_schema(table, kinds={"cabin": "identifier"})
    fitted = TablePreparer().fit(table, schema)
    assert fitted.feature_names == ("x", "cabin is given")
    assert dict(fitted.describe())["cabin"] == "its text is not used, only whether it is filled in: chosen by you"
    assert fitted.transform(table)[:4, 1].tolist() == [0, 1, 0, 1]


def test_no_usable_column():
    table = read_table({"k": ["a"] * 30, "y": [0, 1] * 15})
    with pytest.raises(DataError, match=r"no column is left to learn from \(k: every row has 'a'"):
        TablePreparer().fit(table, infer_schema(table), exclude=("y",))


def test_bad_arguments():
    with pytest.raises(ArgumentError, match="Did you mean 'standard'"):
        TablePreparer(numeric="standrd")
    with pytest.raises(DataError, match="no training rows"):
        TablePreparer().fit(TABLE, SCHEMA, [])
