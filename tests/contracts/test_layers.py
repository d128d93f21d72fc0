"""The contract of every public layer: one row a layer, checked by the same laws.

A new layer gets its row here first. After an intended change of weight names or shapes, rewrite the golden file with

    python tests/contracts/test_layers.py
"""

import dataclasses
import functools
import json
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule import layers
from chainrule._base import tree as trees
from chainrule._base.policy import cast_floats
from chainrule._base.registry import from_config, register_function, to_config
from chainrule._base.spec import Spec, batched, concrete
from chainrule.core import Context, Layer, Variables
from chainrule.core.layer import make_variables

GOLDEN = Path(__file__).parent.parent / "golden" / "layers.json"
KEY = jax.random.key(7)
TRAINING = Context(training=True, key=KEY)
INFERENCE = Context()


def ripple(x):
    return x + jnp.sin(x)


register_function(ripple, "tests.ripple")


@dataclasses.dataclass(frozen=True)
class Row:
    """A layer with several fields off their defaults, and the shapes of one example of each of its inputs."""

    layer: Layer
    shapes: tuple[tuple[int, ...], ...]
    dtype: str = "float32"
    below: int = 1  # integers are drawn under this
    masks: tuple[tuple[int, ...], ...] = ()  # shapes of the boolean inputs that follow

    def __post_init__(self):
        assert self.shapes, "a layer has an input"


