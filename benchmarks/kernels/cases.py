"""What is timed: shapes of convolutions, poolings and recurrences, and their data. Needs NumPy only."""

import math
import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

CONVOLUTION_PASSES = ("forward", "input gradient", "weight gradient")
OTHER_PASSES = ("forward", "forward and backward")


@dataclass(frozen=True)
class Case:
    """One operation at one shape.

    Args:
        kind: the operation.
        batch: examples.
        size: height and width, or the length of a sequence.
        channels: in.
        filters: out; for a depthwise convolution or pooling as many as ``channels``.
        window: of a convolution or pooling; padded by half of it if odd.
        stride: of the window.
    """

    kind: Literal["conv", "depthwise", "max_pool", "avg_pool", "lstm", "gru"]
    batch: int
    size: int
    channels: int
    filters: int
    window: int = 1
    stride: int = 1

    @property
    def title(self) -> str:
        """Operation and shape."""
        if self.kind in ("lstm", "gru"):
            return f"{self.kind.upper()} {self.channels} → {self.filters}, {self.size} steps, batch {self.batch}"
        stride = f", stride {self.stride}" if self.stride > 1 else ""
        name = self.kind.replace("_", "-").replace("conv", "convolution")
        ends = f"{self.channels} → {self.filters}" if self.kind == "conv" else f"{self.channels} channels"
        return f"{name} {self.window}×{self.window}{stride}, {ends}, {self.size}×{self.size}, batch {self.batch}"

    @property
    def passes(self) -> tuple[str, ...]:
        """What is timed of it."""
        return CONVOLUTION_PASSES if self.kind in ("conv", "depthwise") else OTHER_PASSES

    @property
    def padding(self) -> int:
        """Cells at each side."""
        return self.window // 2 if self.window % 2 else 0

    def flops(self, timed: str) -> float:
        """Operations of the textbook's algorithm; 0 for poolings, which hardly compute."""
        if self.kind in ("max_pool", "avg_pool"):
            return 0.0
        if self.kind in ("lstm", "gru"):
            gates = 4 if self.kind == "lstm" else 3
            forward = 2.0 * self.batch * self.size * gates * self.filters * (self.channels + self.filters)
            return forward * (1 if timed == "forward" else 3)
        positions = self.batch * ((self.size - 1) // self.stride + 1) ** 2
        return 2.0 * positions * self.filters * self.window**2 * (self.channels if self.kind == "conv" else 1)

    def arrays(self) -> dict[str, np.ndarray]:
        """Input and weights, from a seed of the case's own."""
        rng = np.random.default_rng(zlib.crc32(self.title.encode()))
        gates = {"lstm": 4, "gru": 3}.get(self.kind, 0)
        if gates:
            shapes = {"x": (self.batch, self.size, self.channels), "kernel": (self.channels, gates * self.filters)}
            shapes |= {"recurrent": (self.filters, gates * self.filters)}
        else:
            shapes = {"x": (self.batch, self.size, self.size, self.channels)}
            kernel = (self.channels, self.filters) if self.kind == "conv" else (self.channels, 1)
            shapes |= {"kernel": (self.window, self.window, *kernel)} if "pool" not in self.kind else {}
        scales = {name: 1.0 if name == "x" else 1 / math.sqrt(math.prod(shape[:-1])) for name, shape in shapes.items()}
        return {name: scales[name] * rng.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}


def check_sums(result: np.ndarray) -> tuple[float, float]:
    """Two numbers that tell results of one shape apart: a weighted sum and the Euclidean norm."""
    wide = np.asarray(result, np.float64).ravel()
    return float(wide @ np.cos(np.arange(wide.size))), float(np.linalg.norm(wide))


CASES = (
    Case("conv", 32, 32, 3, 64, 3),
    Case("conv", 32, 32, 16, 16, 3),
    Case("conv", 32, 32, 32, 32, 3),
    Case("conv", 64, 16, 64, 64, 3),
    Case("conv", 16, 16, 128, 128, 3),
    Case("conv", 32, 8, 256, 256, 3),
    Case("conv", 32, 14, 32, 64, 5),
    Case("conv", 64, 32, 16, 32, 3, 2),
    Case("conv", 64, 16, 64, 128, 3, 2),
    Case("conv", 32, 16, 128, 256, 1),
    Case("conv", 64, 8, 256, 64, 1),
    Case("conv", 64, 32, 64, 128, 1, 2),
    Case("depthwise", 64, 32, 32, 32, 3),
    Case("depthwise", 64, 16, 128, 128, 3),
    Case("depthwise", 64, 32, 64, 64, 3, 2),
    Case("max_pool", 64, 32, 64, 64, 2, 2),
    Case("max_pool", 64, 16, 64, 64, 3, 1),
    Case("avg_pool", 64, 32, 64, 64, 2, 2),
    Case("lstm", 64, 100, 64, 128),
    Case("gru", 64, 100, 64, 128),
)
