"""Write tests/golden/keras_*.npz: values and gradients of Keras's layers.

Run it where Keras 3 and JAX are installed (it does not need chainrule):

    KERAS_BACKEND=jax python scripts/golden_keras.py              # every family
    KERAS_BACKEND=jax python scripts/golden_keras.py recurrent    # one of them

To add a case, add it to the family's dict, and a layer of the same name to the table of
tests/layers/test_against_keras.py. Layers, arguments and weights bear Keras's names in chainrule, so that hardly
anything is translated. Keras computes in float64; the files hold float32.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_ENABLE_X64", "1")

import jax
import keras
import numpy as np
from golden_file import write_families
from keras import layers as k

keras.config.set_floatx("float64")  # before any layer is made


@dataclass(frozen=True)
class Case:
    """A Keras layer (``Any``: it has no types here) and what it is called on.

    Args:
        layer: the layer.
        shapes: shapes of its inputs, batch first.
        masks: none or one, by its name in chainrule.
        named: further arguments of Keras's call.
        training: whether it runs in training mode.
        mask_name: what Keras calls the mask.
    """

    layer: Any
    shapes: tuple[tuple[int, ...], ...]
    masks: dict[str, np.ndarray] = field(default_factory=dict)
    named: dict[str, Any] = field(default_factory=dict)
    training: bool | None = None
    mask_name: str = "mask"


# rows padded on the right, on the left, in the middle; the row without padding comes last
STEPS = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 1, 0], [1, 1, 1, 1, 1]], bool)
PAIRS = np.array([[[1, 0, 1], [1, 1, 1]], [[0, 1, 0], [1, 1, 0]]], bool)
MASKED = {"mask": STEPS}
TIME = ((4, 5, 3),)
ALL = {"return_sequences": True}

FAMILIES: dict[str, dict[str, Case]] = {
    "convolution": {
        "conv1d_causal": Case(k.Conv1D(4, 3, padding="causal", dilation_rate=2), ((2, 7, 3),)),
        "conv1d_same_even": Case(k.Conv1D(4, 4, strides=3, padding="same", activation="relu"), ((2, 11, 3),)),
        "conv1d_valid": Case(k.Conv1D(4, 2, strides=3, use_bias=False), ((2, 11, 3),)),
        "conv2d_same": Case(k.Conv2D(4, (3, 2), strides=(2, 1), padding="same"), ((2, 6, 5, 3),)),
        "conv2d_dilated_same": Case(k.Conv2D(3, 3, padding="same", dilation_rate=(2, 1)), ((2, 7, 5, 2),)),
        "conv2d_groups": Case(k.Conv2D(6, 3, groups=2, activation="tanh"), ((2, 5, 6, 4),)),
        "conv3d_same": Case(k.Conv3D(3, (2, 3, 1), strides=(2, 1, 2), padding="same"), ((1, 5, 4, 3, 2),)),
        "depthwise_conv1d": Case(k.DepthwiseConv1D(3, strides=2, padding="same", depth_multiplier=2), ((2, 8, 3),)),
        "depthwise_conv2d": Case(k.DepthwiseConv2D((3, 2), strides=2, padding="same"), ((2, 6, 7, 3),)),
        "depthwise_conv2d_dilated": Case(
            k.DepthwiseConv2D(3, depth_multiplier=2, dilation_rate=(1, 2)), ((2, 5, 7, 3),)
        ),
        "separable_conv1d": Case(k.SeparableConv1D(4, 3, padding="same", depth_multiplier=2), ((2, 7, 3),)),
        "separable_conv2d": Case(k.SeparableConv2D(5, 3, strides=2, padding="same"), ((2, 6, 5, 3),)),
        "conv1d_transpose": Case(k.Conv1DTranspose(4, 2, strides=3), ((2, 5, 3),)),
        "conv1d_transpose_same": Case(k.Conv1DTranspose(4, 4, strides=3, padding="same"), ((2, 5, 3),)),
        "conv2d_transpose": Case(k.Conv2DTranspose(3, (3, 4), strides=(2, 3)), ((2, 3, 4, 2),)),
        "conv2d_transpose_same": Case(k.Conv2DTranspose(3, 3, strides=2, padding="same"), ((2, 3, 4, 2),)),
        "conv2d_transpose_larger": Case(
            k.Conv2DTranspose(3, 3, strides=2, padding="valid", output_padding=1), ((2, 3, 4, 2),)
        ),
        "conv2d_transpose_same_larger": Case(
            k.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1), ((2, 3, 4, 2),)
        ),
        "conv3d_transpose": Case(k.Conv3DTranspose(2, 2, strides=(2, 1, 2), padding="same"), ((1, 2, 3, 2, 3),)),
    },
    "pooling": {
        "max_pooling1d_same": Case(k.MaxPooling1D(3, strides=2, padding="same"), ((2, 8, 3),)),
        "max_pooling2d_same": Case(k.MaxPooling2D((2, 3), strides=(1, 2), padding="same"), ((2, 5, 6, 3),)),
        "average_pooling1d_same": Case(k.AveragePooling1D(3, strides=2, padding="same"), ((2, 8, 3),)),
        "average_pooling2d_same": Case(k.AveragePooling2D((2, 3), strides=2, padding="same"), ((2, 5, 6, 3),)),
        "average_pooling3d": Case(k.AveragePooling3D((1, 2, 2)), ((1, 3, 5, 4, 2),)),
        "global_average_pooling1d": Case(k.GlobalAveragePooling1D(), TIME, MASKED),
        "global_max_pooling2d": Case(k.GlobalMaxPooling2D(keepdims=True), ((2, 3, 4, 5),)),
    },
    "recurrent": {
        "simple_rnn": Case(k.SimpleRNN(4, **ALL), TIME, MASKED),
        "simple_rnn_relu": Case(k.SimpleRNN(4, activation="relu", use_bias=False), TIME),
        "lstm": Case(k.LSTM(4, **ALL), TIME, MASKED),
        "lstm_backwards": Case(k.LSTM(4, go_backwards=True, **ALL), TIME, MASKED),
        "lstm_hard_sigmoid": Case(k.LSTM(4, activation="relu", recurrent_activation="hard_sigmoid"), TIME),
        "gru_reset_after": Case(k.GRU(4, **ALL), TIME, MASKED),
        "gru_reset_before": Case(k.GRU(4, reset_after=False, **ALL), TIME, MASKED),
        "gru_backwards": Case(k.GRU(4, go_backwards=True), TIME, MASKED),
        "bidirectional_lstm": Case(k.Bidirectional(k.LSTM(2, **ALL)), TIME, MASKED),
        "bidirectional_gru_sum": Case(k.Bidirectional(k.GRU(2, reset_after=False), merge_mode="sum"), TIME),
        "bidirectional_rnn_mul": Case(k.Bidirectional(k.SimpleRNN(2, **ALL), merge_mode="mul"), TIME, MASKED),
        "conv_lstm1d": Case(k.ConvLSTM1D(3, 3, padding="same", **ALL), ((2, 3, 5, 2),)),
        "conv_lstm2d": Case(k.ConvLSTM2D(2, (2, 3), strides=(2, 1)), ((2, 3, 5, 4, 2),)),
        "time_distributed": Case(k.TimeDistributed(k.Dense(4, "tanh")), TIME),
    },
    "attention": {
        "multi_head": Case(k.MultiHeadAttention(3, 2), ((2, 4, 6), (2, 5, 6))),
        "multi_head_causal": Case(k.MultiHeadAttention(2, 3), ((2, 4, 5), (2, 4, 5)), named={"use_causal_mask": True}),
        # another value_dim than key_dim fails in Keras's attention on JAX
        "multi_head_sizes": Case(
            k.MultiHeadAttention(2, 3, output_shape=7, use_bias=False), ((2, 2, 5), (2, 3, 4), (2, 3, 6))
        ),
        "multi_head_mask": Case(k.MultiHeadAttention(2, 3), ((4, 2, 3), (4, 5, 6)), MASKED, mask_name="value_mask"),
        "multi_head_pairs": Case(
            k.MultiHeadAttention(2, 3), ((2, 2, 5), (2, 3, 4)), {"attention_mask": PAIRS}, mask_name="attention_mask"
        ),
        "attention": Case(k.Attention(use_scale=True), ((2, 3, 4), (2, 5, 6), (2, 5, 4))),
        "attention_causal": Case(k.Attention(), ((2, 4, 5), (2, 4, 5)), named={"use_causal_mask": True}),
        "additive": Case(k.AdditiveAttention(), ((2, 3, 4), (2, 5, 4))),
    },
    "normalization": {
        "batch": Case(k.BatchNormalization(), ((5, 3, 4),)),
        "batch_training": Case(k.BatchNormalization(momentum=0.9, epsilon=1e-2), ((5, 3, 4),), training=True),
        "layer": Case(k.LayerNormalization(), ((3, 5, 4),)),
        "group": Case(k.GroupNormalization(3), ((2, 5, 6),)),
    },
}


def named_as_here(layer: Any, variable: Any) -> str:
    """The path of a Keras variable as chainrule has it."""
    *rest, name = variable.path.split("/")
    if isinstance(layer, k.Bidirectional):
        return f"{'forward' if 'forward' in variable.path else 'backward'}_layer/{name}"
    if isinstance(layer, k.MultiHeadAttention):
        return f"{rest[-1]}/{name}"
    return name


def drawn(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Numbers of float32 held in float64, so that the file holds exactly what was used."""
    return jax.numpy.asarray(generator.standard_normal(shape).astype(np.float32).astype(np.float64))


