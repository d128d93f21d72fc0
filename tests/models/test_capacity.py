"""Width and depth as limits of what a network can store."""

import functools
from itertools import pairwise

import numpy as np
import pytest

import chainrule as cr
from chainrule.optimizers import Adam


@functools.cache
def parameters_and_loss(sizes):
    rng = np.random.default_rng(5)
    x = rng.uniform(-1, 1, size=(24, 2)).astype(np.float32)
    y = rng.integers(0, 2, 24)  # labels by coin: nothing to generalise, only to memorise
    model = cr.mlp(sizes, "tanh", seed=6)
    model.compile(Adam(0.02), "cross_entropy")
    model.fit(x, y, epochs=400, batch_size="full", verbose=0, steps_per_call=400, train_metrics="running")
    return sum(weight.size for weight in model.get_weights().values()), model.evaluate(x, y)["loss"]


@pytest.mark.parametrize(
    ("large", "small"),
    [((2, 32, 32, 2), (2, 2, 2, 2)), ((2, 32, 32, 2), (2, 32, 2)), ((2, 32, 2), (2, 2))],
    ids=["width", "depth", "no hidden layer"],
)
def test_less_width_or_depth_means_fewer_parameters_and_less_memorised(large, small):
    """C126: limiting width or depth lowers the number of parameters (by its formula) and memorises noise less."""
    (large_count, large_loss), (small_count, small_loss) = parameters_and_loss(large), parameters_and_loss(small)
    for sizes, count in ((large, large_count), (small, small_count)):
        assert count == sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))
    assert small_count < large_count
    assert large_loss < 0.8 * small_loss
