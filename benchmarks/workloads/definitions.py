"""Networks, sizes and data of the workloads; everything is made by NumPy from a seed.

This module needs NumPy only: it is read in every peer's process.
"""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

ADAM = {"rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}


@dataclass(frozen=True)
class Workload:
    """One thing to time.

    Args:
        name: how it is called on the command line.
        title: how it is called in the report.
        kind: ``train`` is timed per step of long epochs, ``fit`` per whole call, ``predict`` per call.
        sizes: widths of the network, inputs first, classes last; ReLU between them, logits at the end.
        batch: rows of a step, or of a prediction.
        rows: examples.
        epochs: timed epochs of one repeat.
        calls: predictions of one repeat.
    """

    name: str
    title: str
    kind: Literal["train", "fit", "predict"]
    sizes: tuple[int, ...]
    batch: int
    rows: int
    epochs: int = 1
    calls: int = 0

    @property
    def steps(self) -> int:
        """Steps of one epoch; the last may be short."""
        return math.ceil(self.rows / self.batch)

    @property
    def flops(self) -> float:
        """Floating-point operations of one timed unit, of the matrix products alone.

        A layer's product costs ``2 · rows · in · out``; backward it is done twice more, and once for the first
        layer, whose input needs no gradient.
        """
        products = [2.0 * a * b for a, b in zip(self.sizes, self.sizes[1:], strict=False)]
        if self.kind == "predict":
            return self.batch * sum(products)
        per_row = 3 * sum(products) - products[0]
        return per_row * (self.batch if self.kind == "train" else self.rows * self.epochs)

    @property
    def first_units(self) -> float:
        """How many timed units the first epoch is."""
        return self.steps if self.kind == "train" else 1 / self.epochs

    def save(self, path: Path, seed: int = 0) -> None:
        """Make examples and initial weights, and write them where the peers read them."""
        save(self, path, seed)

    def load(self, path: Path) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """What :meth:`save` wrote."""
        return load(path)

    def quick(self) -> "Workload":
        """The same with little work, to see that everything runs; its times mean nothing."""
        rows = min(self.rows, self.batch * 24 + self.rows % self.batch)
        return dataclasses.replace(self, rows=rows, epochs=min(self.epochs, 3), calls=min(self.calls, 20))


_SMALL, _LARGE = (13, 32, 32, 2), (784, 512, 512, 10)
PERCEPTRONS = (
    Workload("tiny", "Training step, MLP 13-32-32-2, batch 32", "train", _SMALL, 32, 32 * 2048, epochs=4),
    Workload("mlp", "Training step, MLP 784-512-512-10, batch 128", "train", _LARGE, 128, 128 * 64, epochs=2),
    Workload("heart", "fit, 303 rows, MLP 13-32-32-2, batch 32, 100 epochs", "fit", _SMALL, 32, 303, epochs=100),
    Workload("million", "fit, 10⁶ rows × 10, MLP 10-32-32-2, batch 256, 1 epoch", "fit", (10, 32, 32, 2), 256, 10**6),
    Workload("predict1", "Prediction, MLP 784-512-512-10, 1 row", "predict", _LARGE, 1, 1, calls=400),
    Workload("predict256", "Prediction, MLP 784-512-512-10, 256 rows", "predict", _LARGE, 256, 256, calls=100),
)


def save(workload: Workload, path: Path, seed: int = 0) -> dict[str, np.ndarray]:
    """Make examples and initial weights, and write them where the peers read them."""
    rng = np.random.default_rng(seed)
    inputs, classes = workload.sizes[0], workload.sizes[-1]
    x = rng.standard_normal((workload.rows, inputs), dtype=np.float32)
    teacher = rng.standard_normal((inputs, classes), dtype=np.float32) / math.sqrt(inputs)
    noise = rng.standard_normal((workload.rows, classes), dtype=np.float32)
    arrays = {"x": x, "y": (x @ teacher + 0.3 * noise).argmax(axis=1).astype(np.int32)}
    for number, (fan_in, fan_out) in enumerate(zip(workload.sizes, workload.sizes[1:], strict=False)):
        bound = math.sqrt(6 / (fan_in + fan_out))  # Glorot's
        arrays[f"kernel{number}"] = rng.uniform(-bound, bound, (fan_in, fan_out)).astype(np.float32)
        arrays[f"bias{number}"] = np.zeros(fan_out, np.float32)
    np.savez(path, **arrays)
    return arrays


def load(path: Path) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Examples, labels, and the weights as ``[kernel, bias, kernel, bias, ...]``."""
    with np.load(path) as arrays:
        return arrays["x"], arrays["y"], weights_in(arrays)


def weights_in(arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The weights of a file, layer by layer."""
    layers = sum(name.startswith("kernel") for name in arrays)
    return [arrays[f"{kind}{number}"] for number in range(layers) for kind in ("kernel", "bias")]
