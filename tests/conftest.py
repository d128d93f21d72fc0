"""What all tests share: one compilation cache, so that equal programs of different tests compile once."""

from pathlib import Path

import jax

_CACHE = Path(__file__).resolve().parents[1] / ".pytest_cache" / "xla"
_CACHE.mkdir(mode=0o700, parents=True, exist_ok=True)
jax.config.update("jax_compilation_cache_dir", str(_CACHE))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
