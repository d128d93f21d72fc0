"""NaN and Inf: found at their step, told with layer, rows and ranges; stop, skip, rollback."""

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.core import Layer
from chainrule.errors import NonFiniteError
from chainrule.layers import Dense, Input
from chainrule.models import Sequential
from chainrule.optimizers import SGD
from chainrule.train import Feed
from chainrule.train.events import NonFinite


class _SquareRoot(Layer):
    """sqrt(x), whose gradient at 0 is infinite."""

    name = None

    def call(self, params, x):
        return jnp.sqrt(jnp.maximum(x, 0))


class _Reciprocal(Layer):
    name = None

    def call(self, params, x):
        return 1 / x


def linear(*layers, rate=0.01, **arguments):
    model = Sequential([Input(2), *layers], seed=1)
    model.compile(SGD(rate), "mse", **arguments)
    return model


@pytest.mark.parametrize("bad_row", [0, 6, 12])
def test_the_layer_and_the_row_are_named(bad_row):
    x = np.ones((13, 2), np.float32)
    x[bad_row] = 0
    model = linear(_Reciprocal(), Dense(1))
    before = model.get_weights()
    with pytest.raises(NonFiniteError) as caught:
        model.fit(x, np.ones(13), epochs=1, batch_size=13, verbose=0)
    text = str(caught.value)
    assert "step 1" in text
    assert "'_reciprocal'" in text
    assert f"row(s) {bad_row}." in text
    assert "inputs range 0 to 1" in text
    assert "learning rate" in text
    assert (model.get_weights()["dense/kernel"] == before["dense/kernel"]).all()


@pytest.mark.parametrize("bad_step", [1, 2, 5, 8])
def test_the_exact_step_is_found_and_the_steps_before_are_kept(bad_step):
    """The bad row is met at a different step each time; the model keeps the weights before that step."""
    x = np.linspace(1, 2, 16, dtype=np.float32).reshape(8, 2)
    y = np.ones((8, 1), np.float32)
    probe = linear(_Reciprocal(), Dense(1))
    probe.fit(x, y, epochs=1, batch_size=1, verbose=0)
    order = np.asarray(_order(probe, x, y))
    x[order[bad_step - 1]] = 0
    model = linear(_Reciprocal(), Dense(1))
    with pytest.raises(NonFiniteError, match=rf"step {bad_step}: .*row"):
        model.fit(x, y, epochs=1, batch_size=1, verbose=0)
    assert int(model.state.step) == bad_step - 1
    assert np.isfinite(model.get_weights()["dense/kernel"]).all()


def _order(model, x, y):
    return Feed((x,), (y,), None, 1).epoch(model.state.key, 1).order


def test_an_infinite_gradient_under_a_finite_loss_is_found():
    x = np.ones((4, 2), np.float32)
    model = linear(Dense(1, kernel_initializer="zeros"), _SquareRoot())
    with pytest.raises(
        NonFiniteError, match="step 1: the loss is finite, but the gradient of dense/bias, dense/kernel"
    ):
        model.fit(x, np.ones(4), epochs=1, verbose=0)


def test_divergence_is_stopped_before_the_weights_are_lost():
    """C94: a rate far too large is named, and the weights are still finite."""
    x = np.ones((4, 2), np.float32)
    model = linear(Dense(1), rate=1e30)
    with pytest.raises(NonFiniteError, match="Lower the learning rate"):
        model.fit(x, np.ones(4), epochs=5, verbose=0)
    assert all(np.isfinite(value).all() for value in model.get_weights().values())


def test_skip_goes_on_without_the_bad_step():
    x = np.ones((6, 2), np.float32)
    x[3] = 0
    events = []
    model = linear(_Reciprocal(), Dense(1), on_nonfinite="skip")
    model.fit(
        x,
        np.zeros(6),
        epochs=2,
        batch_size=1,
        verbose=0,
        train_metrics="running",
        callbacks=[lambda event, _run: events.append(event)],
    )
    skipped = [event for event in events if isinstance(event, NonFinite)]
    assert [event.action for event in skipped] == ["skipped", "skipped"]
    assert int(model.state.step) == 12
    assert all(np.isfinite(value).all() for value in model.get_weights().values())


def test_skip_leaves_out_an_infinite_gradient_too():
    x = np.ones((4, 2), np.float32)
    events = []
    model = linear(Dense(1, kernel_initializer="zeros"), _SquareRoot(), on_nonfinite="skip")
    model.fit(x, np.ones(4), epochs=1, verbose=0, callbacks=[lambda event, _run: events.append(event)])
    assert [event.action for event in events if isinstance(event, NonFinite)] == ["skipped"]
    assert (model.get_weights()["dense/kernel"] == 0).all()


def test_rollback_halves_the_rate_and_starts_the_epoch_again():
    x = np.ones((4, 2), np.float32)
    events = []
    # at this rate the second step overflows float32, and halving it 5 times does not help
    model = linear(Dense(1), rate=1e19, on_nonfinite="rollback")
    with pytest.raises(NonFiniteError):
        model.fit(x, np.ones(4), epochs=3, verbose=0, batch_size=1, callbacks=[lambda e, _run: events.append(e)])
    actions = [event.action for event in events if isinstance(event, NonFinite)]
    assert len(actions) == 6
    assert actions[0].endswith("learning rate scaled by 0.5")
    assert actions[4].endswith("learning rate scaled by 0.03125")
    assert actions[5] == "stopped before this step"


def test_rollback_recovers_when_a_smaller_rate_suffices():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 2)).astype(np.float32)
    y = x @ [[1.0], [2.0]]
    model = linear(Dense(1, use_bias=False), rate=8.0, on_nonfinite="rollback")
    model.fit(x, y, epochs=60, verbose=0, batch_size=4)
    assert model.evaluate(x, y)["loss"] < 1e-3
