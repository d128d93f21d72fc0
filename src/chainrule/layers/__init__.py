"""Layers: frozen configurations that declare their weights and do pure mathematics.

Example:
    >>> from chainrule.layers import Dense, Input
    >>> Dense(2)(Dense(32, activation="relu")(Input(13))).shape
    (b, 2)
"""

from chainrule.core import Input
from chainrule.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
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
from chainrule.layers.reshaping import Flatten, Permute, RepeatVector, Reshape
from chainrule.layers.scaling import Lambda, Normalization, Rescaling

__all__ = [
    "ELU",
    "Activation",
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "Concatenate",
    "Dense",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNormalization",
    "Input",
    "Lambda",
    "LayerNormalization",
    "LeakyReLU",
    "Maximum",
    "Maxout",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "Subtract",
    "UnitNormalization",
]