def run(family: str, name: str, number: int) -> dict[str, np.ndarray]:
    """Inputs, weights, state, the output ``y`` and the gradients of ``Σ upstream · y``, by name."""
    case, generator = FAMILIES[family][name], np.random.default_rng(number)
    inputs = [drawn(generator, shape) for shape in case.shapes]
    named = case.named | {case.mask_name: mask for _, mask in case.masks.items()}  # noqa: B035 - there is one or none
    if case.training is not None:
        named["training"] = case.training
    # one list of inputs for the layers that Keras calls so
    given = (lambda x: [x]) if isinstance(case.layer, k.Attention) else list
    case.layer(*given(inputs), **named)
    trained = [drawn(generator, tuple(variable.shape)) for variable in case.layer.trainable_variables]
    # what is no moving average is the state of a random generator
    held = [(variable, "moving" in variable.path) for variable in case.layer.non_trainable_variables]
    state = [abs(drawn(generator, tuple(v.shape))) if moves else v.value for v, moves in held]

    def output(inputs: list[Any], trained: list[Any]) -> tuple[Any, Any]:
        y, after = case.layer.stateless_call(trained, state, *given(inputs), **named)
        return y.astype("float64"), after  # some activations of Keras give float32

    y, back, after = jax.vjp(output, inputs, trained, has_aux=True)
    upstream = drawn(generator, y.shape)
    by_input, by_weight = back(upstream)
    paths = [f"params/{named_as_here(case.layer, variable)}" for variable in case.layer.trainable_variables]
    found = {f"inputs/{i}": array for i, array in enumerate(inputs)} | dict(zip(paths, trained, strict=True))
    gradients = dict(zip(found, [*by_input, *by_weight], strict=True))
    found |= {f"gradient/{path}": array for path, array in gradients.items()} | {"upstream": upstream, "y": y}
    for (variable, moves), before, now in zip(held, state, after, strict=True):
        if moves:
            path = named_as_here(case.layer, variable)
            found |= {f"state/{path}": before, f"state_after/{path}": now}
    found |= {f"masks/{mask_name}": mask for mask_name, mask in case.masks.items()}
    return {path: np.asarray(array) for path, array in found.items()}


if __name__ == "__main__":
    sys.exit(write_families("keras", keras.__version__, FAMILIES, run))
