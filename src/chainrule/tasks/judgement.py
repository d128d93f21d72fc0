"""After training: the test rows once, the baselines on the same rows, the threshold, the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from chainrule.data import SealedTest
from chainrule.diagnose import Verdict, diagnose
from chainrule.tasks.importance import Importance, permutation_importance
from chainrule.tasks.linear import LinearModel, affordable_rows, fit_linear
from chainrule.tasks.material import Material
from chainrule.tasks.predictor import TablePredictor
from chainrule.tasks.scores import Scores, choose_threshold, guess, judge, loss_of, main_measure, main_score
from chainrule.train import History

_MOST_IMPORTANCE_ROWS = 2_000
_MOST_IMPORTANCE_FEATURES = 2_000  # features times columns beyond this take longer than they tell
_RESAMPLES = 200


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a run ends with.

    Args:
        test: scores on the test rows, by model: ``network``, ``linear`` and ``guess``.
        validation: the same on the validation rows.
        intervals: 95 % bootstrap interval of the first metric on the test rows, by model.
        predictions: on the test rows, by model.
        targets: of the test rows.
        threshold: chosen on the validation rows (binary tasks).
        verdict: from the learning curves; ``None`` if not one epoch was finished.
        importance: of each source column, on validation rows; ``None`` if there are too many.
        linear: the linear model itself.
    """

    test: dict[str, Scores]
    validation: dict[str, Scores]
    intervals: dict[str, tuple[float, float]]
    predictions: dict[str, np.ndarray] = field(repr=False)
    targets: np.ndarray = field(repr=False)
    threshold: float
    verdict: Verdict | None
    importance: Importance | None
    linear: LinearModel = field(repr=False)


def fit_baseline(material: Material, plain_features: np.ndarray) -> LinearModel:
    """Linear or logistic regression on the training rows (a part of them, if they are very many)."""
    rows = material.split.train
    rows = rows[: affordable_rows(len(rows), plain_features.shape[1])]
    targets = material.target.values
    return fit_linear(
        plain_features[rows], targets[rows], material.encoder.task, num_classes=len(material.encoder.classes) or None
    )


def pick_threshold(material: Material, predictor: TablePredictor) -> float:
    """The threshold that is best on the validation rows, for binary tasks."""
    if material.encoder.task != "binary":
        return 0.5
    rows = material.split.validation
    return choose_threshold(predictor.raw(material.features[rows]), material.target.values[rows])


def pass_judgement(
    material: Material,
    predictor: TablePredictor,
    history: History,
    *,
    balance: str,
    actions: dict[str, str],
    seed: int,
) -> Judgement:
    """Judge the network and the baselines; the test rows are opened here, once."""
    parts, targets = material.split, material.target.values
    plain = material.plain_features()
    linear = fit_baseline(material, plain)
    sealed = SealedTest(parts.test)
    validation_rows = parts.validation
    on_validation = _predictions(material, predictor, linear, plain, validation_rows)
    thresholds = _thresholds(material, on_validation, targets[validation_rows], predictor.threshold)
    validation = _scores(material, on_validation, targets[validation_rows], thresholds)
    verdict = _verdict(material, linear, plain, history, balance=balance, actions=actions)
    importance = _importance(material, predictor, seed)
    test_rows = sealed.open("final evaluation")
    on_test = _predictions(material, predictor, linear, plain, test_rows)
    return Judgement(
        test=_scores(material, on_test, targets[test_rows], thresholds),
        validation=validation,
        intervals=_intervals(material, on_test, targets[test_rows], seed),
        predictions=on_test,
        targets=targets[test_rows],
        threshold=predictor.threshold,
        verdict=verdict,
        importance=importance,
        linear=linear,
    )


def _predictions(
    material: Material, predictor: TablePredictor, linear: LinearModel, plain: np.ndarray, rows: np.ndarray
) -> dict[str, np.ndarray]:
    task, train = material.encoder.task, material.target.values[material.split.train]
    return {
        "network": predictor.raw(material.features[rows]),
        "linear": linear.predict(plain[rows]),
        "guess": guess(task, train, len(rows), len(material.encoder.classes)),
    }


def _thresholds(
    material: Material, predictions: dict[str, np.ndarray], targets: np.ndarray, own: float
) -> dict[str, float]:
    """The linear model's threshold is chosen as the network's is; the guess keeps 0.5 and says the majority."""
    linear = choose_threshold(predictions["linear"], targets) if material.encoder.task == "binary" else 0.5
    return {"network": own, "linear": linear, "guess": 0.5}


def _scores(
    material: Material, predictions: dict[str, np.ndarray], targets: np.ndarray, thresholds: dict[str, float]
) -> dict[str, Scores]:
    task = material.encoder.task
    return {name: judge(task, values, targets, threshold=thresholds[name]) for name, values in predictions.items()}


def _intervals(
    material: Material, predictions: dict[str, np.ndarray], targets: np.ndarray, seed: int
) -> dict[str, tuple[float, float]]:
    """Percentile bootstrap over the test rows; resamples in which the metric is undefined are left out."""
    task = material.encoder.task
    resamples = min(_RESAMPLES, 4_000_000 // max(len(targets), 1))
    if resamples < 50:
        return {}
    rng = np.random.default_rng(seed)
    rows = [rng.integers(0, len(targets), len(targets)) for _ in range(resamples)]
    found = {}
    for model in ("network", "linear"):
        values = np.array([main_score(task, predictions[model][r], targets[r]) for r in rows])
        values = values[np.isfinite(values)]
        if values.size >= resamples // 2:
            low, high = np.quantile(values, (0.025, 0.975))
            found[model] = (float(low), float(high))
    return found


def _verdict(
    material: Material,
    linear: LinearModel,
    plain: np.ndarray,
    history: History,
    *,
    balance: str,
    actions: dict[str, str],
) -> Verdict | None:
    curves = {name: history[name] for name in ("loss", "val_loss")}
    if not curves["loss"] or len(curves["loss"]) != len(curves["val_loss"]):
        return None
    task, rows = material.encoder.task, material.split.train
    targets, scale = material.target.values[rows], material.encoder.scale
    num_classes = len(material.encoder.classes)
    if balance == "none":
        baseline = loss_of(task, guess(task, targets, len(rows), num_classes), targets, scale=scale)
        line: float | None = loss_of(task, linear.predict(plain[rows]), targets, scale=scale)
    else:  # every class counts alike, so the best guess is an even one, and the linear model has another aim
        baseline, line = float(np.log(max(num_classes, 2))), None
    return diagnose(
        curves,
        baseline=max(baseline, 1e-12),
        linear=line,
        best_epoch=history.best_epoch,
        validation_rows=material.split.validation.size,
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
