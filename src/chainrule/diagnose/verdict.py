"""One verdict from the learning curves: under-fit, over-fit, good or unlikely; and one thing to do next.

The table, for the loss on the training rows and on the validation rows::

    training  validation   verdict     next
    high      high         under-fit   increase the capacity
    low       high         over-fit    decrease the capacity, regularise, or get more data
    low       low          good        run the test
    high      low          unlikely    debug

"High" and "low" need a scale, because a loss has none: 0.4 is splendid for one table and poor for another. The
scale here is the loss of a *baseline* that ignores the inputs (the majority class or class shares, the mean).

- ``skill = 1 − loss / baseline`` is the share of the baseline's loss that the model removes: 0 is no better than the
  baseline, 1 is perfect. (For the squared error this is R², for the log loss McFadden's pseudo-R².)
- The training loss is *high* if its skill is below :data:`LEAST_SKILL`, or if a linear model does better on the
  same rows: a network that fits its own training rows worse than a line has not learned what is there.
- The validation loss is *high* if its skill is below :data:`LEAST_SKILL`, or if less than :data:`LEAST_CARRIED` of
  the loss removed on training rows is removed on validation rows: ``carried = validation skill / training skill``.
- Seen from the other side, training is *high* beside validation if less than that share is removed on the training
  rows. That is hard to reach honestly, hence *unlikely*.

The thresholds are judgements, not laws; the verdict always shows the numbers, so that a reader can judge otherwise.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from chainrule._base.checks import check_int, check_number
from chainrule._base.errors import ArgumentError, did_you_mean
from chainrule.diagnose.words import FEW_ROWS, reason

Name = Literal["under-fit", "over-fit", "good", "unlikely", "diverged"]
Flag = Literal[
    "possible leak", "diverged", "exploded", "not converged", "noisy validation", "small validation", "no baseline"
]

# Below a tenth the model tells rows apart hardly better than one that never looks at them. McFadden (1979) calls a
# pseudo-R² of 0.2 to 0.4 an excellent fit, so a larger threshold would condemn good models of noisy targets.
LEAST_SKILL = 0.10
# Clinical prediction asks for a shrinkage of 0.9 over many resamples (Riley et al., 2019). One validation part of a few
# hundred rows is noisier than that: a good small-table model carries over 0.75 to 0.95 of its gain.
LEAST_CARRIED = 0.70
# A linear model must be better by this share of the baseline's loss before it counts: less is rounding and luck.
LINEAR_MARGIN = 0.02
# Still falling: the last tenth of the epochs lowered the loss by at least this share of all that was gained.
FALL = 0.01
# Jitter of the validation loss from epoch to epoch, as a share of all that was gained.
JITTER = 0.05
# A training loss that rises to so many times that of guessing has exploded, even if it fell again.
EXPLODED = 5.0
# Out of epochs with the best epoch among the last twentieth: still improving, however slowly.
LAST_EPOCHS = 0.05
# Share of the baseline's loss beyond which nothing is left to gain by training longer.
CEILING = 0.999

ACTIONS: Mapping[str, str] = {
    "under-fit": "model = mlp([128, 128], outputs)  # more units or one more layer, then fit again",
    "over-fit": "model = mlp([16], outputs, dropout=0.5)  # fewer units and dropout; or collect more rows",
    "good": "model.evaluate(x_test, y_test)  # once, as the last step",
    "unlikely": "model.evaluate(x_train, y_train)  # must agree with the training curve; then look for leaks",
    "diverged": "model.compile(optimizer=Adam(1e-4), loss=loss)  # a tenth of the learning rate, then fit again",
    "possible leak": "model.fit(x_without_the_columns, y)  # leave out what gives the target away",
    "not converged": "model.fit(x, y, epochs=2 * epochs)  # the loss was still falling at the last epoch",
}


@dataclass(frozen=True)
class Verdict:
    """What the learning curves say.

    Attributes:
        name: the verdict.
        numbers: every number the verdict rests on, by name.
        reason: why, in one or two sentences with the numbers.
        action: the one next thing to do, as a line to type.
        flags: further things worth knowing, each a fixed phrase.
    """

    name: Name
    numbers: Mapping[str, float]
    reason: str
    action: str
    flags: tuple[Flag, ...] = field(default=())

    def __str__(self) -> str:
        flags = f" [{', '.join(self.flags)}]" if self.flags else ""
        return f"{self.name}{flags}: {self.reason}\nnext: {self.action}"


def diagnose(
    history: Mapping[str, Sequence[float]],
    *,
    baseline: float | None = None,
    linear: float | None = None,
    best_epoch: int | None = None,
    validation_rows: int | None = None,
    ran_out: bool = False,
    is_settled: bool = False,
    leaks: Sequence[str] = (),
    metric: str | None = None,
    actions: Mapping[str, str] | None = None,
) -> Verdict:
    """Judge a training from its curves.

    Args:
        history: ``loss`` and ``val_loss``, one value an epoch, measured on the same weights and without dropout or
            penalties; further curves may stand beside them.
        baseline: loss of a model that ignores the inputs, same loss function. Without it the larger loss of the
            first epoch serves, which is weaker: pass it where you can.
        linear: training loss of a linear or logistic model on the same rows, if there is one.
        best_epoch: the epoch whose weights were kept, counted from 1; by default the last.
        validation_rows: number of validation rows.
        ran_out: whether training ended because all epochs were done; if the best epoch is among the last 5 % then,
            the loss was still falling, however slowly.
        is_settled: whether longer training is known to change nothing: the validation score is perfect, or a schedule
            has brought the learning rate to nothing. Training then counts as converged, as it does where the validation
            loss is below a thousandth of the baseline's.
        leaks: columns that seem to give the target away; leaving them out is then the next thing to do.
        metric: a further curve to show beside the loss, for example ``"accuracy"`` (with ``"val_accuracy"``).
        actions: lines to type instead of those in :data:`ACTIONS`, by verdict or flag; a command line gives its own.

    Returns:
        The verdict. ``diverged`` replaces the four names when the kept weights have no finite loss or do worse than
        the baseline by half: the table speaks of trainings that worked.

    Raises:
        ArgumentError: a curve is missing, empty, the two differ in length, or the epoch judged was not validated.

    Example:
        >>> curves = {"loss": [0.6, 0.3, 0.1, 0.02], "val_loss": [0.6, 0.5, 0.55, 0.7]}
        >>> print(diagnose(curves, baseline=0.69))  # doctest: +ELLIPSIS
        over-fit: Compared with always guessing, the loss is 97 % lower on the training rows but 1 % higher ...

    References:
        Riley, R. D. et al., "Minimum sample size for developing a multivariable prediction model", 2019,
        https://doi.org/10.1002/sim.7992 (shrinkage).
    """
    train, validation = _curves(history)
    epoch = len(train) if best_epoch is None else best_epoch
    check_int("best_epoch", epoch, "diagnose", minimum=1)
    if epoch > len(train):
        raise ArgumentError(
            f"diagnose: best_epoch must be at most {len(train)}, the number of epochs; received {epoch}. "
            "Epochs count from 1."
        )
    validated = _validated(history)
    _check_validated(validated, train, epoch)
    flags: list[Flag] = ["possible leak"] if leaks else []
    if baseline is None:
        flags.append("no baseline")
        baseline = next(
            (max(pair) for pair in zip(train, validation, strict=True) if all(map(math.isfinite, pair))), 1.0
        )
        baseline = baseline if baseline > 0 else 1.0
    check_number("baseline", baseline, "diagnose", above=0)
    numbers = _numbers(train[epoch - 1], validation[epoch - 1], baseline, linear)
    numbers |= {"epoch": float(epoch), "epochs": float(len(train))}
    numbers |= _metric_numbers(history, metric, epoch)
    name = _name(numbers)
    if train[-1] < (peak := max(train)) and peak > EXPLODED * max(train[0], baseline):
        numbers |= {"peak_loss": peak, "peak_epoch": 1.0 + train.index(peak)}
    is_late = ran_out and epoch > (1 - LAST_EPOCHS) * len(train)
    flags += _flags(
        list(itertools.compress(train, validated)),
        list(itertools.compress(validation, validated)),
        baseline,
        validation_rows,
        is_late=is_late,
    )
    if "not converged" in flags and (is_settled or numbers["validation_skill"] > CEILING):
        flags.remove("not converged")
    if "peak_loss" in numbers and "diverged" not in flags:
        flags.append("exploded")
    action = {**ACTIONS, **(actions or {})}[_key(name, flags)]
    text = reason(name, numbers, flags, leaks=leaks, is_beaten=_is_beaten_by_linear(numbers))
    return Verdict(name, numbers, text, action, tuple(flags))


def _key(name: Name, flags: Sequence[Flag]) -> str:
    """Which action comes first."""
    if "possible leak" in flags:
        return "possible leak"
    if "exploded" in flags and name in ("under-fit", "over-fit", "unlikely"):
        return "diverged"
    return "not converged" if "not converged" in flags and name in ("under-fit", "good") else name


def _curves(history: Mapping[str, Sequence[float]]) -> tuple[list[float], list[float]]:
    for key in ("loss", "val_loss"):
        if key not in history or len(history[key]) == 0:
            raise ArgumentError(
                f"diagnose: history must hold {key!r} with one value an epoch; received "
                f"{', '.join(map(repr, history)) or 'nothing'}. Fit with validation=0.2."
            )
    train, validation = [float(x) for x in history["loss"]], [float(x) for x in history["val_loss"]]
    if len(train) != len(validation):
        raise ArgumentError(
            f"diagnose: 'loss' and 'val_loss' must be equally long; received {len(train)} and {len(validation)}. "
            "Measure the validation loss after every epoch."
        )
    return train, validation


def _validated(history: Mapping[str, Sequence[float]]) -> list[bool]:
    """Which epochs were validated: a history of several ``fit`` calls has NaN in all ``val_`` curves at the others.

    A validation loss that is NaN beside a metric that is not was measured; so was one beside a training loss that is
    not finite either.
    """
    curves = [values for name, values in history.items() if name.startswith("val_")]
    return [
        not math.isfinite(loss) or not all(math.isnan(x) for values in curves for x in values[epoch : epoch + 1])
        for epoch, loss in enumerate(history["loss"])
    ]


def _check_validated(validated: Sequence[bool], train: Sequence[float], epoch: int) -> None:
    if not validated[epoch - 1]:
        raise ArgumentError(
            f"diagnose: 'val_loss' must have a value at epoch {epoch}, which is judged; received nan beside the loss "
            f"{train[epoch - 1]:g}. Pass validation to every fit, or best_epoch= of an epoch that had it; if "
            "all had it, a validation example holds NaN or overflows: look at model.predict(x_validation)."
        )


def _numbers(train: float, validation: float, baseline: float, linear: float | None) -> dict[str, float]:
    numbers = {
        "train_loss": train,
        "validation_loss": validation,
        "baseline_loss": baseline,
        "train_skill": 1 - train / baseline,
        "validation_skill": 1 - validation / baseline,
        "gap": validation - train,  # the generalisation gap
    }
    if linear is not None:
        check_number("linear", linear, "diagnose")
        numbers["linear_loss"] = linear
    best = max(numbers["train_skill"], numbers["validation_skill"])
    if best > 0:
        numbers["carried"] = numbers["validation_skill"] / best
        numbers["train_share"] = numbers["train_skill"] / best
    return numbers


def _metric_numbers(history: Mapping[str, Sequence[float]], metric: str | None, epoch: int) -> dict[str, float]:
    if metric is None:
        return {}
    if metric not in history:
        raise ArgumentError(
            f"diagnose: metric must be a curve of the history; received {metric!r}.{did_you_mean(metric, history)} "
            f"Known: {', '.join(history)}."
        )
    keys = [key for key in (metric, f"val_{metric}") if key in history]
    return {key: float(history[key][epoch - 1]) for key in keys}


def _name(numbers: Mapping[str, float]) -> Name:
    train, validation = numbers["train_skill"], numbers["validation_skill"]
    if not (math.isfinite(train) and math.isfinite(validation)) or train < -0.5:
        return "diverged"
    if max(train, validation) < LEAST_SKILL:
        return "under-fit"
    if train < LEAST_SKILL or numbers["train_share"] < LEAST_CARRIED:
        return "unlikely"
    if validation < LEAST_SKILL or numbers["carried"] < LEAST_CARRIED:
        return "over-fit"
    if _is_beaten_by_linear(numbers):
        return "under-fit"
    return "good"


def _is_beaten_by_linear(numbers: Mapping[str, float]) -> bool:
    linear = numbers.get("linear_loss", math.inf)
    return linear < numbers["train_loss"] - LINEAR_MARGIN * numbers["baseline_loss"]


def _flags(
    train: Sequence[float], validation: Sequence[float], baseline: float, rows: int | None, *, is_late: bool
) -> list[Flag]:
    flags: list[Flag] = []
    if not all(map(math.isfinite, (*train, *validation))) or train[-1] > 2 * max(train[0], baseline):
        return ["diverged"]
    gained = max(baseline, train[0], validation[0]) - min(validation)
    if is_late or (gained > 0 and _is_falling(validation, FALL * gained)):
        flags.append("not converged")
    if gained > 0 and _jitter(validation) > JITTER * gained:
        flags.append("noisy validation")
    if rows is not None and rows < FEW_ROWS:
        flags.append("small validation")
    return flags


def _is_falling(curve: Sequence[float], least: float) -> bool:
    """Whether the mean of the last tenth of the epochs lies below the tenth before by at least ``least``."""
    window = max(2, len(curve) // 10)
    if len(curve) < 2 * window:
        return False
    last, before = curve[-window:], curve[-2 * window : -window]
    return sum(before) / window - sum(last) / window >= least and min(curve) in last


def _jitter(curve: Sequence[float]) -> float:
    """Standard deviation of the noise about a smooth curve, from second differences of the later half.

    White noise of deviation s has second differences of deviation √6·s; the median makes single jumps harmless.
    """
    half = curve[len(curve) // 2 :]
    if len(half) < 5:
        return 0.0
    bends = sorted(abs(a - 2 * b + c) for a, b, c in zip(half, half[1:], half[2:], strict=False))
    return bends[len(bends) // 2] / (0.6745 * math.sqrt(6))
