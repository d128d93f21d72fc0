"""What the times were measured on: processor, cores, versions, and its peak of float32 arithmetic."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_PROBE = """
import time
import numpy as np
import jax, jax.numpy as jnp
side = 2048
a, b = np.random.default_rng(0).standard_normal((2, side, side), dtype=np.float32)
product = jax.jit(jnp.matmul)
x, y = jnp.asarray(a), jnp.asarray(b)
product(x, y).block_until_ready()
best = 1e9
for _ in range(8):
    began = time.perf_counter(); product(x, y).block_until_ready(); best = min(best, time.perf_counter() - began)
    began = time.perf_counter(); a @ b; best = min(best, time.perf_counter() - began)
print(2 * side ** 3 / best)
"""


def describe() -> dict[str, object]:
    """Processor, cores, system and Python; no names of hosts or paths."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


class Probe:
    """Measures the peak of float32 arithmetic: operations a second of all cores.

    With a C++ compiler it is a loop of multiply-adds that stay in registers, the largest speed there is; without one,
    the best of 16 products of 2048 × 2048, eight by JAX and eight by NumPy.
    """

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.program = self._built(Path(self.folder.name) / "peak")
        products = "the best of 16 float32 products of 2048 × 2048 by JAX and NumPy"
        self.source = products if self.program is None else "multiply-adds in registers on all cores"

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, *_error: object) -> None:
        self.folder.cleanup()

    @staticmethod
    def _built(program: Path) -> Path | None:
        compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
        if compiler is None:
            return None
        # tuned for no processor in particular: GCC otherwise splits chains of multiply-adds on AMD's
        options = ["-O3", "-march=native", "-mtune=generic", "-pthread"]
        command = [compiler, *options, str(Path(__file__).with_name("peak.cpp")), "-o", str(program)]
        return program if subprocess.run(command, capture_output=True).returncode == 0 else None

    def best(self, repeats: int = 5) -> float:
        """The largest of ``repeats``, each of which takes a tenth of a second; of 16 products without a compiler."""
        if self.program is None:
            return _printed([sys.executable, "-c", _PROBE])
        return _printed([str(self.program), str(os.cpu_count() or 1), str(repeats)])


def peak() -> tuple[float, str]:
    """The peak and what reached it, see ``Probe``."""
    with Probe() as probe:
        return probe.best(), probe.source


def _printed(command: list[str]) -> float:
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.processor() or platform.machine()
    lines = information.read_text().splitlines()
    fields = dict(tuple(part.strip() for part in line.split(":", 1)) for line in lines if ":" in line)
    flags = fields.get("flags", "").split()
    vector = next((name for name in ("avx512f", "avx2", "sse4_2") if name in flags), "")
    return " ".join(part for part in (fields.get("model name", platform.machine()), vector) if part)
