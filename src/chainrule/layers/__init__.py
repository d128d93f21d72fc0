"""Layers: frozen configurations that declare their weights and do pure mathematics.

Example:
    >>> from chainrule.layers import Dense, Input
    >>> Dense(2)(Dense(32, activation="relu")(Input(13))).shape
    (b, 2)
"""

from chainrule.core import Input
from chainrule.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from chainrule.layers.apply_mask import ApplyMask
from chainrule.layers.attention import AdditiveAttention, Attention, MultiHeadAttention
from chainrule.layers.augmentation import RandomCrop, RandomFlip, RandomRotation, RandomTranslation, RandomZoom
from chainrule.layers.augmentation_pixels import RandomBrightness, RandomContrast, RandomErasing
from chainrule.layers.bidirectional import Bidirectional
from chainrule.layers.branching import RandomBranch
from chainrule.layers.convolution import Conv1D, Conv2D, Conv3D
from chainrule.layers.convolution_depthwise import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from chainrule.layers.convolution_transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from chainrule.layers.dense import Dense
from chainrule.layers.dropout import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
)
from chainrule.layers.embedding import Embedding
from chainrule.layers.masking import PaddingMask, SequenceMask
from chainrule.layers.maxout import Maxout
from chainrule.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from chainrule.layers.normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from chainrule.layers.padding import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    Resizing,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from chainrule.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from chainrule.layers.pooling_global import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from chainrule.layers.position import PositionEmbedding, SinusoidalPositionalEncoding
from chainrule.layers.recurrent import GRU, LSTM, SimpleRNN
from chainrule.layers.recurrent_base import RNN
from chainrule.layers.recurrent_cell import Cell, StackedRNNCells
from chainrule.layers.recurrent_cells import GRUCell, LSTMCell, SimpleRNNCell
from chainrule.layers.recurrent_conv import ConvLSTM1D, ConvLSTM2D
from chainrule.layers.reshaping import Flatten, Permute, RepeatVector, Reshape
from chainrule.layers.scaling import Lambda, Normalization, Rescaling
from chainrule.layers.time_distributed import TimeDistributed
from chainrule.layers.weighted_bag import WeightedBag

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "ApplyMask",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "Cell",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "Input",
    "LSTMCell",
    "Lambda",
    "LayerNormalization",
    "LeakyReLU",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Maxout",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "PaddingMask",
    "Permute",
    "PositionEmbedding",
    "RMSNormalization",
    "RandomBranch",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv1D",
    "SeparableConv2D",
    "SequenceMask",
    "SimpleRNN",
    "SimpleRNNCell",
    "SinusoidalPositionalEncoding",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "StackedRNNCells",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "WeightedBag",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]
