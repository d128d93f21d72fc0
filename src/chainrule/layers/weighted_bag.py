"""WeightedBag: a linear model of which tokens occur, whatever their order."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from chainrule import initializers
from chainrule._base.checks import check_positive_int, owner_name
from chainrule._base.errors import ArgumentTypeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, Weight
from chainrule._base.tree import Tree
from chainrule.core import Context, Layer, Variables
from chainrule.layers._declare import ConstraintLike, InitializerLike, RegularizerLike, check_rank, declare


@register_class
@dataclass(frozen=True, eq=False)
class WeightedBag(Layer):
    """Sum of one weight for each token, ``y = Σ_i scale[x_i] · kernel[x_i] + bias``; tokens numbered 0 are padding.

    The same as a Dense layer on counts of tokens times ``scale``, without writing the counts down. ``scale`` is not
    trained: it says how far each weight can be moved. At 1 this is a plain linear model; with the log-ratios of naive
    Bayes it is the neural form of NB-SVM, in which rare tokens stay quiet and telling ones speak first.

    Args:
        input_dim: number of different integers; valid are 0 (padding) to ``input_dim - 1``, others give NaN.
        units: number of outputs.
        use_bias: whether ``bias`` is added.
        kernel_initializer: starting values of ``kernel``.
        kernel_regularizer: penalty on ``kernel``.
        kernel_constraint: projection of ``kernel`` after every update.
        name: name in the model.

    Shapes:
        x: integers [batch, ...] -> [batch, units]; kernel, scale: [input_dim, units]; bias: [units].

    Raises:
        ArgumentTypeError: the input does not hold integers.

    References:
        Wang and Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification", 2012,
        https://aclanthology.org/P12-2018.

    Example:
        >>> import jax.numpy as jnp
        >>> from chainrule.core import Context, Variables
        >>> kernel = {"kernel": jnp.array([[9.0], [1.0], [2.0]])}
        >>> scale = {"scale": jnp.array([[1.0], [1.0], [5.0]])}
        >>> y, _ = WeightedBag(3, 1, use_bias=False).apply(
        ...     Variables(kernel, scale), jnp.array([[1, 2, 0], [2, 2, 0]]), context=Context()
        ... )
        >>> y.tolist()
        [[11.0], [20.0]]
    """

    input_dim: int
    units: int
    use_bias: bool = True
    kernel_initializer: InitializerLike = "zeros"
    kernel_regularizer: RegularizerLike = None
    kernel_constraint: ConstraintLike = None
    name: str | None = None

    def __post_init__(self) -> None:
        check_positive_int("input_dim", self.input_dim, self)
        check_positive_int("units", self.units, self)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # this layer has one input
        """``kernel``, ``scale`` and, with ``use_bias``, ``bias``."""
        check_rank(x, 2, self)
        shape = (self.input_dim, self.units)
        wanted = {
            "kernel": declare(
                shape,
                self.kernel_initializer,
                self.kernel_regularizer,
                self.kernel_constraint,
                axes=("vocabulary", "out"),
            ),
            "scale": Weight(shape, initializers.get("ones"), jnp.float32, kind="state"),
        }
        if self.use_bias:
            wanted["bias"] = declare((self.units,), "zeros", axes=("out",))
        return wanted

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Array, Tree]:  # noqa: ARG002
        """Look up the weights of all tokens and add them up."""
        (x,) = inputs
        check_rank(x, 2, self)
        if not jnp.issubdtype(x.dtype, jnp.integer):
            raise ArgumentTypeError(
                f"{owner_name(self)}: the input must hold integers (numbers of tokens); received dtype {x.dtype}. "
                "Write Input(..., dtype='int32') and feed integers."
            )
        params, state = variables
        tokens = x.reshape(x.shape[0], -1)  # [batch, tokens]
        kernel = params["kernel"]
        voices = _rows(kernel, tokens) * _rows(state["scale"].astype(kernel.dtype), tokens)  # [batch, tokens, units]
        y = jnp.sum(jnp.where((tokens == 0)[..., None], jnp.zeros((), kernel.dtype), voices), axis=1)
        return (y + params["bias"][None] if self.use_bias else y), state


def _rows(table: Array, indices: Array) -> Array:
    """One row of ``table`` for each index; NaN for those beyond it, on either side."""
    inside = jnp.where(indices < 0, table.shape[0], indices)
    return jnp.take(table, inside, axis=0, mode="fill", fill_value=jnp.nan)
