"""Argument checks: what passes, what does not, and what the message says."""

from dataclasses import dataclass

import numpy as np
import pytest

from chainrule._base.checks import (
    check_choice,
    check_int,
    check_number,
    check_positive_int,
    describe,
    owner_name,
    shapes_agree,
)
from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule._base.spec import batched


@dataclass
class Named:
    name: str | None


@pytest.mark.parametrize("value", [0, 3, -2, np.int64(5), np.uint8(7)])
def test_integers_of_every_kind_pass(value):
    check_int("units", value, "Dense")


@pytest.mark.parametrize("value", [True, False, 1.0, "3", None, np.float32(2), np.array([1, 2])])
def test_what_is_no_integer_is_refused_by_type(value):
    with pytest.raises(ArgumentTypeError, match=r"Dense: units must be an integer; received "):
        check_int("units", value, "Dense")


@pytest.mark.parametrize("value", [0, -1])
def test_positive_means_at_least_one(value):
    check_positive_int("units", 1, "Dense")
    with pytest.raises(ArgumentError, match=rf"^Dense: units must be an integer of at least 1; received {value}\.$"):
        check_positive_int("units", value, "Dense")


@pytest.mark.parametrize(
    ("bounds", "inside", "outside"),
    [
        ({"above": 0}, 1e-300, 0),
        ({"at_least": 0}, 0, -1e-300),
        ({"below": 1}, 0.999, 1),
        ({"at_most": 1}, 1, 1.001),
        ({"at_least": 0, "below": 1}, 0.5, 1.0),
        ({}, -5, float("nan")),
        ({}, 2, float("inf")),
        ({"above": 0}, np.float32(2), np.float32("nan")),
    ],
)
def test_numbers_keep_their_bounds(bounds, inside, outside):
    check_number("rate", inside, "Dropout", **bounds)
    with pytest.raises(ArgumentError, match="Dropout: rate must be a finite number"):
        check_number("rate", outside, "Dropout", **bounds)


@pytest.mark.parametrize("value", [True, "0.1", None, 1j, np.zeros((2, 3))])
def test_what_is_no_number_is_refused_by_type(value):
    with pytest.raises(ArgumentTypeError, match="above 0 and below 1; received"):
        check_number("rate", value, "Dropout", above=0, below=1)


def test_a_choice_is_suggested():
    check_choice("padding", "same", ("same", "valid"), "Conv2D")
    with pytest.raises(ArgumentError, match=r"one of 'same', 'valid'; received 'smae' \(str\)\. Did you mean 'same'\?"):
        check_choice("padding", "smae", ("same", "valid"), "Conv2D")
    with pytest.raises(ArgumentError, match="received 3"):
        check_choice("padding", 3, ("same", "valid"), "Conv2D")


@pytest.mark.parametrize(
    ("owner", "expected"),
    [("fit", "fit"), (Named("head"), "head (Named)"), (Named(None), "Named"), (object(), "object")],
)
def test_owners_are_called_as_the_user_knows_them(owner, expected):
    assert owner_name(owner) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.zeros((2, 0), np.int8), "an array of shape (2, 0) and dtype int8"),
        (None, "None"),
        (3.5, "3.5 (float)"),
        ([1], "[1] (list)"),
    ],
)
def test_descriptions(value, expected):
    assert describe(value) == expected


def test_a_long_value_is_cut():
    text = describe("x" * 1000)
    assert len(text) < 100
    assert text.endswith("... (str)")


def test_shapes_agree_as_far_as_they_are_known():
    symbolic = batched((3,)).shape
    assert shapes_agree(symbolic, (7, 3))
    assert not shapes_agree(symbolic, (7, 2))
    assert not shapes_agree(symbolic, (7,))
    assert not shapes_agree((2, 3), (3, 2))
