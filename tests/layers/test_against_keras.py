"""Layers give Keras's values and gradients, which scripts/golden_keras.py wrote to tests/golden/keras_*.npz."""

import pytest
from golden_cases import agree, golden

from chainrule import layers

ALL = {"return_sequences": True}

# The names are those of the cases in the script; classes, arguments and weights bear Keras's names.
CONVOLUTION = {
    "conv1d_causal": layers.Conv1D(4, 3, padding="causal", dilation_rate=2),
    "conv1d_same_even": layers.Conv1D(4, 4, strides=3, padding="same", activation="relu"),
    "conv1d_valid": layers.Conv1D(4, 2, strides=3, use_bias=False),
    "conv2d_same": layers.Conv2D(4, (3, 2), strides=(2, 1), padding="same"),
    "conv2d_dilated_same": layers.Conv2D(3, 3, padding="same", dilation_rate=(2, 1)),
    "conv2d_groups": layers.Conv2D(6, 3, groups=2, activation="tanh"),
    "conv3d_same": layers.Conv3D(3, (2, 3, 1), strides=(2, 1, 2), padding="same"),
    "depthwise_conv1d": layers.DepthwiseConv1D(3, strides=2, padding="same", depth_multiplier=2),
    "depthwise_conv2d": layers.DepthwiseConv2D((3, 2), strides=2, padding="same"),
    "depthwise_conv2d_dilated": layers.DepthwiseConv2D(3, depth_multiplier=2, dilation_rate=(1, 2)),
    "separable_conv1d": layers.SeparableConv1D(4, 3, padding="same", depth_multiplier=2),
    "separable_conv2d": layers.SeparableConv2D(5, 3, strides=2, padding="same"),
    "conv1d_transpose": layers.Conv1DTranspose(4, 2, strides=3),
    "conv1d_transpose_same": layers.Conv1DTranspose(4, 4, strides=3, padding="same"),
    "conv2d_transpose": layers.Conv2DTranspose(3, (3, 4), strides=(2, 3)),
    "conv2d_transpose_same": layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
    "conv2d_transpose_larger": layers.Conv2DTranspose(3, 3, strides=2, output_padding=1),
    "conv2d_transpose_same_larger": layers.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1),
    "conv3d_transpose": layers.Conv3DTranspose(2, 2, strides=(2, 1, 2), padding="same"),
}
POOLING = {
    "max_pooling1d_same": layers.MaxPooling1D(3, strides=2, padding="same"),
    "max_pooling2d_same": layers.MaxPooling2D((2, 3), strides=(1, 2), padding="same"),
    "average_pooling1d_same": layers.AveragePooling1D(3, strides=2, padding="same"),
    "average_pooling2d_same": layers.AveragePooling2D((2, 3), strides=2, padding="same"),
    "average_pooling3d": layers.AveragePooling3D((1, 2, 2)),
    "global_average_pooling1d": layers.GlobalAveragePooling1D(),
    "global_max_pooling2d": layers.GlobalMaxPooling2D(keepdims=True),
}
RECURRENT = {
    "simple_rnn": layers.SimpleRNN(4, **ALL),
    "simple_rnn_relu": layers.SimpleRNN(4, activation="relu", use_bias=False),
    "lstm": layers.LSTM(4, **ALL),
    "lstm_backwards": layers.LSTM(4, go_backwards=True, **ALL),
    "lstm_hard_sigmoid": layers.LSTM(4, activation="relu", recurrent_activation="hard_sigmoid"),
    "gru_reset_after": layers.GRU(4, **ALL),
    "gru_reset_before": layers.GRU(4, reset_after=False, **ALL),
    "gru_backwards": layers.GRU(4, go_backwards=True),
    "bidirectional_lstm": layers.Bidirectional(layers.LSTM(2, **ALL)),
    "bidirectional_gru_sum": layers.Bidirectional(layers.GRU(2, reset_after=False), merge_mode="sum"),
    "bidirectional_rnn_mul": layers.Bidirectional(layers.SimpleRNN(2, **ALL), merge_mode="mul"),
    "conv_lstm1d": layers.ConvLSTM1D(3, 3, padding="same", **ALL),
    "conv_lstm2d": layers.ConvLSTM2D(2, (2, 3), strides=(2, 1)),
    "time_distributed": layers.TimeDistributed(layers.Dense(4, "tanh")),
}
ATTENTION = {
    "multi_head": layers.MultiHeadAttention(3, 2),
    "multi_head_causal": layers.MultiHeadAttention(2, 3, use_causal_mask=True),
    "multi_head_sizes": layers.MultiHeadAttention(2, 3, output_shape=7, use_bias=False),
    "multi_head_mask": layers.MultiHeadAttention(2, 3),
    "multi_head_pairs": layers.MultiHeadAttention(2, 3),
    "attention": layers.Attention(use_scale=True),
    "attention_causal": layers.Attention(use_causal_mask=True),
    "additive": layers.AdditiveAttention(),
}
NORMALIZATION = {
    "batch": layers.BatchNormalization(),
    "batch_training": layers.BatchNormalization(momentum=0.9, epsilon=1e-2),
    "layer": layers.LayerNormalization(),
    "group": layers.GroupNormalization(3),
}
FAMILIES = {
    "convolution": CONVOLUTION,
    "pooling": POOLING,
    "recurrent": RECURRENT,
    "attention": ATTENTION,
    "normalization": NORMALIZATION,
}
CASES = [(family, name) for family, table in FAMILIES.items() for name in table]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_case_of_the_file_has_its_layer(family):
    assert set(golden("keras", family)) == set(FAMILIES[family])


@pytest.mark.parametrize(("family", "name"), CASES, ids=[name for _, name in CASES])
def test_values_and_gradients_are_those_of_keras(family, name):
    """C162 C167 C170 C171 C172 C182 C186 C187 C194."""
    case = golden("keras", family)[name]
    # Keras sets the masked steps of a Bidirectional's sequence to 0; those of every other layer it repeats, as we do
    zeroed = name.startswith("bidirectional") and "masks" in case
    agree(FAMILIES[family][name], case, training=name.endswith("_training"), zeroed=zeroed)