ROWS = {
    "Activation": Row(layers.Activation("tanh"), ((3,),)),
    "AdaptiveAveragePooling1D": Row(layers.AdaptiveAveragePooling1D(2), ((5, 3),)),
    "AdaptiveAveragePooling2D": Row(layers.AdaptiveAveragePooling2D((2, 3)), ((5, 4, 2),)),
    "AdaptiveMaxPooling1D": Row(layers.AdaptiveMaxPooling1D(2), ((5, 3),)),
    "AdaptiveMaxPooling2D": Row(layers.AdaptiveMaxPooling2D((2, 3)), ((5, 4, 2),)),
    "Add": Row(layers.Add(), ((3, 2), (3, 2), (3, 1))),
    "AdditiveAttention": Row(layers.AdditiveAttention(dropout=0.2), ((3, 4), (5, 4), (5, 4)), masks=((5,), (3, 5))),
    "AlphaDropout": Row(layers.AlphaDropout(0.2), ((4, 3),)),
    "ApplyMask": Row(layers.ApplyMask(), ((4, 3),), masks=((4,),)),
    "Attention": Row(layers.Attention(use_scale=True, use_causal_mask=True), ((3, 4), (5, 2), (5, 4)), masks=((5,),)),
    "Average": Row(layers.Average(), ((3,), (3,))),
    "AveragePooling1D": Row(layers.AveragePooling1D(3, strides=2, padding="same"), ((6, 2),)),
    "AveragePooling2D": Row(layers.AveragePooling2D((2, 3), padding=(1, 0), count_padding=True), ((4, 5, 2),)),
    "AveragePooling3D": Row(layers.AveragePooling3D(2, strides=1), ((2, 3, 4, 2),)),
    "BatchNormalization": Row(layers.BatchNormalization(momentum=0.9), ((4, 3),)),
    "Bidirectional": Row(layers.Bidirectional(layers.GRU(2, return_sequences=True), "mul"), ((4, 3),), masks=((4,),)),
    "Concatenate": Row(layers.Concatenate(axis=1), ((2, 3), (4, 3))),
    "Conv1D": Row(layers.Conv1D(4, 3, padding="causal", dilation_rate=2), ((7, 3),)),
    "Conv1DTranspose": Row(
        layers.Conv1DTranspose(3, 4, strides=2, padding=1, output_padding=1, activation="tanh"), ((3, 2),)
    ),
    "Conv2D": Row(layers.Conv2D(4, (2, 3), strides=(2, 1), padding="same", groups=2, activation="tanh"), ((5, 4, 6),)),
    "Conv2DTranspose": Row(
        layers.Conv2DTranspose(3, (2, 3), strides=2, padding="same", activation="tanh"), ((3, 4, 2),)
    ),
    "Conv3D": Row(layers.Conv3D(3, 2, padding=((0, 1), 1, 0), activation="tanh"), ((2, 1, 3, 2),)),
    "Conv3DTranspose": Row(layers.Conv3DTranspose(2, 2, strides=(1, 2, 1), use_bias=False), ((2, 3, 1, 2),)),
    "ConvLSTM1D": Row(layers.ConvLSTM1D(2, 3, strides=2, padding="same", dropout=0.2), ((3, 5, 2),), masks=((3,),)),
    "ConvLSTM2D": Row(layers.ConvLSTM2D(2, (2, 3), return_sequences=True, unit_forget_bias=False), ((3, 4, 5, 1),)),
    "Cropping1D": Row(layers.Cropping1D((2, 1)), ((6, 2),)),
    "Cropping2D": Row(layers.Cropping2D(((1, 0), 1)), ((4, 5, 2),)),
    "Cropping3D": Row(layers.Cropping3D(1), ((3, 4, 5, 2),)),
    "Dense": Row(layers.Dense(5, "tanh", kernel_initializer="he_normal"), ((2, 3),)),
    "DepthwiseConv1D": Row(layers.DepthwiseConv1D(3, depth_multiplier=2, padding="causal"), ((6, 2),)),
    "DepthwiseConv2D": Row(layers.DepthwiseConv2D((3, 2), strides=2, padding="same", activation="tanh"), ((5, 4, 3),)),
    "Dot": Row(layers.Dot(axes=(2, 1)), ((2, 3), (3, 4))),
    "Dropout": Row(layers.Dropout(0.3, noise_shape=(None, 1, None)), ((4, 3),)),
    "ELU": Row(layers.ELU(0.5), ((3,),)),
    "Embedding": Row(layers.Embedding(6, 3), ((4,),), dtype="int32", below=6),
    "Flatten": Row(layers.Flatten(), ((2, 3, 4),)),
    "GRU": Row(layers.GRU(4, reset_after=False, dropout=0.3, recurrent_dropout=0.2), ((5, 3),), masks=((5,),)),
    "GRUCell": Row(layers.GRUCell(4, recurrent_dropout=0.2), ((3,), (4,))),
    "GaussianDropout": Row(layers.GaussianDropout(0.3), ((3,),)),
    "GaussianNoise": Row(layers.GaussianNoise(0.1), ((3,),)),
    "GlobalAveragePooling1D": Row(layers.GlobalAveragePooling1D(), ((4, 3),)),
    "GlobalAveragePooling2D": Row(layers.GlobalAveragePooling2D(keepdims=True), ((4, 5, 3),)),
    "GlobalAveragePooling3D": Row(layers.GlobalAveragePooling3D(), ((2, 4, 5, 3),)),
    "GlobalMaxPooling1D": Row(layers.GlobalMaxPooling1D(keepdims=True), ((4, 3),)),
    "GlobalMaxPooling2D": Row(layers.GlobalMaxPooling2D(), ((4, 5, 3),)),
    "GlobalMaxPooling3D": Row(layers.GlobalMaxPooling3D(), ((2, 4, 5, 3),)),
    "GroupNormalization": Row(layers.GroupNormalization(2), ((5, 6),)),
    "LSTM": Row(layers.LSTM(4, return_sequences=True, dropout=0.3, recurrent_dropout=0.2), ((5, 3),), masks=((5,),)),
    "LSTMCell": Row(layers.LSTMCell(4, "relu", unit_forget_bias=False), ((3,), (4,), (4,))),
    "Lambda": Row(layers.Lambda(ripple), ((3,),)),
    "LayerNormalization": Row(layers.LayerNormalization(axis=(1, 2)), ((4, 3),)),
    "LeakyReLU": Row(layers.LeakyReLU(0.2), ((3,),)),
    "MaxPooling1D": Row(layers.MaxPooling1D(3, strides=2, padding="same"), ((6, 2),)),
    "MaxPooling2D": Row(layers.MaxPooling2D((2, 3), padding=((0, 1), 0)), ((5, 6, 2),)),
    "MaxPooling3D": Row(layers.MaxPooling3D(2, strides=1), ((2, 3, 4, 2),)),
    "Maximum": Row(layers.Maximum(), ((3,), (3,))),
    "Maxout": Row(layers.Maxout(2, pieces=3), ((4,),)),
    "Minimum": Row(layers.Minimum(), ((3,), (3,))),
    "MultiHeadAttention": Row(
        layers.MultiHeadAttention(2, 3, value_dim=1, output_shape=2), ((3, 2), (4, 3), (4, 1)), masks=((4,),)
    ),
    "Multiply": Row(layers.Multiply(), ((2, 3), (1, 3))),
    "Normalization": Row(layers.Normalization((1.0, 2.0, 3.0), (4.0, 0.0, 2.0)), ((4, 3),)),
    "PReLU": Row(layers.PReLU(shared_axes=(1,)), ((4, 3),)),
    "PaddingMask": Row(layers.PaddingMask(2), ((5,),), dtype="int32", below=4),
    "Permute": Row(layers.Permute((3, 1, 2)), ((2, 3, 4),)),
    "PositionEmbedding": Row(layers.PositionEmbedding(6, initializer="he_normal"), ((5, 3),)),
    "RMSNormalization": Row(layers.RMSNormalization(), ((4, 3),)),
    "RNN": Row(
        layers.RNN(layers.StackedRNNCells((layers.LSTMCell(4), layers.GRUCell(2))), go_backwards=True), ((5, 3),)
    ),
    "RandomBrightness": Row(layers.RandomBrightness((-0.1, 0.2), (0.0, 1.0)), ((3, 4, 2),)),
    "RandomContrast": Row(layers.RandomContrast((0.2, 0.1), (0.0, 1.0)), ((3, 4, 2),)),
    "RandomCrop": Row(layers.RandomCrop(3, 2, padding=1), ((4, 3, 2),)),
    "RandomErasing": Row(layers.RandomErasing((0.5, 1.0), (0.1, 0.2)), ((3, 4, 2),)),
    "RandomFlip": Row(layers.RandomFlip("horizontal"), ((3, 4, 2),)),
    "RandomRotation": Row(layers.RandomRotation((-0.1, 0.2), "constant"), ((3, 4, 2),)),
    "RandomTranslation": Row(layers.RandomTranslation(0.2, (0.0, 0.1), "wrap"), ((3, 4, 2),)),
    "RandomZoom": Row(layers.RandomZoom(0.2, (-0.1, 0.1), interpolation="nearest"), ((3, 4, 2),)),
    "RandomBranch": Row(layers.RandomBranch(), ((3, 2), (3, 2))),
    "ReLU": Row(layers.ReLU(max_value=0.5), ((3,),)),
    "RepeatVector": Row(layers.RepeatVector(4), ((3,),)),
    "Rescaling": Row(layers.Rescaling(2.0, offset=-1.0), ((3,),)),
    "Reshape": Row(layers.Reshape((4, -1)), ((2, 6),)),
    "Resizing": Row(layers.Resizing(3, 7, antialias=True), ((5, 4, 2),)),
    "SeparableConv1D": Row(layers.SeparableConv1D(4, 3, strides=2, padding="same", activation="tanh"), ((5, 3),)),
    "SeparableConv2D": Row(layers.SeparableConv2D(4, (2, 3), depth_multiplier=2, activation="tanh"), ((4, 5, 3),)),
    "SequenceMask": Row(layers.SequenceMask(), ((1,), (4,)), dtype="int32", below=6),
    "SimpleRNN": Row(layers.SimpleRNN(4, "sigmoid", go_backwards=True, use_bias=False), ((5, 3),), masks=((5,),)),
    "SimpleRNNCell": Row(layers.SimpleRNNCell(4, dropout=0.2), ((3,), (4,))),
    "SinusoidalPositionalEncoding": Row(layers.SinusoidalPositionalEncoding(50.0), ((5, 3),)),
    "Softmax": Row(layers.Softmax(axis=1), ((4, 3),)),
    "SpatialDropout1D": Row(layers.SpatialDropout1D(0.4), ((4, 3),)),
    "SpatialDropout2D": Row(layers.SpatialDropout2D(0.4), ((4, 2, 3),)),
    "StackedRNNCells": Row(
        layers.StackedRNNCells((layers.SimpleRNNCell(4), layers.GRUCell(2, dropout=0.2))), ((3,), (4,), (2,))
    ),
    "Subtract": Row(layers.Subtract(), ((3,), (3,))),
    "TimeDistributed": Row(layers.TimeDistributed(layers.BatchNormalization(momentum=0.9)), ((4, 3),), masks=((4,),)),
    "UnitNormalization": Row(layers.UnitNormalization(), ((3,),)),
    "UpSampling1D": Row(layers.UpSampling1D(3), ((4, 2),)),
    "UpSampling2D": Row(layers.UpSampling2D((2, 3), interpolation="bilinear"), ((3, 4, 2),)),
    "UpSampling3D": Row(layers.UpSampling3D((1, 2, 3)), ((2, 3, 4, 2),)),
    "WeightedBag": Row(layers.WeightedBag(6, 3), ((1, 2),), dtype="int32", below=6),
    "ZeroPadding1D": Row(layers.ZeroPadding1D((2, 1)), ((4, 2),)),
    "ZeroPadding2D": Row(layers.ZeroPadding2D(((1, 0), 2)), ((3, 4, 2),)),
    "ZeroPadding3D": Row(layers.ZeroPadding3D(1), ((2, 3, 1, 2),)),
}

