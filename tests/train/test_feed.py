"""Order, padding and batches of an epoch."""

import jax
import numpy as np
import pytest

from chainrule.train.feed import Feed, take_batch


def feed_of(size, batch_size, weight=None, *, gathers=True):
    feed = Feed((np.arange(size, dtype=np.float32)[:, None],), (np.zeros((size, 1), np.float32),), weight, batch_size)
    feed.gathers = gathers
    return feed


@pytest.mark.parametrize("gathers", [True, False])
@pytest.mark.parametrize(("size", "batch_size"), [(10, 3), (9, 3), (2, 5), (1, 1), (7, 7)])
def test_every_example_counts_exactly_once(size, batch_size, gathers):
    """C98: batch size 1 and every other: an epoch sees each example once, padding weighs nothing."""
    feed = feed_of(size, batch_size, gathers=gathers)
    view = feed.epoch(jax.random.key(0), 1)
    seen = []
    for step in range(feed.steps):
        batch = take_batch(view.data, view.order, step, view.layout)
        assert batch.x[0].shape == (batch_size, 1)
        seen += np.asarray(batch.x[0])[np.asarray(batch.weight) > 0, 0].tolist()
    assert sorted(seen) == list(range(size))


def test_order_hangs_on_seed_and_epoch_only():
    feed = feed_of(50, 4)
    first = np.asarray(feed.epoch(jax.random.key(0), 1).order)
    assert (first == np.asarray(feed.epoch(jax.random.key(0), 1).order)).all()
    assert (first != np.asarray(feed.epoch(jax.random.key(0), 2).order)).any()
    assert (first != np.asarray(feed.epoch(jax.random.key(1), 1).order)).any()


@pytest.mark.parametrize("gathers", [True, False])
def test_rows_keep_their_order_where_they_are_not_shuffled(gathers):
    feed = Feed((np.arange(9.0)[:, None],), (np.zeros((9, 1)),), None, 4, shuffle=False, eval_rows=3)
    feed.gathers = gathers
    view = feed.epoch(jax.random.key(0), 2)
    batches = [take_batch(view.data, view.order, step, view.layout).x[0][:, 0].tolist() for step in range(2)]
    assert batches == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert (feed.eval_rows, feed.eval_steps) == (3, 3)


def test_weights_travel_with_their_rows():
    feed = feed_of(11, 4, np.arange(11, dtype=np.float32))
    view = feed.epoch(jax.random.key(0), 3)
    for step in range(feed.steps):
        batch = take_batch(view.data, view.order, step, view.layout)
        real = np.asarray(batch.weight) > 0
        assert (np.asarray(batch.weight)[real] == np.asarray(batch.x[0])[real, 0]).all()


def test_rows_name_the_examples_of_a_batch():
    feed = feed_of(10, 4)
    view = feed.epoch(jax.random.key(0), 1)
    batch = take_batch(view.data, view.order, 2, view.layout)
    assert feed.rows(view.order, 2).tolist() == np.asarray(batch.x[0])[:2, 0].tolist()


def test_bytes_stay_bytes():
    feed = Feed((np.zeros((3, 2), np.uint8),), (np.zeros((3, 1), np.float32),), None, 2)
    assert feed.data.x[0].dtype == np.uint8


def test_many_rows_are_shuffled_alike(monkeypatch):
    """The host's permutation of many rows hangs on seed and epoch, and holds each row once; so does the device's."""
    feed = feed_of(5000, 100)
    first, again = (np.asarray(feed.epoch(jax.random.key(0), 1).order) for _ in range(2))
    assert (first == again).all()
    assert sorted(first.tolist()) == list(range(5000))
    others = [feed.epoch(jax.random.key(0), 2), feed.epoch(jax.random.key(1), 1)]
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    others.append(feed.epoch(jax.random.key(0), 1))
    for other in others:
        assert sorted(np.asarray(other.order).tolist()) == list(range(5000))
        assert (np.asarray(other.order) == first).mean() < 0.01  # one row in 5,000 stays in its place by chance
