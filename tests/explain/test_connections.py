"""Counts of connections."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import explain
from chainrule.errors import ArgumentError


@pytest.mark.parametrize(("inputs", "outputs", "kernel_size"), [(8, 6, 3), (5, 2, 3), (7, 7, 1), (784, 780, 5)])
def test_counts_follow_their_formulas(inputs, outputs, kernel_size):
    """C56 C280: dense n·m weights; local m·k connections; shared k weights."""
    counts = explain.connection_counts(inputs, outputs, kernel_size)
    assert counts == (inputs * outputs, outputs * kernel_size, kernel_size)
    assert counts.dense == cr.mlp([inputs, outputs]).get_weights()["dense/kernel"].size


def test_counts_are_those_of_the_matrices():
    """C56: a convolution is a dense matrix that is zero but for a band, whose numbers repeat."""
    kernel = np.array([2.0, -1.0, 5.0])
    matrix = np.stack([np.convolve(row, kernel[::-1], "valid") for row in np.eye(7)])  # [inputs, outputs]
    counts = explain.connection_counts(7, 5, 3)
    assert counts == (matrix.size, np.count_nonzero(matrix), len(np.unique(matrix[matrix != 0])))


def test_a_kernel_that_does_not_fit_is_refused():
    with pytest.raises(ArgumentError, match="at most inputs − kernel_size \\+ 1 = 3"):
        explain.connection_counts(5, 4, 3)
    with pytest.raises(ArgumentError, match="kernel_size"):
        explain.connection_counts(5, 4, 0)