MASKS = {"PaddingMask", "SequenceMask"}  # layers that give booleans

every_layer = pytest.mark.parametrize("name", sorted(ROWS))
every_smooth_layer = pytest.mark.parametrize("name", sorted(set(ROWS) - MASKS))


def specs(row):
    return tuple(batched(shape, row.dtype) for shape in row.shapes) + tuple(batched(m, "bool") for m in row.masks)


def draw(row, batch, seed=0, dtype="float32"):
    rng = np.random.default_rng(seed)
    masks = tuple(np.random.default_rng(seed + 1).uniform(size=(batch, *shape)) < 0.7 for shape in row.masks)
    if row.dtype.startswith("int"):
        return (*(rng.integers(0, row.below, (batch, *shape)).astype(row.dtype) for shape in row.shapes), *masks)
    return (*(rng.normal(size=(batch, *shape)).astype(dtype) for shape in row.shapes), *masks)


def first(output):
    """A layer of several outputs is held to the laws by its first."""
    return output[0] if isinstance(output, tuple) else output


def weights_of(row, seed=0, dtype="float32"):
    """Variables with random numbers in place of zeros and ones, so that each weight has an effect."""
    made = make_variables(row.layer.weights(*specs(row)), jax.random.key(seed), jnp.dtype(dtype))
    rng = np.random.default_rng(seed)
    shaken = jax.tree.map(lambda w: w + jnp.asarray(rng.uniform(0.1, 0.5, w.shape), w.dtype), made)
    return Variables(*shaken)


