"""Nested dicts of arrays: paths, split, merge, map.

A *path* joins the keys with ``/``: ``{"dense": {"kernel": k}}`` has the leaf ``dense/kernel``.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Tree = dict[str, Any]  # Any: a leaf (array, spec, Weight, ...) or another Tree; mypy has no recursive dict of arrays


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Leaves by path, in insertion order.

    Example:
        >>> flatten({"dense": {"kernel": 1, "bias": 2}})
        {'dense/kernel': 1, 'dense/bias': 2}
    """
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}/{key}" if prefix else key
        if isinstance(value, Mapping):
            leaves.update(flatten(value, path))
        else:
            leaves[path] = value
    return leaves


def unflatten(leaves: Mapping[str, Any]) -> Tree:
    """The inverse of :func:`flatten`.

    Example:
        >>> unflatten({"dense/kernel": 1, "dense/bias": 2})
        {'dense': {'kernel': 1, 'bias': 2}}
    """
    tree: Tree = {}
    for path, value in leaves.items():
        *parents, last = path.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return tree


def map_with_path(function: Callable[..., Any], tree: Mapping[str, Any], *others: Mapping[str, Any]) -> Tree:
    """Apply ``function(path, leaf, *leaves_of_others)`` to every leaf.

    Example:
        >>> map_with_path(lambda path, x: f"{path}={x}", {"a": {"b": 1}})
        {'a': {'b': 'a/b=1'}}
    """
    flat_others = [flatten(other) for other in others]
    return unflatten(
        {path: function(path, leaf, *(flat[path] for flat in flat_others)) for path, leaf in flatten(tree).items()}
    )


def split(tree: Mapping[str, Any], matches: Callable[[str], bool]) -> tuple[Tree, Tree]:
    """The leaves whose path matches, and the rest, as two trees.

    Example:
        >>> split({"a": {"kernel": 1, "bias": 2}}, lambda path: path.endswith("bias"))
        ({'a': {'bias': 2}}, {'a': {'kernel': 1}})
    """
    leaves = flatten(tree)
    chosen = {path: leaf for path, leaf in leaves.items() if matches(path)}
    rest = {path: leaf for path, leaf in leaves.items() if path not in chosen}
    return unflatten(chosen), unflatten(rest)


def merge(*trees: Mapping[str, Any]) -> Tree:
    """One tree with the leaves of all; later trees win.

    Example:
        >>> merge({"a": {"x": 1}}, {"a": {"y": 2}})
        {'a': {'x': 1, 'y': 2}}
    """
    merged: Tree = {}
    for tree in trees:
        for key, value in tree.items():
            if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
                merged[key] = merge(merged[key], value)
            else:
                merged[key] = merge(value) if isinstance(value, Mapping) else value
    return merged


def matcher(patterns: str | Iterable[str]) -> Callable[[str], bool]:
    """A test of paths against shell patterns; a pattern also matches all that lies below it (``a/*`` is ``a``).

    Example:
        >>> is_backbone = matcher("backbone")
        >>> is_backbone("backbone/dense/kernel"), is_backbone("head/kernel")
        (True, False)
    """
    given = [patterns] if isinstance(patterns, str) else list(patterns)
    listed = [pattern.rstrip("/").removesuffix("/*") for pattern in given]
    return lambda path: any(
        fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, pattern + "/*") for pattern in listed
    )
