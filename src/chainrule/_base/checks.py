"""Checks of arguments, phrased alike everywhere.

Every check takes the argument's name, its value and its owner (a layer, a function's name, ...) and raises an
error of :mod:`chainrule.errors` that says what was expected and what was received.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection, Sequence
from typing import Any

from chainrule._base.errors import ArgumentError, ArgumentTypeError, did_you_mean

# `Any` below: these functions exist to look at values of unknown type.


def owner_name(owner: object) -> str:
    """How ``owner`` is called in messages: ``head (Dense)``, ``Dense``, or the string itself."""
    if isinstance(owner, str):
        return owner
    kind = type(owner).__name__
    name = getattr(owner, "name", None)
    return f"{name} ({kind})" if isinstance(name, str) and name else kind


def check_int(name: str, value: Any, owner: object, *, minimum: int | None = None) -> None:
    """Require an integer (not a bool), optionally of at least ``minimum``."""
    kind = "an integer" if minimum is None else f"an integer of at least {minimum}"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ArgumentTypeError(f"{owner_name(owner)}: {name} must be {kind}; received {describe(value)}.")
    if minimum is not None and value < minimum:
        raise ArgumentError(f"{owner_name(owner)}: {name} must be {kind}; received {value}.")


def check_positive_int(name: str, value: Any, owner: object) -> None:
    """Require an integer of at least 1."""
    check_int(name, value, owner, minimum=1)


def check_number(
    name: str,
    value: Any,
    owner: object,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> None:
    """Require a finite real number within the given bounds."""
    bounds = [
        text
        for text, bound in (
            (f"above {above}", above),
            (f"at least {at_least}", at_least),
            (f"below {below}", below),
            (f"at most {at_most}", at_most),
        )
        if bound is not None
    ]
    kind = " ".join(["a finite number", " and ".join(bounds)]).strip()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ArgumentTypeError(f"{owner_name(owner)}: {name} must be {kind}; received {describe(value)}.")
    number = float(value)
    within = (
        math.isfinite(number)
        and (above is None or number > above)
        and (at_least is None or number >= at_least)
        and (below is None or number < below)
        and (at_most is None or number <= at_most)
    )
    if not within:
        raise ArgumentError(f"{owner_name(owner)}: {name} must be {kind}; received {value}.")


def check_choice(name: str, value: Any, choices: Collection[str], owner: object) -> None:
    """Require one of ``choices``; the message suggests the nearest."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        hint = did_you_mean(value, choices) if isinstance(value, str) else ""
        raise ArgumentError(f"{owner_name(owner)}: {name} must be one of {listed}; received {describe(value)}.{hint}")


def describe(value: Any) -> str:
    """A short account of ``value`` for a message: shape and dtype of arrays, never their contents.

    Example:
        >>> import numpy as np
        >>> describe(np.zeros((2, 3), np.float32))
        'an array of shape (2, 3) and dtype float32'
        >>> describe("adma")
        "'adma' (str)"
    """
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"an array of shape {tuple(value.shape)} and dtype {value.dtype}"
    text = repr(value)
    if len(text) > 80:
        text = text[:77] + "..."
    return text if value is None else f"{text} ({type(value).__name__})"


def shapes_agree(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Whether two shapes are equal as far as they are known; a symbolic size agrees with every size.

    Example:
        >>> shapes_agree((32, 1), (32, 1)), shapes_agree((32,), (32, 1))
        (True, False)
    """
    return len(first) == len(second) and all(
        a == b or not (isinstance(a, int) and isinstance(b, int)) for a, b in zip(first, second, strict=True)
    )