@functools.cache
def made(name):
    """What the laws share: a row's layer, its variables, and one compiled function with a count of its traces."""
    row = ROWS[name]
    traces = []

    @jax.jit
    def run(variables, *inputs):
        traces.append(None)
        return first(row.layer.apply(variables, *inputs, context=INFERENCE)[0])

    return SimpleNamespace(row=row, layer=row.layer, variables=weights_of(row), run=run, traces=traces)


def test_every_public_layer_has_a_row():
    """Keras's short names (MaxPool2D) are the same classes, so they need no rows of their own."""
    classes = {getattr(layers, name).__name__ for name in layers.__all__}
    assert classes - {"Input", "Cell"} == set(ROWS)


@every_layer
def test_the_row_is_of_the_layer_it_names(name):
    assert type(ROWS[name].layer) is getattr(layers, name)


@every_layer
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_symbolic_shape_is_the_actual_shape(name, batch):
    """C50: a layer maps one or more tensors to one or more; its output spec follows from theirs."""
    row = ROWS[name]
    symbolic = row.layer.infer(*specs(row))
    expected = concrete(first(symbolic), batch)
    actual = jax.eval_shape(
        lambda v, *x: first(row.layer.apply(v, *x, context=TRAINING)[0]),
        made(name).variables,
        *(concrete(spec, batch) for spec in specs(row)),
    )
    assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)


