"""FCN-8s: a classifier turned into a network that gives a class for every pixel."""

from __future__ import annotations

from chainrule.core import Input, Symbol
from chainrule.layers import Add, Conv2D, Conv2DTranspose, Dropout, MaxPooling2D
from chainrule.models.model import Model
from chainrule.models.zoo._parts import Shape, check_multiples

_CONVOLUTIONS = (2, 2, 3, 3, 3)  # VGG-16's stages


def fcn(
    input_shape: Shape = (224, 224, 3),
    classes: int = 21,
    *,
    filters: int = 64,
    head: int = 4096,
    dropout: float = 0.5,
    name: str = "fcn",
    seed: int = 0,
) -> Model:
    """FCN-8s on VGG-16, without any dense layer: logits ``[batch, height, width, classes]``.

    134,489,759 parameters with 21 classes (the paper: 134 million).

    The dense layers of VGG-16 become convolutions (7 × 7 and 1 × 1). Their scores, 32 times smaller than the image,
    are doubled by a transposed convolution and added to the scores of the fourth stage, again with those of the third,
    and enlarged eight times. All is padded "same", where the paper pads the image by 100 and crops.

    Args:
        input_shape: height and width, multiples of 32, and channels.
        classes: number of logits of each pixel.
        filters: of the first stage; doubled from stage to stage, at most eight times as many.
        head: filters of the two convolutions that were dense layers.
        dropout: share dropped after each of these two, in training.
        name: name of the model.
        seed: initial weights and dropout hang on it.

    Raises:
        ShapeError: height or width is ``None`` or no multiple of 32.

    References:
        Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", 2015,
        https://arxiv.org/abs/1411.4038, figure 3.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.fcn((64, 64, 3), 5, filters=4, head=16)
        <Model 'fcn': (b, 64, 64, 3) → (b, 64, 64, 5), 90,739 parameters>
    """
    inputs = x = Input(input_shape)
    check_multiples("fcn", input_shape, 2 ** len(_CONVOLUTIONS))
    stages: list[Symbol] = []
    for stage, count in enumerate(_CONVOLUTIONS, 1):
        for number in range(1, count + 1):
            x = _conv(x, filters * min(8, 2 ** (stage - 1)), 3, f"stage{stage}_conv{number}")
        x = MaxPooling2D(name=f"stage{stage}_pool")(x)
        stages.append(x)
    x = Dropout(dropout, name="dropout1")(_conv(x, head, 7, "head1"))
    x = Dropout(dropout, name="dropout2")(_conv(x, head, 1, "head2"))
    x = Conv2D(classes, 1, name="score5")(x)
    for stage in (4, 3):
        x = Conv2DTranspose(classes, 4, 2, "same", use_bias=False, name=f"double{stage}")(x)
        x = Add(name=f"add{stage}")(x, Conv2D(classes, 1, name=f"score{stage}")(stages[stage - 1]))
    logits = Conv2DTranspose(classes, 16, 8, "same", use_bias=False, name="logits")(x)
    return Model(inputs, logits, name=name, seed=seed)


def _conv(x: Symbol, filters: int, window: int, name: str) -> Symbol:
    layer = Conv2D(filters, window, padding="same", activation="relu", kernel_initializer="he_normal", name=name)
    y: Symbol = layer(x)
    return y
