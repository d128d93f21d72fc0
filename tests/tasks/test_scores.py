import numpy as np
import pytest
from sklearn import metrics as reference

from chainrule.tasks.scores import (
    MEASURES,
    binary_log_loss,
    choose_threshold,
    guess,
    judge,
    log_loss,
    loss_of,
    main_measure,
    main_score,
)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_binary_scores_equal_scikit_learn(rng):
    p, y = rng.uniform(size=97).round(2), rng.integers(0, 2, 97)
    scores, answers = judge("binary", p, y, threshold=0.37), p >= 0.37
    assert scores["roc_auc"] == pytest.approx(reference.roc_auc_score(y, p))
    assert scores["average_precision"] == pytest.approx(reference.average_precision_score(y, p))
    assert scores["accuracy"] == pytest.approx(reference.accuracy_score(y, answers))
    assert scores["sensitivity"] == pytest.approx(reference.recall_score(y, answers))
    assert scores["specificity"] == pytest.approx(reference.recall_score(y, answers, pos_label=0))
    clipped = np.clip(p, 1e-12, 1 - 1e-12)
    assert scores["log_loss"] == pytest.approx(reference.log_loss(y, clipped))
    assert scores["brier_score"] == pytest.approx(reference.brier_score_loss(y, p))


def test_class_scores_equal_scikit_learn(rng):
    p, y = rng.dirichlet(np.ones(4), size=71), rng.integers(0, 4, 71)
    scores = judge("multiclass", p, y)
    assert scores["accuracy"] == pytest.approx(reference.accuracy_score(y, p.argmax(1)))
    assert scores["macro_f1"] == pytest.approx(reference.f1_score(y, p.argmax(1), average="macro"))
    assert scores["roc_auc"] == pytest.approx(reference.roc_auc_score(y, p, multi_class="ovr"))
    assert scores["log_loss"] == pytest.approx(reference.log_loss(y, p))


def test_label_scores_equal_scikit_learn(rng):
    p, y = rng.uniform(size=(53, 3)), rng.integers(0, 2, (53, 3)).astype(float)
    scores = judge("multilabel", p, y)
    assert scores["macro_f1"] == pytest.approx(reference.f1_score(y, p >= 0.5, average="macro"))
    assert scores["roc_auc"] == pytest.approx(reference.roc_auc_score(y, p))
    assert scores["accuracy"] == pytest.approx(np.mean((p >= 0.5) == y))


def test_number_scores_equal_scikit_learn(rng):
    p, y = rng.normal(size=61), rng.normal(size=61)
    scores = judge("regression", p, y)
    assert scores["rmse"] == pytest.approx(reference.root_mean_squared_error(y, p))
    assert scores["mae"] == pytest.approx(reference.mean_absolute_error(y, p))
    assert scores["r2"] == pytest.approx(reference.r2_score(y, p))


@pytest.mark.parametrize("task", list(MEASURES))
def test_every_declared_measure_is_measured_and_the_first_alone_agrees(task, rng):
    shapes = {"binary": (41,), "multiclass": (41, 3), "multilabel": (41, 3), "regression": (41,)}
    p = rng.uniform(size=shapes[task])
    p = p / p.sum(axis=1, keepdims=True) if task == "multiclass" else p
    y = {
        "binary": rng.integers(0, 2, 41),
        "multiclass": rng.integers(0, 3, 41),
        "multilabel": rng.integers(0, 2, (41, 3)).astype(float),
        "regression": rng.normal(size=41),
    }[task]
    scores = judge(task, p, y)
    assert list(scores) == [measure.name for measure in MEASURES[task][0]]
    assert main_score(task, p, y) == pytest.approx(scores[main_measure(task).name])


def test_what_is_undefined_is_nan_and_not_an_error():
    scores = judge("binary", np.array([0.2, 0.8]), np.array([0, 0]))
    assert np.isnan(scores["roc_auc"])
    assert np.isnan(scores["sensitivity"])
    assert scores["specificity"] == 0.5
    assert np.isnan(judge("regression", np.array([1.0, 2.0]), np.array([3.0, 3.0]))["r2"])


def test_losses_are_finite_for_confident_mistakes():
    assert binary_log_loss(np.array([0.0]), np.array([1])) == pytest.approx(-np.log(1e-12))
    assert log_loss(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(-np.log(1e-12))
    assert loss_of("regression", np.array([3.0]), np.array([1.0]), scale=4.0) == 0.25


def test_the_guess_is_the_shares_or_the_mean_of_training():
    assert guess("multiclass", np.array([0, 0, 2, 2, 2]), 2, 4).tolist() == [[0.4, 0.0, 0.6, 0.0]] * 2
    assert guess("regression", np.array([1.0, 4.0]), 3, 0).tolist() == [2.5] * 3
    assert guess("multilabel", np.array([[0, 1], [1, 1]]), 1, 2).tolist() == [[0.5, 1.0]]


def test_the_threshold_maximises_the_mean_of_sensitivity_and_specificity(rng):
    y = rng.integers(0, 2, 80)
    p = np.clip(0.3 * y + rng.uniform(size=80) * 0.5, 0, 1)
    chosen = judge("binary", p, y, threshold=choose_threshold(p, y))
    best = max(
        judge("binary", p, y, threshold=t)["sensitivity"] + judge("binary", p, y, threshold=t)["specificity"]
        for t in np.linspace(0, 1, 2001)
    )
    assert chosen["sensitivity"] + chosen["specificity"] == pytest.approx(best)


def test_the_threshold_stays_at_one_half_where_nothing_is_gained_or_known():
    assert choose_threshold(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1])) == 0.5
    assert choose_threshold(np.array([0.1, 0.9]), np.array([1, 1])) == 0.5
