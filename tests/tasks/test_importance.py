import numpy as np
import pytest

from chainrule.errors import ArgumentError
from chainrule.tasks.importance import permutation_importance


@pytest.fixture
def rows():
    return np.random.default_rng(2).normal(size=(400, 4))


def score_of(truth):
    return lambda predictions: -float(np.mean((predictions - truth) ** 2))


def test_shuffling_a_linear_term_costs_twice_its_variance(rows):
    truth = 3.0 * rows[:, 0] + rows[:, 2]
    result = permutation_importance(
        lambda x: 3.0 * x[:, 0] + x[:, 2], rows, ["a", "b", "c", "d"], score_of(truth), repeats=40
    )
    # E (w x - w x')² = 2 w² var(x); 40 shuffles of 400 rows leave about 2 % of noise
    assert result.mean[0] == pytest.approx(2 * 9 * rows[:, 0].var(), rel=0.06)
    assert result.mean[2] == pytest.approx(2 * rows[:, 2].var(), rel=0.06)
    assert result.mean[[1, 3]].tolist() == [0.0, 0.0]
    assert [name for name, _, _ in result.ranked()][:2] == ["a", "c"]


def test_all_features_of_a_column_are_shuffled_together(rows):
    rows[:, 1] = -rows[:, 0]  # two features of one column that cancel
    result = permutation_importance(
        lambda x: x[:, 0] + x[:, 1], rows, ["a", "a", "b", "c"], score_of(np.zeros(400)), repeats=2
    )
    assert result.columns == ("a", "b", "c")
    np.testing.assert_allclose(result.mean, 0.0, atol=1e-12)


def test_the_rows_themselves_are_left_as_they_were(rows):
    before = rows.copy()
    permutation_importance(lambda x: x[:, 0], rows, list("abcd"), score_of(rows[:, 0]))
    np.testing.assert_array_equal(rows, before)
    with pytest.raises(ArgumentError, match="repeats"):
        permutation_importance(lambda x: x[:, 0], rows, list("abcd"), score_of(rows[:, 0]), repeats=0)
