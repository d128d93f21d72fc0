"""Early stopping, thresholds, convergence, plateau, JSON lines, progress."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest

from chainrule.errors import ArgumentError, ArgumentTypeError
from chainrule.layers import Dense, Input
from chainrule.models import Sequential
from chainrule.optimizers import SGD
from chainrule.train import EarlyStopping, JsonLines, Progress, ReduceLROnPlateau, StopOnConvergence, StopWhen
from chainrule.train.callbacks.base import larger_is_better
from chainrule.train.events import ChunkEnd, EpochEnd, FitStart


def make_model(rate=0.1):
    model = Sequential([Input(3), Dense(1)], seed=2)
    model.compile(SGD(rate), "mse")
    return model


@pytest.fixture(scope="module")
def overfitting():
    """Training and validation disagree by a factor: the validation loss falls, then rises while training goes on."""
    x = np.random.default_rng(1).normal(size=(12, 3)).astype(np.float32)
    y = (x @ [[1.0], [2.0], [-1.0]]).astype(np.float32)
    return (x[:6], y[:6]), (x[6:], 0.5 * y[6:])


@pytest.fixture(scope="module")
def noise():
    """Targets with nothing to learn."""
    rng = np.random.default_rng(1)
    return rng.normal(size=(12, 3)).astype(np.float32), rng.normal(size=(12, 1)).astype(np.float32)


def test_early_stopping_restores_the_best_weights(overfitting):
    """C120: stops before over-fitting; the model holds the weights of the best validation loss."""
    (x, y), judge = overfitting
    model = make_model(0.01)
    model.set_weights({"dense/kernel": np.zeros((3, 1))})
    stop = EarlyStopping(patience=4)
    history = model.fit(x, y, epochs=500, validation=judge, verbose=0, callbacks=[stop])
    values = history["val_loss"]
    best = int(np.argmin(values))
    assert best > 1
    assert len(values) == best + 1 + 4
    assert history.best_epoch == best + 1
    assert model.evaluate(*judge)["loss"] == pytest.approx(values[best], rel=1e-6)
    assert history.stop_reason == "early stopping: val_loss has not improved for 4 epochs"


def test_early_epochs_can_be_kept_out_of_the_choice(overfitting):
    (x, y), judge = overfitting

    def fitted(*callbacks):
        model = make_model(0.01)
        model.set_weights({"dense/kernel": np.zeros((3, 1))})
        return model, model.fit(x, y, epochs=500, validation=judge, verbose=0, callbacks=callbacks)["val_loss"]

    _, values = fitted()
    start = int(np.argmin(values)) + 20
    best = start + int(np.argmin(values[start:]))
    model, found = fitted(EarlyStopping(patience=3, start_from_epoch=start))
    assert values[best] > 1.001 * min(values), "the choice would be an earlier one"
    assert len(found) == best + 1 + 3
    assert model.evaluate(*judge)["loss"] == pytest.approx(values[best], rel=1e-6)


def test_without_restoring_the_last_weights_stay(overfitting):
    (x, y), judge = overfitting
    model = make_model(0.01)
    model.set_weights({"dense/kernel": np.zeros((3, 1))})
    stop = EarlyStopping(patience=4, restore_best=False)
    history = model.fit(x, y, epochs=500, validation=judge, verbose=0, callbacks=[stop])
    assert history["val_loss"][-1] > min(history["val_loss"])
    assert model.evaluate(*judge)["loss"] == pytest.approx(history["val_loss"][-1], rel=1e-6)


def test_min_delta_counts_only_real_improvements(noise):
    x, y = noise
    history = make_model(1e-4).fit(
        x, y, epochs=50, verbose=0, callbacks=[EarlyStopping("loss", patience=3, min_delta=10.0)]
    )
    assert len(history) == 4


@pytest.mark.parametrize(
    ("name", "larger"), [("val_loss", False), ("val_accuracy", True), ("val_roc_auc", True), ("val_rmse", False)]
)
def test_direction_comes_from_the_name(name, larger):
    assert larger_is_better(name) is larger


def test_missing_monitor_says_what_there_is(noise):
    x, y = noise
    with pytest.raises(ArgumentError, match=r"received 'val_loss'. There is no validation set: pass validation=0.2"):
        make_model().fit(x, y, epochs=2, verbose=0, callbacks=[EarlyStopping()])
    with pytest.raises(ArgumentError, match="Did you mean 'loss'"):
        make_model().fit(x, y, epochs=2, verbose=0, callbacks=[EarlyStopping("los")])


def test_until_stops_at_the_threshold(noise):
    """C89, C158: training ends as soon as the error is below the threshold."""
    x, _ = noise
    history = make_model().fit(x, x @ [[1.0], [0], [0]], epochs=500, verbose=0, until="loss<0.05")
    losses = history["loss"]
    assert losses[-1] < 0.05 <= min(losses[:-1])
    assert history.stop_reason.startswith("loss = 0.0")


@pytest.mark.parametrize("condition", ["loss", "loss=0.1", "loss<", "loss<x", "<3", "loss<1e", ""])
def test_until_refuses_what_it_cannot_read(condition):
    with pytest.raises(ArgumentError, match=r"until must read like 'loss<0.05'"):
        StopWhen(condition)


def test_convergence_stops_when_the_loss_no_longer_moves(noise):
    """C110: loop until convergence, here to the least-squares solution."""
    x, y = noise
    model = make_model()
    history = model.fit(
        x, y, epochs=5000, batch_size="full", verbose=0, callbacks=[StopOnConvergence(tolerance=1e-7, patience=5)]
    )
    assert len(history) < 5000
    assert history.stop_reason.startswith("converged")
    design = np.c_[x, np.ones(12)].astype(float)
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    np.testing.assert_allclose(model.get_weights()["dense/kernel"], solution[:3], atol=1e-2)


def test_plateau_lowers_the_rate_without_recompiling(noise):
    """C105: the rate falls by the factor after patience epochs."""
    x, y = noise
    model = make_model(1e-9)
    seen = []
    model.fit(
        x,
        y,
        epochs=7,
        verbose=0,
        callbacks=[ReduceLROnPlateau("loss", factor=0.5, patience=2), lambda e, run: seen.append(run.rate_scale)],
    )
    assert sorted(set(seen), reverse=True) == [1.0, 0.5, 0.25, 0.125]
    assert model.engine._chunk._cache_size() == 1


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: EarlyStopping(patience=0), ArgumentError),
        (lambda: EarlyStopping(min_delta=-1), ArgumentError),
        (lambda: EarlyStopping(mode="up"), ArgumentError),
        (lambda: ReduceLROnPlateau(factor=1.0), ArgumentError),
        (lambda: StopOnConvergence(tolerance=0), ArgumentError),
        (lambda: EarlyStopping(patience=1.5), ArgumentTypeError),
    ],
)
def test_bad_arguments_are_refused(make, error):
    with pytest.raises(error):
        make()


def test_callbacks_must_be_callable(noise):
    x, y = noise
    with pytest.raises(ArgumentTypeError, match="callbacks"):
        make_model().fit(x, y, epochs=1, verbose=0, callbacks=["early_stopping"])


def test_json_lines_are_whole_and_valid(noise, tmp_path):
    x, y = noise
    path = tmp_path / "run" / "events.jsonl"
    make_model().fit(x, y, epochs=2, verbose=0, callbacks=[JsonLines(path)])
    events = [json.loads(line, parse_constant=pytest.fail) for line in path.read_text().splitlines()]
    assert [event["event"] for event in events].count("EpochEnd") == 2
    assert events[-1]["event"] == "FitEnd"
    assert events[-2]["logs"]["loss"] > 0


def test_progress_is_plain_lines_without_a_terminal(noise):
    x, y = noise
    out = io.StringIO()
    make_model().fit(x, y, epochs=3, verbose=0, validation=0.3, callbacks=[Progress(SGD(0.1), stream=out)])
    lines = out.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("epoch 1/3 loss ")
    assert "| val loss" in lines[0]
    assert "rate 0.1" in lines[0]
    assert "examples/s" not in lines[0]  # the first epoch's seconds are mostly compiling
    assert "left" not in lines[0]
    assert "examples/s" in lines[1]
    assert "left" in lines[1]
    assert "\r" not in out.getvalue()
    assert lines[-1].startswith("3 epochs in")


@pytest.mark.parametrize(("rate", "shown"), [(1.91e-18, "rate 0"), (2.5e-12, "rate 2.5e-12"), (0.03, "rate 0.03")])
def test_what_a_schedule_leaves_of_the_rate_is_shown_as_nothing(rate, shown):
    out, run = io.StringIO(), SimpleNamespace(learning_rate=lambda _: rate)
    progress = Progress(stream=out, live=False)
    progress(FitStart(1, 1, 4, 8, 0, 3), run)
    progress(EpochEnd(1, 4, 1.0, 8.0, {"loss": 0.5}), run)
    assert out.getvalue() == f"epoch 1/1 loss 0.5 {shown}\n"


def test_time_left_is_measured_without_the_first_epoch(monkeypatch):
    """Sixty seconds of compiling, then one second an epoch: after epoch 3 of 10, seven seconds are left."""
    now = [0.0]
    monkeypatch.setattr("chainrule.train.callbacks.progress.time", SimpleNamespace(perf_counter=lambda: now[0]))
    out, run = io.StringIO(), SimpleNamespace(learning_rate=lambda _: None)
    progress = Progress(stream=out, live=False)
    progress(FitStart(10, 5, 4, 8, 0, 3), run)  # a second fit: its epochs are 5 to 14
    for epoch, moment in ((5, 60.0), (6, 61.0), (7, 62.0)):
        now[0] = moment
        progress(EpochEnd(epoch, 4, 1.0, 8.0, {"loss": 0.5}), run)
    first, second, third = out.getvalue().splitlines()
    assert first == "epoch 5/14 loss 0.5"
    assert second.endswith("8 examples/s 8.0 s left at most")
    assert third.endswith("8 examples/s 7.0 s left at most")


def test_time_left_within_the_first_epoch_waits_for_a_second_call(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("chainrule.train.callbacks.progress.time", SimpleNamespace(perf_counter=lambda: now[0]))
    out, run = io.StringIO(), SimpleNamespace(learning_rate=lambda _: None)
    progress = Progress(stream=out, live=True)
    progress(FitStart(2, 1, 10, 80, 0, 3), run)
    for step, moment in ((1, 60.0), (3, 62.0)):  # two steps took two seconds: 17 of 20 remain
        now[0] = moment
        progress(ChunkEnd(1, step, 10, moment, {"loss": 0.5}), run)
    first, second = out.getvalue().split("\r\x1b[K")[1:]
    assert first == "epoch 1/2 step 1/10 loss 0.5"
    assert second == "epoch 1/2 step 3/10 loss 0.5 17.0 s left at most"


def test_progress_redraws_one_line_on_a_terminal(noise):
    x, y = noise
    out = io.StringIO()
    make_model().fit(x, y, epochs=3, verbose=0, callbacks=[Progress(stream=out, live=True)])
    assert out.getvalue().startswith("\r\x1b[K")
    assert out.getvalue().count("\n") == 1


def test_verbose_0_is_silent(noise, capsys):
    x, y = noise
    make_model().fit(x, y, epochs=2, verbose=0)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_verbose_writes_to_stderr_only(noise, capsys):
    x, y = noise
    make_model().fit(x, y, epochs=2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "epoch 1/2" in captured.err
