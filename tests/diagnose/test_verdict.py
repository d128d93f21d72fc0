import dataclasses
import math

import numpy as np
import pytest

from chainrule._base.errors import ArgumentError
from chainrule.diagnose import MEANINGS, Verdict, diagnose

BASELINE = math.log(2)


def curve(start, end, epochs=40, pace=6.0):
    """A smooth fall from `start` that has reached `end` long before the last epoch."""
    epoch = np.arange(epochs)
    return list(end + (start - end) * np.exp(-epoch / pace) * (epoch < 30))


def judge(train, validation, **options):
    history = {"loss": curve(0.7, train), "val_loss": curve(0.7, validation)}
    return diagnose(history, baseline=BASELINE, **options)


@pytest.mark.parametrize(
    ("train", "validation", "name", "words"),
    [
        (0.66, 0.67, "under-fit", "more units"),
        (0.05, 0.55, "over-fit", "fewer units"),
        (0.25, 0.30, "good", "evaluate(x_test"),
        (0.66, 0.20, "unlikely", "leaks"),
    ],
)
def test_four_fixtures_give_the_four_verdicts_of_the_table(train, validation, name, words):
    """C154: High/High, Low/High, Low/Low, High/Low give under-fit, over-fit, good, unlikely, each with its action."""
    verdict = judge(train, validation)
    assert verdict.name == name
    assert words in verdict.action
    assert verdict.flags == ()


def test_numbers_are_the_gap_and_the_shares_of_the_baseline():
    """C117: the generalisation gap is validation minus training loss, shown in the numbers and the text."""
    numbers = judge(0.2, 0.3).numbers
    assert numbers["gap"] == pytest.approx(0.1)
    assert numbers["train_skill"] == pytest.approx(1 - 0.2 / BASELINE)
    assert numbers["carried"] == pytest.approx((BASELINE - 0.3) / (BASELINE - 0.2))
    assert judge(0.2, 0.3).reason == (
        "Compared with always guessing, the loss is 71 % lower on the training rows and 57 % lower on the validation "
        "rows (0.200 and 0.300; guessing: 0.693)."
    )


def test_training_much_worse_than_validation_is_unlikely_even_if_both_beat_the_baseline():
    """C159: a validation loss far below the training loss asks for debugging."""
    assert judge(0.5, 0.2).name == "unlikely"


def test_a_linear_model_that_fits_the_training_rows_better_means_under_fit():
    assert judge(0.4, 0.42, linear=0.41).name == "good"
    verdict = judge(0.4, 0.42, linear=0.3)
    assert verdict.name == "under-fit"
    assert "0.3" in verdict.reason


def test_the_kept_epoch_is_judged_not_the_last():
    history = {"loss": [0.6, 0.4, 0.05], "val_loss": [0.6, 0.42, 0.9]}
    assert diagnose(history, baseline=BASELINE).name == "over-fit"
    kept = diagnose(history, baseline=BASELINE, best_epoch=2)
    assert kept.name == "good"
    assert kept.numbers["train_loss"] == 0.4


def test_still_falling_asks_to_train_longer_before_anything_else():
    line = list(np.linspace(0.68, 0.35, 20))
    verdict = diagnose({"loss": line, "val_loss": line}, baseline=BASELINE)
    assert verdict.name == "good"
    assert "not converged" in verdict.flags
    assert "epochs" in verdict.action


@pytest.mark.parametrize(("best", "ran_out", "is_flagged"), [(96, True, True), (95, True, False), (96, False, False)])
def test_out_of_epochs_with_the_best_among_the_last_twentieth_has_not_converged(best, ran_out, is_flagged):
    """An improvement of a millionth an epoch is below any threshold of steepness, and still one."""
    line = list(np.linspace(0.30, 0.2999, 100))
    verdict = diagnose({"loss": line, "val_loss": line}, baseline=BASELINE, best_epoch=best, ran_out=ran_out)
    assert ("not converged" in verdict.flags) is is_flagged
    assert ("epochs=" in verdict.action) is is_flagged
    assert ("still falling" in verdict.reason) is is_flagged