@every_layer
def test_examples_do_not_leak_into_each_other_in_inference(name):
    it = made(name)
    inputs = draw(it.row, 3)
    together = it.run(it.variables, *inputs)
    for i in range(3):
        alone = it.run(it.variables, *(x[i : i + 1] for x in inputs))
        np.testing.assert_allclose(together[i], alone[0], rtol=1e-5, atol=1e-6)  # float32, other sum orders


@every_layer
def test_compiled_is_eager_and_numpy_is_jax(name):
    it = made(name)
    inputs = draw(it.row, 3)
    eager, state = it.layer.apply(it.variables, *inputs, context=INFERENCE)
    compiled = it.run(it.variables, *(jnp.asarray(x) for x in inputs))
    np.testing.assert_allclose(first(eager), compiled, rtol=1e-5, atol=1e-6)  # fused sums round otherwise
    assert state is it.variables.state


@every_layer
def test_second_call_does_not_compile_again(name):
    it = made(name)
    it.run(it.variables, *draw(it.row, 3, seed=1))
    before = len(it.traces)
    it.run(weights_of(it.row, seed=2), *draw(it.row, 3, seed=3))
    assert before > 0
    assert len(it.traces) == before


@every_smooth_layer
@pytest.mark.parametrize("context", [TRAINING, INFERENCE], ids=["training", "inference"])
def test_bfloat16_stays_bfloat16_without_implicit_promotion(name, context):
    row, variables = ROWS[name], made(name).variables
    low = Variables(cast_floats(variables.params, "bfloat16"), variables.state)
    inputs = [Spec((3, *s), jnp.bfloat16 if row.dtype == "float32" else row.dtype) for s in row.shapes]
    inputs += [Spec((3, *shape), jnp.bool_) for shape in row.masks]
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        output, state = jax.eval_shape(lambda v, *x: row.layer.apply(v, *x, context=context), low, *inputs)
    assert first(output).dtype == jnp.bfloat16
    old = {path: (leaf.shape, leaf.dtype) for path, leaf in trees.flatten(variables.state).items()}
    assert {path: (leaf.shape, leaf.dtype) for path, leaf in trees.flatten(state).items()} == old


@every_smooth_layer
def test_gradients_equal_finite_differences_in_float64(name):
    """C92: the slope along a random direction, by autodiff and by central differences of step 1e-6."""
    with jax.enable_x64(True):
        row = ROWS[name]
        variables, inputs = weights_of(row, dtype="float64"), draw(row, 4, dtype="float64")
        inputs, masks = inputs[: len(row.shapes)], inputs[len(row.shapes) :]
        floats = inputs if row.dtype == "float32" else ()

        @jax.jit
        def loss_and_slope(point):
            def loss(point):
                params, x = point
                arrays = x if floats else inputs
                y, _ = row.layer.apply(Variables(params, variables.state), *arrays, *masks, context=TRAINING)
                y = first(y)
                assert y.dtype == jnp.float64
                return jnp.sum(jnp.sin(y + jnp.arange(y.size, dtype=y.dtype).reshape(y.shape)))

            return jax.value_and_grad(loss)(point)

        point = (variables.params, floats)
        rng = np.random.default_rng(5)
        direction = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), point)
        step = 1e-6

        def move(sign):
            moved = jax.tree.map(lambda p, d: p + sign * step * d, point, direction)
            return float(loss_and_slope(moved)[0])

        slope = jax.tree.map(lambda g, d: float(np.sum(np.asarray(g) * d)), loss_and_slope(point)[1], direction)
        expected = (move(1) - move(-1)) / (2 * step)
        # Central differences err by step² and by rounding / step, about 1e-9 of sums of size 10.
        np.testing.assert_allclose(sum(jax.tree.leaves(slope)), expected, rtol=1e-6, atol=1e-7)


