"""The handle that callbacks get: look at the run, stop it, change its rate, put weights back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from chainrule._base import tree as trees
from chainrule._base.checks import check_number
from chainrule.train.history import History

if TYPE_CHECKING:
    from chainrule.core import Variables
    from chainrule.train.state import TrainState


class Run:
    """One ``fit``: the newest state, its history, and the requests that callbacks make.

    Attributes:
        state: the newest :class:`TrainState`, replaced after every compiled call; immutable, so keeping a
            reference keeps those weights.
        history: what the epochs gave so far.
        epochs: planned epochs.
        stop_reason: why the run ends, or ``None`` while it goes on.
    """

    def __init__(self, state: TrainState, history: History, epochs: int) -> None:
        self.state = state
        self.history = history
        self.epochs = epochs
        self.stop_reason: str | None = None

    def stop(self, reason: str) -> None:
        """End the run after the current epoch; the first reason given is kept."""
        if self.stop_reason is None:
            self.stop_reason = reason

    def set_rate_scale(self, scale: float) -> None:
        """Multiply the optimizer's learning rate by ``scale`` from now on (no recompilation)."""
        check_number("scale", scale, "Run.set_rate_scale", at_least=0)
        self.state = self.state._replace(rate_scale=jnp.asarray(scale, jnp.float32))

    @property
    def rate_scale(self) -> float:
        """The factor on the learning rate that is in force."""
        return float(self.state.rate_scale)

    @property
    def variables(self) -> Variables:
        """The newest weights and layer state."""
        return self.state.variables

    def restore(self, state: TrainState) -> None:
        """Put the weights and layer state of an earlier ``state`` back; step count and optimizer stay."""
        self.state = self.state._replace(params=state.params, state=state.state)

    def set_variables(self, variables: Variables) -> None:
        """Go on from other weights; frozen ones too. Step count and optimizer stay."""
        chosen = [trees.flatten(tree) for tree in (self.state.frozen, self.state.params)]
        given = trees.flatten(variables.params)
        frozen, params = (trees.unflatten({path: given[path] for path in tree}) for tree in chosen)
        self.state = self.state._replace(frozen=frozen, params=params, state=variables.state)

    def learning_rate(self, optimizer: Any) -> float | None:  # Any: the Optimizer protocol
        """The rate of the next step, or ``None`` for an optimizer that does not tell it."""
        rate = getattr(optimizer, "learning_rate", None)
        if rate is None:
            return None
        value = rate(self.state.step) if callable(rate) else rate
        return float(value) * self.rate_scale
