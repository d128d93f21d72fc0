"""ResNet-20 for images of 32 × 32."""

from __future__ import annotations

from typing import Literal

from chainrule.core import Input, Symbol
from chainrule.layers import Add, Concatenate, Dense, GlobalAveragePooling2D, MaxPooling2D, ReLU, Rescaling
from chainrule.models.model import Model
from chainrule.models.zoo._parts import Shape, conv_norm, conv_norm_relu


def resnet20(
    input_shape: Shape = (32, 32, 3),
    classes: int = 10,
    *,
    filters: int = 16,
    blocks: int = 3,
    shortcut: Literal["identity", "projection"] = "identity",
    name: str = "resnet20",
    seed: int = 0,
) -> Model:
    """ResNet-20 for CIFAR-10: three stages of three residual blocks. 269,722 parameters.

    Args:
        input_shape: height, width and channels.
        classes: number of outputs (logits).
        filters: of the first stage; doubled twice.
        blocks: residual blocks of each stage; ``6 · blocks + 2`` layers, so 5 gives ResNet-32 and 9 ResNet-56.
        shortcut: what a skip connection does where size and channels change: ``"identity"`` takes every second pixel
            and adds channels of zeros (option A, as in the paper's CIFAR-10 networks), ``"projection"`` learns a
            1 × 1 convolution (option B; 272,474 parameters).
        name: name of the model.
        seed: initial weights hang on it.

    References:
        He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, https://arxiv.org/abs/1512.03385,
        section 4.2.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.resnet20()
        <Model 'resnet20': (b, 32, 32, 3) → (b, 10), 269,722 parameters>
    """
    inputs = Input(input_shape)
    x = conv_norm_relu(inputs, filters, 3, padding=1, name="stem")
    for stage in range(3):
        for number in range(blocks):
            strides = 2 if number == 0 and stage > 0 else 1
            title = f"stage{stage + 1}_block{number + 1}"
            y = conv_norm_relu(x, filters * 2**stage, 3, strides=strides, padding=1, name=f"{title}_1")
            y = conv_norm(y, filters * 2**stage, 3, padding=1, name=f"{title}_2")
            if strides == 2 and shortcut == "projection":
                x = conv_norm(x, filters * 2**stage, 1, strides=2, padding="valid", name=f"{title}_skip")
            elif strides == 2:
                x = _halved(x, f"{title}_skip")
            x = ReLU(name=f"{title}_relu")(Add(name=f"{title}_add")(x, y))
    x = GlobalAveragePooling2D(name="mean")(x)
    return Model(inputs, Dense(classes, name="logits")(x), name=name, seed=seed)


def _halved(x: Symbol, name: str) -> Symbol:
    """Every second pixel, and as many channels of zeros as there are channels."""
    x = MaxPooling2D(1, 2, name=f"{name}_pick")(x)
    joined: Symbol = Concatenate(name=name)(x, Rescaling(0.0, name=f"{name}_zeros")(x))
    return joined