@pytest.mark.parametrize(
    ("end", "options", "is_flagged"),
    [(0.01, {}, True), (0.01, {"is_settled": True}, False), (0.0004, {}, False), (0.001, {}, True)],
)
def test_nobody_trains_longer_where_nothing_is_left_to_gain(end, options, is_flagged):
    """At a validation loss of less than a thousandth of guessing, or where the caller knows it."""
    line = list(np.linspace(0.5, end, 20))
    verdict = diagnose({"loss": line, "val_loss": line}, baseline=BASELINE, ran_out=True, **options)
    assert verdict.name == "good"
    assert ("not converged" in verdict.flags) is is_flagged
    assert ("epochs=" in verdict.action) is is_flagged
    assert ("still falling" in verdict.reason) is is_flagged


def test_columns_that_give_the_target_away_come_before_everything_else():
    verdict = judge(0.02, 0.02, leaks=("boat", "body"), actions={"possible leak": "drop them"})
    assert (verdict.name, verdict.flags, verdict.action) == ("good", ("possible leak",), "drop them")
    assert "The columns 'boat', 'body' give the target away: unless they are known" in verdict.reason
    assert "The column 'boat' gives the target away: unless it is known" in judge(0.02, 0.02, leaks=("boat",)).reason


def test_a_loss_above_the_baselines_is_called_higher():
    assert "7 % higher on the validation rows" in judge(0.3, 0.74).reason
    assert "5 % higher on the training rows" in judge(0.73, 0.74).reason


def test_every_number_has_a_meaning():
    assert set(judge(0.2, 0.3, linear=0.3).numbers) <= set(MEANINGS)


def test_a_flat_end_has_converged():
    assert "not converged" not in judge(0.25, 0.3).flags


@pytest.mark.parametrize("last", [math.nan, math.inf, 50.0])
def test_divergence_is_named_and_asks_for_a_smaller_rate(last):
    """C94: divergence is detected and named."""
    verdict = diagnose({"loss": [0.7, 0.9, last], "val_loss": [0.7, 1.0, last]}, baseline=BASELINE)
    assert verdict.name == "diverged"
    assert "learning rate" in verdict.action
    assert "diverged" in verdict.flags


def test_a_divergence_after_the_kept_epoch_is_a_flag_only():
    history = {"loss": [0.5, 0.3, math.nan], "val_loss": [0.5, 0.32, math.nan]}
    verdict = diagnose(history, baseline=BASELINE, best_epoch=2)
    assert verdict.name == "good"
    assert verdict.flags == ("diverged",)


def test_an_epoch_that_was_not_validated_is_no_divergence():
    """A history of ``fit`` with validation and then without has NaN at its end."""
    history = {"loss": [0.5, 0.3, 0.29], "val_loss": [0.5, 0.32, math.nan]}
    with pytest.raises(ArgumentError, match=r"'val_loss' must have a value at epoch 3.*received nan beside.*0\.29"):
        diagnose(history, baseline=BASELINE)
    verdict = diagnose(history, baseline=BASELINE, best_epoch=2)
    assert (verdict.name, "diverged" in verdict.flags) == ("good", False)


def test_a_validation_loss_that_was_measured_as_nan_is_a_divergence():
    """Its metric has a value, so the epoch was validated: an example of the validation part overflows."""
    curves = {"loss": [0.5, 0.3, 0.29], "val_loss": [0.5, 0.32, math.nan], "val_accuracy": [0.7, 0.8, 0.0]}
    assert diagnose(curves, baseline=BASELINE).name == "diverged"
    assert "diverged" in diagnose(curves, baseline=BASELINE, best_epoch=2).flags
    shorter = {**curves, "val_accuracy": [0.7]}  # a further curve need not be whole
    assert "diverged" not in diagnose(shorter, baseline=BASELINE, best_epoch=2).flags
    missing = {**curves, "val_accuracy": [0.7, 0.8, math.nan]}
    assert "diverged" not in diagnose(missing, baseline=BASELINE, best_epoch=2).flags


