"""The compiled CPU kernels: found, checked, registered with XLA, called; the only module that knows their names.

Where there is no library (no compiler at the time of the install, another processor) every operation runs its plain
JAX form instead; on other platforms than the CPU it always does. The environment is read once:
``CHAINRULE_NATIVE=0`` leaves the kernels unused, ``CHAINRULE_ISA=portable|avx2|avx512`` chooses the instruction set,
``CHAINRULE_LIBRARY`` names a library file built elsewhere, ``CHAINRULE_TUNE_ALLOCATOR=1`` tunes the allocator when
this module is imported, which ``import chainrule`` does before JAX starts its back end.

Derivatives of the kernels: reverse mode (``jax.grad``, ``jax.vjp``) of every order. Forward mode (``jax.jvp``,
``jax.linearize``, ``jax.jacfwd``, ``jax.hessian``) is refused by JAX with "can't apply forward-mode autodiff (jvp) to a
custom_vjp function"; start the program with ``CHAINRULE_NATIVE=0`` for it. A Hessian needs none:
``jax.jacrev(jax.grad(f))`` computes it in reverse mode.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import lax

from chainrule._base.errors import ArgumentError, ChainruleWarning
from chainrule._base.spec import Array, Spec

INTERFACE = 1  # of CHAINRULE_INTERFACE in native/include/chainrule/library.h
ISAS = ("portable", "avx2", "avx512")
HOW_TO_GET = (
    "The kernels are built when chainrule is installed, which needs a C++17 compiler: install g++ "
    "(Debian, Ubuntu: sudo apt install g++), then run pip install --force-reinstall --no-deps chainrule."
)
_FILE = "libchainrule.so"
_lock = threading.Lock()


def enabled() -> bool:
    """Whether the kernels are there and wanted.

    Example:
        >>> enabled() in (True, False)
        True
    """
    return library() is not None


def isa() -> str | None:
    """The instruction set the kernels run with: ``portable``, ``avx2`` or ``avx512``; ``None`` without kernels."""
    loaded = library()
    return None if loaded is None else bytes(loaded.chainrule_isa()).decode()


def status() -> str:
    """One sentence on the kernels, for people.

    Example:
        >>> status().startswith("native kernels: ")
        True
    """
    if (name := isa()) is not None:
        return f"native kernels: {name}"
    if os.environ.get("CHAINRULE_NATIVE") == "0":
        return "native kernels: switched off by CHAINRULE_NATIVE=0; the plain JAX forms run"
    return f"native kernels: none ({_missing()}); the plain JAX forms run, several times slower. {HOW_TO_GET}"


def is_allocator_tuned() -> bool:
    """Whether ``CHAINRULE_TUNE_ALLOCATOR=1`` was set, and took effect, when chainrule was imported.

    Raises:
        ArgumentError: the variable holds something else than 0 or 1.

    Example:
        >>> is_allocator_tuned() in (True, False)
        True
    """
    _flag("CHAINRULE_TUNE_ALLOCATOR", "0", "Unset it to leave the allocator as it is.")
    return _TUNED


@functools.cache
def library() -> ctypes.CDLL | None:
    """The loaded library, or ``None``; looked for once.

    Raises:
        ArgumentError: ``CHAINRULE_NATIVE`` or ``CHAINRULE_ISA`` holds something else than what is known, or the machine
            does not have the instruction set.
    """
    wanted = _flag("CHAINRULE_NATIVE", "1", "Unset it to use the kernels.")
    path = _path()
    if wanted == "0" or path is None:
        return None
    try:
        loaded = ctypes.CDLL(str(path))
        interface = int(loaded.chainrule_interface())
    except (OSError, AttributeError) as error:
        warnings.warn(f"{path} cannot be used: {error}. {HOW_TO_GET}", ChainruleWarning, stacklevel=2)
        return None
    if interface != INTERFACE:
        warnings.warn(
            f"{path} has interface {interface}, and this version of chainrule needs {INTERFACE}. {HOW_TO_GET}",
            ChainruleWarning,
            stacklevel=2,
        )
        return None
    loaded.chainrule_isa.restype = ctypes.c_char_p
    _choose_isa(loaded)
    return loaded


def on_cpu(native: Callable[..., Any], plain: Callable[..., Any], *arguments: Array) -> Any:  # Any: trees of arrays
    """``native(*arguments)`` where the kernels are there and the platform is the CPU, else ``plain(*arguments)``.

    Programs exported for other platforms hold only ``plain``.
    """
    if not enabled():
        return plain(*arguments)
    return lax.platform_dependent(*arguments, cpu=native, default=plain)


def call(
    name: str,
    results: Any,  # Any: specs
    *arguments: Array,
    overwritten: int | None = None,
    **attributes: Any,  # Any: numbers, tuples of them
) -> Any:  # Any: arrays
    """Call the handler ``chainrule_<name>`` on ``arguments``; only inside the ``native`` branch of :func:`on_cpu`.

    Args:
        name: the handler's name, without its prefix.
        results: one :class:`Spec` or a sequence of them.
        arguments: its arrays.
        overwritten: the number of an argument whose memory the first result, of the same shape, may take.
        attributes: integers become int64, floats float32, sequences of integers int64 arrays.
    """
    register(name)
    typed = {key: _attribute(value) for key, value in attributes.items()}
    aliases = None if overwritten is None else {overwritten: 0}
    function: Any = jax.ffi.ffi_call(
        f"chainrule_{name}", results, vmap_method="sequential", input_output_aliases=aliases
    )
    return function(*arguments, **typed)


@functools.cache
def register(name: str) -> None:
    """Make the handler ``chainrule_<name>`` known to XLA, once."""
    loaded = library()
    if loaded is None:
        raise RuntimeError(f"chainrule_{name} is called without the library")
    with _lock:
        target = jax.ffi.pycapsule(getattr(loaded, f"chainrule_{name}"))
        jax.ffi.register_ffi_target(f"chainrule_{name}", target, platform="cpu")


def tune_allocator(megabytes: int = 512) -> bool:
    """Keep freed memory in the process instead of returning it to the system; saves page faults in large steps.

    XLA takes its temporary memory anew at every call; glibc then maps and clears fresh pages each time, up to 0.1 s of
    a step. This changes the **whole process** (one malloc arena, nothing returned before it ends), so it is never done
    by itself. Call it before the first computation, or set ``CHAINRULE_TUNE_ALLOCATOR=1``. Linux with glibc only.

    Args:
        megabytes: memory to take once and keep, in huge pages where the system has them.

    Returns:
        Whether it took effect.
    """
    if not isinstance(megabytes, int) or isinstance(megabytes, bool) or not 0 <= megabytes <= 1 << 20:
        raise ArgumentError(
            f"tune_allocator: megabytes must be an integer from 0 to {1 << 20}; received {megabytes!r}. "
            "512 suits most models."
        )
    path = _path()
    if path is None or not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(str(path)).chainrule_tune_allocator(ctypes.c_longlong(megabytes << 20)))


def result(shape: tuple[Any, ...], like: Array) -> Spec:  # Any: integers, or symbolic dimensions in shape inference
    """The spec of a result of this shape, with the dtype of ``like``."""
    return Spec(shape, like.dtype)


def _attribute(value: Any) -> Any:  # Any: numbers, tuples of integers
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return np.int64(value)
    if isinstance(value, float):
        return np.float32(value)
    return np.asarray(value, np.int64)


def _path() -> Path | None:
    """Where the library lies: in ``_native`` beside this package, wherever the package's parts are installed."""
    if chosen := os.environ.get("CHAINRULE_LIBRARY"):
        return Path(chosen)
    package = sys.modules[__name__.partition(".")[0]]
    for folder in package.__path__:
        if (found := Path(folder) / "_native" / _FILE).is_file():
            return found
    return None


def _flag(name: str, default: str, advice: str) -> str:
    value = os.environ.get(name, default)
    if value not in ("0", "1"):
        raise ArgumentError(f"{name}: must be 0 or 1; received {value!r}. {advice}")
    return value


def _missing() -> str:
    path = _path()
    return "they were not built" if path is None else f"{path} cannot be used"


def _choose_isa(loaded: ctypes.CDLL) -> None:
    name = os.environ.get("CHAINRULE_ISA")
    if not name:
        return
    answer = loaded.chainrule_select_isa(name.encode())
    if answer != 1:
        why = "this machine does not have it" if answer == 0 else f"known are {', '.join(ISAS)}"
        raise ArgumentError(
            f"CHAINRULE_ISA: must be an instruction set that the machine has; received {name!r} ({why}). "
            "Unset it to take the best one."
        )


_TUNED = os.environ.get("CHAINRULE_TUNE_ALLOCATOR") == "1" and tune_allocator()
