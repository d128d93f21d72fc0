"""The networks in PyTorch: eager, channels last with the fused Adam, and compiled.

Images are NCHW with the memory format that the variant names; they are brought there before the clock starts. All
cores are used, and oneDNN is on, as is PyTorch's default.
"""

import os

import numpy as np
import torch
from torch import nn

from benchmarks.peers.net_worker import Predicting, Stepping, batches
from benchmarks.peers.worker import Runner, Task
from benchmarks.workloads import ADAM
from benchmarks.workloads.nets import Net, Op


class Network(nn.Module):
    """The network with the given weights; images come as NCHW."""

    def __init__(self, net: Net, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.net = net
        self.parts = nn.ModuleList()
        for number, op in enumerate(net.ops):
            own = {name: torch.from_numpy(weights[f"{number}/{name}"]) for name in op.weights}
            with torch.no_grad():
                self.parts.append(_MAKERS[op.kind](net, op, own) if op.kind in _MAKERS else nn.Identity())

    def forward(self, *inputs):
        values, states, given = [], {}, iter(inputs)
        for number, (op, part) in enumerate(zip(self.net.ops, self.parts, strict=True)):
            taken = [values[other] for other in op.of]
            if op.kind == "input":
                values.append(next(given))
            elif op.kind in ("lstm", "gru"):
                start = states[op.of[1]] if len(op.of) > 1 else None
                outputs, states[number] = part(taken[0], start)
                values.append(outputs if op.settings["whole"] else outputs[:, -1])
            elif op.kind in _FUNCTIONS:
                values.append(_FUNCTIONS[op.kind](*taken))
            else:
                values.append(part(*taken))
        return values[-1]


class _SelfAttention(nn.Module):
    """One product for query, key and value, then PyTorch's fused attention."""

    def __init__(self, op: Op, own) -> None:
        super().__init__()
        names = ("query", "key", "value")
        kernel = torch.cat([own[f"{name}/kernel"] for name in names], dim=1)
        self.project = _linear(kernel, torch.cat([own[f"{name}/bias"] for name in names]))
        self.output = _linear(own["attention_output/kernel"], own["attention_output/bias"])
        self.heads = op.settings["heads"]

    def forward(self, x):
        batch, length, width = x.shape
        parts = self.project(x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])
        return self.output(seen.transpose(1, 2).reshape(batch, length, width))


class _BothWays(nn.Module):
    def __init__(self, lstm: nn.LSTM) -> None:
        super().__init__()
        self.lstm = lstm

    def forward(self, x):
        _, (last, _) = self.lstm(x)
        return torch.cat([last[0], last[1]], dim=-1)


def _linear(kernel, bias) -> nn.Linear:
    layer = nn.Linear(*kernel.shape)
    layer.weight.copy_(kernel.T)
    layer.bias.copy_(bias)
    return layer


def _dense(net: Net, op: Op, own) -> nn.Module:
    kernel = own["kernel"]
    before = net.ops[op.of[0]]
    if before.kind == "flatten":  # PyTorch flattens channels first
        height, width, channels = net.ops[before.of[0]].shape
        kernel = kernel.reshape(height, width, channels, -1).permute(2, 0, 1, 3).flatten(0, 2)
    return _activated(_linear(kernel, own["bias"]), op)


def _activated(layer: nn.Module, op: Op) -> nn.Module:
    return nn.Sequential(layer, nn.ReLU(inplace=True)) if op.settings["activation"] == "relu" else layer


