"""The exceptions of chainrule.

::

    ChainruleError
    ├── ArgumentError (ValueError)          an argument has a value it must not have
    │   └── UnknownNameError                a name that is not registered; suggests the nearest
    ├── ArgumentTypeError (TypeError)       an argument has the wrong type
    ├── ShapeError (ValueError)             an array or symbol has the wrong shape
    ├── GraphError (ValueError)             layers are wired in a way that has no meaning
    ├── DataError (ValueError)              a file, row or column cannot be used as it is
    ├── FormatError (ValueError)            a model file is not what it says it is
    ├── CheckpointError (OSError)           a save or a restore failed
    ├── NonFiniteError (ArithmeticError)    training met NaN or Inf
    └── MissingDependencyError (ImportError) an optional third party is not installed

    ChainruleWarning (UserWarning)          nothing failed, but the result is probably not what was meant

Every message is one sentence of four parts: what (layer path, argument, file, row), expected, received,
what to do. Nobody needs a traceback to act on it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# JAX puts a note under every error that passes through its functions; ours say all there is to know.
_FOREIGN_NOTE = "JAX has removed its internal frames"


class ChainruleError(Exception):
    """Base of every error that chainrule raises on purpose."""

    def add_note(self, note: str) -> None:
        """Add ``note`` under the message, unless it is JAX's about its own frames."""
        if _FOREIGN_NOTE not in note:
            super().add_note(note)


class ArgumentError(ChainruleError, ValueError):
    """An argument has a value it must not have."""


class UnknownNameError(ArgumentError):
    """A name is not registered; the message suggests the nearest one."""


class ArgumentTypeError(ChainruleError, TypeError):
    """An argument has the wrong type."""


class ShapeError(ChainruleError, ValueError):
    """An array or a symbol has the wrong shape."""


class GraphError(ChainruleError, ValueError):
    """Layers are wired in a way that has no meaning (a cycle, a missing input)."""


class DataError(ChainruleError, ValueError):
    """A file, row or column cannot be used as it is."""


class FormatError(ChainruleError, ValueError):
    """A model file is damaged, foreign, or newer than this release."""


class CheckpointError(ChainruleError, OSError):
    """A save or a restore failed; what was there before is untouched."""


class NonFiniteError(ChainruleError, ArithmeticError):
    """Training met NaN or Inf; the message names the step, the layer and the rows."""


class MissingDependencyError(ChainruleError, ImportError):
    """An optional third party is not installed; the message gives the install command."""


class ChainruleWarning(UserWarning):
    """Nothing failed, but the result is probably not what was meant; the message says what to type instead."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'adam'?`` for the nearest known name, or an empty string.

    Example:
        >>> did_you_mean("adma", ["adam", "sgd"])
        " Did you mean 'adam'?"
    """
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), list(lowered), n=5, cutoff=0.6)
    if not near:
        return ""
    swapped = [candidate for candidate in near if sorted(candidate) == sorted(name.lower())]  # letters out of order
    return f" Did you mean '{lowered[(swapped or near)[0]]}'?"


def with_note(error: BaseException, note: str) -> BaseException:
    """Add ``note`` to ``error`` once and return it, to say where on the way out it happened."""
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    return error
