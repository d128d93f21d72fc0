"""The hyperparameters of an image network, and the one rule that fills them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chainrule._base.checks import check_choice, check_number, check_positive_int
from chainrule._base.registry import register_class
from chainrule.tasks.labelled import TrainingSettings

NETWORKS = ("plain", "residual")
AUGMENTATIONS = ("none", "shift", "flip", "strong")
OPTIMIZERS = ("adamw", "sgd")
_FEW = 5_000  # training images
_VERY_FEW, _SOME = 200, 1_000  # below, batches are smaller still, so that an epoch has some steps
_LATE = 0.75  # of the epochs: with few validation images an earlier epoch is the best one by chance
_SMALL_SIDE = 32  # pixels: greys up to here are drawings, digits, icons; a plain network tells them apart
_PLAIN_IMAGES, _RESIDUAL_IMAGES = 1_000_000, 300_000  # seen over a whole training: minutes on two cores


@register_class
@dataclass(frozen=True)
class ImageConfig(TrainingSettings):
    """Every hyperparameter of an image run; ``--set name=value`` changes one.

    Args:
        epochs: passes over the training images, at most.
        batch_size: images of one step.
        patience: epochs without a lower validation loss before training stops.
        learning_rate: the highest rate; it rises to it over the first tenth of the steps and falls along a cosine.
        weight_decay: decoupled for ``adamw``, added to the gradient for ``sgd``.
        keep_from: share of the epochs that must be over before an epoch's weights may be kept.
        network: ``"plain"`` (convolution, normalisation, pooling, then a hidden layer) or ``"residual"``.
        width: filters of the first convolutions; doubled wherever the image is halved.
        depth: times the image is halved (``plain``), or residual blocks of each size (``residual``).
        dropout: share of the last hidden values left out at random.
        augment: ``"none"``; ``"shift"`` (by a few pixels); ``"flip"`` (shift, and left for right); ``"strong"`` (the
            same with zoom, turn, brightness, contrast and an erased part).
        mixup: α of mixup, which blends every two images of a step and their classes; 0 for none, 0.2 is usual.
        optimizer: ``"adamw"``, or ``"sgd"`` with momentum 0.9.

    Example:
        >>> ImageConfig(width=8).replaced({"dropout": "0.1", "network": "residual"}).dropout
        0.1
    """

    network: Literal["plain", "residual"] = "plain"
    width: int = 32
    depth: int = 2
    dropout: float = 0.4
    augment: Literal["none", "shift", "flip", "strong"] = "shift"
    mixup: float = 0.0
    optimizer: Literal["adamw", "sgd"] = "adamw"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("network", self.network, NETWORKS, self)
        check_choice("augment", self.augment, AUGMENTATIONS, self)
        check_choice("optimizer", self.optimizer, OPTIMIZERS, self)
        check_positive_int("width", self.width, self)
        check_positive_int("depth", self.depth, self)
        check_number("dropout", self.dropout, self, at_least=0, below=1)
        check_number("mixup", self.mixup, self, at_least=0)


def default_images_config(num_images: int, shape: tuple[int, int, int]) -> ImageConfig:
    """The default hyperparameters for ``num_images`` training images of ``shape`` (height, width, channels).

    - Small greys (digits, drawings, clothes on white) are told apart by two convolutions and a hidden layer. They are
      shifted, but not mirrored: that would change digits and letters.
    - Everything else gets a residual network (three sizes, three blocks each: ResNet-20) and is mirrored too.
    - The fewer images, the more often each is seen: about 1,000,000 and 300,000 images pass by in all, at most 60 times
      each. Few images are learned from in small steps.
    - Below 1,000 training images batches have 16 images, below 200 only 8, so that an epoch has some steps; the
      residual network learns by AdamW, since SGD's first steps threw it off (training losses of 30 to 1,700, the
      normalisations' running statistics far behind the weights); and the weights of an epoch among the last quarter
      are kept, where the rate is low: a handful of validation images chose early epochs that were good by chance.
      Trained on 50 images of two classes (three seeds) 0.84 of 400 others were right instead of 0.68, at a log loss of
      0.5 instead of 0.75; on 60 of three classes 0.72 instead of 0.68, at 1.1 instead of 1.5; on 20 of two classes
      0.83 both ways, at 0.8 instead of 1.1 (two seeds each).

    Example:
        >>> small, colour = default_images_config(54_000, (28, 28, 1)), default_images_config(9_000, (32, 32, 3))
        >>> (small.network, small.epochs), (colour.network, colour.epochs)
        (('plain', 19), ('residual', 33))
    """
    is_few = num_images < _SOME
    batch_size = 128 if num_images >= _FEW else 32 if not is_few else 16 if num_images >= _VERY_FEW else 8
    kept = _LATE if is_few else 0.0
    if shape[2] == 1 and max(shape[:2]) <= _SMALL_SIDE:
        epochs = max(5, min(60, round(_PLAIN_IMAGES / num_images)))
        return ImageConfig(
            epochs=epochs,
            batch_size=batch_size,
            patience=max(5, epochs // 2),
            learning_rate=3e-3 if batch_size == 128 else 1e-3,
            weight_decay=0.02,
            keep_from=kept,
        )
    epochs = max(10, min(60, round(_RESIDUAL_IMAGES / num_images)))
    return ImageConfig(
        epochs=epochs,
        batch_size=batch_size,
        patience=max(10, epochs // 2),
        learning_rate=1e-3 if is_few else 0.1 if batch_size == 128 else 0.03,
        weight_decay=0.05 if is_few else 5e-4,
        keep_from=kept,
        network="residual",
        width=16,
        depth=3,
        dropout=0.0,
        augment="flip",
        optimizer="adamw" if is_few else "sgd",
    )
