import numpy as np
import pytest
from sklearn.impute import SimpleImputer

from chainrule._base.errors import ArgumentError
from chainrule._base.registry import from_config, to_config
from chainrule.data.prepare import CategoryImputer, NumberImputer

GENDER = ["M", "M", "F", "M", "F", "F", "F"]
LIKES = ["Cats", "Dogs", None, "Cats", "Dogs", "Dogs", "Cats"]
X = np.array([[1.0, 7.0, 2.0], [np.nan, 7.0, 3.0], [4.0, np.nan, 5.0], [10.0, 1.0, 5.0]])


def test_global_mode_is_tied_and_says_so():
    """C131: Cats and Dogs are tied 3-3."""
    fitted = CategoryImputer("mode").fit(LIKES)
    assert fitted.notes == (
        "'Cats' and 'Dogs' are tied with 3 rows each; 'Cats' was taken, the first in the alphabet.",
    )
    assert fitted.transform(LIKES)[2] == "Cats"


def test_group_mode():
    """C131: among F, Dogs is the most frequent; among M, Cats."""
    fitted = CategoryImputer("mode").fit(LIKES, GENDER)
    assert dict(zip(fitted.groups, fitted.group_values, strict=True)) == {"F": "Dogs", "M": "Cats"}
    assert fitted.notes == ()
    assert fitted.transform(LIKES, GENDER) == ["Cats", "Dogs", "Dogs", "Cats", "Dogs", "Dogs", "Cats"]
    assert fitted.transform([None], ["X"]) == [fitted.value]
    assert from_config(to_config(fitted)) == fitted


def test_missing_as_its_own_class():
    """C131: three classes, Cats, Dogs and Missing."""
    assert set(CategoryImputer().fit(LIKES).transform(LIKES)) == {"Cats", "Dogs", "Missing"}


@pytest.mark.parametrize(
    ("ours", "theirs"), [("mean", "mean"), ("median", "median"), ("mode", "most_frequent"), ("constant", "constant")]
)
def test_numbers_as_sklearn(ours, theirs):
    """C133: mean, median, mode and constant equal scikit-learn's."""
    fitted = NumberImputer(ours, constant=-3.0).fit(X)
    oracle = SimpleImputer(strategy=theirs, fill_value=-3.0 if theirs == "constant" else None).fit(X)
    np.testing.assert_allclose(fitted.transform(X), oracle.transform(X), rtol=1e-12)
    assert from_config(to_config(fitted)) == fitted


def test_fitted_on_training_rows_only():
    """C133: rows that were not fitted on change nothing."""
    fitted = NumberImputer("mean").fit(X[:3])
    assert fitted.values[0] == 2.5
    assert fitted.transform(np.array([[np.nan, 0.0, 0.0]]))[0, 0] == 2.5


def test_indicator():
    """C132: columns with missing values get an indicator, others none."""
    fitted = NumberImputer().fit(X)
    assert fitted.indicator(X).tolist() == [[0, 0], [1, 0], [0, 1], [0, 0]]


def test_bad_arguments():
    with pytest.raises(ArgumentError, match="Did you mean 'median'"):
        NumberImputer("medain")
    with pytest.raises(ArgumentError, match=r"one entry per value \(7\); received 1"):
        CategoryImputer("mode").fit(LIKES, ["M"])
