"""The state of stateful recurrent layers: how many rows it has, and where a pass over the rows starts from."""

from __future__ import annotations

from collections.abc import Collection

from chainrule._base import tree as trees
from chainrule._base.errors import ShapeError
from chainrule._base.tree import Tree
from chainrule.core import Graph


def carried_state(graph: Graph) -> dict[str, int]:
    """The layer state that belongs to the rows of a batch, as stateful recurrent layers carry it: path -> rows.

    Example:
        >>> from chainrule.layers import GRU, BatchNormalization, Input
        >>> x = Input((None, 2))
        >>> carried_state(Graph((x,), (BatchNormalization()(GRU(3, stateful=True, batch_size=4)(x)),)))
        {'gru/carry_0': 4}
    """
    return {
        path: weight.shape[0]
        for path, weight in trees.flatten(graph.weights()).items()
        if weight.kind == "state" and (weight.axes or (None,))[0] == "batch"
    }


def carried_rows(graph: Graph) -> int | None:
    """The ``batch_size`` of the stateful layers of ``graph``; ``None`` where it has none.

    Raises:
        ShapeError: two of them have not the same.

    Example:
        >>> from chainrule.layers import GRU, Input
        >>> x = Input((None, 2))
        >>> carried_rows(Graph((x,), (GRU(3, stateful=True, batch_size=4)(x),)))
        4
    """
    rows = carried_state(graph)
    if len(set(rows.values())) > 1:
        by_layer = {path.rpartition("/")[0]: size for path, size in rows.items()}
        told = ", ".join(f"{layer}: {size}" for layer, size in by_layer.items())
        raise ShapeError(
            f"model: all stateful layers must have the same batch_size, as one batch goes through them; received "
            f"{told}. Give them one."
        )
    return next(iter(rows.values()), None)


def check_carried(size: int, rows: int | None, what: str = "x") -> None:
    """Refuse a number of examples that cannot be cut into batches of ``rows``, as stateful layers need them.

    Example:
        >>> try:
        ...     check_carried(7, 3)
        ... except ShapeError as error:
        ...     print(error)  # doctest: +NORMALIZE_WHITESPACE
        x: a model with stateful layers of batch_size=3 takes a multiple of 3 examples, because row i of a batch goes
        on where row i of the batch before ended; received 7. Pass the first 6, or build the layers with another
        batch_size.
    """
    if rows is not None and size % rows:
        fewer = f"Pass the first {size - size % rows}" if size > rows else f"Pass {rows}"
        raise ShapeError(
            f"{what}: a model with stateful layers of batch_size={rows} takes a multiple of {rows} examples, because "
            f"row i of a batch goes on where row i of the batch before ended; received {size}. {fewer}, or build the "
            "layers with another batch_size."
        )


def rewound(state: Tree, start: Tree, carried: Collection[str]) -> Tree:
    """``state`` with the paths ``carried`` as they are in ``start``; all else, such as running statistics, stays.

    Example:
        >>> start = {"gru": {"carry_0": 0}, "norm": {"mean": 0}}
        >>> rewound({"gru": {"carry_0": 5}, "norm": {"mean": 6}}, start, ["gru/carry_0"])
        {'gru': {'carry_0': 0}, 'norm': {'mean': 6}}
    """
    before = trees.flatten(start)
    return trees.unflatten({path: before[path] if path in carried else v for path, v in trees.flatten(state).items()})
