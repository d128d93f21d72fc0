import numpy as np
import pytest

from chainrule.errors import DataError
from chainrule.tasks.labelled import Options, divide, split_words

ASKED = Options("fit_plane", seed=3)
LABELS = np.repeat([0, 1, 2], [40, 20, 10])
NAMES = ("a", "b", "c")


def test_classes_keep_their_shares_and_every_row_has_one_place():
    parts, findings = divide(LABELS, NAMES, ASKED, source="letters")
    for rows, share in ((parts.train, 0.6), (parts.validation, 0.2), (parts.test, 0.2)):
        np.testing.assert_allclose(np.bincount(LABELS[rows]), share * np.array([40, 20, 10]))
    assert sorted(np.concatenate([parts.train, parts.validation, parts.test]).tolist()) == list(range(70))
    assert not findings


def test_copies_stay_on_one_side():
    units = np.arange(70)
    units[1:40:6] = 0  # seven copies of the first example, all of class a
    parts, findings = divide(LABELS, NAMES, ASKED, source="letters", units=units)
    sides = [part for part in (parts.train, parts.validation, parts.test) if np.isin(units[part], 0).any()]
    assert len(sides) == 1
    assert "copies kept together" in parts.how
    assert not findings


@pytest.mark.parametrize(
    ("part", "sizes"),
    [
        ("test", {"train": 28, "validation": 7, "test": 35}),
        ("validation", {"train": 28, "validation": 35, "test": 7}),
    ],
)
def test_a_given_part_is_kept_and_the_missing_one_taken_from_training(part, sizes):
    given = {"train": np.arange(0, 70, 2), part: np.arange(1, 70, 2)}
    parts, _ = divide(LABELS, NAMES, ASKED, source="letters", given=given)
    assert parts.sizes == sizes
    assert sorted(getattr(parts, part).tolist()) == list(range(1, 70, 2))
    assert parts.how.startswith(f"{part} as given")


def test_three_given_parts_are_kept():
    given = {"train": np.arange(0, 70, 2), "validation": np.arange(1, 70, 4), "test": np.arange(3, 70, 4)}
    parts, _ = divide(LABELS, NAMES, ASKED, source="letters", given=given)
    assert {part: sorted(getattr(parts, part).tolist()) for part in given} == {k: v.tolist() for k, v in given.items()}
    assert parts.how == "as given"


def test_copies_across_given_parts_are_told():
    units = np.arange(70)
    units[[1, 3, 5]] = 0
    given = {"train": np.arange(0, 70, 2), "test": np.arange(1, 70, 2)}
    _, (finding,) = divide(
        LABELS, NAMES, Options("fit_plane", seed=3, validation=0.01), source="s", units=units, given=given
    )
    assert finding.message.startswith("3 validation and test examples are exact copies")


def test_rare_classes_and_classes_without_training_are_errors():
    with pytest.raises(DataError, match=r"letters: at least 3 examples of each class .* of 'c' \(2\)"):
        divide(np.repeat([0, 1, 2], [9, 8, 2]), NAMES, ASKED, source="letters")
    given = {"train": np.arange(60), "test": np.arange(60, 70)}
    with pytest.raises(DataError, match="the class 'c' has no example to train on"):
        divide(LABELS, NAMES, ASKED, source="letters", given=given)


def test_the_words_tell_sizes_and_imbalance():
    parts, _ = divide(LABELS, NAMES, ASKED, source="letters")
    lines = split_words(parts, ASKED, ("letter", "letters"), {"a": 40, "b": 20, "c": 10})
    assert lines[0] == (
        "Split (stratified, seed 3): 42 letters to train, 14 to decide when to stop, 14 to judge once at the end."
    )
    assert lines[1].startswith("Classes are imbalanced: 'a' has 40 letters, 'c' 10 (4 times fewer).")
    assert len(split_words(parts, ASKED, ("letter", "letters"), {"a": 40, "b": 20})) == 1


def test_a_class_of_copies_has_too_few_different_examples():
    units = np.arange(70)
    units[40:60] = 40 + np.arange(20) % 2  # class b: two different ones
    with pytest.raises(DataError, match=r"letters: at least 3 different examples .* 'b' \(2 among 20\)\. Add"):
        divide(LABELS, NAMES, ASKED, source="letters", units=units)


def test_equal_examples_of_different_classes_are_told():
    units = np.arange(70)
    units[[5, 45, 46]] = 5  # one of class a, two of class b
    _, (finding,) = divide(LABELS, NAMES, ASKED, source="letters", units=units)
    assert finding.message == "3 examples have an exact copy in another class."
