"""The default networks for images: bytes in, one logit per class out, augmentation inside."""

from __future__ import annotations

import math
from typing import Any

from chainrule.core import Layer, Symbol
from chainrule.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomRotation,
    RandomZoom,
    Rescaling,
)
from chainrule.models import Model
from chainrule.ops.warping import FillMode
from chainrule.optimizers import SGD, AdamW
from chainrule.optimizers.schedules import CosineDecay, Warmup
from chainrule.tasks.images.settings import ImageConfig

_LEAST_SIDE = 4  # pixels that pooling leaves
_LARGE_SIDE = 48  # from here on a residual network halves the image first, or its steps take four times as long
_HIDDEN = 128
_WARM = 0.1  # share of the steps on the way up


def build_network(config: ImageConfig, shape: tuple[int, int, int], num_classes: int, *, seed: int = 0) -> Model:
    """The network of ``config`` for images ``[height, width, channels]`` of bytes.

    Example:
        >>> model = build_network(ImageConfig(width=4), (28, 28, 1), 10)
        >>> model.graph.inputs[0].dtype, model.graph.outputs[0].shape
        (dtype('uint8'), (b, 10))
    """
    pixels = Input(shape, dtype="uint8", name="image")
    x: Symbol = pixels
    for layer in augmentation(config.augment, shape):
        x = layer(x)
    x = Rescaling(1 / 127.5, -1.0, name="rescaling")(x)
    x = _residual(config, x, shape) if config.network == "residual" else _plain(config, x, shape)
    if config.dropout:
        x = Dropout(config.dropout, name="dropout")(x)
    return Model(pixels, Dense(num_classes, name="output")(x), name="images", seed=seed)


def augmentation(kind: str, shape: tuple[int, int, int]) -> list[Layer]:
    """The layers that change images of values from 0 to 255 at random in training.

    Example:
        >>> [type(layer).__name__ for layer in augmentation("flip", (32, 32, 3))]
        ['RandomCrop', 'RandomFlip']
    """
    if kind == "none":
        return []
    # drawings stand on an even ground, which their edge continues; photographs go on best as their mirror image
    fill: FillMode = "nearest" if shape[2] == 1 else "reflect"
    layers: list[Layer] = [RandomCrop(shape[0], shape[1], padding=reach(shape), fill_mode=fill, name="crop")]
    if kind in ("flip", "strong"):
        layers.append(RandomFlip("horizontal", name="flip"))
    if kind == "strong":
        layers += [
            RandomZoom(0.1, name="zoom"),
            RandomRotation(0.03, name="rotation"),
            RandomBrightness(0.1, name="brightness"),
            RandomContrast(0.2, name="contrast"),
            RandomErasing(1.0, (0.02, 0.2), 127.5, name="erasing"),
        ]
    return layers


def reach(shape: tuple[int, int, int]) -> int:
    """By how many pixels images are shifted at most: a twelfth of the side of greys, an eighth of colours.

    Example:
        >>> reach((28, 28, 1)), reach((32, 32, 3))
        (2, 4)
    """
    return max(1, round(min(shape[:2]) / (12 if shape[2] == 1 else 8)))


def make_optimizer(config: ImageConfig, num_images: int) -> Any:  # Any: the Optimizer protocol
    """The optimizer of ``config``: the rate rises over the first tenth of the steps, then falls along a cosine."""
    steps = max(2, math.ceil(num_images / config.batch_size) * config.epochs)
    warm = max(1, round(_WARM * steps))
    rate = Warmup(CosineDecay(config.learning_rate, max(1, steps - warm)), warm)
    if config.optimizer == "sgd":
        return SGD(rate, momentum=0.9, nesterov=True, weight_decay=config.weight_decay)
    return AdamW(rate, weight_decay=config.weight_decay, exclude_vectors=True)


def _plain(config: ImageConfig, x: Symbol, shape: tuple[int, int, int]) -> Symbol:
    depth = min(config.depth, _halvings(shape))
    for number in range(1, depth + 1):
        x = Conv2D(config.width << (number - 1), 3, padding="same", use_bias=False, name=f"conv_{number}")(x)
        x = _normalized(x, f"{number}")
        x = MaxPooling2D(2, name=f"pool_{number}")(x)
    x = Dense(_HIDDEN, use_bias=False, name="hidden")(Flatten(name="flatten")(x))
    return _normalized(x, "hidden")


def _residual(config: ImageConfig, x: Symbol, shape: tuple[int, int, int]) -> Symbol:
    halves_first = max(shape[:2]) > _LARGE_SIDE
    stages = min(3, _halvings(shape) + 1 - halves_first)
    x = Conv2D(config.width, 3, strides=1 + halves_first, padding="same", use_bias=False, name="conv")(x)
    x = _normalized(x, "stem")
    for stage in range(1, stages + 1):
        for block in range(1, config.depth + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            x = _block(x, config.width << (stage - 1), stride, f"{stage}_{block}")
    mean: Symbol = GlobalAveragePooling2D(name="mean")(x)
    return mean


def _block(x: Symbol, filters: int, stride: int, name: str) -> Symbol:
    """Two convolutions beside the way past them, which is a 1 x 1 convolution where the size changes."""
    inner = Conv2D(filters, 3, strides=stride, padding="same", use_bias=False, name=f"conv_{name}a")(x)
    inner = _normalized(inner, f"{name}a")
    inner = Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv_{name}b")(inner)
    inner = BatchNormalization(momentum=0.9, name=f"normalization_{name}b")(inner)
    if stride > 1:
        x = Conv2D(filters, 1, strides=stride, use_bias=False, name=f"way_{name}")(x)
        x = BatchNormalization(momentum=0.9, name=f"normalization_{name}way")(x)
    output: Symbol = Activation("relu", name=f"relu_{name}b")(Add(name=f"add_{name}")(x, inner))
    return output


def _normalized(x: Symbol, name: str) -> Symbol:
    output: Symbol = BatchNormalization(momentum=0.9, activation="relu", name=f"normalization_{name}")(x)
    return output


def _halvings(shape: tuple[int, int, int]) -> int:
    """How often the smaller side can be halved until 4 pixels are left; at least once."""
    return max(1, int(math.log2(max(min(shape[:2]), 2 * _LEAST_SIDE) / _LEAST_SIDE)))
