"""After training: the test rows once, the baselines on the same rows, the threshold, the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from chainrule.data import SealedTest
from chainrule.diagnose import Verdict, diagnose
from chainrule.tasks.advice import comparison, leaking_columns
from chainrule.tasks.importance import Importance, permutation_importance
from chainrule.tasks.intervals import interval
from chainrule.tasks.linear import LinearModel, affordable_rows, fit_linear
from chainrule.tasks.material import Material, Question
from chainrule.tasks.predictor import TablePredictor
from chainrule.tasks.scores import Scores, choose_threshold, guess, judge, loss_of, main_measure, main_score
from chainrule.tasks.verdicts import compared
from chainrule.train import History

_MOST_IMPORTANCE_ROWS = 2_000
_MOST_IMPORTANCE_FEATURES = 2_000  # features times columns beyond this take longer than they tell


@dataclass(frozen=True, eq=False)
class Choice:
    """What the validation rows decide and show; no test row is looked at for it.

    Args:
        scores: on the validation rows, by model: ``network``, ``linear`` and ``guess``.
        thresholds: by model, for binary tasks.
        verdict: from the learning curves; ``None`` if not one epoch was finished.
        importance: of each source column; ``None`` if there are too many.
        linear: the linear model of the training rows.
    """

    scores: dict[str, Scores]
    thresholds: dict[str, float]
    verdict: Verdict | None
    importance: Importance | None
    linear: LinearModel = field(repr=False)


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a run ends with.

    Args:
        choice: what the validation rows decided; the verdict's reason also says if the linear model does as well here.
        test: scores on the test rows, by model.
        intervals: 95 % interval of the first metric on the test rows, by model; absent where it cannot be estimated.
        predictions: on the test rows, by model.
        targets: of the test rows.
        linear: the linear model that was judged.
    """

    choice: Choice
    test: dict[str, Scores]
    intervals: dict[str, tuple[float, float]]
    predictions: dict[str, np.ndarray] = field(repr=False)
    targets: np.ndarray = field(repr=False)
    linear: LinearModel = field(repr=False)

    @property
    def threshold(self) -> float:
        """The network's threshold."""
        return self.choice.thresholds["network"]


def fit_baseline(material: Material, rows: np.ndarray) -> LinearModel:
    """Linear or logistic regression on the given rows (a part of them, if they are very many)."""
    plain, targets = material.plain_features, material.target.values
    rows = rows[: affordable_rows(len(rows), plain.shape[1])]
    return fit_linear(
        plain[rows], targets[rows], material.encoder.task, num_classes=len(material.encoder.classes) or None
    )


def choose(
    material: Material, predictor: TablePredictor, history: History, *, question: Question, actions: dict[str, str]
) -> Choice:
    """Thresholds, verdict and importance, from training and validation rows."""
    rows, task = material.split.validation, material.encoder.task
    targets = material.target.values[rows]
    linear = fit_baseline(material, material.split.train)
    predictions = _predictions(material, predictor, linear, rows)
    thresholds = {"network": 0.5, "linear": 0.5, "guess": 0.5}  # the guess says the majority
    if task == "binary":
        thresholds |= {name: choose_threshold(predictions[name], targets) for name in ("network", "linear")}
    scores, measure = _scores(material, predictions, targets, thresholds), main_measure(task)
    return Choice(
        scores=scores,
        thresholds=thresholds,
        verdict=_verdict(
            material,
            linear,
            history,
            balance=question.balance,
            actions=actions,
            is_settled=measure.higher_is_better and scores["network"][measure.name] == 1,
        ),
        importance=_importance(material, predictor, question.seed),
        linear=linear,
    )


def judge_once(
    material: Material, predictor: TablePredictor, choice: Choice, rows: np.ndarray, *, seed: int
) -> Judgement:
    """Judge the network and the baselines on the test rows, which are opened here, once.

    The linear baseline is fitted on ``rows``, those from which the network has learned its weights.
    """
    learned_from_train = rows.size == material.split.train.size
    linear = choice.linear if learned_from_train else fit_baseline(material, rows)
    test_rows = SealedTest(material.split.test).open("final evaluation")
    targets = material.target.values[test_rows]
    predictions = _predictions(material, predictor, linear, test_rows)
    test = _scores(material, predictions, targets, choice.thresholds)
    task = material.encoder.task
    found = {name: interval(task, predictions[name], targets, seed=seed) for name in ("network", "linear")}
    return Judgement(
        choice=replace(choice, verdict=compared(choice.verdict, comparison(task, test, found["network"]))),
        test=test,
        intervals={name: ends for name, ends in found.items() if ends is not None},
        predictions=predictions,
        targets=targets,
        linear=linear,
    )


def _predictions(
    material: Material, predictor: TablePredictor, linear: LinearModel, rows: np.ndarray
) -> dict[str, np.ndarray]:
    task, train = material.encoder.task, material.target.values[material.split.train]
    return {
        "network": predictor.raw(material.features[rows]),
        "linear": linear.predict(material.plain_features[rows]),
        "guess": guess(task, train, len(rows), len(material.encoder.classes)),
    }


def _scores(
    material: Material, predictions: dict[str, np.ndarray], targets: np.ndarray, thresholds: dict[str, float]
) -> dict[str, Scores]:
    task = material.encoder.task
    return {name: judge(task, values, targets, threshold=thresholds[name]) for name, values in predictions.items()}


def _verdict(
    material: Material,
    linear: LinearModel,
    history: History,
    *,
    balance: str,
    actions: dict[str, str],
    is_settled: bool,
) -> Verdict | None:
    curves = {name: history[name] for name in ("loss", "val_loss")}
    if not curves["loss"] or len(curves["loss"]) != len(curves["val_loss"]):
        return None
    task, rows = material.encoder.task, material.split.train
    targets, scale = material.target.values[rows], material.encoder.scale
    num_classes = len(material.encoder.classes)
    if balance == "none":
        baseline = loss_of(task, guess(task, targets, len(rows), num_classes), targets, scale=scale)
        line: float | None = loss_of(task, linear.predict(material.plain_features[rows]), targets, scale=scale)
    else:  # every class counts alike, so the best guess is an even one, and the linear model has another aim
        baseline, line = float(np.log(max(num_classes, 2))), None
    return diagnose(
        curves,
        baseline=max(baseline, 1e-12),
        linear=line,
        best_epoch=history.best_epoch,
        validation_rows=material.split.validation.size,
        ran_out=history.stop_reason == "all epochs done",
        is_settled=is_settled,
        leaks=leaking_columns(material),
        actions=actions,
    )


def _importance(material: Material, predictor: TablePredictor, seed: int) -> Importance | None:
    owners = material.preparer.column_of_feature
    if len(owners) * len(set(owners)) > _MOST_IMPORTANCE_FEATURES * 50:
        return None
    rows = material.split.validation[:_MOST_IMPORTANCE_ROWS]
    targets, task = material.target.values[rows], material.encoder.task
    sign = 1.0 if main_measure(task).higher_is_better else -1.0

    def score(predictions: np.ndarray) -> float:
        return sign * main_score(task, predictions, targets)

    if not np.isfinite(score(predictor.raw(material.features[rows]))):
        return None
    return permutation_importance(predictor.raw, material.features[rows], owners, score, seed=seed)
