"""Losses for real-valued targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from chainrule._base.checks import check_number
from chainrule._base.spec import Array
from chainrule.losses.base import HostArray, Loss, example_mean, refuse_row, register, require_axes, same_shape
from chainrule.ops import stable


@register("mean_squared_error", "mse")
@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """``L = 1/m Σ_j (y_j − t_j)²`` over the ``m`` outputs of an example.

    The derivative with respect to ``y_j`` is ``2 (y_j − t_j) / m``. Texts also define the squared error as a
    half-sum, ``½ Σ_j (y_j − t_j)²``, whose derivative is ``y − t``: that is :class:`HalfSquaredError`. Both are
    legitimate, they differ by the factor ``m/2``, and so does the learning rate that suits them.

    Shapes:
        predictions, targets: ``[batch, ...]`` -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> MeanSquaredError()(jnp.array([[1.0, 2.0]]), jnp.array([[0.0, 4.0]])).tolist()
        [2.5]
    """

    formula: ClassVar[str] = "1/m Σ (y − t)²"
    target: ClassVar[str] = "real numbers, shaped like the output"
    use: ClassVar[str] = "regression when large errors should count most; estimates the mean"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The mean squared difference of each example."""
        predictions, targets = same_shape(self, predictions, targets)
        return example_mean((predictions - targets) ** 2)


@register("half_squared_error")
@dataclass(frozen=True)
class HalfSquaredError(Loss):
    """``L = ½ Σ_j (y_j − t_j)²``, *summed* over the outputs, so that ``∂L/∂y = y − t``.

    The form in which backpropagation is usually worked by hand; PyTorch and Keras have no such loss.
    See :class:`MeanSquaredError` for the mean form.

    Shapes:
        predictions, targets: ``[batch, ...]`` -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> HalfSquaredError()(jnp.array([[1.0, 2.0]]), jnp.array([[0.0, 4.0]])).tolist()
        [2.5]
        >>> HalfSquaredError()(jnp.array([[1.0, 2.0, 3.0]]), jnp.zeros((1, 3))).tolist()
        [7.0]
    """

    formula: ClassVar[str] = "½ Σ (y − t)²"
    target: ClassVar[str] = "real numbers, shaped like the output"
    use: ClassVar[str] = "working backpropagation by hand: the derivative is y − t"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """Half the sum of squared differences of each example."""
        predictions, targets = same_shape(self, predictions, targets)
        return 0.5 * jnp.sum((predictions - targets) ** 2, axis=tuple(range(1, predictions.ndim)))


@register("mean_absolute_error", "mae")
@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    """``L = 1/m Σ_j |y_j − t_j|``; the derivative is taken as 0 where ``y = t``.

    Shapes:
        predictions, targets: ``[batch, ...]`` -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> MeanAbsoluteError()(jnp.array([[1.0, 2.0]]), jnp.array([[0.0, 4.0]])).tolist()
        [1.5]
    """

    formula: ClassVar[str] = "1/m Σ |y − t|"
    target: ClassVar[str] = "real numbers, shaped like the output"
    use: ClassVar[str] = "regression with outliers; estimates the median"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The mean absolute difference of each example."""
        predictions, targets = same_shape(self, predictions, targets)
        return example_mean(jnp.abs(predictions - targets))


@register("huber", "huber_loss")
@dataclass(frozen=True)
class Huber(Loss):
    """``½ e²`` for an error ``|e| ≤ δ``, else ``δ |e| − ½ δ²``; averaged over the outputs.

    Squared near 0 and linear far away, with one derivative everywhere. As in Keras, PyTorch's ``HuberLoss`` and
    Optax; PyTorch's ``SmoothL1Loss`` is this divided by its ``beta``.

    Args:
        delta: error at which it turns linear, in the unit of the target.

    Shapes:
        predictions, targets: ``[batch, ...]`` -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> Huber(delta=1.0)(jnp.array([0.5, 3.0]), jnp.zeros(2)).tolist()
        [0.125, 2.5]

    References:
        Huber, Robust estimation of a location parameter, Annals of Mathematical Statistics 35, 1964.
    """

    delta: float = 1.0

    formula: ClassVar[str] = "½ e² if |e| ≤ δ, else δ|e| − ½ δ²;  e = y − t"
    target: ClassVar[str] = "real numbers, shaped like the output"
    use: ClassVar[str] = "regression with some outliers, smooth near 0"

    def __post_init__(self) -> None:
        check_number("delta", self.delta, "Huber", above=0)

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The Huber loss of each example."""
        predictions, targets = same_shape(self, predictions, targets)
        size = jnp.abs(predictions - targets)
        near = jnp.minimum(size, self.delta)  # ½ near² + δ (|e| − near) is both branches at once
        return example_mean(0.5 * near**2 + self.delta * (size - near))


