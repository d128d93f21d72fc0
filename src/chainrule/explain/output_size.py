"""The size of a convolution's or pooling's output, worked out in the open."""

from __future__ import annotations

from typing import NamedTuple

from chainrule._base.arguments import check_function
from chainrule._base.checks import check_positive_int
from chainrule._base.errors import ShapeError
from chainrule.ops.convolution import transposed_sizes
from chainrule.ops.window import Padding, explicit_padding, extent
from chainrule.ops.window import output_size as formula


class OutputSize(NamedTuple):
    """The size along one axis and how it came about; ``print`` it.

    Args:
        size: positions of the output.
        padding: cells before and after the input; of a transposed convolution, those cut off the output.
        reach: cells that the window reaches over, ``d·(k − 1) + 1``.
        working: the formula with its numbers.
    """

    size: int
    padding: tuple[int, int]
    reach: int
    working: str

    def __str__(self) -> str:
        return self.working


@check_function
def output_size(
    size: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
) -> OutputSize:
    """Positions of a window along one axis, ``⌊(n + p_low + p_high − d·(k − 1) − 1) / s⌋ + 1``, with the numbers.

    It holds for convolution and pooling (``kernel_size`` is then ``pool_size``, and ``stride`` as large unless given).
    ``padding="same"`` gives ``⌈n / s⌉``.

    Args:
        size: ``n``, cells of the input along the axis.
        kernel_size: ``k``.
        stride: ``s``.
        padding: ``"valid"``, ``"same"``, ``"causal"``, ``"reflect"``, a number of cells or a pair (before, after).
        dilation: ``d``.

    Raises:
        ShapeError: the window does not fit.

    Example:
        >>> print(output_size(28, 5))
        ⌊(28 + 0 + 0 − 1·(5 − 1) − 1) / 1⌋ + 1 = 24
        >>> print(output_size(28, 3, stride=2, padding="same"))
        ⌈28 / 2⌉ = 14, with 0 cells before and 1 after: ⌊(28 + 0 + 1 − 1·(3 − 1) − 1) / 2⌋ + 1 = 14
        >>> print(output_size(10, 3, dilation=2))
        a window of 3 with dilation 2 reaches over 2·(3 − 1) + 1 = 5 cells: ⌊(10 + 0 + 0 − 2·(3 − 1) − 1) / 1⌋ + 1 = 6

    References:
        Dumoulin, Visin, "A guide to convolution arithmetic for deep learning", 2016, https://arxiv.org/abs/1603.07285,
        relationship 6 (and 15 with dilation).
    """
    _check(size=size, kernel_size=kernel_size, stride=stride, dilation=dilation)
    low, high = _pads(padding, size, (kernel_size, stride, dilation))
    reach = extent(kernel_size, dilation)
    if size + low + high < reach:
        raise ShapeError(
            f"output_size: the window must fit into the input; received size {size} with {low} + {high} cells of "
            f'padding and a window over {reach}. Use padding="same", a smaller window or a larger input.'
        )
    made = int(formula(size, kernel_size, stride, (low, high), dilation))
    working = f"⌊({size} + {low} + {high} − {dilation}·({kernel_size} − 1) − 1) / {stride}⌋ + 1 = {made}"
    if padding in ("same", "reflect"):
        working = f"⌈{size} / {stride}⌉ = {made}, with {low} cells before and {high} after: {working}"
    if dilation > 1:
        told = f"a window of {kernel_size} with dilation {dilation} reaches over {dilation}·({kernel_size} − 1) + 1"
        working = f"{told} = {reach} cells: {working}"
    return OutputSize(made, (low, high), reach, working)


@check_function
def transposed_output_size(
    size: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    output_padding: int | None = None,
    dilation: int = 1,
) -> OutputSize:
    """Cells that a transposed convolution makes along one axis, ``(n − 1)·s + d·(k − 1) + 1 − p_low − p_high + extra``.

    Args:
        size: ``n``, cells of the input along the axis.
        kernel_size: ``k``.
        stride: ``s``; with ``"same"`` the output has ``n·s`` cells.
        padding: ``"valid"``, ``"same"``, a number of cells cut off both ends, or a pair (before, after).
        output_padding: cells added at the end.
        dilation: ``d``.

    Example:
        >>> print(transposed_output_size(14, 3, stride=2, padding="same"))
        (14 − 1)·2 + 1·(3 − 1) + 1 − 0 − 1 + 0 = 28
        >>> print(transposed_output_size(4, 3, stride=3, padding=1, output_padding=2))
        (4 − 1)·3 + 1·(3 − 1) + 1 − 1 − 1 + 2 = 12

    References:
        Dumoulin, Visin, "A guide to convolution arithmetic for deep learning", 2016, relationship 14.
    """
    _check(size=size, kernel_size=kernel_size, stride=stride, dilation=dilation)
    sizes, ((low, high),) = transposed_sizes(
        (size,), (kernel_size,), (stride,), (dilation,), padding=_one_axis(padding), output_padding=output_padding
    )
    made, reach = int(sizes[0]), extent(kernel_size, dilation)
    extra = made - ((size - 1) * stride + reach - low - high)
    working = f"({size} − 1)·{stride} + {dilation}·({kernel_size} − 1) + 1 − {low} − {high} + {extra} = {made}"
    return OutputSize(made, (low, high), reach, working)


def _check(**sizes: int) -> None:
    for name, value in sizes.items():
        check_positive_int(name, value, "output_size")


def _one_axis(padding: Padding | tuple[int, int]) -> Padding:
    if isinstance(padding, str | int):
        return padding
    low, high = padding
    return ((int(low), int(high)),)  # type: ignore[arg-type]  # a pair of numbers


def _pads(padding: Padding | tuple[int, int], size: int, window: tuple[int, int, int]) -> tuple[int, int]:
    k, s, d = window
    ((low, high),) = explicit_padding(_one_axis(padding), (size,), (k,), (s,), (d,), owner="output_size")
    return int(low), int(high)
