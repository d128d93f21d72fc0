from collections import Counter

import numpy as np
import pytest

from chainrule._base.registry import from_config, to_config
from chainrule.data.prepare.tokenize_phrases import Phrases
from chainrule.errors import ArgumentError

FIRST = 6
IDS = np.random.default_rng(1).integers(0, FIRST, (9, 7)).astype(np.int32)
IDS[:, 5:] = 0  # padding


def runs(row, span):
    """Runs of ``span`` known tokens with the place where they begin."""
    return [
        (place, tuple(row[place : place + span].tolist()))
        for place in range(len(row) - span + 1)
        if (row[place : place + span] > 1).all()
    ]


@pytest.mark.parametrize(("longest", "min_count"), [(2, 1), (3, 1), (3, 2), (4, 1)])
def test_phrases_are_the_runs_that_occur_often_enough(longest, min_count):
    encoded = Phrases(longest, min_count=min_count).fit(IDS, first=FIRST).encode(IDS)
    assert encoded.shape == (9, longest, 7)
    np.testing.assert_array_equal(encoded[:, 0], IDS)
    kept, names = None, {}
    for span in range(2, longest + 1):
        counts = Counter(run for row in IDS for _, run in runs(row, span) if kept is None or run[:-1] in kept)
        kept = {run for run, count in counts.items() if count >= min_count}
        for row, numbers in zip(IDS, encoded[:, span - 1], strict=True):
            begins = {place: run for place, run in runs(row, span) if run in kept}
            assert set(np.flatnonzero(numbers).tolist()) == set(begins)
            for place, run in begins.items():
                assert names.setdefault(int(numbers[place]), run) == run  # one number, one phrase
    assert min(names) == FIRST
    assert len(set(names.values())) == len(names) == max(names) - FIRST + 1


def test_the_most_frequent_are_kept():
    ids = np.array([[2, 3, 2, 3, 4, 5, 0, 0]], np.int32)
    assert Phrases(2, min_count=1, most=1).fit(ids, first=FIRST).keys == ((2 * FIRST + 3,),)


def test_new_texts_know_only_phrases_of_the_training_texts():
    fitted = Phrases(2, min_count=1).fit(np.array([[2, 3, 0, 0, 0, 0, 0, 0]], np.int32), first=FIRST)
    assert fitted.encode(np.array([[3, 2, 3, 0, 0, 0, 0, 0]], np.int32))[0, 1].tolist() == [0, 6, 0, 0, 0, 0, 0, 0]


def test_single_tokens_alone_and_none_at_all():
    fitted = Phrases(1).fit(IDS, first=FIRST)
    assert (fitted.size, fitted.encode(IDS).shape) == (FIRST, (9, 1, 7))
    assert Phrases(3).fit(np.zeros((2, 8), np.int32), first=FIRST).size == FIRST


def test_saved_without_code():
    fitted = Phrases(3, min_count=1).fit(IDS, first=FIRST)
    assert from_config(to_config(fitted)) == fitted


def test_errors():
    with pytest.raises(ArgumentError, match="longest"):
        Phrases(6)
    with pytest.raises(ArgumentError, match="min_count must be an integer of at least 1"):
        Phrases(min_count=0)
