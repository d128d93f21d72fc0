"""The same in PyTorch: channels last, oneDNN, all cores."""

import os
import sys

import numpy as np

from benchmarks.kernels.cases import Case
from benchmarks.kernels.worker import Passes, main

try:
    import torch
except ImportError:
    sys.exit("PyTorch is not installed")


def make(case: Case) -> Passes:
    """Calls for each pass."""
    arrays = {name: torch.from_numpy(array) for name, array in case.arrays().items()}
    if case.kind in ("lstm", "gru"):
        return _recurrent(case, arrays)
    x = arrays["x"].permute(0, 3, 1, 2)  # NHWC in memory: what PyTorch calls channels_last
    return _pooling(case, x) if "pool" in case.kind else _convolution(case, x, arrays["kernel"])


def _convolution(case: Case, x, kernel) -> Passes:
    groups = case.channels if case.kind == "depthwise" else 1
    order = (2, 3, 0, 1) if case.kind == "depthwise" else (3, 2, 0, 1)
    weight = kernel.permute(*order).contiguous(memory_format=torch.channels_last)
    settings = [case.stride] * 2, [case.padding] * 2, [1, 1]

    def forward():
        return torch.nn.functional.conv2d(x, weight, None, *settings, groups)

    seed = _seed(forward().permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def backward(*wanted):
        return torch.ops.aten.convolution_backward(
            seed, x, weight, None, *settings, False, [0, 0], groups, [*wanted, False]
        )

    back = np.argsort(order)
    return {
        "forward": (forward, lambda: _flat(forward().permute(0, 2, 3, 1))),
        "input gradient": (
            lambda: backward(True, False),
            lambda: _flat(backward(True, False)[0].permute(0, 2, 3, 1)),
        ),
        "weight gradient": (
            lambda: backward(False, True),
            lambda: _flat(backward(False, True)[1].permute(*back.tolist())),
        ),
    }


def _pooling(case: Case, x) -> Passes:
    pool = torch.nn.functional.max_pool2d if case.kind == "max_pool" else torch.nn.functional.avg_pool2d
    leaf = x.detach().requires_grad_(True)

    def forward():
        with torch.no_grad():
            return pool(x, case.window, case.stride, case.padding)

    seed = _seed(forward().permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def both():
        return torch.autograd.grad(pool(leaf, case.window, case.stride, case.padding), leaf, seed)[0]

    return {
        "forward": (forward, lambda: _flat(forward().permute(0, 2, 3, 1))),
        "forward and backward": (both, lambda: _flat(both().permute(0, 2, 3, 1))),
    }


def _recurrent(case: Case, arrays) -> Passes:
    kind = torch.nn.LSTM if case.kind == "lstm" else torch.nn.GRU
    layer = kind(case.channels, case.filters, batch_first=True)
    gates = [0, 1, 2, 3] if case.kind == "lstm" else [1, 0, 2]
    with torch.no_grad():
        for name, value in (("weight_ih_l0", arrays["kernel"]), ("weight_hh_l0", arrays["recurrent"])):
            parts = value.T.chunk(len(gates))
            getattr(layer, name).copy_(torch.cat([parts[gate] for gate in gates]))
        layer.bias_ih_l0.zero_()
        layer.bias_hh_l0.zero_()
    x = arrays["x"].requires_grad_(True)

    def forward():
        with torch.no_grad():
            return layer(x)[0]

    seed = _seed(forward())

    def both():
        wanted = (x, layer.weight_ih_l0, layer.weight_hh_l0)
        return torch.autograd.grad(layer(x)[0], wanted, seed)

    def flat():
        of_x, *others = both()
        turned = [torch.cat([w.chunk(len(gates))[gates.index(g)] for g in range(len(gates))]).T for w in others]
        return np.concatenate([_flat(part) for part in (of_x, *turned)])

    return {"forward": (forward, lambda: _flat(forward())), "forward and backward": (both, flat)}


def _seed(like):
    return torch.cos(torch.arange(like.numel(), dtype=torch.float64)).float().reshape(like.shape)


def _flat(tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy().ravel()


if __name__ == "__main__":
    torch.set_num_threads(os.cpu_count() or 1)
    main(make)
