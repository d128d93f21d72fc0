"""DenseNet: every layer sees the outputs of all before it."""

from __future__ import annotations

from chainrule.core import Input, Symbol
from chainrule.layers import AveragePooling2D, Concatenate, Conv2D, Dense, GlobalAveragePooling2D, MaxPooling2D
from chainrule.models.model import Model
from chainrule.models.zoo._parts import Shape, conv_norm_relu, norm


def dense_block(x: Symbol, layers: int, growth: int, name: str) -> Symbol:
    """Layers that each add ``growth`` channels to all that came before: ``x = [x, H(x)]``.

    H is normalisation, rectifier and a 1 × 1 convolution to ``4 · growth`` channels, then the same with a 3 × 3
    convolution to ``growth``.

    Args:
        x: images, ``[batch, height, width, channels]``.
        layers: how many.
        growth: channels that each adds (the paper's k).
        name: the layers' names begin with it.

    Returns:
        ``[batch, height, width, channels + layers · growth]``.

    References:
        Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks", 2016,
        https://arxiv.org/abs/1608.06993, figure 1 and section 3 (DenseNet-B).

    Example:
        >>> from chainrule.layers import Input
        >>> from chainrule.models import zoo
        >>> zoo.dense_block(Input((8, 8, 6)), 3, 4, "block").shape
        (b, 8, 8, 18)
    """
    for number in range(1, layers + 1):
        y = _norm_relu_conv(x, 4 * growth, 1, f"{name}_layer{number}_1")
        y = _norm_relu_conv(y, growth, 3, f"{name}_layer{number}_2")
        x = Concatenate(name=f"{name}_layer{number}")(x, y)
    return x


def densenet(
    input_shape: Shape = (224, 224, 3),
    classes: int = 1000,
    *,
    blocks: tuple[int, ...] = (6, 12, 24, 16),
    growth: int = 32,
    name: str = "densenet",
    seed: int = 0,
) -> Model:
    """DenseNet-BC; the defaults are DenseNet-121 with 7,978,856 parameters.

    Args:
        input_shape: height, width and channels; ``None`` for sizes that may vary.
        classes: number of outputs (logits).
        blocks: layers of each dense block; (6, 12, 32, 32) is DenseNet-169. Between two blocks a 1 × 1 convolution
            halves the channels and average pooling halves height and width.
        growth: channels that each layer adds.
        name: name of the model.
        seed: initial weights hang on it.

    References:
        Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks", 2016,
        https://arxiv.org/abs/1608.06993, table 1.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.densenet((64, 64, 3), 10, blocks=(2, 3), growth=8)
        <Model 'densenet': (b, 64, 64, 3) → (b, 10), 19,098 parameters>
    """
    inputs = Input(input_shape)
    x: Symbol = conv_norm_relu(inputs, 2 * growth, 7, strides=2, padding=3, name="stem")
    x = MaxPooling2D(3, 2, 1, name="stem_pool")(x)
    for number, layers in enumerate(blocks, 1):
        x = dense_block(x, layers, growth, f"block{number}")
        if number < len(blocks):
            x = _norm_relu_conv(x, x.shape[-1] // 2, 1, f"transition{number}")
            x = AveragePooling2D(name=f"transition{number}_pool")(x)
    x = norm(x, "last", activation="relu")
    x = GlobalAveragePooling2D(name="mean")(x)
    return Model(inputs, Dense(classes, name="logits")(x), name=name, seed=seed)


def _norm_relu_conv(x: Symbol, filters: int, window: int, name: str) -> Symbol:
    x = norm(x, name, activation="relu")
    layer = Conv2D(filters, window, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv")
    y: Symbol = layer(x)
    return y
