"""Pieces that several networks of the zoo are made of; functions from symbols to symbols."""

from __future__ import annotations

from typing import Any

from chainrule.core import Symbol
from chainrule.layers import BatchNormalization, Conv2D

Shape = tuple[int | None, ...]


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
