"""The loop: the same weights as an open loop, exact means, events, stops, interruption."""

import jax
import numpy as np
import pytest

from chainrule.layers import BatchNormalization, Dense, Dropout, Input
from chainrule.models import Model, Sequential
from chainrule.optimizers import SGD, Adam
from chainrule.train import Callback, Feed, make_train_step
from chainrule.train.events import EpochEnd, FitEnd, FitStart
from chainrule.train.feed import take_batch
from chainrule.train.loop import Pace


def small_model(**compile_arguments):
    model = Sequential([Input(3), Dense(5, "tanh"), Dense(1)], seed=4)
    model.compile(**({"optimizer": SGD(0.05), "loss": "mse"} | compile_arguments))
    return model


def weights_equal(left, right):
    a, b = left.get_weights(), right.get_weights()
    return all((a[path] == b[path]).all() for path in a)


def test_fit_equals_the_open_loop_bit_for_bit(linear_data):
    """C150: one-call fit, and the same loop in the open, give identical weights."""
    x, y = linear_data
    model = small_model()
    model.fit(x, y, epochs=3, batch_size=8, verbose=0)

    again = small_model()
    state = again.state
    step = jax.jit(make_train_step(again.graph, again.recipe))
    feed = Feed((x,), (y,), None, 8)
    for epoch in (1, 2, 3):
        view = feed.epoch(state.key, epoch)
        for number in range(feed.steps):
            state, _ = step(state, take_batch(view.data, view.order, number, view.layout))
    assert (np.asarray(state.params["dense"]["kernel"]) == model.get_weights()["dense/kernel"]).all()


def test_chunk_length_does_not_change_the_weights(linear_data):
    x, y = linear_data
    models = [small_model() for _ in range(2)]
    models[0].fit(x, y, epochs=2, batch_size=3, verbose=0, steps_per_call=1)
    models[1].fit(x, y, epochs=2, batch_size=3, verbose=0, steps_per_call=100)
    assert weights_equal(*models)


def test_two_fits_continue_as_one(linear_data):
    x, y = linear_data
    models = [small_model(optimizer=Adam(0.01)) for _ in range(2)]
    models[0].fit(x, y, epochs=5, batch_size=8, verbose=0)
    models[1].fit(x, y, epochs=2, batch_size=8, verbose=0)
    history = models[1].fit(x, y, epochs=3, batch_size=8, verbose=0)
    assert weights_equal(*models)
    assert len(history) == 5


def test_curves_of_fits_with_and_without_validation_line_up(linear_data):
    x, y = linear_data
    model = small_model()
    model.fit(x, y, epochs=2, batch_size=8, verbose=0)
    assert model.history["val_loss"] == []
    history = model.fit(x, y, epochs=3, batch_size=8, verbose=0, validation=(x[:6], y[:6]))
    curves = history.history
    assert {name: len(values) for name, values in curves.items()} == {"loss": 5, "val_loss": 5}
    assert np.isnan(curves["val_loss"]).tolist() == [True, True, False, False, False]
    assert curves["val_loss"][-1] == pytest.approx(model.evaluate(x[:6], y[:6])["loss"], rel=1e-6)
    assert history.gap()[2:] == pytest.approx(np.subtract(curves["val_loss"], curves["loss"])[2:])
    first, last = (f"{curves['val_loss'][epoch]:.4g}" for epoch in (2, 4))
    assert f"val_loss {first} -> {last}" in repr(history)


def test_one_compilation_for_all_batches_epochs_and_fits(linear_data):
    x, y = linear_data
    model = small_model()
    model.fit(x, y, epochs=2, batch_size=7, verbose=0, validation=0.3)
    model.fit(x, y, epochs=2, batch_size=7, verbose=0, validation=0.3, steps_per_call=2)
    assert model.engine._chunk._cache_size() == 1


def test_logged_loss_is_the_exact_mean_on_the_same_weights(linear_data):
    """C151, C153: training and validation loss are exact means, measured on the same weights in the same mode."""
    x, y = linear_data
    model = Sequential([Input(3), Dense(5, "tanh"), Dropout(0.5), BatchNormalization(), Dense(1)], seed=4)
    model.compile(SGD(0.05), "mse", ["mae"])
    history = model.fit(x[:16], y[:16], epochs=2, batch_size=7, validation=(x[16:], y[16:]), verbose=0)
    predicted = model.predict(x).astype(float)
    assert history["loss"][-1] == pytest.approx(((predicted - y)[:16] ** 2).mean(), rel=1e-5)
    assert history["val_loss"][-1] == pytest.approx(((predicted - y)[16:] ** 2).mean(), rel=1e-5)
    assert history["val_mae"][-1] == pytest.approx(np.abs(predicted - y)[16:].mean(), rel=1e-5)
    assert history.gap()[-1] == pytest.approx(history["val_loss"][-1] - history["loss"][-1])
    assert model.evaluate(x[16:], y[16:])["mae"] == pytest.approx(history["val_mae"][-1], rel=1e-6)


def test_running_train_metrics_differ_and_are_said_so(linear_data):
    x, y = linear_data
    same, running = small_model(), small_model()
    first = same.fit(x, y, epochs=1, batch_size=4, verbose=0)
    second = running.fit(x, y, epochs=1, batch_size=4, verbose=0, train_metrics="running")
    assert weights_equal(same, running)
    assert second["loss"][0] > first["loss"][0]  # measured while the weights were still worse


