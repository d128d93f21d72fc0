"""Cross-entropies: losses for class labels and for probability distributions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_int, check_number, shapes_agree
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule._base.spec import Array
from chainrule.losses.base import (
    HostArray,
    Loss,
    example_mean,
    refuse_row,
    register,
    require_classes,
    same_shape,
)
from chainrule.losses.class_weight import ClassWeight, check_class_weight, class_weight_vector
from chainrule.ops import stable


@register(
    "cross_entropy",
    "crossentropy",
    "categorical_cross_entropy",
    "categorical_crossentropy",
    "sparse_categorical_cross_entropy",
    "sparse_categorical_crossentropy",
    "softmax_cross_entropy",
)
@dataclass(frozen=True)
class CrossEntropy(Loss):
    """``L = −Σ_c w_c t_c log q_c`` with ``q = softmax(logits)``: for exactly one class per example.

    Integer labels, one-hot rows and soft labels (any distribution ``t``) all work and agree: a label ``c`` is the
    one-hot row of ``c``. For two distributions this is ``H(t, q) = −Σ t log q``, which is smallest, and equal to the
    entropy of ``t``, at ``q = t``. The minus sign belongs to it (texts that print ``Σ t log q`` have lost it); the
    target stands outside the logarithm, the prediction inside.

    Labels outside ``0 .. classes − 1`` give NaN, so that training stops there instead of learning a clamped label;
    :func:`chainrule.losses.check_targets` names their rows beforehand.

    Padded steps of a sequence, or unlabelled pixels, are left out by ``ignore_class``: an example's loss is then the
    mean over the labels that are left, and 0 if none is. Each *example* counts the same, however many labels it has;
    for the mean over all *labels* (Keras, PyTorch) give each example as many times its weight:
    ``fit(..., sample_weight=(y != 0).sum(axis=1))``.

    Args:
        from_logits: predictions are logits, any real numbers (Keras's default is probabilities). With ``False`` they
            are probabilities, taken as they are (Keras divides them by their sum) with values below 1.2e-7 counted as
            that, so the loss is finite.
        label_smoothing: α in [0, 1): the target becomes ``(1 − α) t + α / classes``.
        class_weight: ``w_c``, as ``{class: weight}`` (1 for the others), one weight per class, or ``"balanced"``, which
            :func:`chainrule.losses.resolve_class_weight` turns into numbers. The weighted loss is *not* divided
            by the sum of class weights (PyTorch's mean is).
        ignore_class: integer label that does not count (PyTorch's ``ignore_index``); it need not be a class, so that
            -1 will do. What is predicted there has no effect, be it NaN.

    Shapes:
        predictions: ``[batch, ..., classes]``; targets: integers ``[batch, ...]``, or as the predictions -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> logits = jnp.array([[1.0, 2.0, 3.0]])
        >>> [round(v, 6) for v in CrossEntropy()(logits, jnp.array([2])).tolist()]
        [0.407606]
        >>> [round(v, 6) for v in CrossEntropy()(logits, jnp.array([[0.0, 0.0, 1.0]])).tolist()]
        [0.407606]
        >>> steps = jnp.array([[[1.0, 2.0, 3.0], [9.0, 9.0, 0.0]]])
        >>> [round(v, 6) for v in CrossEntropy(ignore_class=0)(steps, jnp.array([[2, 0]])).tolist()]
        [0.407606]

    References:
        Bridle, Probabilistic interpretation of feedforward classification network outputs, 1990.
        Szegedy et al., Rethinking the Inception architecture, 2016, section 7 (label smoothing).
    """

    from_logits: bool = True
    label_smoothing: float = 0.0
    class_weight: ClassWeight | None = field(default=None, hash=False)
    ignore_class: int | None = None

    formula: ClassVar[str] = "−Σ w_c t_c log q_c,  q = softmax(logits)"
    target: ClassVar[str] = "one class per example: integers, one-hot, or a distribution"
    use: ClassVar[str] = "classification into two or more exclusive classes"

    def __post_init__(self) -> None:
        check_number("label_smoothing", self.label_smoothing, "CrossEntropy", at_least=0, below=1)
        check_class_weight(self.class_weight, "CrossEntropy")
        if self.ignore_class is not None:
            check_int("ignore_class", self.ignore_class, "CrossEntropy")

    @property
    def expects(self) -> str:
        """``class logits`` or ``class probabilities``."""
        return "class logits" if self.from_logits else "class probabilities"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The cross-entropy of each example."""
        predictions = stable.at_least_float32(predictions)
        require_classes(self, predictions)
        kept = self._kept(predictions, targets)
        if kept is not None:  # before anything is computed, so that what stands there reaches no gradient either
            predictions = jnp.where(kept[..., None], predictions, 0)
        costs = -stable.class_log_probabilities(predictions, from_logits=self.from_logits)
        weights = class_weight_vector(self.class_weight, costs.shape[-1], "CrossEntropy")
        if weights is not None:
            costs = costs * weights  # [batch, ..., classes]
        if is_label_array(predictions, targets):
            return example_mean(self._of_labels(costs, as_labels(self, targets)), kept)
        _, shares = same_shape(self, predictions, targets)
        shares = (1 - self.label_smoothing) * shares + self.label_smoothing / costs.shape[-1]
        return example_mean(jnp.sum(stable.weighted_logs(shares, costs), axis=-1))

    def _kept(self, predictions: Array, targets: Array) -> Array | None:
        """Which labels count, ``[batch, ...]``; ``None``: all."""
        if self.ignore_class is None:
            return None
        if not is_label_array(predictions, targets):
            raise ShapeError(
                f"CrossEntropy: with ignore_class={self.ignore_class} the targets must be integer labels, of the shape "
                f"of the predictions without their last axis; received predictions of shape {predictions.shape} and "
                f"targets of shape {jnp.shape(targets)}. Type targets.argmax(-1) if they are one-hot rows."
            )
        return as_labels(self, targets) != self.ignore_class

    def _of_labels(self, costs: Array, labels: Array) -> Array:
        picked = stable.pick_class(costs, labels)  # [batch, ...]; NaN for a label that is no class
        if self.label_smoothing == 0:
            return picked
        return (1 - self.label_smoothing) * picked + self.label_smoothing * jnp.mean(costs, axis=-1)

    def check_targets(self, targets: HostArray, num_classes: int | None = None) -> None:
        """Refuse labels out of range, fractional labels, and rows that are no distribution."""
        super().check_targets(targets, num_classes)
        if self.ignore_class is not None and targets.dtype.kind in "iu":
            if (targets == self.ignore_class).all():
                raise ArgumentError(
                    f"CrossEntropy: some targets must count; received {self.ignore_class}, which is ignore_class, in "
                    f"all {len(targets)} rows. Choose the label of padding alone."
                )
            targets = np.where(targets == self.ignore_class, 0, targets)  # a class, whatever the label is
        check_class_targets(self, targets, num_classes)


@register("binary_cross_entropy", "binary_crossentropy", "bce", "sigmoid_cross_entropy")
@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """``L = −1/m Σ_j [w₁ t_j log p_j + w₀ (1 − t_j) log(1 − p_j)]`` with ``p = σ(logit)``: yes/no, per label.

    With one output it is binary classification; with several it is multi-label classification, each label its own
    yes/no question. It needs the *sigmoid*: a softmax would make the labels exclude each other. The minus sign makes
    it non-negative (a printed ``1/n Σ t log p + …`` without it is a slip). Targets outside [0, 1] give NaN.

    Args:
        from_logits: predictions are logits (Keras's default is probabilities). With ``False`` they are probabilities;
            those nearer than 1.2e-7 to the wrong end count as that near, so the loss is finite.
        label_smoothing: α in [0, 1): the target becomes ``(1 − α) t + α / 2``.
        class_weight: ``{0: w₀, 1: w₁}``, ``(w₀, w₁)``, or ``"balanced"`` (see :class:`CrossEntropy`); for all labels.
        pos_weight: ``w₁`` with ``w₀ = 1``, one number or one per label (as PyTorch's). Not both.

    Shapes:
        predictions, targets: ``[batch]``, ``[batch, labels]``, ... -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 6) for v in BinaryCrossEntropy(from_logits=False)(jnp.array([0.5]), jnp.array([1])).tolist()]
        [0.693147]
        >>> BinaryCrossEntropy()(jnp.array([[1000.0, -1000.0]]), jnp.array([[1, 1]])).tolist()
        [500.0]
    """

    from_logits: bool = True
    label_smoothing: float = 0.0
    class_weight: ClassWeight | None = field(default=None, hash=False)
    pos_weight: float | tuple[float, ...] | None = None

    formula: ClassVar[str] = "−1/m Σ [w₁ t log p + w₀ (1 − t) log(1 − p)],  p = σ(logit)"
    target: ClassVar[str] = "0 or 1 (or a probability) for each output"
    use: ClassVar[str] = "two classes with one output; several labels that do not exclude each other"

    def __post_init__(self) -> None:
        check_number("label_smoothing", self.label_smoothing, "BinaryCrossEntropy", at_least=0, below=1)
        check_class_weight(self.class_weight, "BinaryCrossEntropy")
        if self.pos_weight is not None:
            for weight in np.atleast_1d(self.pos_weight).tolist():
                check_number("pos_weight", weight, "BinaryCrossEntropy", above=0)
            if self.class_weight is not None:
                raise ArgumentError(
                    "BinaryCrossEntropy: only one of class_weight and pos_weight may be given; received both. "
                    "Use class_weight=(w0, w1)."
                )

    @property
    def expects(self) -> str:
        """``binary logits`` or ``binary probabilities``."""
        return "binary logits" if self.from_logits else "binary probabilities"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The binary cross-entropy of each example."""
        predictions, targets = same_shape(self, predictions, targets)
        targets = nan_outside_unit(targets)
        targets = (1 - self.label_smoothing) * targets + self.label_smoothing / 2
        log_yes, log_no = stable.binary_log_probabilities(predictions, from_logits=self.from_logits)
        negative, positive = self._weights(predictions)
        yes = stable.weighted_logs(positive * targets, log_yes)
        no = stable.weighted_logs(negative * (1 - targets), log_no)
        return example_mean(-(yes + no))

    def _weights(self, predictions: Array) -> tuple[float | Array, float | Array]:
        pair = class_weight_vector(self.class_weight, 2, "BinaryCrossEntropy")
        if pair is not None:
            return pair[0], pair[1]
        if self.pos_weight is None:
            return 1.0, 1.0
        if isinstance(self.pos_weight, tuple | list) and not shapes_agree(
            (len(self.pos_weight),), predictions.shape[-1:] if predictions.ndim > 1 else (1,)
        ):
            raise ArgumentError(
                "BinaryCrossEntropy: pos_weight must have one number per label, the last axis of the predictions; "
                f"received {len(self.pos_weight)} for shape {tuple(predictions.shape)}. Give one number for all labels."
            )
        return 1.0, jnp.asarray(self.pos_weight, predictions.dtype)

    def check_targets(self, targets: HostArray, num_classes: int | None = None) -> None:
        """Refuse targets outside [0, 1], such as labels 1 and 2 or −1 and 1."""
        super().check_targets(targets, num_classes)
        bad = (targets < 0) | (targets > 1)
        refuse_row(self, bad, targets, "0, 1 or a probability between", "Encode the two classes as 0 and 1")


@register("kl_divergence", "kullback_leibler_divergence", "kld")
@dataclass(frozen=True)
class KLDivergence(Loss):
    """``L = Σ_c t_c log(t_c / q_c) = H(t, q) − H(t)``: 0 exactly when ``q = t``.

    It has the derivatives of :class:`CrossEntropy` on the same soft labels, and shows the distance that is left.

    Args:
        from_logits: ``q = softmax(predictions)`` (Keras and PyTorch expect probabilities and their logarithms); with
            ``False`` predictions are probabilities, clipped as in :class:`CrossEntropy`.

    Shapes:
        predictions, targets: ``[batch, ..., classes]`` -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> q = jnp.array([[0.5, 0.5]])
        >>> [round(v, 4) for v in KLDivergence(from_logits=False)(q, jnp.array([[1.0, 0.0]])).tolist()]
        [0.6931]

    References:
        Kullback and Leibler, On information and sufficiency, Annals of Mathematical Statistics 22, 1951.
    """

    from_logits: bool = True

    formula: ClassVar[str] = "Σ t_c log(t_c / q_c)"
    target: ClassVar[str] = "a distribution over the classes"
    use: ClassVar[str] = "matching a distribution: distillation, soft labels"

    @property
    def expects(self) -> str:
        """``class logits`` or ``class probabilities``."""
        return "class logits" if self.from_logits else "class probabilities"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The divergence of each example."""
        predictions, targets = same_shape(self, predictions, targets)
        require_classes(self, predictions)
        logs = stable.class_log_probabilities(predictions, from_logits=self.from_logits)
        terms = stable.xlogy(targets, targets) - stable.weighted_logs(targets, logs)
        return example_mean(jnp.sum(terms, axis=-1))

    def check_targets(self, targets: HostArray, num_classes: int | None = None) -> None:
        """Refuse rows that are no distribution."""
        super().check_targets(targets, num_classes)
        check_distribution(self, targets)


def is_label_array(predictions: Array, targets: Array) -> bool:
    """Whether targets are class numbers: the predictions' shape without its last axis."""
    return shapes_agree(jnp.shape(predictions)[:-1], jnp.shape(targets))


def as_labels(owner: object, targets: Array) -> Array:
    """Integer labels; numbers of another kind are refused, never rounded."""
    targets = jnp.asarray(targets)
    if jnp.issubdtype(targets.dtype, jnp.floating):
        raise ArgumentTypeError(
            f"{type(owner).__name__}: class labels of shape {tuple(targets.shape)} must be integers; received dtype "
            f"{targets.dtype}. Type targets.astype(int), or use a regression loss for real-valued targets."
        )
    return targets.astype(jnp.int32)


def nan_outside_unit(targets: Array) -> Array:
    """Targets, with NaN where they are outside [0, 1] by more than rounding."""
    return jnp.where((targets >= -1e-6) & (targets <= 1 + 1e-6), targets, jnp.nan)


def check_class_targets(owner: object, targets: HostArray, num_classes: int | None) -> None:
    """Refuse labels out of range and rows that are no distribution, by row number."""
    is_integer = targets.dtype.kind in "iub"
    has_class_axis = targets.ndim > 1 and num_classes in (None, targets.shape[-1])
    # integer zeros and ones, one per class, are one-hot rows rather than sequences of labels
    is_one_hot = has_class_axis and num_classes is not None and num_classes > 2 and targets.max(initial=0) <= 1
    if is_one_hot or (has_class_axis and not is_integer):
        check_distribution(owner, targets)
        return
    if not is_integer:
        raise ArgumentTypeError(
            f"{type(owner).__name__}: class labels must be integers; received dtype {targets.dtype} and shape "
            f"{targets.shape}. Type targets.astype(int), or use a regression loss for real-valued targets."
        )
    bad = targets < 0 if num_classes is None else (targets < 0) | (targets >= num_classes)
    last = "classes − 1" if num_classes is None else num_classes - 1
    advice = "Number the classes from 0, and give the output layer one unit per class"
    refuse_row(owner, bad, targets, f"a class from 0 to {last}", advice)


def check_distribution(owner: object, targets: HostArray) -> None:
    """Refuse rows with negative entries or another sum than 1."""
    refuse_row(owner, targets < 0, targets, "at least 0", "Give probabilities, not logits")
    totals = targets.sum(axis=-1, dtype=np.float64)
    advice = "Use 'binary_cross_entropy' if several classes may hold at once"
    refuse_row(owner, np.abs(totals - 1) > 1e-3, totals, "a row with the sum 1", advice)
