"""What layers with a sliding window share: their arguments checked, their inputs checked, and what a position sees."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from chainrule._base.checks import check_choice, check_positive_int, describe, owner_name
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ChainruleWarning, ShapeError
from chainrule._base.spec import Array, Spec, has_symbolic, shape_text
from chainrule.core import Symbol
from chainrule.ops import activations
from chainrule.ops.activations import Activation
from chainrule.ops.window import explicit_padding, extent

Sizes = int | tuple[int, ...]
Padding = str | int | tuple[int | tuple[int, int], ...]
ActivationLike = str | Activation | None
_NO_CHANNELS = 8  # an input with so many cells along an axis has them in space rather than in channels
_SPACE = {1: ("time",), 2: ("height", "width"), 3: ("depth", "height", "width")}


class Reach(NamedTuple):
    """What the positions of a layer's output see of its input along one axis.

    Position ``i`` sees the ``extent`` positions from ``step · i + first`` on.

    Args:
        extent: positions seen.
        step: how far the window moves for one position of the output; below 1 where the layer enlarges.
        first: where the window of position 0 begins; negative where it begins in the padding.
    """

    extent: int
    step: Fraction
    first: int


def per_axis(value: Sizes, rank: int) -> tuple[int, ...]:
    """``value`` for each of ``rank`` axes."""
    return tuple(map(int, value)) if isinstance(value, tuple | list) else (int(value),) * rank


def check_sizes(name: str, value: Any, rank: int, owner: object) -> None:  # Any: this looks at values of unknown type
    """Require a positive integer, or one for each of ``rank`` axes."""
    if isinstance(value, numbers.Integral):
        check_positive_int(name, value, owner)
        return
    if not isinstance(value, tuple | list) or len(value) != rank:
        raise ArgumentTypeError(
            f"{owner_name(owner)}: {name} must be an integer or a tuple of {rank}, one for each of "
            f"{', '.join(_SPACE[rank])}; received {describe(value)}. Write for example {name}={_example(rank)}."
        )
    for one in value:
        check_positive_int(name, one, owner)


def check_padding(padding: Any, rank: int, owner: object, names: Sequence[str]) -> None:
    """Require one of ``names``, a number of cells, or for each axis a number or a pair ``(before, after)``."""
    # Any: this looks at values of unknown type
    if isinstance(padding, str):
        check_choice("padding", padding, names, owner)
        return
    pairs = _pairs(padding, rank)
    if pairs is None or len(pairs) != rank or not all(_is_pair(pair) for pair in pairs):
        raise ArgumentError(
            f"{owner_name(owner)}: padding must be {', '.join(map(repr, names))}, a number of cells, or for each of "
            f"{', '.join(_SPACE[rank])} a number or a pair (before, after), none negative; received "
            f"{describe(padding)}. Write for example padding={((1, 1),) * rank}."
        )


def cells(padding: Padding, rank: int) -> Any:
    """A checked ``padding`` as the operations take it: a name, or a pair of cells for each axis (hence ``Any``)."""
    return padding if isinstance(padding, str) else _pairs(padding, rank)


def split_activation(activation: ActivationLike) -> tuple[Literal["linear", "relu"], Activation]:
    """What the convolution applies in its own pass, and what is left to apply afterwards."""
    function = activations.get(activation)
    if function is activations.relu:
        return "relu", activations.linear
    return "linear", function


def check_axes(x: Spec | Array, rank: int, owner: object) -> None:
    """Require ``[batch, *space, channels]`` with ``rank`` axes of space."""
    if x.ndim == rank + 2:
        return
    wanted = ", ".join(("batch", *_SPACE[rank], "channels"))
    hint = "Reshape it, or check the layer before."
    if x.ndim == rank + 1:
        hint = "If only the axis of channels is missing, add it: x[..., None] and Input((..., 1))."
    raise ShapeError(
        f"{owner_name(owner)}: the input must have {rank + 2} axes, [{wanted}]; received shape {_shape(x)}. {hint}"
    )


def warn_channels_first(symbol: Any, rank: int, owner: object) -> None:  # Any: whatever the layer is called on
    """Warn where the model's input looks like images with the channels first, as PyTorch has them."""
    if not isinstance(symbol, Symbol) or len(symbol.shape) != rank + 2:
        return
    source = symbol
    while source.node is not None and source.node.inputs[0] is not None:  # back to the input, past what keeps its shape
        if source.node.inputs[0].shape != symbol.shape:
            return
        source = source.node.inputs[0]
    first, *others = symbol.shape[1:]
    few = (1,) if rank == 1 else (1, 3)
    if first in few and all(isinstance(size, int) and size >= _NO_CHANNELS for size in others):
        space = _SPACE[rank]
        warnings.warn(
            f"{owner_name(owner)}: the input must be [batch, {', '.join(space)}, channels]; received shape "
            f"{shape_text(symbol.spec)}, which reads as {space[0]} {first} and {others[-1]} channels, but looks as if "
            f"the channels came first. If so, write Input({(*others, first)}) and feed np.moveaxis(x, 1, -1).",
            ChainruleWarning,
            stacklevel=3,
        )


