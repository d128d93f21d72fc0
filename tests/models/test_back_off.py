"""Training that goes on with smaller micro-batches when memory runs out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import chainrule as cr
from chainrule.models.back_off import _smaller, fit_with_back_off
from chainrule.optimizers import Adam
from chainrule.train import Callback


class Exhausted(Callback):
    """Asks for a petabyte in the first ``times`` runs, at the end of the epoch numbered ``epoch``."""

    def __init__(self, times, epoch=1):
        self.times, self.epoch, self.starts = times, epoch, 0

    def on_train_begin(self, run):
        self.starts += 1

    def on_epoch_end(self, epoch, logs, run):
        if self.starts <= self.times and epoch == self.epoch:
            jax.block_until_ready(jnp.zeros(1 << 50, jnp.uint8))


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(14, 2)).astype(np.float32)
    return x, (x @ [1.0, -2.0] + 0.5).astype(np.float32)


def compiled():
    model = cr.mlp([2, 3, 1], "tanh", seed=4)
    model.compile(Adam(0.05), "mse")
    return model


@pytest.mark.parametrize(("batch_size", "ended"), [(12, (3, 4)), ("full", ("full", 4))])
def test_out_of_memory_twice_gives_the_weights_of_the_big_batch(data, batch_size, ended):
    """C109: a real out-of-memory error halves the micro-batch and doubles accumulate; the weights stay equal."""
    whole, careful, memory = compiled(), compiled(), Exhausted(2, epoch=2)
    history = whole.fit(*data, epochs=3, batch_size=batch_size, verbose=0)
    found = fit_with_back_off(careful, *data, batch_size=batch_size, epochs=3, verbose=0, callbacks=[memory])
    assert (memory.starts, found[1:], careful.recipe.accumulate) == (3, ended, 4)
    assert len(found.history) == 3
    np.testing.assert_allclose(found.history["loss"], history["loss"], rtol=1e-5)  # float32, another order of sums
    for path, value in whole.get_weights().items():
        np.testing.assert_allclose(careful.get_weights()[path], value, rtol=1e-4, atol=1e-6)  # Adam divides by √v


def test_an_earlier_fit_is_continued_with_its_optimizer(data):
    """C109: Adam's moments and the step count survive the new start."""
    whole, careful = compiled(), compiled()
    for model in (whole, careful):
        model.fit(*data, epochs=2, batch_size=14, verbose=0)
    whole.fit(*data, epochs=1, batch_size=14, verbose=0)
    found = fit_with_back_off(careful, *data, batch_size=14, epochs=1, verbose=0, callbacks=[Exhausted(1, epoch=3)])
    assert found[1:] == (7, 2)
    assert int(careful.state.step) == 3
    assert len(found.history) == 3
    for path, value in whole.get_weights().items():
        np.testing.assert_allclose(careful.get_weights()[path], value, rtol=1e-4, atol=1e-6)


def test_one_example_that_does_not_fit_is_an_error(data):
    memory = Exhausted(99)
    with pytest.raises(jax.errors.JaxRuntimeError, match="RESOURCE_EXHAUSTED"):
        fit_with_back_off(compiled(), *data, batch_size=2, epochs=1, verbose=0, callbacks=[memory])
    assert memory.starts == 2


def test_other_errors_are_not_caught(data):
    def fail(event, run):
        raise jax.errors.JaxRuntimeError("INTERNAL: something else")

    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        fit_with_back_off(compiled(), *data, batch_size=4, epochs=1, verbose=0, callbacks=[fail])


@pytest.mark.parametrize(
    ("batch_size", "accumulate", "expected"),
    [(32, 1, (16, 2)), (16, 2, (8, 4)), (15, 1, (5, 3)), (7, 1, (1, 7)), (1, 7, None), ("full", 2, ("full", 4))],
)
def test_the_product_of_micro_batch_and_accumulate_stays(batch_size, accumulate, expected):
    assert _smaller(batch_size, accumulate, 5) == expected
    assert _smaller("full", 5, 5) is None
