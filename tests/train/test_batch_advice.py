"""Rules of thumb for the batch size."""

import pytest

from chainrule.errors import ArgumentError
from chainrule.train.batch_advice import advise_batch_size


@pytest.mark.parametrize(
    ("asked", "size", "accumulate", "said"),
    [
        ({}, 32, 1, "usual"),
        ({"noisy": True}, 64, 1, "averages the noise"),
        ({"stuck": True}, 16, 1, "stuck"),
        ({"noisy": True, "stuck": True}, 32, 1, "stuck"),
        ({"out_of_memory": True}, 16, 2, "two micro-batches"),
        ({"out_of_memory": True, "batch_size": 1}, 1, 1, "smaller"),
        ({"batch_size": 128, "noisy": True}, 256, 1, "noise"),
    ],
)
def test_advice_starts_at_32_and_turns_by_symptom(asked, size, accumulate, said):
    """C109: 32 for images; larger if noisy; smaller if stuck or out of memory; said to be a rule of thumb (E16)."""
    advice = advise_batch_size(60_000, **asked)
    assert advice[:2] == (size, accumulate)
    assert said in advice.reason
    assert "rule of thumb" in advice.reason


def test_out_of_memory_keeps_the_batch_of_an_update():
    """C109: smaller micro-batches, the same update."""
    for size in (2, 32, 100):
        advice = advise_batch_size(1000, batch_size=size, out_of_memory=True)
        assert advice.batch_size * advice.accumulate == size


def test_no_batch_is_larger_than_the_data():
    assert advise_batch_size(7).batch_size == 7
    assert "only 7 examples" in advise_batch_size(7).reason
    with pytest.raises(ArgumentError, match="examples"):
        advise_batch_size(0)
