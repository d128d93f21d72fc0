"""The hyperparameters of a convolutional network on one table, and how its layers are arranged."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from chainrule._base.spec import shape_text
from chainrule.core import Graph, Layer
from chainrule.models.model import Model

_HEAD = ("layer", "window", "strides", "dilation", "padding", "filters", "groups", "activation", "output shape")
_COUNTED = {"Conv": "convolutional", "Pooling": "pooling", "Dense": "dense"}
_SHORT = {"Conv": "conv", "DepthwiseConv": "depthwise", "SeparableConv": "separable", "Dense": "dense"}


class LayerSettings(NamedTuple):
    """One layer call; what it does not have is an empty text.

    Args:
        path: where it is; blocks are opened.
        kind: its class, which for poolings is the type of pooling.
        window: kernel or pool size.
        strides: step of the window.
        dilation: distance of the window's cells.
        padding: name or cells.
        filters: filters of a convolution, units of a dense layer.
        groups: groups of channels.
        activation: its name.
        output: shape of the output.
    """

    path: str
    kind: str
    window: str
    strides: str
    dilation: str
    padding: str
    filters: str
    groups: str
    activation: str
    output: str


class ConvolutionSettings(NamedTuple):
    """All layers in order; ``print`` it for the table and the arrangement."""

    rows: tuple[LayerSettings, ...]

    def count(self, *parts: str) -> int:
        """Layers whose class has one of ``parts`` in its name."""
        return sum(any(part in row.kind for part in parts) for row in self.rows)

    @property
    def arrangement(self) -> str:
        """The kinds of layers in order, repeated ones counted: ``conv ×2 → pool → dense``."""
        names = [name for row in self.rows if (name := _short(row.kind))]
        runs = [(name, len(list(run))) for name, run in itertools.groupby(names)]
        return " → ".join(name if count == 1 else f"{name} ×{count}" for name, count in runs)

    def __str__(self) -> str:
        lines = [_HEAD, *((f"{row.path} ({row.kind})", *row[2:]) for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(_HEAD))]
        text = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines]
        counts = [f"{self.count(part)} {word}" for part, word in _COUNTED.items()]
        return "\n".join([*text, f"{', '.join(counts)} layers: {self.arrangement}"])


def convolution_settings(model: Model) -> ConvolutionSettings:
    """What there is to choose in a convolutional network, layer by layer, blocks opened.

    Kernel size, strides, dilation, number of filters, number of layers, type, size and strides of the poolings,
    padding, groups, activation, and the arrangement. Cost and receptive field of each stand in ``model.summary()``.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
        >>> image = Input((8, 8, 1))
        >>> body = MaxPooling2D(2)(Conv2D(4, 3, padding="same", activation="relu")(image))
        >>> made = convolution_settings(cr.Model(image, Dense(2)(Flatten()(body))))
        >>> print(made)
        layer                         window  strides  dilation  padding  filters  groups  activation  output shape
        conv2d (Conv2D)               3 × 3   1 × 1    1 × 1     same     4        1       relu        (b, 8, 8, 4)
        max_pooling2d (MaxPooling2D)  2 × 2   2 × 2              valid                                 (b, 4, 4, 4)
        flatten (Flatten)                                                                              (b, 64)
        dense (Dense)                                                     2                linear      (b, 2)
        1 convolutional, 1 pooling, 1 dense layers: conv → pool → flatten → dense
    """
    return ConvolutionSettings(tuple(_rows(model.graph, "")))


def _rows(graph: Graph, prefix: str) -> Iterator[LayerSettings]:
    for node in graph.nodes:
        path = prefix + graph.layer_name(node.layer)
        inside = getattr(node.layer, "graph_for", None)
        if inside is not None:
            yield from _rows(inside(*(s.spec for s in node.inputs if s is not None)), path + "/")
        else:
            yield _settings(node.layer, path, ", ".join(shape_text(spec) for spec in node.specs))


def _settings(layer: Layer, path: str, output: str) -> LayerSettings:
    def sizes(*names: str) -> str:
        value: Any = next((v for name in names if (v := getattr(layer, name, None)) is not None), None)
        rank = getattr(layer, "rank", 1)
        return "" if value is None else " × ".join(map(str, (value,) * rank if isinstance(value, int) else value))

    def text(*names: str) -> str:
        return next((_named(v) for name in names if (v := getattr(layer, name, None)) is not None), "")

    return LayerSettings(
        path=path,
        kind=type(layer).__name__,
        window=sizes("kernel_size", "pool_size"),
        strides=sizes("strides", "pool_size"),
        dilation=sizes("dilation_rate"),
        padding=text("padding"),
        filters=text("filters", "units"),
        groups=text("groups"),
        activation=text("activation"),
        output=output,
    )


def _named(value: Any) -> str:
    return str(getattr(value, "__name__", value))


def _short(kind: str) -> str:
    """The kind of layer in a word; nothing for what belongs to the layer before it (activation, normalisation)."""
    base = kind.rstrip("D").rstrip("123")
    if "Transpose" in kind:
        return "transposed"
    if "Pooling" in kind:
        return "global pool" if kind.startswith("Global") else "pool"
    if kind in ("Flatten", "Add", "Concatenate") or base == "UpSampling":
        return base.lower()
    return _SHORT.get(base, "")
