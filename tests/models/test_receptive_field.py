"""Receptive fields by arithmetic against which inputs the gradient reaches."""

from dataclasses import dataclass
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import chainrule as cr
from chainrule import layers
from chainrule.core import Block, Context, Input, Variables
from chainrule.models import summarize, zoo
from chainrule.models.cost import known_specs
from chainrule.models.receptive_field import AxisField, field_text, layer_fields


def fields_of(model):
    specs, inputs, _ = known_specs(model.graph)
    return layer_fields(model.graph, specs, inputs)


def conv(kernel, strides=1, padding="valid", dilation=1):
    return layers.Conv1D(1, kernel, strides, padding, dilation_rate=dilation)


STACKS = {
    "two of three": [conv(3), conv(3)],
    "same with stride": [conv(3, 2, "same"), conv(5, padding="same")],
    "same with stride, odd": [conv(4, 3, "same"), conv(2, 2, "same")],
    "dilated": [conv(2), conv(3, dilation=2), conv(2, 2, dilation=3)],
    "pooled": [conv(3, padding=1), layers.AveragePooling1D(2), conv(3, padding="same")],
    "padded and cropped": [layers.ZeroPadding1D((2, 0)), conv(3), layers.Cropping1D((1, 0)), conv(2)],
    "causal": [conv(3, padding="causal"), conv(3, padding="causal", dilation=2)],
    "depthwise": [layers.DepthwiseConv1D(3, padding="same"), layers.SeparableConv1D(1, 3, 2)],
    "pointwise between": [conv(3), layers.Dense(1, "sigmoid"), layers.Rescaling(2.0), conv(3)],
}


@pytest.mark.parametrize("name", STACKS)
def test_the_gradient_reaches_exactly_the_field(name):
    """C173: with weights above zero, every cell of the field inside the input has a slope, and no other."""
    size = 23
    model = cr.Sequential([Input((size, 1)), *STACKS[name]])
    _, seen = fields_of(model)
    positive = Variables(*jax.tree.map(lambda w: jnp.full(w.shape, 0.1), model.variables))
    slopes = jax.jacobian(lambda x: model.graph.apply(positive, x, context=Context())[0].ravel())(
        jnp.ones((1, size, 1))
    )
    slopes = np.asarray(slopes).reshape(-1, size)
    (axis,) = seen[-1].axes
    for position, row in enumerate(slopes):
        start = axis.start + axis.stride * position
        expected = [cell for cell in range(size) if start <= cell < start + axis.size]
        assert np.flatnonzero(row).tolist() == expected


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv1DTranspose(1, 3, 2, padding="same"),
        layers.Conv1DTranspose(1, 5, 3),
        layers.Conv1DTranspose(1, 2, 2, padding=1, dilation_rate=3),
        layers.UpSampling1D(3),
    ],
)
def test_enlarging_layers_see_no_more_than_the_field_says(layer):
    size = 9
    model = cr.Sequential([Input((size, 1)), conv(3, padding="same"), layer])
    _, seen = fields_of(model)
    variables = Variables(*jax.tree.map(lambda w: jnp.full(w.shape, 0.1), model.variables))
    slopes = jax.jacobian(lambda x: model.graph.apply(variables, x, context=Context())[0].ravel())(
        jnp.ones((1, size, 1))
    )
    (axis,) = seen[-1].axes
    widest = 0
    for position, row in enumerate(np.asarray(slopes).reshape(-1, size)):
        reached = np.flatnonzero(row)
        if not reached.size:
            continue  # a cell at the edge that no input adds to
        start = axis.start + int(np.floor(axis.stride * position))
        assert start <= reached.min()
        assert reached.max() < start + axis.size + 1  # a fraction of a cell may stick out
        widest = max(widest, len(reached))
    assert axis.size - 1 <= widest <= axis.size
    assert axis.stride.numerator == 1
    assert axis.stride.denominator > 1


@dataclass(frozen=True, eq=False)
class Residual(Block):
    name: str | None = None

    def build(self, x):
        y = layers.Conv2D(3, 3, padding="same")(layers.ReLU()(layers.BatchNormalization()(x)))
        return layers.Add()(x, layers.Conv2D(3, (1, 3), padding="same")(y))


def test_branches_meet_in_the_field_that_covers_both_and_blocks_are_opened():
    inputs = Input((9, 9, 3))
    model = cr.Model(inputs, layers.Flatten()(Residual()(layers.Conv2D(3, 3)(inputs))))
    rows, nodes = fields_of(model)
    named = {row.path: row.field for row in rows}
    assert next(iter(named)) == "conv2d"
    assert "residual/conv2d_1" in named
    assert named["residual/conv2d_1"].axes == (AxisField(5, Fraction(1), -1), AxisField(7, Fraction(1), -2))
    assert named["residual/add"].axes == named["residual/conv2d_1"].axes
    assert named["flatten"] is None
    assert [field_text(field) for field in nodes] == ["3 × 3", "5 × 7", "all"]


def test_layers_that_mix_positions_see_everything():
    inputs = Input((7, 4))
    for layer in (
        layers.LSTM(4, return_sequences=True),
        layers.LayerNormalization(axis=(1, 2)),
        layers.Permute((2, 1)),
    ):
        _, (before, after) = fields_of(cr.Model(inputs, layer(layers.Conv1D(4, 3)(inputs))))
        assert field_text(before) == "3"
        assert after is None
    _, (_, kept) = fields_of(cr.Model(inputs, layers.LayerNormalization()(layers.Conv1D(4, 3)(inputs))))
    assert field_text(kept) == "3"


def test_tokens_are_positions_of_one_cell():
    tokens = Input((None,), dtype="int32")
    model = cr.Model(tokens, layers.Conv1D(2, 3)(layers.Conv1D(4, 5)(layers.Embedding(9, 3)(tokens))))
    assert [field_text(field) for field in fields_of(model)[1]] == ["1", "5", "7"]


@pytest.mark.parametrize(("network", "published"), [("mobilenet_v1", 315), ("vgg16", 212)])
def test_published_receptive_fields(network, published):
    """C173: sizes before the head, as Araujo, Norris and Sim ("Computing Receptive Fields", 2019) list them."""
    _, nodes = fields_of(getattr(zoo, network)())
    last = [field for field in nodes if field is not None][-1]
    assert {axis.size for axis in last.axes} == {published}


def test_published_costs():
    """C181: MobileNet's paper counts 569 million multiply-adds of an image of 224 × 224."""
    assert round(summarize(zoo.mobilenet_v1().graph).multiply_adds / 1e6) == 569
