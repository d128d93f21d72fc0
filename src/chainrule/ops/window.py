"""Sliding windows: sizes, strides and paddings of convolution and pooling, and the one output-size formula."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any, Literal

import jax.numpy as jnp

from chainrule._base.checks import describe
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule._base.spec import Array

PaddingName = Literal["valid", "same", "causal", "reflect"]
Padding = PaddingName | int | Sequence[int | tuple[int, int]]
Pairs = tuple[tuple[int, int], ...]
_NAMES = ("valid", "same", "causal", "reflect")


def extent(window: int, dilation: int = 1) -> int:
    """Cells that a window reaches over, ``d·(k − 1) + 1``.

    Example:
        >>> extent(3, dilation=2)
        5
    """
    return dilation * (window - 1) + 1


def output_size(size: Any, window: int, stride: int = 1, padding: tuple[int, int] = (0, 0), dilation: int = 1) -> Any:
    """Positions of a window along one axis, ``⌊(n + p_low + p_high − d·(k − 1) − 1) / s⌋ + 1``, and 0 where none fits.

    Example:
        >>> output_size(28, 5), output_size(28, 3, stride=2, padding=(0, 1)), output_size(2, 5)
        (24, 14, 0)
    """
    # Any: an integer, or a symbolic dimension in shape inference
    room = size + padding[0] + padding[1] - extent(window, dilation)
    if isinstance(room, int) and room < 0:
        return 0
    return room // stride + 1


def per_axis(name: str, value: int | Sequence[int], rank: int, owner: str) -> tuple[int, ...]:
    """``value`` for each of ``rank`` axes, each a positive integer."""
    values: Any = tuple(value) if isinstance(value, list | tuple) else (value,) * rank
    if len(values) != rank or not all(_is_integer(v) and v > 0 for v in values):
        kind = "a positive integer" if rank == 1 else f"a positive integer or {rank} of them"
        raise ArgumentError(f"{owner}: {name} must be {kind}; received {value!r}. Write for example {name}=2.")
    return tuple(map(int, values))


def explicit_padding(
    padding: Padding,
    sizes: Sequence[Any],  # Any: integers, or symbolic dimensions in shape inference
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    *,
    owner: str = "conv",
    named: Sequence[str] = _NAMES,
) -> tuple[tuple[Any, Any], ...]:
    """The cells added before and after each axis, as numbers.

    ``"same"`` keeps ``⌈n / s⌉`` positions and puts the surplus cell at the end, as Keras does; ``"reflect"`` has
    the same sizes; ``"causal"`` puts all of ``d·(k − 1)`` before. ``named`` are the names that ``owner`` knows.

    Example:
        >>> explicit_padding("same", (5, 6), (3, 2), (1, 2), (1, 1))
        ((1, 1), (0, 0))
    """
    rank = len(window)
    if isinstance(padding, str):
        known = [name for name in named if name != "causal" or rank == 1]
        if padding not in known:
            text = ", ".join(map(repr, known))
            raise ArgumentError(f"{owner}: padding must be {text}, or numbers of cells; received {padding!r}.")
        if padding == "valid":
            return ((0, 0),) * rank
        if padding == "causal":
            return ((dilation[0] * (window[0] - 1), 0),)
        return tuple(_same(*axis) for axis in zip(sizes, window, strides, dilation, strict=True))
    given = tuple(padding) if isinstance(padding, list | tuple) else (padding,) * rank
    pairs: Any = tuple(tuple(one) if isinstance(one, list | tuple) else (one, one) for one in given)
    if len(pairs) != rank or not all(len(p) == 2 and all(_is_integer(c) and c >= 0 for c in p) for p in pairs):
        raise ArgumentError(
            f"{owner}: padding must name cells for {rank} axes, each a number or a pair (before, after), none "
            f"negative; received {padding!r}. Write for example padding={((1, 1),) * rank}."
        )
    return tuple((int(low), int(high)) for low, high in pairs)


def as_array(name: str, value: Any, owner: str) -> Array:  # Any: an array, or nested lists of numbers
    """``value`` as a JAX array, of the dtype that JAX has for it.

    Example:
        >>> import numpy as np
        >>> as_array("x", np.zeros((2, 3), np.int64), "conv").dtype, as_array("x", [[0.5]], "conv").shape
        (dtype('int32'), (1, 1))
    """
    try:
        return jnp.asarray(value)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"{owner}: {name} must be an array of numbers; received {describe(value)}. Pass a NumPy or JAX array."
        ) from None


def check_fits(size: Any, window: int, pads: tuple[int, int], dilation: int, owner: str) -> None:
    """Require that the window fits into the padded axis at least once."""
    # Any: an integer, or a symbolic dimension in shape inference
    if isinstance(size, int) and size + sum(pads) < extent(window, dilation):
        raise ShapeError(
            f"{owner}: the window must fit into the input; received a window over {extent(window, dilation)} cells and "
            f'an axis of {size} (+ {sum(pads)} of padding). Use a smaller window, padding="same" or a larger input.'
        )


def _is_integer(value: Any) -> bool:  # Any: this looks at values of unknown type
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _same(size: Any, window: int, stride: int, dilation: int) -> tuple[Any, Any]:
    if stride == 1:
        total = dilation * (window - 1)  # no size needed, so that symbolic ones will do
    else:
        total = (-(-size // stride) - 1) * stride + extent(window, dilation) - size
        total = max(total, 0)
    return total // 2, total - total // 2
