import numpy as np
import polars as pl
import pytest
from sklearn import preprocessing

from chainrule._base.registry import from_config, to_config
from chainrule.data.prepare import OneHotEncoder, OrdinalEncoder

VALUES = ["b", "a", "c", "b", "b", "a", "d"]


def test_one_hot_as_sklearn():
    """C136: one-hot columns equal scikit-learn's."""
    fitted = OneHotEncoder(min_count=1).fit(pl.Series(VALUES))
    oracle = preprocessing.OneHotEncoder(categories=[list(fitted.categories)], sparse_output=False)
    assert fitted.labels == ("b", "a", "c", "d")  # most frequent first
    assert np.array_equal(fitted.transform(pl.Series(VALUES)).values, oracle.fit_transform(np.reshape(VALUES, (-1, 1))))
    assert from_config(to_config(fitted)) == fitted


def test_rare_and_unknown_share_other():
    fitted = OneHotEncoder(min_count=2).fit(pl.Series(VALUES))
    assert fitted.labels == ("b", "a", "(other)")
    coded = fitted.transform(pl.Series(["c", "zebra", "a"]))
    assert coded.values.tolist() == [[0, 0, 1], [0, 0, 1], [0, 1, 0]]
    assert coded.num_unknown == 2
    assert OneHotEncoder(min_count=1, max_categories=1).fit(pl.Series(VALUES)).labels == ("b", "(other)")


def test_unknown_without_other_is_the_training_average():
    fitted = OneHotEncoder(min_count=1).fit(pl.Series(VALUES))
    coded = fitted.transform(pl.Series(["zebra", None]))
    np.testing.assert_allclose(coded.values, [[3 / 7, 2 / 7, 1 / 7, 1 / 7]] * 2, rtol=1e-12)
    assert (coded.num_unknown, coded.num_missing) == (1, 1)


def test_missing_is_its_own_category():
    fitted = OneHotEncoder(min_count=1).fit(pl.Series(["a", None, "b", "c"]))
    assert fitted.labels == ("a", "b", "c", "(missing)")
    assert fitted.transform(pl.Series([None, "c"], dtype=pl.String)).values.tolist() == [[0, 0, 0, 1], [0, 0, 1, 0]]


def test_two_values_make_one_feature():
    fitted = OneHotEncoder().fit(pl.Series(["no", "yes", "yes", "yes"]))
    assert fitted.labels == ("yes",)
    assert fitted.transform(pl.Series(["no", "yes", "perhaps"])).values.ravel().tolist() == [0.0, 1.0, 0.75]


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.0], ["1", "2", "3"]])
def test_codes_match_however_they_are_stored(values):
    fitted = OneHotEncoder(min_count=1).fit(pl.Series([1.0, 2.0, 3.0]))
    assert np.array_equal(fitted.transform(pl.Series(values)).values, np.eye(3))


def test_ordinal_codes():
    fitted = OrdinalEncoder().fit(pl.Series([*VALUES, None]))
    coded = fitted.transform(pl.Series(["b", "a", None, "zebra"]))
    assert coded.values.tolist() == [2, 3, 1, 0]
    assert coded.values.dtype == np.int32
    assert (fitted.size, coded.num_unknown, coded.num_missing) == (6, 1, 1)