def test_noise_of_the_validation_loss_is_measured_about_its_trend():
    noise = np.random.default_rng(3).normal(0, 0.06, 40)
    smooth = curve(0.7, 0.3)
    noisy = [a + b for a, b in zip(smooth, noise, strict=True)]
    assert "noisy validation" in diagnose({"loss": smooth, "val_loss": noisy}, baseline=BASELINE).flags
    assert "noisy validation" not in diagnose({"loss": smooth, "val_loss": smooth}, baseline=BASELINE).flags


@pytest.mark.parametrize(("rows", "is_small"), [(99, True), (100, False)])
def test_few_validation_rows_are_flagged(rows, is_small):
    assert ("small validation" in judge(0.25, 0.3, validation_rows=rows).flags) is is_small


def test_without_a_baseline_the_first_epoch_serves_and_it_says_so():
    verdict = diagnose({"loss": [0.6, 0.2], "val_loss": [0.8, 0.3]})
    assert verdict.numbers["baseline_loss"] == 0.8
    assert "no baseline" in verdict.flags
    assert "first epoch" in verdict.reason


def test_the_caller_gives_its_own_line_to_type():
    verdict = judge(0.25, 0.3, actions={"good": "chainrule evaluate RUN test.csv"})
    assert verdict.action == "chainrule evaluate RUN test.csv"
    assert str(verdict).endswith("next: chainrule evaluate RUN test.csv")


def test_a_metric_stands_beside_the_loss():
    history = {"loss": [0.6, 0.3], "val_loss": [0.6, 0.3], "accuracy": [0.6, 0.9], "val_accuracy": [0.5, 0.8]}
    numbers = diagnose(history, baseline=BASELINE, metric="accuracy").numbers
    assert (numbers["accuracy"], numbers["val_accuracy"]) == (0.9, 0.8)
    with pytest.raises(ArgumentError, match="Did you mean 'accuracy'"):
        diagnose(history, baseline=BASELINE, metric="acuracy")


@pytest.mark.parametrize(
    ("history", "options", "words"),
    [
        ({"loss": [1.0]}, {}, "val_loss"),
        ({"loss": [], "val_loss": []}, {}, "one value an epoch"),
        ({"loss": [1.0, 2.0], "val_loss": [1.0]}, {}, "2 and 1"),
        ({"loss": [1.0], "val_loss": [1.0]}, {"best_epoch": 2}, "at most 1"),
        ({"loss": [1.0], "val_loss": [1.0]}, {"best_epoch": 0}, "at least 1"),
        ({"loss": [1.0], "val_loss": [1.0]}, {"baseline": 0.0}, "above 0"),
    ],
)
def test_bad_arguments_are_refused(history, options, words):
    with pytest.raises(ArgumentError, match=words):
        diagnose(history, **options)


def test_a_verdict_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Verdict("good", {}, "", "").name = "over-fit"


def test_a_training_loss_that_exploded_and_came_back_is_named():
    steady = judge(0.2, 0.25)
    train = curve(0.7, 0.2)
    train[3] = 1700.0
    verdict = diagnose({"loss": train, "val_loss": curve(0.7, 0.25)}, baseline=BASELINE)
    assert verdict.name == steady.name == "good"
    assert verdict.flags == (*steady.flags, "exploded")
    assert "In epoch 4 the training loss stood at 1.7e+03" in verdict.reason
    assert verdict.action == steady.action
    poor = diagnose({"loss": [0.7, 9.0, 0.69, 0.68], "val_loss": [0.7, 9.0, 0.69, 0.68]}, baseline=BASELINE)
    assert (poor.name, poor.action) == (
        "under-fit",
        diagnose({"loss": [math.nan], "val_loss": [math.nan]}, baseline=BASELINE).action,
    )
    mild = diagnose({"loss": [0.7, 4.9 * 0.7, 0.3, 0.3], "val_loss": [0.7, 0.6, 0.4, 0.4]}, baseline=BASELINE)
    assert "exploded" not in mild.flags
    assert "peak_loss" not in mild.numbers
