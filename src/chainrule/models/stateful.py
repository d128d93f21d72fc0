"""Models whose recurrent layers carry their state from batch to batch."""

from __future__ import annotations

import numpy as np

from chainrule._base.errors import ArgumentError
from chainrule.models.model import Model
from chainrule.train.carried import carried_state


def reset_state(model: Model) -> None:
    """Set the state of all stateful recurrent layers of ``model`` to zero: what comes next begins a new sequence.

    Raises:
        ArgumentError: the model has no stateful layer.

    Example:
        >>> import numpy as np
        >>> import chainrule as cr
        >>> from chainrule.layers import LSTM, Input
        >>> model = cr.Sequential([Input((None, 2)), LSTM(3, stateful=True, batch_size=1)])
        >>> model.set_weights({"lstm/carry_0": np.ones((1, 3))})
        >>> reset_state(model)
        >>> model.get_weights()["lstm/carry_0"].tolist()
        [[0.0, 0.0, 0.0]]
    """
    weights, carried = model.get_weights(), carried_state(model.graph)
    if not carried:
        raise ArgumentError(
            "reset_state: the model must have a stateful layer; received a model without one. "
            "Build it with LSTM(..., stateful=True, batch_size=...)."
        )
    model.set_weights({path: np.zeros_like(weights[path]) for path in carried})
