"""Pieces that several networks of the zoo are made of; functions from symbols to symbols."""

from __future__ import annotations

from typing import Any

from chainrule._base.errors import ShapeError
from chainrule.core import Symbol
from chainrule.layers import BatchNormalization, Conv2D

Shape = tuple[int | None, ...]


def check_multiples(owner: str, shape: Shape, factor: int) -> None:
    """Refuse a height or width that is no multiple of ``factor``: halved and doubled, it would not come back.

    Example:
        >>> from chainrule._base.errors import ShapeError
        >>> try:
        ...     check_multiples("unet", (64, 70, 3), 16)
        ... except ShapeError as error:
        ...     print(error)
        unet: width must be a multiple of 16; received 70 in (64, 70, 3). The nearest that fit are 64 and 80.
    """
    must = f"{owner}: {{side}} must be a multiple of {factor}; received {{size}} in {shape}."
    for side, size in zip(("height", "width"), shape[:2], strict=False):
        if size is None:
            raise ShapeError(
                must.format(side=side, size=None)
                + f" Give the sizes, such as ({8 * factor}, {8 * factor}, {shape[-1]}), and bring images to them first."
            )
        if size % factor:
            below, above = size // factor * factor, (size // factor + 1) * factor
            fit = f"The nearest that fit are {below} and {above}." if below else f"The smallest that fits is {above}."
            raise ShapeError(must.format(side=side, size=size) + f" {fit}")


def conv_norm(
    x: Symbol,
    filters: int,
    window: int,
    *,
    name: str,
    strides: int = 1,
    padding: Any = "same",  # Any: as Conv2D's
    activation: str = "linear",
) -> Symbol:
    """Convolution without bias, then batch normalisation, whose ``beta`` is the bias."""
    settings: dict[str, Any] = {"use_bias": False, "kernel_initializer": "he_normal"}
    y: Symbol = Conv2D(filters, window, strides, padding, name=f"{name}_conv", **settings)(x)
    return norm(y, name, activation=activation)


def conv_norm_relu(
    x: Symbol, filters: int, window: int, *, name: str, strides: int = 1, padding: Any = "same"
) -> Symbol:  # Any: as Conv2D's
    """Convolution without bias, batch normalisation, rectifier."""
    return conv_norm(x, filters, window, name=name, strides=strides, padding=padding, activation="relu")


def norm(x: Symbol, name: str, *, activation: str = "linear") -> Symbol:
    """Batch normalisation with ε = 1e-5 and momentum 0.9, as in Caffe and PyTorch; ReLU in the same pass."""
    y: Symbol = BatchNormalization(momentum=0.9, epsilon=1e-5, activation=activation, name=f"{name}_norm")(x)
    return y
