"""Third parties that may be absent, or are dear to import: one place, one message."""

from __future__ import annotations

import importlib
from types import ModuleType

from chainrule._base.errors import MissingDependencyError


def optional_import(module: str, *, package: str | None = None, purpose: str, extra: str | None = None) -> ModuleType:
    """Import ``module`` when it is first needed, or say how to install it.

    Args:
        module: dotted module name.
        package: its name on PyPI, if that differs from the top module.
        purpose: what it is needed for, for the message ("reading Excel files").
        extra: the extra of chainrule that brings it, if there is one.

    Example:
        >>> optional_import("math", purpose="arithmetic").floor(2.5)
        2
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        target = f"chainrule[{extra}]" if extra else (package or module.split(".")[0])
        raise MissingDependencyError(
            f"{purpose} needs the package {package or module.split('.')[0]!r}, which is not installed. "
            f"Type: pip install '{target}'."
        ) from error
