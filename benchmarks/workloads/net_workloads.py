"""Training steps and predictions of the networks: sizes, data and initial weights, made by NumPy from a seed."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.workloads import networks
from benchmarks.workloads.nets import Net, Op

_SKEW = 0.6  # each class is this much rarer than the one before, so that a few steps lower the loss


@dataclass(frozen=True)
class NetWorkload:
    """One network to time.

    Args:
        name: how it is called on the command line.
        title: how it is called in the report.
        kind: ``step`` is timed per training step, ``call`` per prediction.
        build: makes the network.
        batch: examples of a step or call.
        steps: batches there are; the first epoch, which is checked, takes each once.
        seconds: about how long one repeat lasts.
        tolerance: relative difference of a loss in the first epoch to that in float64 that is allowed.
    """

    name: str
    title: str
    kind: Literal["step", "call"]
    build: Callable[[], Net]
    batch: int
    steps: int = 1
    seconds: float = 0.4
    tolerance: float = 1e-3

    @property
    def rows(self) -> int:
        """Examples there are."""
        return self.batch * self.steps

    @property
    def flops(self) -> float:
        """Floating-point operations of one timed unit, of products and convolutions alone."""
        return self.batch * self.build().flops(training=self.kind == "step")

    @property
    def first_units(self) -> float:
        """How many timed units the first, checked run does."""
        return self.steps

    def quick(self) -> "NetWorkload":
        """The same with few examples, to see that everything runs; its times mean nothing."""
        return dataclasses.replace(self, batch=min(self.batch, 4), steps=min(self.steps, 3), seconds=0.0)

    def save(self, path: Path, seed: int = 0) -> None:
        """Make examples and initial weights, and write them where the peers read them."""
        rng = np.random.default_rng(seed)
        net = self.build()
        arrays = {f"x{number}": _examples(rng, op, self.rows) for number, op in enumerate(net.inputs)}
        *positions, classes = net.ops[-1].shape
        shares = _SKEW ** np.arange(classes)
        arrays["labels"] = rng.choice(classes, (self.rows, *positions), p=shares / shares.sum()).astype(np.int32)
        for number, op in enumerate(net.ops):
            for name, shape in op.weights.items():
                arrays[f"{number}/{name}"] = _initial(rng, name, shape)
        np.savez(path, **arrays)

    def load(self, path: Path) -> tuple[tuple[np.ndarray, ...], np.ndarray, dict[str, np.ndarray]]:
        """Inputs, labels, and the weights by ``operation/name``."""
        with np.load(path) as arrays:
            inputs = sorted(name for name in arrays if name.startswith("x"))
            weights = {name: arrays[name] for name in arrays if name[0].isdigit()}
            return tuple(arrays[name] for name in inputs), arrays["labels"], weights


def _examples(rng: np.random.Generator, op: Op, rows: int) -> np.ndarray:
    if op.settings["tokens"]:
        return rng.integers(op.settings["tokens"], size=(rows, *op.shape), dtype=np.int32)
    return rng.standard_normal((rows, *op.shape), dtype=np.float32)


def _initial(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Glorot's for kernels; running statistics that differ from 0 and 1, since predictions have to use them."""
    if name.endswith(("kernel", "embeddings")):
        *window, inputs, outputs = shape
        bound = math.sqrt(6 / (math.prod(window) * (inputs + outputs)))
        return rng.uniform(-bound, bound, shape).astype(np.float32)
    if name in ("gamma", "moving_variance"):
        return rng.uniform(0.8, 1.2, shape).astype(np.float32)
    scale = 0.1 if name in ("beta", "moving_mean") else 0.0
    return (scale * rng.standard_normal(shape)).astype(np.float32)


def _step(name: str, title: str, batch: int, steps: int = 8, **options: Any) -> NetWorkload:
    build = getattr(networks, name)
    return NetWorkload(name, f"Training step, {title}, batch {batch}", "step", build, batch, steps, **options)


def _call(name: str, title: str, build: Callable[[], Net], batch: int) -> NetWorkload:
    rows = "1 image" if batch == 1 else f"{batch} images"
    return NetWorkload(f"{name}_predict{batch}", f"Prediction, {title}, {rows}", "call", build, batch)


NET_WORKLOADS = (
    _step("lenet", "LeNet (28 × 28; 32, 64; dense 128)", 128),
    _step("resnet20", "ResNet-20 (32 × 32)", 128, steps=4, seconds=0.8),
    _step("separable", "separable net (32 × 32; 5 blocks)", 64, steps=4),
    _step("unet", "U-Net (64 × 64; 16 to 128)", 16, steps=4),
    _step("inception", "Inception (32 × 32; 4 modules)", 64, steps=4),
    _step("lstm", "LSTM 64 → 128, 100 steps", 64),
    _step("gru", "GRU 64 → 128, 100 steps", 64),
    _step("bilstm", "bidirectional LSTM 64 → 2 × 128, 100 steps", 64),
    _step("seq2seq", "encoder–decoder with attention, 24 to 20 tokens", 64),
    _step("transformer", "transformer block, 64 steps of 128, 4 heads", 64),
    _call("lenet", "LeNet", networks.lenet, 1),
    _call("lenet", "LeNet", networks.lenet, 256),
    _call("resnet20", "ResNet-20", networks.resnet20, 1),
    _call("resnet20", "ResNet-20", networks.resnet20, 256),
)