@every_layer
def test_config_round_trip_gives_the_same_layer(name):
    row, variables = ROWS[name], made(name).variables
    config = to_config(row.layer)
    again = from_config(json.loads(json.dumps(config)))
    assert type(again) is type(row.layer)
    assert to_config(again) == config
    program, same = (
        jax.make_jaxpr(lambda v, *x, layer=layer: layer.apply(v, *x, context=TRAINING))(variables, *draw(row, 3))
        for layer in (row.layer, again)
    )
    assert str(same) == str(program)


class Recording(dict):
    """A dict that notes which of its keys are read."""

    def __init__(self, mapping, read):
        super().__init__(mapping)
        self.read = read

    def __getitem__(self, key):
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        return self[key] if key in self else default  # noqa: SIM401 - it is `get` that is defined here


@every_layer
def test_declared_weights_are_the_ones_read(name):
    row, variables = ROWS[name], made(name).variables
    read = set()

    def run(variables, *inputs):
        for context in (TRAINING, INFERENCE):
            recording = Variables(*(Recording(part, read) for part in variables))
            row.layer.apply(recording, *inputs, context=context)

    jax.eval_shape(run, variables, *draw(row, 2))
    assert read == set(row.layer.weights(*specs(row)))


@every_smooth_layer
def test_ten_steps_lower_a_toy_loss(name):
    """Plain gradient descent on the weights (on the input, where there are none) towards a reachable target."""
    row, variables = ROWS[name], made(name).variables
    inputs, away = draw(row, 4), weights_of(row, seed=3)
    trains_weights = bool(variables.params)
    target_inputs = inputs if trains_weights else draw(row, 4, seed=3)
    masks = inputs[len(row.shapes) :]

    @jax.jit
    def descend(moving):
        target, _ = row.layer.apply(away, *target_inputs, context=TRAINING)

        def loss(moving):
            params, arrays = (moving, inputs) if trains_weights else (variables.params, (*moving, *masks))
            output, _ = row.layer.apply(Variables(params, variables.state), *arrays, context=TRAINING)
            return jnp.sum(jnp.square(first(output) - first(target))) / len(first(target))

        def step(moving, _):
            value, slope = jax.value_and_grad(loss)(moving)
            return jax.tree.map(lambda p, g: p - 0.1 * g, moving, slope), value

        return jax.lax.scan(step, moving, length=11)[1]

    losses = np.asarray(descend(variables.params if trains_weights else inputs[: len(row.shapes)]))
    assert losses[10] < 0.995 * losses[0]


def names_and_shapes():
    found = {}
    for name, row in sorted(ROWS.items()):
        declared = trees.flatten(row.layer.weights(*specs(row)))
        found[name] = {path: [weight.kind, *weight.shape] for path, weight in sorted(declared.items())}
    return found


def test_names_and_shapes_of_weights_are_golden():
    golden = json.loads(GOLDEN.read_text())
    assert names_and_shapes() == golden, (
        "The weights of a layer changed their names or shapes: saved models no longer fit. If that is intended, "
        "rewrite the golden file: python tests/contracts/test_layers.py"
    )


if __name__ == "__main__":
    rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in names_and_shapes().items())
    GOLDEN.write_text("{\n" + rows + "\n}\n")
