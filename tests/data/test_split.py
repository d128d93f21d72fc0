import itertools
import warnings

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from chainrule._base.errors import ArgumentError, ArgumentTypeError, DataError
from chainrule.data import (
    RepeatedTestWarning,
    SealedTest,
    duplicate_groups,
    kfold,
    read_table,
    repeated_kfold,
    split,
)

LABELS = np.repeat([0, 1, 2], [50, 31, 7])


def parts_of(made):
    return made.train, made.validation, made.test


def assert_partition(made, num_rows):
    together = np.concatenate(parts_of(made))
    assert sorted(together.tolist()) == list(range(num_rows))


def test_simple_hold_out():
    """C144: split(raw_data, 0.8) keeps 80 % to train and 20 % to test, each row once."""
    raw = np.arange(35).reshape(35, 1) * 2
    made = split(raw, 0.8)
    train, test = made.take(raw)
    assert (len(train), len(test)) == (28, 7)
    assert sorted(np.concatenate([train, test]).ravel().tolist()) == raw.ravel().tolist()
    assert not np.array_equal(made.train, np.sort(made.train))  # shuffled, not the first rows


def test_three_sets():
    """C142: three sets by default, 60/20/20."""
    made = split(53)
    assert_partition(made, 53)
    assert all(abs(size - 53 * share) <= 1 for size, share in zip(made.sizes.values(), (0.6, 0.2, 0.2), strict=True))


@pytest.mark.parametrize("shares", [(0.2, 0.2), (0.15, 0.1), (0.0, 0.3), (0.25, 0.0)])
@pytest.mark.parametrize("seed", range(5))
def test_stratified_shares_to_within_one_row(shares, seed):
    """C147: each class has its share in each part, ±1."""
    validation, test = shares
    made = split(LABELS.size, validation=validation, test=test, stratify=LABELS, seed=seed)
    assert_partition(made, LABELS.size)
    for rows, share in zip(parts_of(made), (1 - validation - test, validation, test), strict=True):
        exact = share * np.bincount(LABELS)
        assert (np.abs(np.bincount(LABELS[rows], minlength=3) - exact) <= 1).all()


def test_rare_class_is_in_every_part():
    labels = np.array([0] * 90 + [1] * 3)
    for rows in parts_of(split(93, stratify=labels)):
        assert (labels[rows] == 1).sum() == 1


