"""Any Optax ``GradientTransformation`` as an optimizer. Optax itself is not needed: its methods are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from chainrule._base import tree as trees
from chainrule._base.checks import describe
from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule._base.registry import register_class
from chainrule._base.tree import Tree
from chainrule.optimizers.base import Optimizer, Scalar, Weights, as_dtype


def from_optax(transformation: Any) -> FromOptax:  # Any: see FromOptax
    """The Optax transformation as an optimizer; ``get`` and ``compile`` do this by themselves.

    Example:
        >>> import jax.numpy as jnp, optax
        >>> from_optax(optax.sgd(0.5)).update_weights([1.0, 2.0], [2.0, -2.0]).tolist()
        [0.0, 3.0]
    """
    return FromOptax(transformation)


def is_transformation(value: Any) -> bool:  # Any: it is looked at
    """Whether ``value`` has the two functions of an Optax transformation."""
    return (
        not isinstance(value, type)
        and callable(getattr(value, "init", None))
        and callable(getattr(value, "update", None))
    )


@register_class
@dataclass(frozen=True)
class FromOptax(Optimizer):
    """An Optax transformation: ``init(params)``, ``update(grads, state, params) -> (increments, state)``.

    Its state is kept as a nested dict, named after Optax's own fields (``0/mu/dense/kernel``). Optax counts steps by
    itself, so ``step`` is not used. The learning rate is inside the transformation and not known here; ``rate_scale``
    multiplies the increments.

    Args:
        transformation: ``optax.adam(1e-3)``, a chain, ...

    Example:
        >>> import jax.numpy as jnp, optax
        >>> list(trees.flatten(FromOptax(optax.adam(0.001)).init({"dense": {"kernel": jnp.ones((2, 3))}})))
        ['0/count', '0/mu/dense/kernel', '0/nu/dense/kernel']
    """

    transformation: Any  # an optax.GradientTransformation; Optax may not be installed

    def __post_init__(self) -> None:
        if not is_transformation(self.transformation):
            raise ArgumentTypeError(
                f"FromOptax: transformation must have the functions init and update; received "
                f"{describe(self.transformation)}. Pass an Optax GradientTransformation such as optax.adam(0.001)."
            )

    def init(self, params: Weights) -> Tree:
        """Optax's state, as a nested dict."""
        return _named(self.transformation.init(params))

    def update(
        self,
        grads: Weights,
        state: Tree,
        params: Weights,
        *,
        step: Scalar,  # noqa: ARG002 - Optax counts by itself
        rate_scale: Scalar = 1.0,
    ) -> tuple[Weights, Tree]:
        """Optax's increments, times ``rate_scale``, and its state."""
        pairs, structure = jax.tree_util.tree_flatten_with_path(jax.eval_shape(self.transformation.init, params))
        names = [_name(path) for path, _ in pairs]
        leaves = trees.flatten(state)
        if leaves.keys() != set(names):
            raise ArgumentError(
                f"FromOptax: the state must have the entries {sorted(names)}; received {sorted(leaves)}. "
                "Make a new state with optimizer.init(params)."
            )
        own = jax.tree.unflatten(structure, [leaves[name] for name in names])
        increments, own = self.transformation.update(grads, own, params)
        increments = jax.tree.map(lambda increment: increment * as_dtype(rate_scale, increment.dtype), increments)
        return increments, _named(own)

    def rate(self, step: Scalar) -> None:  # noqa: ARG002
        """Not known."""
        return

    def __config__(self) -> dict[str, Any]:
        """Refuse: an Optax transformation consists of functions, which a file cannot hold."""
        raise ArgumentError(
            "save: an Optax transformation cannot be stored in a file. Type "
            "model.save(path, include_optimizer=False), or use one of chainrule.optimizers."
        )


def _named(state: Any) -> Tree:  # Any: Optax's nested named tuples
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    return trees.unflatten({_name(path): leaf for path, leaf in leaves})


def _name(path: tuple[Any, ...]) -> str:  # Any: JAX's key types
    return jax.tree_util.keystr(path, simple=True, separator="/") or "state"
