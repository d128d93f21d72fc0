"""Layers give PyTorch's values and gradients, which scripts/golden_torch.py wrote to tests/golden/torch_*.npz."""

import pytest
from golden_cases import agree, golden

from chainrule import layers

# The names are those of the cases in the script; the options say the same as PyTorch's there.
CONVOLUTION = {
    "conv1d_stride": layers.Conv1D(5, 4, 3),
    "conv1d_dilation": layers.Conv1D(4, 3, padding=2, dilation_rate=2),
    "conv2d_relu": layers.Conv2D(4, (3, 2), padding=(1, 0), activation="relu"),
    "conv2d_groups": layers.Conv2D(6, 3, (2, 1), 1, groups=2),
    "conv2d_reflect": layers.Conv2D(3, 3, padding="reflect"),
    "conv2d_stride_above_kernel": layers.Conv2D(3, (2, 1), (5, 3)),
    "conv3d": layers.Conv3D(3, (2, 3, 2), (1, 2, 1), (0, 1, 1)),
    "conv1d_transpose": layers.Conv1DTranspose(2, 4, 3, 1, output_padding=2),
    "conv2d_transpose": layers.Conv2DTranspose(5, (3, 2), (2, 3), (1, 0)),
    "conv2d_transpose_dilation": layers.Conv2DTranspose(3, (2, 3), dilation_rate=2),
    "conv3d_transpose": layers.Conv3DTranspose(3, (2, 2, 3), 2),
    "depthwise_conv2d": layers.DepthwiseConv2D((3, 2), 2, depth_multiplier=2),
    "separable_conv2d": layers.SeparableConv2D(5, 3, padding="same"),
}
POOLING = {
    "max_pooling1d": layers.MaxPooling1D(3, 2, 1),
    "max_pooling2d": layers.MaxPooling2D((2, 3), (3, 1), (1, 0)),
    "max_pooling3d": layers.MaxPooling3D(2),
    "average_pooling1d": layers.AveragePooling1D(3, 2, 1),
    "average_pooling2d_counted": layers.AveragePooling2D(3, 2, 1, count_padding=True),
    "average_pooling3d": layers.AveragePooling3D((2, 1, 3)),
    "adaptive_average_pooling2d": layers.AdaptiveAveragePooling2D((3, 2)),
    "adaptive_max_pooling2d": layers.AdaptiveMaxPooling2D((2, 4)),
    "adaptive_average_pooling1d": layers.AdaptiveAveragePooling1D(3),
    "up_sampling2d": layers.UpSampling2D(),
    "up_sampling2d_bilinear": layers.UpSampling2D((2, 3), interpolation="bilinear"),
    "resizing": layers.Resizing(3, 8),
}
RECURRENT = {
    "simple_rnn": layers.SimpleRNN(4, return_sequences=True),
    "lstm": layers.LSTM(4, return_sequences=True),
    "gru": layers.GRU(4, return_sequences=True),
    "multi_head_attention": layers.MultiHeadAttention(3, 2),
    "bidirectional": layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
}
FAMILIES = {"convolution": CONVOLUTION, "pooling": POOLING, "recurrent": RECURRENT}
CASES = [(family, name) for family, table in FAMILIES.items() for name in table]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_case_of_the_file_has_its_layer(family):
    assert set(golden("torch", family)) == set(FAMILIES[family])


@pytest.mark.parametrize(("family", "name"), CASES, ids=[name for _, name in CASES])
def test_values_and_gradients_are_those_of_torch(family, name):
    """C162 C167 C170 C171 C172 C182 C187."""
    agree(FAMILIES[family][name], golden("torch", family)[name])
