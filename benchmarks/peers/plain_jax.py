"""The operations of the networks in plain JAX, written with ``jax.lax`` as most programs do."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.workloads.nets import Net, Op


class Call(NamedTuple):
    """An operation with its weights, in training or not."""

    op: Op
    own: dict[str, jax.Array]
    training: bool


def apply(net: Net, weights, inputs, *, training: bool):
    """The logits of the network for arrays, given all weights by ``operation/name``."""
    values, states, given = [], {}, iter(inputs)
    for number, op in enumerate(net.ops):
        own = {name: weights[f"{number}/{name}"] for name in op.weights}
        taken = [values[other] for other in op.of]
        if op.kind == "input":
            values.append(next(given))
        elif op.kind in ("lstm", "gru"):
            start = states[op.of[1]] if len(op.of) > 1 else None
            outputs, states[number] = recurrent(op, own, taken[0], start)
            values.append(outputs if op.settings["whole"] else outputs[:, -1])
        else:
            values.append(_OPS[op.kind](Call(op, own, training), *taken))
    return values[-1]


def mean_loss(net: Net, weights, inputs, labels):
    """Mean cross-entropy of a batch in training mode."""
    logits = apply(net, weights, inputs, training=True)
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def convolve(x, kernel, op: Op, *, groups: int = 1):
    """Convolution padded by half the window."""
    stride, pad = op.settings.get("stride", 1), kernel.shape[0] // 2
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride,) * 2,
        [(pad, pad)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def _conv(call, x):
    y = convolve(x, call.own["kernel"], call.op)
    y = y + call.own["bias"] if "bias" in call.own else y
    return jax.nn.relu(y) if call.op.settings["activation"] == "relu" else y


def _depthwise(call, x):
    return convolve(x, call.own["kernel"].transpose(0, 1, 3, 2), call.op, groups=x.shape[-1])


def _conv_transpose(call, x):
    y = jax.lax.conv_transpose(
        x, call.own["kernel"], (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), transpose_kernel=True
    )
    return y + call.own["bias"]


def _batch_norm(call, x):
    mean, variance = call.own["moving_mean"], call.own["moving_variance"]
    if call.training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    scale = call.own["gamma"] * jax.lax.rsqrt(variance + 1e-3)
    return x * scale + (call.own["beta"] - mean * scale)


def _layer_norm(call, x):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * call.own["gamma"] + call.own["beta"]


def _relu(_call, x):
    return jax.nn.relu(x)


def _max_pool(call, x):
    window, stride = call.op.settings["window"], call.op.settings["stride"]
    padding = "SAME" if stride == 1 else "VALID"
    return jax.lax.reduce_window(
        x, np.array(-np.inf, x.dtype), jax.lax.max, (1, window, window, 1), (1, stride, stride, 1), padding
    )


def _dense(call, x):
    y = x @ call.own["kernel"] + call.own["bias"]
    return jax.nn.relu(y) if call.op.settings["activation"] == "relu" else y


def _attention(_call, queries, values):
    return jax.nn.softmax(queries @ values.mT, axis=-1) @ values


def _self_attention(call, x):
    batch, length, width = x.shape
    heads = call.op.settings["heads"]

    def project(name):
        return (x @ call.own[f"{name}/kernel"] + call.own[f"{name}/bias"]).reshape(batch, length, heads, width // heads)

    seen = jax.nn.dot_product_attention(project("query"), project("key"), project("value"))
    return seen.reshape(batch, length, width) @ call.own["attention_output/kernel"] + call.own["attention_output/bias"]


def recurrent(op, own, x, start):
    """All outputs and the last state of an LSTM or GRU."""
    units = op.settings["units"]
    zeros = jnp.zeros((x.shape[0], units), x.dtype)
    cell, start = (_lstm_cell, start or (zeros, zeros)) if op.kind == "lstm" else (_gru_cell, start or (zeros,))
    bias = own["bias"] if op.kind == "lstm" else own["bias"][0]
    projected = x @ own["kernel"] + bias
    state, outputs = jax.lax.scan(lambda state, part: cell(own, state, part), start, projected.swapaxes(0, 1))
    return outputs.swapaxes(0, 1), state


def _lstm_cell(own, state, projected):
    h, c = state
    i, f, g, o = jnp.split(projected + h @ own["recurrent_kernel"], 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def _gru_cell(own, state, projected):
    (h,) = state
    inner = jnp.split(h @ own["recurrent_kernel"] + own["bias"][1], 3, axis=-1)
    z, r, g = jnp.split(projected, 3, axis=-1)
    z, r = jax.nn.sigmoid(z + inner[0]), jax.nn.sigmoid(r + inner[1])
    h = z * h + (1 - z) * jnp.tanh(g + r * inner[2])
    return (h,), h


def _bilstm(call, x):
    sides = []
    for side in ("forward", "backward"):
        weights = {name.partition("/")[2]: value for name, value in call.own.items() if name.startswith(side)}
        turned = x if side == "forward" else x[:, ::-1]
        sides.append(recurrent(Op("lstm", (), (), call.op.settings), weights, turned, None)[0][:, -1])
    return jnp.concatenate(sides, axis=-1)


def _concat(_call, *inputs):
    return jnp.concatenate(inputs, axis=-1)


_OPS = {
    "conv": _conv,
    "depthwise": _depthwise,
    "conv_transpose": _conv_transpose,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "relu": _relu,
    "max_pool": _max_pool,
    "global_pool": lambda _, x: x.mean(tuple(range(1, x.ndim - 1))),
    "flatten": lambda _, x: x.reshape(x.shape[0], -1),
    "dense": _dense,
    "add": lambda _, *inputs: sum(inputs[1:], inputs[0]),
    "concat": _concat,
    "embedding": lambda call, x: call.own["embeddings"][x],
    "bilstm": _bilstm,
    "attention": _attention,
    "self_attention": _self_attention,
}
