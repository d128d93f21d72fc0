"""U-Net: a class for every pixel, with skips from the way down to the way up."""

from __future__ import annotations

from chainrule.core import Input, Symbol
from chainrule.layers import Concatenate, Conv2D, Conv2DTranspose, MaxPooling2D
from chainrule.models.model import Model
from chainrule.models.zoo._parts import Shape, check_multiples


def unet(
    input_shape: Shape = (256, 256, 1),
    classes: int = 2,
    *,
    filters: int = 64,
    levels: int = 4,
    name: str = "unet",
    seed: int = 0,
) -> Model:
    """U-Net for segmentation: logits ``[batch, height, width, classes]``. 31,030,658 parameters.

    On the way down each level has two 3 × 3 convolutions and halves the image; on the way up a transposed convolution
    doubles it, and what the same level had on the way down is put beside it, so that places stay sharp. Convolutions
    are padded, so the output is as large as the input (the paper's are not: 572 × 572 give 388 × 388).

    Args:
        input_shape: height and width, multiples of ``2 ** levels``, and channels.
        classes: number of logits of each pixel.
        filters: of the first level; doubled from level to level.
        levels: how often the image is halved.
        name: name of the model.
        seed: initial weights hang on it.

    Raises:
        ShapeError: height or width is ``None`` or no multiple of ``2 ** levels``.

    References:
        Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015,
        https://arxiv.org/abs/1505.04597, figure 1.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.unet((32, 32, 3), 4, filters=8, levels=2)
        <Model 'unet': (b, 32, 32, 3) → (b, 32, 32, 4), 29,492 parameters>
    """
    inputs = x = Input(input_shape)
    check_multiples("unet", input_shape, 2**levels)
    skips: list[Symbol] = []
    for level in range(levels):
        x = _twice(x, filters * 2**level, f"down{level + 1}")
        skips.append(x)
        x = MaxPooling2D(name=f"down{level + 1}_pool")(x)
    x = _twice(x, filters * 2**levels, "bottom")
    for level in reversed(range(levels)):
        x = Conv2DTranspose(filters * 2**level, 2, 2, name=f"up{level + 1}_transpose")(x)
        x = Concatenate(name=f"up{level + 1}_skip")(skips.pop(), x)
        x = _twice(x, filters * 2**level, f"up{level + 1}")
    return Model(inputs, Conv2D(classes, 1, name="logits")(x), name=name, seed=seed)


def _twice(x: Symbol, filters: int, name: str) -> Symbol:
    for number in (1, 2):
        layer = Conv2D(
            filters, 3, padding="same", activation="relu", kernel_initializer="he_normal", name=f"{name}_conv{number}"
        )
        x = layer(x)
    return x
