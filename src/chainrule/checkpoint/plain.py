"""Plain values: what JSON keeps unchanged, checked on the way out and parsed strictly on the way in."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from chainrule._base.errors import ArgumentError, ArgumentTypeError, FormatError

MAX_DEPTH = 64  # levels of dicts and lists
MAX_INT_BITS = 1024  # Python's JSON refuses integers of some 14,000 bits
# `Any` below: a value whose type is what these functions find out.


def check_plain(value: Any, path: str, depth: int = 0) -> None:
    """Require that ``value`` is made of what JSON keeps unchanged; ``path`` says where it stands.

    Example:
        >>> check_plain({"rates": [0.1, float("nan")]}, "config")
        Traceback (most recent call last):
            ...
        chainrule._base.errors.ArgumentError: save: config['rates'][1] must be finite; received nan. Store it as text.
    """
    if depth > MAX_DEPTH:
        raise ArgumentError(f"save: {path} nests more than {MAX_DEPTH} levels. Flatten it.")
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            check_plain(item, f"{path}[{index}]", depth + 1)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ArgumentTypeError(f"save: the keys of {path} must be text; received {key!r}.")
            check_plain(item, f"{path}[{key!r}]", depth + 1)
    else:
        _check_leaf(value, path)


def parse_plain(text: bytes | str, path: str, what: str) -> dict[str, Any]:
    """Parse a JSON object without duplicate keys, NaN, infinities, or more than :data:`MAX_DEPTH` levels.

    Raises:
        FormatError: naming the file ``path`` and ``what`` of it is wrong.

    Example:
        >>> parse_plain('{"units": 2}', "heart.chainrule", "the config")
        {'units': 2}
    """
    try:
        value = json.loads(text, object_pairs_hook=_without_duplicates, parse_float=_finite, parse_constant=_finite)
    except json.JSONDecodeError as error:
        refuse(path, f"{what} is not JSON (character {error.pos}: {error.msg})")
    except ValueError as error:  # also from bytes that are no UTF-8, and from integers of 4,300 digits
        refuse(path, f"{what} is not the JSON that chainrule writes ({error})")
    except RecursionError:
        refuse(path, f"{what} nests more than {MAX_DEPTH} levels")
    if not isinstance(value, dict):
        refuse(path, f"{what} must be a JSON object")
    if _is_deep(value):
        refuse(path, f"{what} nests more than {MAX_DEPTH} levels")
    return value


def refuse(path: str, defect: str) -> NoReturn:
    """Raise the :class:`FormatError` for a damaged or hostile file."""
    raise FormatError(
        f"{path}: {defect}. The file is damaged or was not written by chainrule; restore it from a copy, "
        "or save the model again."
    )


def _check_leaf(value: Any, path: str) -> None:
    if value is not None and not isinstance(value, bool | int | float | str):
        raise ArgumentTypeError(
            f"save: {path} must be made of dicts, lists, text, numbers, booleans and None; received "
            f"{type(value).__name__}. Turn it into one of these, or store it as an array."
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ArgumentError(f"save: {path} must be finite; received {value}. Store it as text.")
    if isinstance(value, int) and value.bit_length() > MAX_INT_BITS:
        raise ArgumentError(f"save: {path} must have at most {MAX_INT_BITS} bits. Store it as text.")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return table


def _finite(number: str) -> float:
    if not math.isfinite(float(number)):
        raise ValueError(f"the number {number[:20]} is not finite")
    return float(number)


def _is_deep(value: Any) -> bool:
    """Whether containers nest more than :data:`MAX_DEPTH` levels, found level by level, without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        nested = [node.values() if isinstance(node, dict) else node for node in level]
        level = [item for items in nested for item in items if isinstance(item, dict | list)]
        if not level:
            return False
    return True