@register("log_cosh", "logcosh")
@dataclass(frozen=True)
class LogCosh(Loss):
    """``L = 1/m Σ_j log cosh(y_j − t_j)``: about ``e²/2`` for small errors, ``|e| − log 2`` for large ones.

    Shapes:
        predictions, targets: ``[batch, ...]`` -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in LogCosh()(jnp.array([0.1, 1000.0]), jnp.zeros(2)).tolist()]
        [0.005, 999.3068]
    """

    formula: ClassVar[str] = "1/m Σ log cosh(y − t)"
    target: ClassVar[str] = "real numbers, shaped like the output"
    use: ClassVar[str] = "like Huber with δ = 1, twice differentiable"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The log-cosh loss of each example."""
        predictions, targets = same_shape(self, predictions, targets)
        return example_mean(stable.log_cosh(predictions - targets))


@register("poisson", "poisson_loss")
@dataclass(frozen=True)
class PoissonLoss(Loss):
    """``L = 1/m Σ_j (λ_j − t_j log λ_j)``: the Poisson likelihood of counts, without its constant ``log t!``.

    It is smallest at ``λ = t``, where it is ``t − t log t`` and may be below 0.

    Args:
        from_log: predictions are ``log λ``, any real number, so a linear output layer fits and nothing has to be
            clipped (as PyTorch; Keras expects λ itself, ``from_log=False``, for instance after softplus or exp).

    Shapes:
        predictions, targets: ``[batch, ...]`` -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> PoissonLoss()(jnp.array([0.0]), jnp.array([3.0])).tolist()      # λ = 1
        [1.0]
    """

    from_log: bool = True

    formula: ClassVar[str] = "1/m Σ (λ − t log λ)"
    target: ClassVar[str] = "counts: 0, 1, 2, ..."
    use: ClassVar[str] = "regression on counts and rates"

    @property
    def expects(self) -> str:
        """``real`` for log λ, ``rate`` for λ."""
        return "real" if self.from_log else "rate"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """The Poisson loss of each example."""
        predictions, targets = same_shape(self, predictions, targets)
        if self.from_log:
            return example_mean(jnp.exp(predictions) - targets * predictions)
        tiny = stable.epsilon(predictions)  # a rate below this counts as this: log 0 is −inf
        return example_mean(predictions - targets * jnp.log(jnp.maximum(predictions, tiny)))

    def check_targets(self, targets: HostArray, num_classes: int | None = None) -> None:
        """Refuse negative counts."""
        super().check_targets(targets, num_classes)
        refuse_row(self, targets < 0, targets, "a count of at least 0", "Use 'mean_squared_error' for real numbers")


@register("cosine_distance", "cosine_similarity")
@dataclass(frozen=True)
class CosineDistance(Loss):
    """``L = 1 − y·t / (|y| |t|)`` along the last axis: 0 for one direction, 1 at right angles, 2 for opposites.

    A zero vector has no direction; its loss is 1 and its derivative 0. Keras's ``CosineSimilarity`` is this minus 1,
    with the same derivatives.

    Shapes:
        predictions, targets: ``[batch, ..., features]`` -> ``[batch]``

    Example:
        >>> import jax.numpy as jnp
        >>> CosineDistance()(jnp.array([[3.0, 0.0], [1.0, 0.0]]), jnp.array([[1.0, 0.0], [0.0, 1.0]])).tolist()
        [0.0, 1.0]
    """

    formula: ClassVar[str] = "1 − y·t / (|y| |t|)"
    target: ClassVar[str] = "vectors, shaped like the output"
    use: ClassVar[str] = "embeddings, when direction matters and length does not"

    def __call__(self, predictions: Array, targets: Array) -> Array:
        """One minus the cosine of each example."""
        predictions, targets = same_shape(self, predictions, targets)
        require_axes(self, predictions, 2)
        cosine = jnp.sum(_direction(predictions) * _direction(targets), axis=-1)
        return example_mean(1 - cosine)


def _direction(x: Array) -> Array:
    """``x`` at length 1 along the last axis; zero vectors stay zero, with derivative 0."""
    # dividing by the largest entry first keeps the squares from overflowing or vanishing; the direction does not
    # depend on that scale, so the scale carries no gradient
    x = stable.safe_divide(x, jax.lax.stop_gradient(jnp.max(jnp.abs(x), axis=-1, keepdims=True)))
    square = jnp.sum(x**2, axis=-1, keepdims=True)
    return x / jnp.sqrt(jnp.where(square == 0, 1, square))
