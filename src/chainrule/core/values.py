"""Checks of the values that are about to be fed: on the host, where an error can still name the row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.core.graph import Graph

HostArray = np.ndarray[Any, Any]  # Any: inputs of every shape and dtype


def check_values(graph: Graph, arrays: Sequence[HostArray | None], names: Sequence[str]) -> None:
    """Let every layer that directly sees an input refuse values with which it has no meaning.

    Inside a compiled step nothing can be raised, and an index beyond a table gives NaN. ``None`` stands for an input
    whose values are not known; blocks are opened.

    Example:
        >>> import numpy as np
        >>> from chainrule.layers import Embedding, Input
        >>> words = Input(2, dtype="int32", name="words")
        >>> try:
        ...     check_values(Graph((words,), (Embedding(5, 3)(words),)), [np.array([[1, 4], [7, 0]])], ["x[words]"])
        ... except ValueError as error:
        ...     print(error)
        Embedding: x[words] must hold integers from 0 to 4, for input_dim=5; received 7 in row 1 (1 bad of 2 rows,
        counted from 0). Raise input_dim to at least 8, or give unknown values a number of their own within it.
    """
    known = {id(symbol): (name, array) for symbol, name, array in zip(graph.inputs, names, arrays, strict=True)}
    for node in graph.nodes:
        given = [known.get(id(symbol), ("", None)) for symbol in node.inputs]
        if all(array is None for _, array in given):
            continue
        inside = getattr(node.layer, "graph_for", None)
        if inside is not None:
            graph_inside = inside(*(symbol.spec for symbol in node.inputs if symbol is not None))
            check_values(graph_inside, [array for _, array in given], [name for name, _ in given])
            continue
        for position, (name, array) in enumerate(given):
            if array is not None:
                node.layer.check_values(name, array, position)
