"""Names, the table of losses, the check of output activations, and storing losses."""

import jax.numpy as jnp
import pytest

import chainrule.losses as losses
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError, UnknownNameError
from chainrule._base.registry import from_config, to_config

KERAS = {
    "mse": losses.MeanSquaredError,
    "mae": losses.MeanAbsoluteError,
    "mean_squared_error": losses.MeanSquaredError,
    "huber": losses.Huber,
    "log_cosh": losses.LogCosh,
    "hinge": losses.Hinge,
    "squared_hinge": losses.SquaredHinge,
    "categorical_hinge": losses.CategoricalHinge,
    "kl_divergence": losses.KLDivergence,
    "poisson": losses.PoissonLoss,
    "cosine_similarity": losses.CosineDistance,
    "binary_crossentropy": losses.BinaryCrossEntropy,
    "categorical_crossentropy": losses.CrossEntropy,
    "sparse_categorical_crossentropy": losses.CrossEntropy,
    "binary_focal_crossentropy": losses.BinaryFocalLoss,
    "categorical_focal_crossentropy": losses.FocalLoss,
}


@pytest.mark.parametrize("name", KERAS)
def test_keras_names_are_synonyms(name):
    assert losses.get(name) == KERAS[name]()


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'cross_entropy'"):
        losses.get("cros_entropy")


def test_object_function_and_class():
    """C259: a function written with array functions is a loss."""
    squared = losses.get(lambda y, t: jnp.square(y - t))
    assert squared(jnp.array([1.0, 5.0]), jnp.array([0.0, 2.0])).tolist() == [1.0, 9.0]
    huber = losses.Huber(2.0)
    assert losses.get(huber) is huber
    with pytest.raises(ArgumentTypeError, match=r"Type Huber\(\)"):
        losses.get(losses.Huber)
    with pytest.raises(ShapeError, match="one value per example"):
        losses.get(lambda y, t: jnp.mean(y - t))(jnp.ones(3), jnp.ones(3))


def test_list_has_formula_target_and_use_for_every_loss():
    """C282 C78: the table of losses says formula, target type and when to use."""
    rows = {row.name: row for row in losses.list()}
    public = [getattr(losses, name) for name in losses.__all__]
    classes = [c for c in public if isinstance(c, type) and issubclass(c, losses.Loss)]
    names = {c().name for c in classes if c not in (losses.Loss, losses.FunctionLoss)}
    assert names <= set(rows)
    for name in names:
        assert all(rows[name])
    assert "−Σ" in rows["cross_entropy"].formula


@pytest.mark.parametrize(
    ("loss", "activation", "warning"),
    [
        (losses.CrossEntropy(), "softmax", "double-softmax"),
        (losses.CrossEntropy(), "sigmoid", "sigmoid-with-categorical"),
        (losses.CrossEntropy(), "relu", "bounded-logits"),
        (losses.CrossEntropy(from_logits=False), "sigmoid", "sigmoid-with-categorical"),
        (losses.CrossEntropy(from_logits=False), None, "logits-as-probabilities"),
        (losses.CrossEntropy(from_logits=False), "linear", "logits-as-probabilities"),
        (losses.BinaryCrossEntropy(), "sigmoid", "double-sigmoid"),
        (losses.BinaryCrossEntropy(), "softmax", "softmax-with-binary"),
        (losses.BinaryCrossEntropy(from_logits=False), "softmax", "softmax-with-binary"),
        (losses.BinaryCrossEntropy(from_logits=False), "linear", "logits-as-probabilities"),
        (losses.BinaryCrossEntropy(from_logits=False), "tanh", "logits-as-probabilities"),
        (losses.Hinge(), "sigmoid", "bounded-logits"),
        (losses.PoissonLoss(from_log=False), "linear", "negative-rate"),
    ],
)
def test_mismatch_is_named(loss, activation, warning):
    """C42: softmax with binary, sigmoid with categorical, logits for probabilities: a named warning."""
    text = losses.check_output_activation(loss, activation)
    assert text.startswith(f"{warning}: ")
    assert "{" not in text
    assert loss.name in text


@pytest.mark.parametrize(
    ("loss", "activation"),
    [
        (losses.CrossEntropy(), None),
        (losses.CrossEntropy(), "log_softmax"),
        (losses.CrossEntropy(from_logits=False), "softmax"),
        (losses.BinaryCrossEntropy(), "linear"),
        (losses.BinaryCrossEntropy(from_logits=False), "sigmoid"),
        (losses.MeanSquaredError(), "relu"),
        (losses.PoissonLoss(from_log=False), "softplus"),
        (losses.get(lambda y, t: y - t), "softmax"),
    ],
)
def test_fitting_pairs_give_no_warning(loss, activation):
    assert losses.check_output_activation(loss, activation) is None


def test_configs_come_back_equal():
    for loss in (
        losses.Huber(2.0),
        losses.CrossEntropy(class_weight={0: 1.0, 2: 5.0}, label_smoothing=0.1),
        losses.BinaryCrossEntropy(pos_weight=(1.0, 2.0)),
    ):
        assert from_config(to_config(loss)) == loss


def test_targets_without_a_batch_axis_are_refused():
    with pytest.raises(ArgumentError, match="batch axis"):
        losses.check_targets(losses.MeanSquaredError(), 3.0)
