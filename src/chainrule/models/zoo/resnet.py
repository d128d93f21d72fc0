"""Residual networks for large images: ResNet-18 and ResNet-50."""

from __future__ import annotations

from typing import Any, Literal

from chainrule.core import Input, Symbol
from chainrule.layers import Add, Dense, GlobalAveragePooling2D, MaxPooling2D, ReLU
from chainrule.models.model import Model
from chainrule.models.zoo._parts import Shape, conv_norm, conv_norm_relu


def basic_block(x: Symbol, filters: int, *, strides: int, name: str) -> Symbol:
    """Two 3 × 3 convolutions with a skip connection around them, ``relu(x + F(x))``; for ResNet-18.

    Where size or channels change, the skip goes through a 1 × 1 convolution (option B of the paper).

    References:
        He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, https://arxiv.org/abs/1512.03385,
        figure 5, left.

    Example:
        >>> from chainrule.layers import Input
        >>> from chainrule.models import zoo
        >>> zoo.basic_block(Input((8, 8, 16)), 32, strides=2, name="block").shape
        (b, 4, 4, 32)
    """
    y = conv_norm_relu(x, filters, 3, strides=strides, padding=1, name=f"{name}_1")
    y = conv_norm(y, filters, 3, padding=1, name=f"{name}_2")
    return _joined(x, y, filters, strides, name)


def bottleneck_block(x: Symbol, filters: int, *, strides: int, name: str) -> Symbol:
    """1 × 1, 3 × 3 and 1 × 1 convolutions with a skip connection around them; for ResNet-50.

    The first makes the channels fewer, the last gives ``4 · filters``. The stride is in the 3 × 3 convolution, as in
    PyTorch (the paper has it in the first 1 × 1, which then skips three quarters of its input).

    References:
        He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, https://arxiv.org/abs/1512.03385,
        figure 5, right.

    Example:
        >>> from chainrule.layers import Input
        >>> from chainrule.models import zoo
        >>> zoo.bottleneck_block(Input((8, 8, 16)), 8, strides=2, name="block").shape
        (b, 4, 4, 32)
    """
    y = conv_norm_relu(x, filters, 1, name=f"{name}_1")
    y = conv_norm_relu(y, filters, 3, strides=strides, padding=1, name=f"{name}_2")
    y = conv_norm(y, 4 * filters, 1, name=f"{name}_3")
    return _joined(x, y, 4 * filters, strides, name)


def resnet18(input_shape: Shape = (224, 224, 3), classes: int = 1000, **options: Any) -> Model:  # Any: as resnet's
    """ResNet-18. 11,689,512 parameters with 1000 classes. See :func:`resnet` for the options.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.resnet18((64, 64, 3), 10, filters=8)
        <Model 'resnet18': (b, 64, 64, 3) → (b, 10), 177,362 parameters>
    """
    return resnet((2, 2, 2, 2), "basic", input_shape, classes, **{"name": "resnet18", **options})


def resnet50(input_shape: Shape = (224, 224, 3), classes: int = 1000, **options: Any) -> Model:  # Any: as resnet's
    """ResNet-50. 25,557,032 parameters with 1000 classes, as in PyTorch. See :func:`resnet` for the options.

    Keras's has 25,636,712: biases in its convolutions and the running statistics are counted.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.resnet50((64, 64, 3), 10, filters=8)
        <Model 'resnet50': (b, 64, 64, 3) → (b, 10), 376,722 parameters>
    """
    return resnet((3, 4, 6, 3), "bottleneck", input_shape, classes, **{"name": "resnet50", **options})


def resnet(
    blocks: tuple[int, ...],
    kind: Literal["basic", "bottleneck"],
    input_shape: Shape = (224, 224, 3),
    classes: int = 1000,
    *,
    filters: int = 64,
    name: str = "resnet",
    seed: int = 0,
) -> Model:
    """A 7 × 7 convolution, pooling, stages of residual blocks, mean over the pixels, one dense layer.

    Args:
        blocks: how many blocks each stage has; each stage but the first halves height and width.
        kind: of the blocks.
        input_shape: height, width and channels; ``None`` for sizes that may vary.
        classes: number of outputs (logits).
        filters: of the first stage's blocks; doubled from stage to stage.
        name: name of the model.
        seed: initial weights hang on it.

    References:
        He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, https://arxiv.org/abs/1512.03385,
        table 1.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.resnet((1, 1), "basic", (32, 32, 3), 10, filters=4)
        <Model 'resnet': (b, 32, 32, 3) → (b, 10), 1,934 parameters>
    """
    make = basic_block if kind == "basic" else bottleneck_block
    inputs = Input(input_shape)
    x: Symbol = conv_norm_relu(inputs, filters, 7, strides=2, padding=3, name="stem")
    x = MaxPooling2D(3, 2, 1, name="stem_pool")(x)
    for stage, count in enumerate(blocks, 1):
        for number in range(1, count + 1):
            strides = 2 if number == 1 and stage > 1 else 1
            x = make(x, filters * 2 ** (stage - 1), strides=strides, name=f"stage{stage}_block{number}")
    x = GlobalAveragePooling2D(name="mean")(x)
    return Model(inputs, Dense(classes, name="logits")(x), name=name, seed=seed)


def _joined(x: Symbol, y: Symbol, channels: int, strides: int, name: str) -> Symbol:
    """``relu(x + y)``, where x is projected if its shape differs."""
    if strides > 1 or x.shape[-1] != channels:
        x = conv_norm(x, channels, 1, strides=strides, padding="valid", name=f"{name}_skip")
    joined: Symbol = ReLU(name=f"{name}_relu")(Add(name=f"{name}_add")(x, y))
    return joined
