"""VGG: depth from 3 × 3 convolutions alone."""

from __future__ import annotations

from typing import Any

from chainrule.core import Input
from chainrule.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from chainrule.models.model import Model
from chainrule.models.zoo._parts import Shape


def vgg11(input_shape: Shape = (224, 224, 3), classes: int = 1000, **options: Any) -> Model:  # Any: as vgg takes them
    """VGG-11, configuration A: 8 convolutions and 3 dense layers. 132,863,336 parameters for 224 × 224, 1000 classes.

    See :func:`vgg` for all options and the reference.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.vgg11((32, 32, 3), 10, filters=8, dense_units=32)
        <Model 'vgg11': (b, 32, 32, 3) → (b, 10), 148,026 parameters>
    """
    return vgg((1, 1, 2, 2, 2), input_shape, classes, **{"name": "vgg11", **options})


def vgg16(input_shape: Shape = (224, 224, 3), classes: int = 1000, **options: Any) -> Model:  # Any: as vgg takes them
    """VGG-16, configuration D: 13 convolutions and 3 dense layers. 138,357,544 parameters for 224 × 224, 1000 classes.

    See :func:`vgg` for all options and the reference.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.vgg16((32, 32, 3), 10, filters=8, dense_units=32)
        <Model 'vgg16': (b, 32, 32, 3) → (b, 10), 234,034 parameters>
    """
    return vgg((2, 2, 3, 3, 3), input_shape, classes, **{"name": "vgg16", **options})


def vgg(
    convolutions: tuple[int, ...],
    input_shape: Shape = (224, 224, 3),
    classes: int = 1000,
    *,
    filters: int = 64,
    dense_units: int = 4096,
    dropout: float = 0.5,
    name: str = "vgg",
    seed: int = 0,
) -> Model:
    """Stages of 3 × 3 convolutions with max-pooling between them, then three dense layers.

    Args:
        convolutions: how many convolutions each stage has.
        input_shape: height, width and channels; each stage halves height and width.
        classes: number of outputs (logits).
        filters: of the first stage; each later one has twice as many, at most eight times.
        dense_units: of the two dense layers before the last.
        dropout: share dropped after each of these two, in training.
        name: name of the model.
        seed: initial weights and dropout hang on it.

    References:
        Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014,
        https://arxiv.org/abs/1409.1556, table 1.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.vgg((1, 2), (8, 8, 3), 10, filters=4, dense_units=16)
        <Model 'vgg': (b, 8, 8, 3) → (b, 10), 1,962 parameters>
    """
    inputs = x = Input(input_shape)
    for stage, count in enumerate(convolutions, 1):
        width = filters * min(8, 2 ** (stage - 1))
        for number in range(1, count + 1):
            conv = Conv2D(
                width,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"stage{stage}_conv{number}",
            )
            x = conv(x)
        x = MaxPooling2D(name=f"stage{stage}_pool")(x)
    x = Flatten(name="flatten")(x)
    for number in (1, 2):
        x = Dense(dense_units, "relu", kernel_initializer="he_normal", name=f"dense{number}")(x)
        x = Dropout(dropout, name=f"dropout{number}")(x)
    return Model(inputs, Dense(classes, name="logits")(x), name=name, seed=seed)
