"""AlexNet for small images."""

from __future__ import annotations

from chainrule.core import Input
from chainrule.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from chainrule.models.model import Model
from chainrule.models.zoo._parts import Shape


def alexnet_small(
    input_shape: Shape = (32, 32, 3),
    classes: int = 10,
    *,
    filters: int = 64,
    dropout: float = 0.5,
    name: str = "alexnet_small",
    seed: int = 0,
) -> Model:
    """AlexNet's five convolutions with one dense layer, for images of 32 × 32. 2,472,266 parameters.

    The original takes 224 × 224 and has 62 million parameters, most of them in its two large dense layers; this is
    its usual variant for CIFAR-10: the filters of "One weird trick" (64, 192, 384, 256, 256), 2 × 2 pooling, no local
    response normalisation.

    Args:
        input_shape: height, width and channels; at least 29 × 29.
        classes: number of outputs (logits).
        filters: of the first convolution; the others have 3, 6, 4 and 4 times as many.
        dropout: share of features dropped before the dense layer, in training.
        name: name of the model.
        seed: initial weights and dropout hang on it.

    References:
        Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
        Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014,
        https://arxiv.org/abs/1404.5997.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.alexnet_small()
        <Model 'alexnet_small': (b, 32, 32, 3) → (b, 10), 2,472,266 parameters>
    """
    inputs = Input(input_shape)
    x = Conv2D(filters, 11, 4, 5, activation="relu", kernel_initializer="he_normal", name="conv1")(inputs)
    x = MaxPooling2D(name="pool1")(x)
    x = Conv2D(3 * filters, 5, padding="same", activation="relu", kernel_initializer="he_normal", name="conv2")(x)
    x = MaxPooling2D(name="pool2")(x)
    for number, times in ((3, 6), (4, 4), (5, 4)):
        layer = Conv2D(
            times * filters, 3, padding="same", activation="relu", kernel_initializer="he_normal", name=f"conv{number}"
        )
        x = layer(x)
    x = Flatten(name="flatten")(MaxPooling2D(name="pool5")(x))
    x = Dropout(dropout, name="dropout")(x)
    return Model(inputs, Dense(classes, name="logits")(x), name=name, seed=seed)
