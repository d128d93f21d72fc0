"""Names, adaptation to a model, user functions, storing."""

import jax.numpy as jnp
import numpy as np
import pytest

import chainrule.losses as losses
import chainrule.metrics as metrics
from chainrule._base.errors import ArgumentTypeError, ShapeError, UnknownNameError
from chainrule._base.registry import from_config, to_config

NAMES = {
    "acc": metrics.Accuracy,
    "accuracy": metrics.Accuracy,
    "sparse_categorical_accuracy": metrics.Accuracy,
    "binary_accuracy": metrics.BinaryAccuracy,
    "top_k_categorical_accuracy": metrics.TopKAccuracy,
    "auc": metrics.ROCAUC,
    "average_precision": metrics.AveragePrecision,
    "mse": metrics.MeanSquaredError,
    "mae": metrics.MeanAbsoluteError,
    "rmse": metrics.RootMeanSquaredError,
    "r2": metrics.R2Score,
    "log_loss": metrics.LogLoss,
    "brier_score": metrics.BrierScore,
    "f1_score": metrics.F1,
    "precision": metrics.Precision,
    "recall": metrics.Recall,
    "confusion_matrix": metrics.ConfusionMatrix,
}


@pytest.mark.parametrize("name", NAMES)
def test_names_and_configs(name):
    metric = metrics.get(name)
    assert metric == NAMES[name]()
    assert metrics.get(metric) is metric
    assert from_config(to_config(metric)) == metric
    assert metric.higher_is_better is (name not in {"mse", "mae", "rmse", "log_loss", "brier_score"})
    assert metric.needs_all is (name in {"auc", "average_precision"})


def test_metric_and_loss_of_one_name_are_told_apart_in_files():
    both = [metrics.MeanSquaredError(), losses.MeanSquaredError()]
    assert [type(from_config(to_config(part))) for part in both] == [metrics.MeanSquaredError, losses.MeanSquaredError]


def test_a_name_is_adapted_to_the_model():
    assert metrics.get("accuracy", from_logits=False) == metrics.Accuracy(from_logits=False)
    assert metrics.get("f1", num_outputs=5) == metrics.F1(num_classes=5, average="macro")
    assert metrics.get("f1", num_outputs=2) == metrics.F1()
    several = metrics.get("recall", num_outputs=2, multi_label=True)
    assert several == metrics.Recall(num_classes=2, average="macro", multi_label=True)
    assert metrics.get("r2", num_outputs=3).num_outputs == 3
    assert metrics.get("confusion_matrix", num_outputs=1).num_classes == 2
    given = metrics.Accuracy()
    assert metrics.get(given, from_logits=False) is given


def test_unknown_name_class_and_function():
    with pytest.raises(UnknownNameError, match="Did you mean 'accuracy'"):
        metrics.get("acuracy")
    with pytest.raises(ArgumentTypeError, match=r"Type F1\(\)"):
        metrics.get(metrics.F1)
    metric = metrics.get(lambda y, t: jnp.abs(y - t))
    assert float(metric(jnp.array([1.0, 5.0]), jnp.array([0.0, 0.0]), jnp.array([3.0, 1.0]))) == 2.0
    with pytest.raises(ShapeError, match="one value per example"):
        metrics.get(lambda y, t: jnp.mean(y - t))(jnp.ones(2), jnp.ones(2))


def test_every_public_metric_has_a_name_in_the_registry():
    public = [getattr(metrics, name) for name in metrics.__all__]
    bases = {metrics.Metric, metrics.StreamingMetric, metrics.WholeMetric, metrics.MeanMetric, metrics.FunctionMetric}
    classes = [c for c in public if isinstance(c, type) and issubclass(c, metrics.Metric) and c not in bases]
    assert set(classes) == set(NAMES.values())


def test_streaming_metrics_ignore_rows_of_weight_zero():
    x, t = np.array([0.5, -0.3, 2.0]), np.array([1, 0, 0])
    weight = np.array([1.0, 2.0, 0.0])
    for cls in set(NAMES.values()) - {metrics.TopKAccuracy}:
        metric = cls()
        if metric.needs_all:
            continue
        kept = metric(jnp.asarray(x[:2]), jnp.asarray(t[:2]), jnp.asarray(weight[:2]))
        masked = metric(jnp.asarray(x).at[2].set(jnp.nan), jnp.asarray(t), jnp.asarray(weight))
        np.testing.assert_allclose(masked, kept, rtol=1e-6, err_msg=metric.name)
