"""Embedding: integers to vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_positive_int, owner_name
from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule._base.registry import register_class
from chainrule._base.spec import Array, Spec, Weight
from chainrule._base.tree import Tree
from chainrule.core import Layer
from chainrule.layers._declare import ConstraintLike, InitializerLike, RegularizerLike, declare


@register_class
@dataclass(frozen=True, eq=False)
class Embedding(Layer):
    """Look up a learned vector for each integer, ``y = embeddings[x]``: words, categories, identifiers.

    The same as a one-hot encoding through a Dense layer without bias, without the products by zero. An index below
    0 or at least ``input_dim`` is refused by its row: by ``fit``, ``evaluate`` and ``predict`` for indices that are
    fed as they are, and by a call outside compiled code. Inside compiled code, where nothing can be raised, it gives a
    vector of NaN, which training reports (JAX's plain indexing would silently take the last row).

    Args:
        input_dim: number of different integers; valid are 0 to ``input_dim - 1``.
        output_dim: length of each vector.
        embeddings_initializer: starting values.
        embeddings_regularizer: penalty on ``embeddings``.
        embeddings_constraint: projection of ``embeddings`` after every update.
        name: name in the model.

    Shapes:
        x: integers [batch, ...] -> [batch, ..., output_dim]; embeddings: [input_dim, output_dim].

    Raises:
        ArgumentTypeError: the input does not hold integers.
        ArgumentError: an index is outside the table.

    Example:
        >>> import jax.numpy as jnp
        >>> table = {"embeddings": jnp.array([[0.0, 1.0], [2.0, 3.0]])}
        >>> Embedding(2, 2).call(table, jnp.array([[1, 0]])).tolist()
        [[[2.0, 3.0], [0.0, 1.0]]]
    """

    input_dim: int
    output_dim: int
    embeddings_initializer: InitializerLike = "uniform"
    embeddings_regularizer: RegularizerLike = None
    embeddings_constraint: ConstraintLike = None
    name: str | None = None

    def __post_init__(self) -> None:
        check_positive_int("input_dim", self.input_dim, self)
        check_positive_int("output_dim", self.output_dim, self)

    def weights(self, x: Spec) -> dict[str, Weight]:  # type: ignore[override]  # noqa: ARG002 - any shape will do
        """The table ``embeddings``."""
        table = declare(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            self.embeddings_regularizer,
            self.embeddings_constraint,
            axes=("vocabulary", "out"),
        )
        return {"embeddings": table}

    def check_values(self, name: str, values: Any, position: int = 0) -> None:  # noqa: ARG002 - it has one input
        """Refuse indices outside the table (``Any``: a NumPy array)."""
        if values.size == 0 or (values.min() >= 0 and values.max() < self.input_dim):
            return
        bad = (values < 0) | (values >= self.input_dim)
        rows = bad.reshape(len(values), -1).any(axis=1) if values.ndim else bad.reshape(1)
        row = int(np.argmax(rows))
        found = values[row][bad[row]].flat[0] if values.ndim > 1 else np.ravel(values)[row]
        advice = "Shift the values to begin at 0"
        if values.min() >= 0:
            advice = f"Raise input_dim to at least {values.max() + 1}"
        raise ArgumentError(
            f"{owner_name(self)}: {name} must hold integers from 0 to {self.input_dim - 1}, for input_dim="
            f"{self.input_dim}; received {found} in row {row} ({int(rows.sum())} bad of {len(rows)} rows, counted from "
            f"0). {advice}, or give unknown values a number of their own within it."
        )

    def call(self, params: Tree, x: Array) -> Array:  # type: ignore[override]  # this layer has one input
        """One row of the table for every integer."""
        x = jnp.asarray(x)
        if not jnp.issubdtype(x.dtype, jnp.integer):
            raise ArgumentTypeError(
                f"{owner_name(self)}: the input must hold integers (indices into the table); received dtype "
                f"{x.dtype}. Write Input(..., dtype='int32') and feed integers."
            )
        if not isinstance(x, jax.core.Tracer):
            self.check_values("the input", np.asarray(x))
        # take() counts negative indices from the end: send them beyond the table, where the fill value is.
        indices = jnp.where(x < 0, self.input_dim, x)
        return jnp.take(params["embeddings"], indices, axis=0, mode="fill", fill_value=jnp.nan)
