"""The networks in the functional style of Keras, whose layers chainrule's are named after: one builder for both."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads.nets import Net, Op


def connect(net: Net, library: Any, convolve: Callable[..., Any], *, fused: bool = False) -> tuple[list[Any], Any]:
    """``(inputs, output)`` made of the library's layers, each named after its operation: ``op7``.

    Args:
        net: the network.
        library: ``keras.layers`` or ``chainrule.layers``.
        convolve: ``convolve(layer class, x, window, stride, *filters, **options)``, which pads by half the window.
        fused: whether the library's batch normalisation applies a ReLU that follows it.
    """
    values: list[Any] = []
    states: dict[int, Any] = {}
    for number, op in enumerate(net.ops):
        taken, name = [values[other] for other in op.of], f"op{number}"
        if op.kind == "input":
            dtype = "int32" if op.settings["tokens"] else "float32"
            values.append(library.Input(op.shape, name=name, dtype=dtype))
        elif fused and op.kind == "relu" and net.ops[op.of[0]].kind == "batch_norm":
            values.append(taken[0])
        elif fused and op.kind == "batch_norm" and net.ops[number + 1].kind == "relu":
            values.append(library.BatchNormalization(**_NORM, activation="relu", name=name)(taken[0]))
        elif op.kind in ("conv", "depthwise"):
            values.append(_convolution(op, library, convolve, taken[0], name))
        elif op.kind == "lstm" and op.settings["whole"]:
            layer = library.LSTM(op.settings["units"], return_sequences=True, return_state=True, name=name)
            start = {"initial_state": states[op.of[1]]} if len(op.of) > 1 else {}
            output, *states[number] = layer(taken[0], **start)
            values.append(output)
        else:
            values.append(_PLAIN[op.kind](library, op, name)(*_listed(op, taken)))
    return [value for op, value in zip(net.ops, values, strict=True) if op.kind == "input"], values[-1]


def weights_by_layer(net: Net, weights: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """For each layer its arrays by Keras's paths (``query/kernel``), in Keras's order."""
    found = {}
    for number, op in enumerate(net.ops):
        own = {name: weights[f"{number}/{name}"] for name in op.weights}
        if op.kind == "self_attention":
            own = _by_heads(own, op.settings["heads"])
        if own:
            found[f"op{number}"] = own
    return found


def _by_heads(own: dict[str, np.ndarray], heads: int) -> dict[str, np.ndarray]:
    width = own["query/kernel"].shape[0]
    split = (heads, width // heads)
    for name in ("query", "key", "value"):
        own[f"{name}/kernel"] = own[f"{name}/kernel"].reshape(width, *split)
        own[f"{name}/bias"] = own[f"{name}/bias"].reshape(split)
    own["attention_output/kernel"] = own["attention_output/kernel"].reshape(*split, width)
    return own


def _convolution(op: Op, library: Any, convolve: Callable[..., Any], x: Any, name: str) -> Any:
    window, stride = op.settings["window"], op.settings["stride"]
    if op.kind == "depthwise":
        return convolve(library.DepthwiseConv2D, x, window, stride, use_bias=False, name=name)
    options = {"activation": op.settings["activation"], "use_bias": "bias" in op.weights, "name": name}
    return convolve(library.Conv2D, x, window, stride, op.settings["filters"], **options)


def _listed(op: Op, taken: list[Any]) -> list[Any]:
    if op.kind == "self_attention":
        return taken * 2
    return [taken] if op.kind in ("add", "concat", "attention") else taken


_NORM = {"momentum": 0.9, "epsilon": 1e-3}
_PLAIN: dict[str, Callable[[Any, Op, str], Any]] = {
    "conv_transpose": lambda lib, op, name: lib.Conv2DTranspose(op.settings["filters"], 2, strides=2, name=name),
    "batch_norm": lambda lib, _, name: lib.BatchNormalization(**_NORM, name=name),
    "layer_norm": lambda lib, _, name: lib.LayerNormalization(epsilon=1e-5, name=name),
    "relu": lambda lib, _, name: lib.ReLU(name=name),
    "max_pool": lambda lib, op, name: lib.MaxPooling2D(
        op.settings["window"], op.settings["stride"], "same" if op.settings["stride"] == 1 else "valid", name=name
    ),
    "global_pool": lambda lib, op, name: (
        lib.GlobalAveragePooling2D(name=name) if len(op.settings["of"]) == 3 else lib.GlobalAveragePooling1D(name=name)
    ),
    "flatten": lambda lib, _, name: lib.Flatten(name=name),
    "dense": lambda lib, op, name: lib.Dense(op.settings["units"], op.settings["activation"], name=name),
    "add": lambda lib, _, name: lib.Add(name=name),
    "concat": lambda lib, _, name: lib.Concatenate(name=name),
    "embedding": lambda lib, op, name: lib.Embedding(op.settings["tokens"], op.settings["width"], name=name),
    "lstm": lambda lib, op, name: lib.LSTM(op.settings["units"], name=name),
    "gru": lambda lib, op, name: lib.GRU(op.settings["units"], name=name),
    "bilstm": lambda lib, op, name: lib.Bidirectional(lib.LSTM(op.settings["units"]), name=name),
    "attention": lambda lib, _, name: lib.Attention(name=name),
    "self_attention": lambda lib, op, name: lib.MultiHeadAttention(
        op.settings["heads"], op.shape[-1] // op.settings["heads"], name=name
    ),
}
