"""How many connections a fully connected layer has, and how many weights a local one with shared weights needs."""

from __future__ import annotations

from typing import NamedTuple

from chainrule._base.checks import check_positive_int
from chainrule._base.errors import ArgumentError


class ConnectionCounts(NamedTuple):
    """Weights (without biases) and connections of two layers from ``n`` inputs to ``m`` outputs.

    Args:
        dense: ``n·m`` weights, one for each connection.
        local: ``m·k`` connections of a layer whose outputs see ``k`` neighbouring inputs each.
        shared: ``k`` weights, since a convolution uses the same ones at every place.
    """

    dense: int
    local: int
    shared: int


def connection_counts(inputs: int, outputs: int, kernel_size: int) -> ConnectionCounts:
    """Count connections of a dense layer (every input feeds every output) and of a convolution (only neighbours).

    One channel, no padding: output ``j`` sees inputs ``j .. j + k − 1`` (or further on, with a stride).

    Args:
        inputs: ``n``, neurons of the layer below.
        outputs: ``m``, neurons of the layer above; at most ``n − k + 1``.
        kernel_size: ``k``, inputs that one output of the convolution sees.

    Raises:
        ArgumentError: the kernel does not fit that often into the inputs.

    Example:
        >>> connection_counts(784, 780, 5)
        ConnectionCounts(dense=611520, local=3900, shared=5)
    """
    for name, value in {"inputs": inputs, "outputs": outputs, "kernel_size": kernel_size}.items():
        check_positive_int(name, value, "connection_counts")
    if outputs > inputs - kernel_size + 1:
        raise ArgumentError(
            f"connection_counts: outputs must be at most inputs − kernel_size + 1 = {inputs - kernel_size + 1}, the "
            f"places of the kernel; received {outputs}. Use fewer outputs or a smaller kernel."
        )
    return ConnectionCounts(inputs * outputs, outputs * kernel_size, kernel_size)