def test_text_classes_and_seed():
    labels = ["no"] * 20 + ["yes"] * 10
    first, again, other = (split(30, stratify=labels, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.train, again.train)
    assert not np.array_equal(first.train, other.train)


def test_groups_are_never_divided():
    """C147: rows of one group stay on one side."""
    rng = np.random.default_rng(0)
    groups, labels = rng.integers(0, 23, 200), rng.integers(0, 2, 200)
    made = split(200, groups=groups, stratify=labels)
    assert_partition(made, 200)
    sides = [set(groups[rows]) for rows in parts_of(made)]
    assert not any(one & other for one, other in itertools.combinations(sides, 2))
    assert abs(made.sizes["train"] - 120) <= np.bincount(groups).max()
    for rows in parts_of(made):
        assert abs(labels[rows].mean() - labels.mean()) < 0.15


def test_time_order():
    """C147: training is earlier than validation, validation earlier than test; equal moments stay together."""
    time = np.random.default_rng(1).integers(0, 12, 60)
    made = split(60, time=time)
    assert_partition(made, 60)
    assert time[made.train].max() < time[made.validation].min()
    assert time[made.validation].max() < time[made.test].min()


def test_exact_duplicates_stay_together():
    """C143: copies of a row are never on both sides."""
    rng = np.random.default_rng(2)
    values = rng.integers(0, 30, 120)  # every value several times
    table = read_table({"a": values, "b": values % 5})
    made = split(table)
    assert_partition(made, 120)
    sides = [set(values[rows]) for rows in parts_of(made)]
    assert not any(one & other for one, other in itertools.combinations(sides, 2))
    assert "duplicate rows kept together" in made.how
    assert abs(made.sizes["train"] - 72) <= np.bincount(values).max()


def test_duplicate_groups_with_missing_values():
    table = read_table({"a": [1, None, 1, None, 2], "b": ["x", None, "x", None, "x"]})
    assert duplicate_groups(table).tolist() == [0, 1, 0, 1, 2]
    assert duplicate_groups(table, ["b"]).tolist() == [0, 1, 0, 1, 0]


def test_kfold_validates_each_row_once():
    """C145: every row is in the validation part of exactly one fold."""
    folds = kfold(23, 4)
    assert sorted(np.concatenate([fold.validation for fold in folds]).tolist()) == list(range(23))
    assert sorted(fold.validation.size for fold in folds) == [5, 6, 6, 6]
    for fold in folds:
        assert sorted([*fold.train, *fold.validation]) == list(range(23))


def test_stratified_kfold_is_as_even_as_sklearn():
    oracle = StratifiedKFold(4, shuffle=True, random_state=0).split(LABELS, LABELS)
    theirs = np.sort([np.bincount(LABELS[rows], minlength=3) for _, rows in oracle], axis=0)
    ours = np.sort(
        [np.bincount(LABELS[fold.validation], minlength=3) for fold in kfold(88, 4, stratify=LABELS)], axis=0
    )
    assert np.array_equal(ours, theirs)


def test_repeated_kfold():
    """C146: P repeats of K folds are P·K fits, shuffled anew."""
    folds = repeated_kfold(21, folds=3, repeats=4)
    assert len(folds) == 12
    assert [(fold.repeat, fold.number) for fold in folds[:4]] == [(0, 0), (0, 1), (0, 2), (1, 0)]
    assert not np.array_equal(folds[0].validation, folds[3].validation)
    for repeat in range(4):
        rows = np.concatenate([fold.validation for fold in folds if fold.repeat == repeat])
        assert sorted(rows.tolist()) == list(range(21))


def test_group_kfold():
    groups = np.arange(30) // 3
    for fold in kfold(30, 5, groups=groups):
        assert not set(groups[fold.train]) & set(groups[fold.validation])
        assert fold.validation.size == 6


def test_second_use_of_the_test_set_warns():
    """C142: the test set counts its uses; the second warns."""
    sealed = SealedTest("rows")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sealed.open("final") == "rows"
    with pytest.warns(RepeatedTestWarning, match=r"used 2 times \(final, again\)"):
        sealed.open("again")
    assert sealed.uses == ("final", "again")


def test_bad_arguments():
    with pytest.raises(ArgumentError, match="must add up to 1"):
        split(10, validation=0.5, test=0.6)
    with pytest.raises(ArgumentError, match="must add up to 1"):
        split(10, train=0.5, validation=0.2, test=0.2)
    with pytest.raises(ArgumentError, match="test must be a finite number at least 0 and below 1"):
        split(10, test=20)
    with pytest.raises(ArgumentTypeError, match="received None"):
        split(None)
    with pytest.raises(ArgumentError, match="excludes"):
        split(3, time=[1, 2, 3], groups=[1, 2, 3])
    with pytest.raises(ArgumentError, match=r"one value per row \(4\); received 3"):
        split(4, stratify=[1, 2, 3])
    with pytest.raises(DataError, match="time is missing in row 2"):
        split(3, time=[1.0, None, 3.0])
    with pytest.raises(DataError, match="2 rows are too few for 3 parts"):
        split(2)
    with pytest.raises(DataError, match="2 groups are too few"):
        split(10, groups=[0, 1] * 5)
    with pytest.raises(DataError, match="too few for 5 folds"):
        kfold(4, 5)
    with pytest.raises(DataError, match="too few different moments"):
        split(10, time=[1] * 10)
