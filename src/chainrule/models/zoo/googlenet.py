"""GoogLeNet, made of Inception modules."""

from __future__ import annotations

from chainrule.core import Input, Symbol
from chainrule.layers import Concatenate, Conv2D, Dense, Dropout, GlobalAveragePooling2D, MaxPooling2D
from chainrule.models.model import Model
from chainrule.models.zoo._parts import Shape

# Filters of the modules 3a to 5b, table 1 of the paper: 1×1, before 3×3, 3×3, before 5×5, 5×5, after pooling.
_MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def inception_module(x: Symbol, filters: tuple[int, int, int, int, int, int], name: str) -> Symbol:
    """The Inception module: windows of several sizes side by side, their channels joined.

    Four branches look at the same input: a 1 × 1 convolution; 3 × 3 and 5 × 5 convolutions, each behind a 1 × 1
    convolution that makes the channels, and so the products, fewer; and max-pooling with a 1 × 1 convolution.

    Args:
        x: images, ``[batch, height, width, channels]``.
        filters: of the 1 × 1 branch; before and of the 3 × 3; before and of the 5 × 5; behind the pooling.
        name: the layers' names begin with it.

    Returns:
        ``[batch, height, width, sum of the four branches' filters]``.

    References:
        Szegedy et al., "Going Deeper with Convolutions", 2014, https://arxiv.org/abs/1409.4842, figure 2(b).

    Example:
        >>> from chainrule.layers import Input
        >>> from chainrule.models import zoo
        >>> zoo.inception_module(Input((28, 28, 192)), (64, 96, 128, 16, 32, 32), "3a").shape
        (b, 28, 28, 256)
    """
    one, before_three, three, before_five, five, pooled = filters
    branches = [
        _conv(x, one, 1, f"{name}_1x1"),
        _conv(_conv(x, before_three, 1, f"{name}_3x3_reduce"), three, 3, f"{name}_3x3"),
        _conv(_conv(x, before_five, 1, f"{name}_5x5_reduce"), five, 5, f"{name}_5x5"),
        _conv(MaxPooling2D(3, 1, "same", name=f"{name}_pool")(x), pooled, 1, f"{name}_pool_proj"),
    ]
    joined: Symbol = Concatenate(name=name)(*branches)
    return joined


def googlenet(
    input_shape: Shape = (224, 224, 3),
    classes: int = 1000,
    *,
    width: float = 1.0,
    dropout: float = 0.4,
    name: str = "googlenet",
    seed: int = 0,
) -> Model:
    """GoogLeNet (Inception v1): nine Inception modules. 6,998,552 parameters with 1000 classes.

    As in the paper's table 1, with biases and without batch normalisation; without the two auxiliary classifiers, which
    serve training only, and without local response normalisation. torchvision's has batch normalisation, and 3 × 3
    where the paper has 5 × 5 (6,624,904 parameters).

    Args:
        input_shape: height, width and channels; halved five times.
        classes: number of outputs (logits).
        width: factor on all filters, for smaller networks.
        dropout: share of features dropped before the last layer, in training.
        name: name of the model.
        seed: initial weights and dropout hang on it.

    References:
        Szegedy et al., "Going Deeper with Convolutions", 2014, https://arxiv.org/abs/1409.4842, table 1.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.googlenet((64, 64, 3), 10, width=0.25)
        <Model 'googlenet': (b, 64, 64, 3) → (b, 10), 379,046 parameters>
    """

    def scaled(filters: int) -> int:
        return max(1, round(width * filters))

    inputs = Input(input_shape)
    x = _pool(_conv(inputs, scaled(64), 7, "conv1", strides=2), "pool1")
    x = _conv(x, scaled(64), 1, "conv2_reduce")
    x = _pool(_conv(x, scaled(192), 3, "conv2"), "pool2")
    for module, (one, before_three, three, before_five, five, pooled) in _MODULES.items():
        sizes = scaled(one), scaled(before_three), scaled(three), scaled(before_five), scaled(five), scaled(pooled)
        x = inception_module(x, sizes, f"inception_{module}")
        x = _pool(x, f"pool{module[0]}") if module in ("3b", "4e") else x
    x = GlobalAveragePooling2D(name="mean")(x)
    x = Dropout(dropout, name="dropout")(x)
    return Model(inputs, Dense(classes, name="logits")(x), name=name, seed=seed)


def _conv(x: Symbol, filters: int, window: int, name: str, *, strides: int = 1) -> Symbol:
    layer = Conv2D(filters, window, strides, "same", activation="relu", kernel_initializer="he_normal", name=name)
    y: Symbol = layer(x)
    return y


def _pool(x: Symbol, name: str) -> Symbol:
    y: Symbol = MaxPooling2D(3, 2, "same", name=name)(x)
    return y
