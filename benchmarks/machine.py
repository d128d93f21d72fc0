"""What the times were measured on: processor, cores, versions, and the speed of a large matrix product."""

import os
import platform
import subprocess
import sys
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


def peak() -> float:
    """Operations a second of the best of 16 float32 products of 2048 × 2048, eight by JAX and eight by NumPy.

    It stands for the machine's peak: no program reaches more than a few per cent beyond it.
    """
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True)
    return float(done.stdout)


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.processor() or platform.machine()
    lines = information.read_text().splitlines()
    fields = dict(tuple(part.strip() for part in line.split(":", 1)) for line in lines if ":" in line)
    flags = fields.get("flags", "").split()
    vector = next((name for name in ("avx512f", "avx2", "sse4_2") if name in flags), "")
    return " ".join(part for part in (fields.get("model name", platform.machine()), vector) if part)
