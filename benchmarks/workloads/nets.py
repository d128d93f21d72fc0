"""Networks as plain descriptions, which every framework's builder reads; so each network is written down once.

A :class:`Net` is a list of operations, each naming those it takes its inputs from. An operation knows the shape it
gives (without the batch axis; channels last), its weights by Keras's names and layouts, and its multiply-adds for one
example. This module needs NumPy only: it is read in every peer's process.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Op:
    """One operation.

    Args:
        kind: what it does; see the methods of :class:`Net`.
        of: numbers of the operations whose outputs it takes.
        shape: of its output for one example.
        settings: sizes, strides and the like.
        weights: shape of each weight.
        macs: multiply-adds of one example that turn inputs into outputs; their gradient costs twice as much, or
            once where the input needs none.
        inner_macs: those between values of the operation itself, such as the recurrent ones.
    """

    kind: str
    of: tuple[int, ...]
    shape: Shape
    settings: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, Shape] = field(default_factory=dict)
    macs: int = 0
    inner_macs: int = 0


class Net:
    """A network under construction; each method adds one operation and returns its number.

    The last operation gives the logits.

    Example:
        >>> net = Net()
        >>> net.dense(net.flatten(net.conv(net.input((4, 4, 1)), 2, 3, activation="relu")), 3)
        3
        >>> [op.shape for op in net.ops], net.parameters
        ([(4, 4, 1), (4, 4, 2), (32,), (3,)], 119)
    """

    def __init__(self) -> None:
        self.ops: list[Op] = []

    @property
    def inputs(self) -> list[Op]:
        """The operations that stand for inputs."""
        return [op for op in self.ops if op.kind == "input"]

    @property
    def parameters(self) -> int:
        """Numbers trained."""
        shapes = [s for op in self.ops for name, s in op.weights.items() if not name.startswith("moving")]
        return sum(math.prod(shape) for shape in shapes)

    def flops(self, *, training: bool) -> float:
        """Floating-point operations of products for one example: forward, or forward and backward."""
        total = 0
        for op in self.ops:
            at_input = all(self.ops[number].kind == "input" for number in op.of)
            total += op.macs * ((2 if at_input else 3) if training else 1) + op.inner_macs * (3 if training else 1)
        return 2.0 * total

    def input(self, shape: Shape, *, tokens: int = 0) -> int:
        """Numbers, or with ``tokens`` whole numbers below it."""
        return self._add("input", (), shape, {"tokens": tokens})

    def conv(self, x: int, filters: int, window: int, stride: int = 1, **options: Any) -> int:
        """Square convolution padded by half the window at each side; ``activation="relu"``, ``bias=False``."""
        height, width, channels = self._shape(x)
        kernel = (window, window, channels, filters)
        size = (-(-height // stride), -(-width // stride))
        settings = {"filters": filters, "window": window, "stride": stride, "activation": "linear", **options}
        weights = _with_bias(kernel, filters, settings)
        return self._add("conv", (x,), (*size, filters), settings, weights, math.prod(size) * math.prod(kernel))

    def depthwise(self, x: int, window: int, stride: int = 1) -> int:
        """One filter for each channel, no bias, padded by half the window."""
        height, width, channels = self._shape(x)
        size = (-(-height // stride), -(-width // stride))
        weights = {"kernel": (window, window, channels, 1)}
        settings = {"window": window, "stride": stride}
        return self._add(
            "depthwise", (x,), (*size, channels), settings, weights, math.prod(size) * channels * window**2
        )

    def conv_transpose(self, x: int, filters: int) -> int:
        """Transposed convolution with window 2 and stride 2: twice the size."""
        height, width, channels = self._shape(x)
        weights = {"kernel": (2, 2, filters, channels), "bias": (filters,)}
        macs = height * width * channels * filters * 4
        return self._add("conv_transpose", (x,), (2 * height, 2 * width, filters), {"filters": filters}, weights, macs)

    def batch_norm(self, x: int) -> int:
        """Batch normalisation, ε = 1e-3, momentum 0.9."""
        shape = self._shape(x)
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        return self._add("batch_norm", (x,), shape, {}, dict.fromkeys(names, shape[-1:]))

    def layer_norm(self, x: int) -> int:
        """Layer normalisation over the last axis, ε = 1e-5."""
        shape = self._shape(x)
        return self._add("layer_norm", (x,), shape, {}, {"gamma": shape[-1:], "beta": shape[-1:]})

    def relu(self, x: int) -> int:
        """Rectifier."""
        return self._add("relu", (x,), self._shape(x))

    def max_pool(self, x: int, window: int = 2, stride: int = 2) -> int:
        """Max-pooling; with stride 1 padded to the same size."""
        height, width, channels = self._shape(x)
        settings = {"window": window, "stride": stride}
        return self._add("max_pool", (x,), (height // stride, width // stride, channels), settings)

    def global_pool(self, x: int) -> int:
        """Mean over all positions."""
        return self._add("global_pool", (x,), self._shape(x)[-1:], {"of": self._shape(x)})

    def flatten(self, x: int) -> int:
        """One axis."""
        return self._add("flatten", (x,), (math.prod(self._shape(x)),))

    def dense(self, x: int, units: int, activation: str = "linear") -> int:
        """Fully connected over the last axis."""
        *positions, features = self._shape(x)
        weights = {"kernel": (features, units), "bias": (units,)}
        macs = math.prod(positions) * features * units
        return self._add("dense", (x,), (*positions, units), {"units": units, "activation": activation}, weights, macs)

    def add(self, *of: int) -> int:
        """Sum."""
        return self._add("add", of, self._shape(of[0]))

    def concat(self, *of: int) -> int:
        """Along the last axis."""
        channels = sum(self._shape(number)[-1] for number in of)
        return self._add("concat", of, (*self._shape(of[0])[:-1], channels))

    def embedding(self, x: int, width: int) -> int:
        """A vector for each token."""
        tokens = self.ops[x].settings["tokens"]
        weights = {"embeddings": (tokens, width)}
        return self._add("embedding", (x,), (*self._shape(x), width), {"tokens": tokens, "width": width}, weights)

    def lstm(self, x: int, units: int, *, whole: bool = False, start: int | None = None) -> int:
        """LSTM; its last output, or with ``whole`` all; ``start`` is an LSTM whose last state it begins with."""
        return self._recurrent("lstm", x, units, 4, {"bias": (4 * units,)}, whole=whole, start=start)

    def gru(self, x: int, units: int) -> int:
        """GRU with the reset gate after the product, as in Keras and PyTorch; its last output."""
        return self._recurrent("gru", x, units, 3, {"bias": (2, 3 * units)}, whole=False, start=None)

    def bilstm(self, x: int, units: int) -> int:
        """Two LSTMs, one of them from the end, and their last outputs side by side."""
        one = self.lstm(x, units)
        single = self.ops.pop(one)
        weights = {
            f"{side}_layer/{name}": shape for side in ("forward", "backward") for name, shape in single.weights.items()
        }
        counts = 2 * single.macs, 2 * single.inner_macs
        return self._add("bilstm", (x,), (2 * units,), single.settings, weights, *counts)

    def attention(self, queries: int, values: int) -> int:
        """Dot-product attention without weights; keys are the values."""
        (length, width), (others, _) = self._shape(queries), self._shape(values)
        return self._add("attention", (queries, values), (length, width), {}, {}, 0, 2 * length * others * width)

    def self_attention(self, x: int, heads: int) -> int:
        """Multi-head self-attention with biases; kernels and biases of query, key, value and output."""
        length, width = self._shape(x)
        weights: dict[str, Shape] = {}
        for name in ("query", "key", "value", "attention_output"):
            weights |= {f"{name}/kernel": (width, width), f"{name}/bias": (width,)}
        macs, inner = length * 4 * width**2, 2 * length**2 * width
        return self._add("self_attention", (x,), (length, width), {"heads": heads}, weights, macs, inner)

    def _recurrent(
        self, kind: str, x: int, units: int, gates: int, bias: dict[str, Shape], *, whole: bool, start: int | None
    ) -> int:
        length, width = self._shape(x)
        weights = {"kernel": (width, gates * units), "recurrent_kernel": (units, gates * units), **bias}
        of = (x,) if start is None else (x, start)
        counts = (length * gates * units * width, length * gates * units**2)
        shape = (length, units) if whole else (units,)
        return self._add(kind, of, shape, {"units": units, "whole": whole}, weights, *counts)

    def _shape(self, number: int) -> Shape:
        return self.ops[number].shape

    def _add(self, kind: str, of: tuple[int, ...], shape: Shape, *details: Any) -> int:
        self.ops.append(Op(kind, of, tuple(shape), *details))
        return len(self.ops) - 1


def _with_bias(kernel: Shape, filters: int, settings: Mapping[str, Any]) -> dict[str, Shape]:
    return {"kernel": kernel} | ({"bias": (filters,)} if settings.get("bias", True) else {})
