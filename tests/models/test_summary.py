"""Summary: shapes, parameters, multiply-adds."""

from dataclasses import dataclass

import pytest

import chainrule as cr
from chainrule._base.spec import batched
from chainrule.core import Block
from chainrule.layers import (
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
    SeparableConv2D,
)
from chainrule.models import summarize
from chainrule.models.cost import multiply_adds


def test_counts_by_hand():
    """C54, C181: parameters and multiply-adds per layer and in total."""
    inputs = Input((28, 28))
    shared = Dense(16)
    hidden = shared(Dense(16, "relu")(Flatten()(inputs)))
    model = cr.Model(inputs, Dense(10)(BatchNormalization()(shared(hidden))))
    summary = summarize(model.graph)
    assert summary.parameters == 784 * 16 + 16 + 16 * 16 + 16 + 2 * 16 + 16 * 10 + 10
    assert summary.state == 32
    assert summary.multiply_adds == 784 * 16 + 2 * 16 * 16 + 16 * 10  # the shared layer is computed twice
    assert [row.parameters for row in summary.rows if row.path == "dense_1"] == [272, 0]


def test_table_shows_symbolic_batch_and_totals(capsys):
    cr.Sequential([Input((28, 28)), Flatten(), Dense(10)]).summary()
    text = capsys.readouterr().out
    assert "(b, 784)" in text
    assert "7,850 parameters (30.66 KiB)" in text
    assert "7,840 multiply-adds per example" in text
    assert "flatten" in text.splitlines()[3]  # what the dense layer follows


@pytest.mark.parametrize(("shape", "units"), [((13,), 7), ((5, 13), 7), ((2, 3, 13), 1)])
def test_dense_on_more_axes(shape, units):
    positions = 1
    for size in shape[:-1]:
        positions *= size
    assert multiply_adds(Dense(units), batched(shape)) == positions * 13 * units


def test_sizes_in_the_text_are_readable():
    big = cr.Sequential([Input(4096), Dense(4096)])
    assert "64.02 MiB" in str(summarize(big.graph))


def test_repr_is_one_line_with_shapes_and_parameters():
    first, second = Input(3), Input((5, 2))
    model = cr.Model([first, second], [Dense(4)(first), Dense(1)(second)], name="two")
    assert repr(model) == "<Model 'two': (b, 3), (b, 5, 2) → (b, 4), (b, 5, 1), 19 parameters>"
    assert repr(cr.Sequential([Dense(4)])) == "<Sequential: input shape not known yet>"
    assert repr(cr.Sequential([Input(3), Flatten()])) == "<Sequential: (b, 3) → (b, 3), 0 parameters>"


def test_multiplications_of_the_bottleneck_against_the_plain_convolution():
    """C181: 32·32·64·1·1·256 + 32·32·128·3·3·64 = 92,274,688 against 32·32·128·3·3·256 = 301,989,888."""
    narrow = [Conv2D(64, 3, padding="same", use_bias=False), Conv2D(256, 1, use_bias=False)]
    squeezed = summarize(cr.Sequential([Input((32, 32, 128)), *narrow]).graph)
    plain = summarize(cr.Sequential([Input((32, 32, 128)), Conv2D(256, 3, padding="same", use_bias=False)]).graph)
    assert [row.multiply_adds for row in squeezed.rows] == [75_497_472, 16_777_216]
    assert squeezed.multiply_adds == 92_274_688
    assert plain.multiply_adds == 301_989_888
    assert "92,274,688 multiply-adds per example" in str(squeezed)


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (Conv2D(6, (3, 2), strides=2, groups=2), (7, 8, 4), (3 * 4) * 6 * (3 * 2 * 2)),
        (Conv2DTranspose(5, 3, strides=2, padding="same"), (4, 3, 2), (4 * 3) * 2 * (3 * 3 * 5)),
        (DepthwiseConv2D(3, depth_multiplier=2), (5, 6, 4), (3 * 4) * (9 * 4 * 2)),
        (SeparableConv2D(7, 3), (5, 6, 4), (3 * 4) * (9 * 4 + 4 * 7)),
        (MaxPooling2D(2), (4, 6, 3), 0),
    ],
)
def test_costs_of_convolutions_by_hand(layer, shape, expected):
    """C181 C182: every weight of a kernel once at each position of the output (of the input, when transposed)."""
    assert multiply_adds(layer, batched(shape)) == expected


def test_receptive_fields_stand_in_the_table_of_a_convolutional_network_only(capsys):
    """C173: two convolutions of 3 × 3 see 5 × 5."""
    cr.Sequential([Input((9, 9, 1)), Conv2D(2, 3), Conv2D(2, 3), Flatten(), Dense(1)]).summary()
    head, _, first, second, flatten, *_ = capsys.readouterr().out.splitlines()
    assert "receptive field" in head
    assert [("3 × 3" in first), ("5 × 5" in second), (" all " in flatten)] == [True, True, True]
    cr.Sequential([Input(3), Dense(1)]).summary()
    assert "receptive field" not in capsys.readouterr().out


def test_sizes_that_vary_are_taken_as_a_number_that_the_table_names():
    network = [Conv2D(2, 3, strides=2, padding="same"), MaxPooling2D(3), GlobalAveragePooling2D()]
    summary = summarize(cr.Sequential([Input((None, None, 1)), *network]).graph)
    assert summary.multiply_adds == 8 * 8 * 9 * 2
    assert str(summary).endswith("(sizes that vary taken as 16)")
    assert [row.output for row in summary.rows] == ["(b, ?, ?, 2)", "(b, ?, ?, 2)", "(b, 2)"]
    large = cr.Sequential([Input((None, None, 1)), Conv2D(1, 20), GlobalAveragePooling2D()])
    assert summarize(large.graph).length == 32


@dataclass(frozen=True, eq=False)
class Twice(Block):
    name: str | None = None

    def build(self, x):
        convolution = Conv2D(3, 3, padding="same")
        return convolution(convolution(x))


def test_blocks_cost_what_their_layers_cost():
    assert multiply_adds(Twice(), batched((4, 5, 3))) == 2 * 4 * 5 * 9 * 3 * 3