def test_penalty_is_logged_beside_the_data_loss(linear_data):
    """C75: the log shows data loss, penalty and their sum."""
    x, y = linear_data
    model = Sequential([Input(3), Dense(1, kernel_regularizer="l2")])
    model.compile(SGD(0.05), "mse")
    logs = model.fit(x, y, epochs=1, verbose=0).epochs[0]
    kernel = model.get_weights()["dense/kernel"]
    assert logs["penalty"] == pytest.approx(0.01 * (kernel.astype(float) ** 2).sum(), rel=1e-5)
    assert logs["total_loss"] == pytest.approx(logs["loss"] + logs["penalty"])
    assert model.evaluate(x, y)["loss"] == pytest.approx(logs["loss"])


def test_events_come_in_order(linear_data):
    x, y = linear_data
    seen = []
    small_model().fit(x, y, epochs=2, batch_size=8, verbose=0, callbacks=[lambda event, _run: seen.append(event)])
    kinds = [type(event).__name__ for event in seen]
    assert kinds == ["FitStart", "EpochStart", "ChunkEnd", "EpochEnd", "EpochStart", "ChunkEnd", "EpochEnd", "FitEnd"]
    assert isinstance(seen[0], FitStart)
    assert (seen[0].examples, seen[0].steps_per_epoch, seen[0].parameters) == (23, 3, 26)
    assert isinstance(seen[3], EpochEnd)
    assert seen[3].step == 3
    assert isinstance(seen[-1], FitEnd)
    assert seen[-1].reason == "all epochs done"


def test_interruption_keeps_the_last_whole_step(linear_data):
    """Ctrl-C leaves the weights after the last whole call, and the run is told to end."""
    x, y = linear_data
    ends = []

    class Interrupt(Callback):
        def on_chunk_end(self, step, logs, run):
            if run.state.step == 4:
                raise KeyboardInterrupt

        def on_train_end(self, reason, run):
            ends.append(reason)

    model = small_model()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=5, batch_size=8, verbose=0, steps_per_call=1, callbacks=[Interrupt()])
    assert ends == ["interrupted"]
    assert int(model.state.step) == 4
    assert model.history.stop_reason == "interrupted"

    whole = small_model()
    whole.fit(x, y, epochs=1, batch_size=8, verbose=0)  # 3 of those 4 steps
    assert not weights_equal(model, whole)
    model.fit(x, y, epochs=1, batch_size=8, verbose=0)  # and the model goes on


def test_full_batch_is_one_step_an_epoch(linear_data):
    """C97: vanilla gradient descent uses all examples for each step."""
    x, y = linear_data
    model = small_model()
    model.fit(x, y, epochs=3, batch_size="full", verbose=0)
    assert int(model.state.step) == 3


def test_accumulation_through_fit_equals_the_larger_batch(linear_data):
    """C108: accumulate=k with batches of b gives the weights of batches of k*b, the short last group included."""
    x, y = linear_data
    split, whole = small_model(accumulate=3), small_model()
    split.fit(x, y, epochs=3, batch_size=4, verbose=0)
    whole.fit(x, y, epochs=3, batch_size=12, verbose=0)
    for path, value in whole.get_weights().items():
        np.testing.assert_allclose(split.get_weights()[path], value, rtol=1e-5, atol=1e-6)


def test_sample_weight_of_zero_removes_the_example(linear_data):
    x, y = linear_data
    weight = np.ones(23, np.float32)
    weight[5:] = 0
    weighted, removed = small_model(), small_model()
    weighted.fit(x, y, epochs=4, batch_size="full", verbose=0, sample_weight=weight)
    removed.fit(x[:5], y[:5], epochs=4, batch_size="full", verbose=0)
    for path, value in removed.get_weights().items():
        np.testing.assert_allclose(weighted.get_weights()[path], value, rtol=1e-5, atol=1e-6)


def test_two_inputs_and_two_outputs_train(linear_data):
    """C50: models with several inputs and outputs, losses and metrics by output name."""
    x, y = linear_data
    left, right = Input(3, name="left"), Input(3, name="right")
    both = Dense(4, "tanh")(left) + Dense(4)(right)
    model = Model([left, right], [Dense(1, name="amount")(both), Dense(1, name="sign")(both)])
    model.compile(
        SGD(0.05),
        {"amount": "mse", "sign": "binary_cross_entropy"},
        {"sign": ["accuracy"]},
        loss_weights={"amount": 1.0, "sign": 0.5},
    )
    targets = {"amount": y, "sign": (y > 0).astype(int)}
    history = model.fit({"left": x, "right": -x}, targets, epochs=30, batch_size=8, verbose=0)
    assert history["loss"][-1] < history["loss"][0] / 2
    assert history["sign_accuracy"][-1] > 0.8
    amount, sign = model.predict([x, -x])
    assert amount.shape == sign.shape == (23, 1)


def test_pace_aims_at_a_quarter_of_a_second():
    pace = Pace(None)
    pace.took(64, 3.0)  # compilation
    assert pace.next() == 64
    pace.took(64, 0.064)
    assert pace.next() == 250
    pace.took(250, 2.5)
    assert pace.next() == 25