def _conv(_net: Net, op: Op, own) -> nn.Module:
    window, _, channels, filters = own["kernel"].shape
    layer = nn.Conv2d(channels, filters, window, op.settings["stride"], padding=window // 2, bias="bias" in own)
    layer.weight.copy_(own["kernel"].permute(3, 2, 0, 1))
    if "bias" in own:
        layer.bias.copy_(own["bias"])
    return _activated(layer, op)


def _depthwise(_net: Net, op: Op, own) -> nn.Module:
    window, _, channels, _ = own["kernel"].shape
    options = {"padding": window // 2, "groups": channels, "bias": False}
    layer = nn.Conv2d(channels, channels, window, op.settings["stride"], **options)
    layer.weight.copy_(own["kernel"].permute(2, 3, 0, 1))
    return layer


def _conv_transpose(_net: Net, op: Op, own) -> nn.Module:
    layer = nn.ConvTranspose2d(own["kernel"].shape[3], op.settings["filters"], 2, 2)
    layer.weight.copy_(own["kernel"].permute(3, 2, 0, 1))
    layer.bias.copy_(own["bias"])
    return layer


def _batch_norm(_net: Net, _op: Op, own) -> nn.Module:
    layer = nn.BatchNorm2d(len(own["gamma"]), eps=1e-3, momentum=0.1)
    for target, name in ((layer.weight, "gamma"), (layer.bias, "beta")):
        target.copy_(own[name])
    layer.running_mean.copy_(own["moving_mean"])
    layer.running_var.copy_(own["moving_variance"])
    return layer


def _layer_norm(_net: Net, _op: Op, own) -> nn.Module:
    layer = nn.LayerNorm(len(own["gamma"]), eps=1e-5)
    layer.weight.copy_(own["gamma"])
    layer.bias.copy_(own["beta"])
    return layer


def _embedding(_net: Net, _op: Op, own) -> nn.Module:
    layer = nn.Embedding(*own["embeddings"].shape)
    layer.weight.copy_(own["embeddings"])
    return layer


def _fill(layer: nn.Module, own, suffix: str, order: list[int]) -> None:
    """Gates in PyTorch's order; its second bias of an LSTM stays 0 and is not trained, as Keras has one."""
    bias = own["bias"] if own["bias"].ndim == 2 else torch.stack([own["bias"], torch.zeros_like(own["bias"])])
    for name, value in (("weight_ih", own["kernel"].T), ("weight_hh", own["recurrent_kernel"].T)):
        getattr(layer, name + suffix).copy_(_reordered(value, order))
    for number, name in enumerate(("bias_ih", "bias_hh")):
        getattr(layer, name + suffix).copy_(_reordered(bias[number], order))
    if own["bias"].ndim == 1:
        getattr(layer, "bias_hh" + suffix).requires_grad_(False)


def _reordered(value, order: list[int]):
    parts = value.chunk(len(order))
    return torch.cat([parts[number] for number in order])


def _lstm(_net: Net, op: Op, own) -> nn.Module:
    layer = nn.LSTM(own["kernel"].shape[0], op.settings["units"], batch_first=True)
    _fill(layer, own, "_l0", [0, 1, 2, 3])
    return layer


def _gru(_net: Net, op: Op, own) -> nn.Module:
    layer = nn.GRU(own["kernel"].shape[0], op.settings["units"], batch_first=True)
    _fill(layer, own, "_l0", [1, 0, 2])  # Keras: update, reset, new; PyTorch: reset, update, new
    return layer


def _bilstm(_net: Net, op: Op, own) -> nn.Module:
    layer = nn.LSTM(own["forward_layer/kernel"].shape[0], op.settings["units"], batch_first=True, bidirectional=True)
    for side, suffix in (("forward", "_l0"), ("backward", "_l0_reverse")):
        weights = {name: own[f"{side}_layer/{name}"] for name in ("kernel", "recurrent_kernel", "bias")}
        _fill(layer, weights, suffix, [0, 1, 2, 3])
    return _BothWays(layer)


def _max_pool(_net: Net, op: Op, _own) -> nn.Module:
    window, stride = op.settings["window"], op.settings["stride"]
    return nn.MaxPool2d(window, stride, padding=window // 2 if stride == 1 else 0)


def _attend(queries, values):
    return nn.functional.scaled_dot_product_attention(queries, values, values, scale=1.0)


_MAKERS = {
    "conv": _conv,
    "depthwise": _depthwise,
    "conv_transpose": _conv_transpose,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "relu": lambda *_: nn.ReLU(inplace=True),
    "max_pool": _max_pool,
    "flatten": lambda *_: nn.Flatten(),
    "dense": _dense,
    "embedding": _embedding,
    "lstm": _lstm,
    "gru": _gru,
    "bilstm": _bilstm,
    "self_attention": lambda _, op, own: _SelfAttention(op, own),
}
_FUNCTIONS = {
    "add": lambda left, right: left + right,
    "concat": lambda *inputs: torch.cat(inputs, dim=1 if inputs[0].ndim == 4 else -1),
    "global_pool": lambda x: x.mean((2, 3)) if x.ndim == 4 else x.mean(1),
    "attention": _attend,
}


def _tensors(arrays, memory_format) -> list[torch.Tensor]:
    """Images as NCHW in the memory format; all else as it is."""
    tensors = [torch.from_numpy(array) for array in arrays]
    return [t.permute(0, 3, 1, 2).contiguous(memory_format=memory_format) if t.ndim == 4 else t for t in tensors]


def _network(task: Task):
    torch.set_num_threads(os.cpu_count() or 1)
    layout = torch.contiguous_format if "eager" in task.variant else torch.channels_last
    net = task.workload.build()
    has_images = any(len(op.shape) == 3 for op in net.inputs)
    network = Network(net, task.weights)
    return (network.to(memory_format=layout) if has_images else network), layout


def _training(task: Task) -> Stepping:
    network, layout = _network(task)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    betas = (ADAM["beta_1"], ADAM["beta_2"])
    fused = None if "eager" in task.variant else True
    adam = torch.optim.Adam(trained, lr=ADAM["rate"], betas=betas, eps=ADAM["epsilon"], fused=fused)
    positions = len(task.workload.build().ops[-1].shape) - 1

    def loss_of(inputs, labels):
        logits = network(*inputs)
        if positions == 1:  # [batch, time, classes]; images have their channels second already
            logits, labels = logits.flatten(0, 1), labels.flatten()
        return nn.functional.cross_entropy(logits, labels)

    if "compiled" in task.variant:
        loss_of = torch.compile(loss_of)

    def step(batch):
        adam.zero_grad(set_to_none=True)
        loss = loss_of(*batch)
        loss.backward()
        adam.step()
        return loss.detach()

    prepared = [
        (_tensors(inputs, layout), torch.from_numpy(labels.astype(np.int64))) for inputs, labels in batches(task)
    ]
    return Stepping(task, f"PyTorch {torch.__version__}", step, prepared)


def _predicting(task: Task) -> Predicting:
    network, layout = _network(task)
    call = torch.compile(network.eval()) if "compiled" in task.variant else network.eval()

    def predict(*inputs: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return call(*_tensors(inputs, layout)).numpy()

    return Predicting(task, f"PyTorch {torch.__version__}", predict)


def prepare(task: Task) -> Runner:
    """The runner of the task's kind."""
    return _predicting(task) if task.workload.kind == "call" else _training(task)
