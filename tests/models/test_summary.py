"""Summary: shapes, parameters, multiply-adds."""

import pytest

import chainrule as cr
from chainrule._base.spec import batched
from chainrule.layers import BatchNormalization, Dense, Flatten, Input
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
