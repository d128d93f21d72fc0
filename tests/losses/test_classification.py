"""Cross-entropies against Optax, SciPy and closed forms, at the extremes, and their targets' checks."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.special
import scipy.stats

import chainrule.losses as losses
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError

RNG = np.random.default_rng(2)
LOGITS = RNG.normal(size=(4, 3)) * 3
LABELS = np.array([2, 0, 1, 2])
ONE_HOT = np.eye(3)[LABELS]
SOFT = RNG.dirichlet(np.ones(3), size=4)
YES = np.array([[1, 0], [0, 0], [1, 1]])
BINARY = RNG.normal(size=(3, 2)) * 3


def slopes(loss, x, t):
    return jax.grad(lambda x: loss(x, t).sum())(x)


def assert_gradient_is_finite_difference(loss, x, t, step=1e-6):
    with jax.enable_x64(True):
        x, t = jnp.asarray(x), jnp.asarray(t)
        total = jax.jit(lambda x: loss(x, t).sum())
        gradient = np.asarray(jax.grad(total)(x))
        for index in [(0, 0), (1, 1), (2, 1)]:
            slope = (total(x.at[index].add(step)) - total(x.at[index].add(-step))) / (2 * step)
            # central differences: error step² ≈ 1e-12, rounding 1e-16/step ≈ 1e-10
            assert gradient[index] == pytest.approx(float(slope), rel=1e-6, abs=1e-8)


def test_golden_softmax_cross_entropy():
    """C67: logits [1, 2, 3], class 2 → 0.407606."""
    got = losses.CrossEntropy()(jnp.array([[1.0, 2.0, 3.0]]), jnp.array([2]))
    assert float(got[0]) == pytest.approx(0.407606, abs=5e-7)


def test_integer_and_one_hot_labels_agree():
    """C68 E3: −Σ t log y, the same for integer and one-hot labels, and never negative."""
    expected = -(ONE_HOT * scipy.special.log_softmax(LOGITS, axis=1)).sum(axis=1)
    with jax.enable_x64(True):
        loss, x = losses.CrossEntropy(), jnp.asarray(LOGITS)
        by_label = loss(x, jnp.asarray(LABELS))
        np.testing.assert_allclose(by_label, expected, rtol=1e-13)
        np.testing.assert_allclose(loss(x, jnp.asarray(ONE_HOT)), by_label, rtol=1e-15)
        np.testing.assert_allclose(loss(x, jnp.asarray(ONE_HOT.astype(int))), by_label, rtol=1e-15)
        given = losses.CrossEntropy(from_logits=False)(
            jnp.asarray(scipy.special.softmax(LOGITS, 1)), jnp.asarray(LABELS)
        )
        np.testing.assert_allclose(given, expected, rtol=1e-12)
    assert (np.asarray(by_label) >= 0).all()


def test_soft_labels_and_entropy():
    """C69 E4: H(p, q) = −Σ p log q for soft labels, with H(p, p) the entropy of p."""
    entropy = scipy.stats.entropy(SOFT, axis=1)
    with jax.enable_x64(True):
        loss, p = losses.CrossEntropy(), jnp.asarray(SOFT)
        np.testing.assert_allclose(loss(jnp.log(p), p), entropy, rtol=1e-13)
        assert (np.asarray(loss(jnp.asarray(LOGITS), p)) >= entropy).all()
        # p and q are not exchangeable
        crossed = losses.CrossEntropy(from_logits=False)
        assert not np.allclose(crossed(p, jnp.asarray(SOFT[::-1])), crossed(jnp.asarray(SOFT[::-1]), p))


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.6])
def test_cross_entropy_equals_optax_with_smoothing(alpha):
    x, labels = jnp.asarray(LOGITS, jnp.float32), jnp.asarray(LABELS)
    theirs = optax.losses.softmax_cross_entropy(x, optax.losses.smooth_labels(jnp.asarray(ONE_HOT, jnp.float32), alpha))
    ours = losses.CrossEntropy(label_smoothing=alpha)
    np.testing.assert_allclose(ours(x, labels), theirs, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(ours(x, jnp.asarray(ONE_HOT)), theirs, rtol=1e-6, atol=1e-6)


def test_class_weights_multiply_the_example():
    """C74 E4: −Σ w_c p log q with the minus sign; integer and one-hot labels agree."""
    weights = np.array([1.0, 5.0, 0.5])
    plain = -scipy.special.log_softmax(LOGITS, axis=1)[np.arange(4), LABELS]
    for given in ({1: 5.0, 2: 0.5}, (1.0, 5.0, 0.5)):
        loss = losses.CrossEntropy(class_weight=given)
        for targets in (LABELS, ONE_HOT):
            got = loss(jnp.asarray(LOGITS), jnp.asarray(targets))
            np.testing.assert_allclose(got, weights[LABELS] * plain, rtol=1e-5)
    assert hash(losses.CrossEntropy(class_weight={0: 1.0})) is not None


def test_balanced_class_weight_in_the_loss_must_be_resolved_first():
    loss = losses.CrossEntropy(class_weight="balanced")
    with pytest.raises(ArgumentError, match="resolve_class_weight"):
        loss(jnp.asarray(LOGITS), jnp.asarray(LABELS))
    resolved = losses.resolve_class_weight(loss, LABELS)
    assert resolved.class_weight == {0: 4 / 3, 1: 4 / 3, 2: 4 / 6}
    assert losses.resolve_class_weight(loss, ONE_HOT) == resolved
    binary = losses.resolve_class_weight(
        losses.BinaryCrossEntropy(class_weight="balanced"), np.array([[1.0], [0], [0]])
    )
    assert binary.class_weight == {0: 0.75, 1: 1.5}


def test_time_axis_is_averaged_within_the_example():
    x, labels = RNG.normal(size=(2, 5, 3)), RNG.integers(3, size=(2, 5))
    picked = -np.take_along_axis(scipy.special.log_softmax(x, axis=-1), labels[..., None], -1)[..., 0]
    got = losses.CrossEntropy()(jnp.asarray(x), jnp.asarray(labels))
    np.testing.assert_allclose(got, picked.mean(axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [losses.CrossEntropy(), losses.CrossEntropy(label_smoothing=0.2), losses.FocalLoss(), losses.CategoricalHinge()],
)
def test_label_out_of_range_is_nan_under_jit_and_spares_the_other_rows(loss):
    got = jax.jit(loss)(jnp.asarray(LOGITS[:3]), jnp.array([3, -1, 1]))
    assert np.isnan(got[:2]).all()
    assert np.isfinite(got[2])


@pytest.mark.parametrize("loss", [losses.CrossEntropy(), losses.FocalLoss(gamma=0.5), losses.KLDivergence()])
def test_huge_logits_give_finite_value_and_gradient(loss):
    x = jnp.array([[1e4, -1e4, 0.0], [-1e30, 1e30, 1e30]])
    t = jnp.array([[0.0, 1.0, 0.0], [0.0, 0.5, 0.5]])
    assert np.isfinite(loss(x, t)).all()
    assert np.isfinite(slopes(loss, x, t)).all()


@pytest.mark.parametrize(
    "loss",
    [
        losses.CrossEntropy(from_logits=False),
        losses.KLDivergence(from_logits=False),
        losses.FocalLoss(gamma=0.5, from_logits=False),
    ],
)
def test_probabilities_zero_and_one_give_finite_value_and_gradient(loss):
    p, t = jnp.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), jnp.eye(3)[:2]
    value = loss(p, t)
    assert float(value[0]) == 0.0
    assert float(value[1]) == pytest.approx(-np.log(2.0**-23), rel=1e-5)
    assert np.isfinite(slopes(loss, p, t)).all()


def test_masked_logit_of_minus_infinity_costs_nothing_when_not_asked_for():
    got = losses.CrossEntropy()(jnp.array([[0.0, 0.0, -jnp.inf]]), jnp.array([[0.5, 0.5, 0.0]]))
    assert float(got[0]) == pytest.approx(np.log(2), rel=1e-6)


def test_golden_binary_cross_entropy():
    """C66 E2: p = 0.5 gives 0.693147, with the minus sign, and p in {0, 1} is never NaN."""
    loss = losses.BinaryCrossEntropy(from_logits=False)
    assert float(loss(jnp.array([0.5]), jnp.array([1]))[0]) == pytest.approx(0.693147, abs=5e-7)
    p, t = jnp.array([0.0, 0.0, 1.0, 1.0]), jnp.array([0, 1, 0, 1])
    value = np.asarray(loss(p, t))
    assert np.isfinite(value).all()
    np.testing.assert_allclose(value, [0, 15.9424, 15.9424, 0], atol=1e-4)  # −log 2⁻²³
    assert np.isfinite(slopes(loss, p, t)).all()


def test_binary_cross_entropy_equals_optax_for_several_labels():
    """C73: several sigmoids, targets [batch, labels], the mean over labels."""
    x, t = jnp.asarray(BINARY, jnp.float32), jnp.asarray(YES, jnp.float32)
    theirs = optax.losses.sigmoid_binary_cross_entropy(x, t).mean(axis=1)
    np.testing.assert_allclose(losses.BinaryCrossEntropy()(x, t), theirs, rtol=1e-6, atol=1e-7)
    from_p = losses.BinaryCrossEntropy(from_logits=False)(jax.nn.sigmoid(x), t)
    np.testing.assert_allclose(from_p, theirs, rtol=1e-5)


def test_binary_weights_by_class_and_by_label():
    log_yes, log_no = scipy.special.log_expit(BINARY), scipy.special.log_expit(-BINARY)
    x, t = jnp.asarray(BINARY), jnp.asarray(YES)
    expected = -(3 * YES * log_yes + 0.5 * (1 - YES) * log_no).mean(axis=1)
    np.testing.assert_allclose(losses.BinaryCrossEntropy(class_weight={0: 0.5, 1: 3})(x, t), expected, rtol=1e-5)
    per_label = np.array([2.0, 7.0])
    expected = -(per_label * YES * log_yes + (1 - YES) * log_no).mean(axis=1)
    np.testing.assert_allclose(losses.BinaryCrossEntropy(pos_weight=(2.0, 7.0))(x, t), expected, rtol=1e-5)
    smooth = 0.8 * YES + 0.1
    expected = -(smooth * log_yes + (1 - smooth) * log_no).mean(axis=1)
    np.testing.assert_allclose(losses.BinaryCrossEntropy(label_smoothing=0.2)(x, t), expected, rtol=1e-5)


def test_binary_loss_keeps_small_values_and_finite_large_ones():
    x = jnp.array([40.0, -40.0, 1e30, -1e30])
    got = np.asarray(losses.BinaryCrossEntropy()(x, jnp.array([1, 0, 0, 1])))
    np.testing.assert_allclose(got, [np.exp(-40.0), np.exp(-40.0), 1e30, 1e30], rtol=1e-6)


@pytest.mark.parametrize("loss", [losses.BinaryCrossEntropy(), losses.BinaryFocalLoss()])
def test_binary_targets_outside_the_unit_interval_are_nan(loss):
    got = loss(jnp.zeros(4), jnp.array([0.0, 1.0, 2.0, -1.0]))
    assert np.isnan(got).tolist() == [False, False, True, True]


def test_kl_divergence_equals_scipy_and_is_zero_at_the_target():
    q = scipy.special.softmax(LOGITS, axis=1)
    expected = scipy.special.rel_entr(SOFT, q).sum(axis=1)
    with jax.enable_x64(True):
        p = jnp.asarray(SOFT)
        np.testing.assert_allclose(losses.KLDivergence()(jnp.asarray(LOGITS), p), expected, rtol=1e-12)
        np.testing.assert_allclose(losses.KLDivergence(from_logits=False)(jnp.asarray(q), p), expected, rtol=1e-12)
        np.testing.assert_allclose(losses.KLDivergence()(jnp.log(p), p), np.zeros(4), atol=1e-15)
        theirs = optax.losses.kl_divergence(jnp.log(jnp.asarray(q)), p)
        np.testing.assert_allclose(expected, theirs, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "x", "t"),
    [
        (losses.CrossEntropy(label_smoothing=0.1, class_weight=(1.0, 2.0, 3.0)), LOGITS, LABELS),
        (losses.CrossEntropy(from_logits=False), SOFT, LABELS),
        (losses.KLDivergence(), LOGITS, SOFT),
        (losses.BinaryCrossEntropy(pos_weight=3.0, label_smoothing=0.1), BINARY, YES),
        (losses.BinaryCrossEntropy(from_logits=False), scipy.special.expit(BINARY), YES),
        (losses.FocalLoss(gamma=1.5), LOGITS, LABELS),
        (losses.BinaryFocalLoss(gamma=1.5, alpha=0.25), BINARY, YES),
        (losses.SquaredHinge(), BINARY, YES),
        (losses.CategoricalHinge(), LOGITS, LABELS),
    ],
    ids=lambda part: part.name if isinstance(part, losses.Loss) else "",
)
def test_gradients_equal_finite_differences(loss, x, t):
    assert_gradient_is_finite_difference(loss, x, t)


def test_shapes_and_types_that_do_not_fit_are_refused():
    loss = losses.CrossEntropy()
    with pytest.raises(ShapeError, match="same shape"):
        loss(jnp.ones((4, 3)), jnp.ones((4, 1), int))
    with pytest.raises(ArgumentTypeError, match=r"targets\.astype\(int\)"):
        loss(jnp.ones((4, 3)), jnp.ones(4))
    with pytest.raises(ShapeError, match="2 axes or more"):
        loss(jnp.ones(4), jnp.ones(4, int))
    with pytest.raises(ShapeError, match="Use 'binary_cross_entropy'"):
        loss(jnp.ones((4, 1)), jnp.ones(4, int))
    with pytest.raises(ArgumentError, match="only one of class_weight and pos_weight"):
        losses.BinaryCrossEntropy(class_weight=(1.0, 2.0), pos_weight=2.0)
    with pytest.raises(ArgumentError, match="one number per label"):
        losses.BinaryCrossEntropy(pos_weight=(2.0, 3.0))(jnp.ones((4, 3)), jnp.ones((4, 3)))
    with pytest.raises(ArgumentError, match="label_smoothing"):
        losses.CrossEntropy(label_smoothing=1.0)


CE, BCE = losses.CrossEntropy(), losses.BinaryCrossEntropy()


@pytest.mark.parametrize(
    ("loss", "targets", "num_classes", "message"),
    [
        (CE, [0, 1, 5, 6], 3, r"a class from 0 to 2; received 5 in row 2 \(2 bad of 4 rows"),
        (CE, [[0, 1], [1, -1]], 3, "received -1 in row 1"),
        (CE, [0.0, 1.0, 2.0], 3, "must be integers"),
        (CE, ["a", "b"], 2, "must be numbers"),
        (CE, [[0.5, 0.5, 0.0], [0.9, 0.9, 0.0]], 3, r"a row with the sum 1; received 1\.8 in row 1"),
        (CE, [[1, 0, 0], [1, 1, 0]], 3, r"received 2\.0 in row 1"),
        (CE, [[1.5, -0.5]], 2, r"at least 0; received -0\.5 in row 0"),
        (BCE, [1, 2, 1], None, "received 2 in row 1"),
        (BCE, [[0.0, np.nan]], None, "a finite number; received nan in row 0"),
        (losses.Hinge(), [1, -1, 3], None, "received 3 in row 2"),
        (losses.KLDivergence(), [[0.2, 0.2]], None, "sum 1"),
        (losses.BinaryFocalLoss(), [0, -1], None, "received -1 in row 1"),
    ],
)
def test_bad_targets_are_named_by_row(loss, targets, num_classes, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        losses.check_targets(loss, np.array(targets), num_classes)


@pytest.mark.parametrize(
    ("loss", "targets", "num_classes"),
    [(CE, LABELS, 3), (CE, ONE_HOT, 3), (CE, SOFT, 3), (CE, ONE_HOT.astype(int), 3), (BCE, YES, 2), (BCE, SOFT, None)],
)
def test_good_targets_pass(loss, targets, num_classes):
    losses.check_targets(loss, targets, num_classes)


def numpy_ignoring(logits, labels, ignored, smoothing=0.0):
    """Per example the mean over the labels that count, one by one in float64."""
    means = []
    for rows, own in zip(np.asarray(logits, np.float64), labels, strict=True):
        values = []
        for row, label in zip(rows.reshape(-1, rows.shape[-1]), np.ravel(own), strict=True):
            if label != ignored:
                logs = row - scipy.special.logsumexp(row)
                values.append(-(1 - smoothing) * logs[label] - smoothing * logs.mean())
        means.append(np.mean(values) if values else 0.0)
    return np.array(means)


@pytest.mark.parametrize("ignored", [0, 3, -1])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("space", [(5,), (2, 3)])
def test_ignored_labels_do_not_count(ignored, smoothing, space):
    logits = RNG.normal(size=(4, *space, 6)).astype(np.float32)
    labels = RNG.integers(6, size=(4, *space))
    labels[1].flat[:2] = ignored
    labels[2] = ignored  # an example of nothing else
    loss = losses.CrossEntropy(label_smoothing=smoothing, ignore_class=ignored)
    got = loss(jnp.asarray(logits), jnp.asarray(labels))
    np.testing.assert_allclose(got, numpy_ignoring(logits, labels, ignored, smoothing), rtol=1e-5, atol=1e-6)


def test_what_is_predicted_for_ignored_labels_has_no_effect():
    """Neither on values nor on gradients, be it NaN."""
    logits, labels = RNG.normal(size=(3, 4, 5)).astype(np.float32), RNG.integers(1, 5, size=(3, 4))
    labels[:, 2:] = 0
    broken = logits.copy()
    broken[:, 2], broken[:, 3] = np.nan, np.inf
    loss = losses.CrossEntropy(ignore_class=0)
    np.testing.assert_array_equal(loss(jnp.asarray(broken), labels), loss(jnp.asarray(logits), labels))
    slope = slopes(loss, jnp.asarray(broken), jnp.asarray(labels))
    np.testing.assert_array_equal(slope[:, 2:], 0)
    np.testing.assert_allclose(slope[:, :2], slopes(losses.CrossEntropy(), logits[:, :2], labels[:, :2]), rtol=1e-6)


def test_weights_by_length_give_the_mean_over_all_labels():
    """As Keras's ``ignore_class`` and PyTorch's ``ignore_index`` have it."""
    logits, labels = RNG.normal(size=(3, 4, 5)), RNG.integers(1, 5, size=(3, 4))
    labels[0, 1:], labels[1, 3] = 0, 0
    logs = scipy.special.log_softmax(logits, axis=-1)
    every = -np.take_along_axis(logs, labels[..., None], axis=-1)[..., 0][labels != 0].mean()
    values = losses.CrossEntropy(ignore_class=0)(jnp.asarray(logits, jnp.float32), jnp.asarray(labels))
    weight = jnp.asarray((labels != 0).sum(axis=1), jnp.float32)
    assert float(losses.reduce(values, weight)) == pytest.approx(every, rel=1e-5)


def test_ignored_labels_need_not_be_classes_but_must_be_labels():
    loss = losses.CrossEntropy(ignore_class=-1)
    losses.check_targets(loss, np.array([[0, 2], [-1, -1]]), 3)
    with pytest.raises(ArgumentError, match=r"a class from 0 to 2; received -2 in row 1"):
        losses.check_targets(loss, np.array([[0, 2], [-2, -1]]), 3)
    with pytest.raises(ArgumentError, match="some targets must count; received -1, which is ignore_class, in all 2"):
        losses.check_targets(loss, np.full((2, 3), -1), 3)
    with pytest.raises(ShapeError, match=r"with ignore_class=-1 the targets must be integer labels.*argmax\(-1\)"):
        loss(jnp.ones((2, 3)), jnp.ones((2, 3)))
    with pytest.raises(ArgumentTypeError, match=r"ignore_class must be an integer; received 0.5"):
        losses.CrossEntropy(ignore_class=0.5)


def test_balanced_class_weights_leave_ignored_labels_out():
    loss = losses.CrossEntropy(class_weight="balanced", ignore_class=0)
    settled = losses.resolve_class_weight(loss, np.array([[1, 2, 2, 0, 0], [2, 0, 0, 0, 0]]))
    assert settled.class_weight == {1: 2.0, 2: pytest.approx(2 / 3)}
