"""Sizes and paddings of sliding windows, counted one position at a time."""

import itertools

import jax
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.ops.window import as_array, check_fits, explicit_padding, extent, output_size, per_axis


def counted(size, window, stride, padding, dilation):
    """Places of the window, tried from the front until it sticks out at the end."""
    cells = range(-padding[0], size + padding[1])
    starts = itertools.takewhile(
        lambda start: all(start + dilation * k in cells for k in range(window)), itertools.count(-padding[0], stride)
    )
    return len(list(starts))


def test_output_size_is_the_number_of_places():
    """C165 C168: over sizes, windows, strides, paddings and dilations, strides beyond the window among them."""
    settings = itertools.product((1, 2, 5, 7, 11), (1, 2, 3, 4), (1, 2, 3, 5), ((0, 0), (1, 0), (2, 3)), (1, 2, 3))
    for size, window, stride, padding, dilation in settings:
        made = output_size(size, window, stride, padding, dilation)
        assert made == counted(size, window, stride, padding, dilation), (size, window, stride, padding, dilation)


@pytest.mark.parametrize(("window", "dilation", "cells"), [(3, 1, 3), (3, 2, 5), (1, 7, 1), (4, 3, 10)])
def test_extent_is_first_to_last_cell(window, dilation, cells):
    """C168: effective k = d(k−1)+1."""
    assert extent(window, dilation) == cells


def test_same_keeps_a_position_for_every_stride_and_the_surplus_at_the_end():
    """C165."""
    for size, window, stride, dilation in itertools.product((1, 4, 7, 8), (1, 2, 3, 4), (1, 2, 3), (1, 2)):
        ((low, high),) = explicit_padding("same", (size,), (window,), (stride,), (dilation,))
        assert counted(size, window, stride, (low, high), dilation) == -(-size // stride)
        assert high - low in (0, 1)
        if low + high:  # no cell more than needed
            assert counted(size, window, stride, (low, high - 1), dilation) < -(-size // stride)


def test_causal_lets_no_position_see_a_later_one():
    ((low, high),) = explicit_padding("causal", (9,), (3,), (1,), (4,))
    assert (low, high) == (8, 0)
    assert counted(9, 3, 1, (low, high), 4) == 9


@pytest.mark.parametrize(
    ("padding", "pairs"),
    [("valid", ((0, 0), (0, 0))), (2, ((2, 2), (2, 2))), ((1, (0, 3)), ((1, 1), (0, 3)))],
)
def test_paddings_in_numbers(padding, pairs):
    assert explicit_padding(padding, (5, 6), (3, 2), (1, 1), (1, 1)) == pairs


@pytest.mark.parametrize(
    ("padding", "message"),
    [
        ("cuasal", r"mine: padding must be 'valid', 'same', 'reflect', or numbers of cells; received 'cuasal'"),
        ("causal", "received 'causal'"),  # of one axis only
        (1.5, "each a number or a pair .* received 1.5"),
        (None, "received None"),
        (True, "received True"),
        ((1, 0.5), "none negative; received"),
        (-1, r"none negative; received -1. Write for example padding=\(\(1, 1\), \(1, 1\)\)"),
        ((1, 2, 3), "must name cells for 2 axes"),
        ((1, (1, 2, 3)), "must name cells for 2 axes"),
    ],
)
def test_unknown_paddings(padding, message):
    with pytest.raises(ArgumentError, match=message):
        explicit_padding(padding, (5, 6), (3, 2), (1, 1), (1, 1), owner="mine")


def test_per_axis():
    assert per_axis("strides", 2, 3, "mine") == (2, 2, 2)
    assert per_axis("strides", [1, 2], 2, "mine") == (1, 2)
    assert per_axis("strides", np.int64(2), 2, "mine") == (2, 2)
    for wrong in (0, (1, 2, 3), (1, -1), (True, 1), (1.5, 1), 1.5, "2", None):
        with pytest.raises(ArgumentError, match="mine: strides must be a positive integer or 2 of them; received"):
            per_axis("strides", wrong, 2, "mine")


def test_a_window_that_does_not_fit():
    check_fits(3, 2, (1, 1), 4, "mine")
    with pytest.raises(ShapeError, match=r"mine: .*a window over 6 cells and an axis of 3 \(\+ 2 of padding\)"):
        check_fits(3, 2, (1, 1), 5, "mine")


def test_arrays_of_any_make():
    found = as_array("x", np.array([[3, 5]]), "mine")
    assert isinstance(found, jax.Array)
    assert found.dtype == np.int32
    assert as_array("x", [[3, 5]], "mine").tolist() == [[3, 5]]
    for wrong in ([[1, 2], [3]], "five", None, np.array([{}])):
        with pytest.raises(ArgumentTypeError, match="mine: x must be an array of numbers; received"):
            as_array("x", wrong, "mine")
