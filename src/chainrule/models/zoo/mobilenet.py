"""MobileNet v1: depthwise separable convolutions."""

from __future__ import annotations

from chainrule.core import Input, Symbol
from chainrule.layers import Dense, DepthwiseConv2D, Dropout, GlobalAveragePooling2D
from chainrule.models.model import Model
from chainrule.models.zoo._parts import Shape, conv_norm_relu, norm

# Filters and stride of the 13 separable blocks, table 1 of the paper.
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *(((512, 1),) * 5), (1024, 2), (1024, 1))


def mobilenet_v1(
    input_shape: Shape = (224, 224, 3),
    classes: int = 1000,
    *,
    width: float = 1.0,
    dropout: float = 1e-3,
    name: str = "mobilenet_v1",
    seed: int = 0,
) -> Model:
    """MobileNet v1: a convolution and 13 depthwise separable ones. 4,231,976 parameters with 1000 classes.

    A block filters each channel by a 3 × 3 window of its own and mixes them by a 1 × 1 convolution: 8 to 9 times fewer
    products than a full 3 × 3 convolution. Keras shows 4,253,864 because it adds the 21,888 running statistics; it also
    cuts ReLU at 6, for arithmetic of few bits, and pads strided windows at their end only.

    Args:
        input_shape: height, width and channels; halved five times.
        classes: number of outputs (logits).
        width: factor on all filters (the paper's α).
        dropout: share of features dropped before the last layer, in training.
        name: name of the model.
        seed: initial weights and dropout hang on it.

    References:
        Howard et al., "MobileNets", 2017, https://arxiv.org/abs/1704.04861, table 1.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.mobilenet_v1((64, 64, 3), 10, width=0.25)
        <Model 'mobilenet_v1': (b, 64, 64, 3) → (b, 10), 215,642 parameters>
    """
    inputs = Input(input_shape)
    x = conv_norm_relu(inputs, int(32 * width), 3, strides=2, padding=1, name="stem")
    for number, (filters, strides) in enumerate(_BLOCKS, 1):
        x = _depthwise_norm_relu(x, strides, f"block{number}_depthwise")
        x = conv_norm_relu(x, int(filters * width), 1, name=f"block{number}_pointwise")
    x = GlobalAveragePooling2D(name="mean")(x)
    x = Dropout(dropout, name="dropout")(x)
    return Model(inputs, Dense(classes, name="logits")(x), name=name, seed=seed)


def _depthwise_norm_relu(x: Symbol, strides: int, name: str) -> Symbol:
    conv = DepthwiseConv2D(
        3, strides, padding=1, use_bias=False, depthwise_initializer="he_normal", name=f"{name}_conv"
    )
    return norm(conv(x), name, activation="relu")