def check_room(
    x: Spec | Array, window: Sequence[int], dilation: Sequence[int], padding: Padding, owner: object
) -> None:
    """Require that every window fits into the padded input; sizes that vary are looked at when they are known."""
    if padding in ("same", "causal", "reflect"):
        return
    sizes = tuple(x.shape[1:-1])
    pads = explicit_padding(cells(padding, len(window)), sizes, window, (1,) * len(window), dilation)
    names = _SPACE[len(window)]
    for axis, (name, size, k, d, pad) in enumerate(zip(names, sizes, window, dilation, pads, strict=True), start=1):
        if isinstance(size, int) and size + sum(pad) < extent(k, d):
            least = extent(k, d) - sum(pad)
            spread = f" with dilation {d}" if d > 1 else ""
            raise ShapeError(
                f"{owner_name(owner)}: axis {axis} of the input ({name}) must hold at least {least} cells for a window "
                f"of {k}{spread} and padding={padding!r}; received shape {_shape(x)}. Use padding='same', a smaller "
                "window, fewer layers that shrink before this one, or larger inputs."
            )


def check_reflection(
    x: Spec | Array, window: Sequence[int], strides: Sequence[int], dilation: Sequence[int], owner: object
) -> None:
    """Require that no reflection is longer than what there is to reflect."""
    if has_symbolic(x.shape[1:-1]):
        raise ShapeError(
            f"{owner_name(owner)}: padding='reflect' must know the size of its input; received shape {_shape(x)}. "
            "Give that size to Input instead of None, or use padding='same'."
        )
    pads = explicit_padding("reflect", tuple(x.shape[1:-1]), window, strides, dilation)
    for axis, pad in enumerate(pads, start=1):
        size = x.shape[axis]
        if max(pad) >= size:
            raise ShapeError(
                f"{owner_name(owner)}: axis {axis} of the input must be longer than the {max(pad)} cells to be "
                f"reflected; received shape {_shape(x)}. Use padding='same' or larger inputs."
            )


def window_reach(
    x: Spec, padding: Padding, window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> tuple[Reach, ...]:
    """The reach of a convolution or pooling on an input of known size, axis by axis."""
    pads = explicit_padding(cells(padding, len(window)), tuple(x.shape[1:-1]), window, strides, dilation)
    axes = zip(window, strides, dilation, pads, strict=True)
    return tuple(Reach(extent(k, d), Fraction(s), -int(low)) for k, s, d, (low, _) in axes)


def _example(rank: int) -> str:
    return "3" if rank == 1 else str((3,) * rank)


def _pairs(padding: Any, rank: int) -> tuple[Any, ...] | None:  # Any: see check_padding
    if isinstance(padding, bool):
        return None
    if isinstance(padding, int):
        return ((padding, padding),) * rank
    if not isinstance(padding, tuple | list):
        return None
    if rank == 1 and len(padding) == 2 and all(isinstance(cell, int) for cell in padding):
        return (tuple(padding),)  # (before, after) of the only axis
    return tuple((one, one) if isinstance(one, int) else one for one in padding)


def _is_pair(pair: Any) -> bool:
    is_two = isinstance(pair, tuple | list) and len(pair) == 2
    return is_two and all(isinstance(cell, int) and not isinstance(cell, bool) and cell >= 0 for cell in pair)


def _shape(x: Spec | Array) -> str:
    return shape_text(Spec(x.shape, x.dtype))
