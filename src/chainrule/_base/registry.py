"""Names for classes and functions, and frozen dataclasses to plain configs and back.

A :class:`Registry` is a closed list built while chainrule is imported (and by a user's ``register`` calls). Files
name entries; they never name import paths, so loading a file cannot run code.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from chainrule._base.arguments import check_arguments
from chainrule._base.errors import (
    ArgumentError,
    ArgumentTypeError,
    FormatError,
    UnknownNameError,
    did_you_mean,
)

T = TypeVar("T")
F = TypeVar("F")


def snake_case(name: str) -> str:
    """``Conv2D`` -> ``conv2d``, ``LayerNormalization`` -> ``layer_normalization``, ``PReLU`` -> ``prelu``.

    Example:
        >>> [snake_case(n) for n in ("Conv2D", "LayerNormalization", "LSTM", "PReLU", "GaussianNoise")]
        ['conv2d', 'layer_normalization', 'lstm', 'prelu', 'gaussian_noise']
    """
    name = name.replace("ReLU", "Relu")
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    name = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    return name.replace("p_relu", "prelu").replace("_relu", "_relu")


class Registry(Generic[T]):
    """A closed list of named things of one kind ("activation", "layer", ...).

    Lookup ignores case; synonyms (Keras's strings) point to the same entry.

    Example:
        >>> activations = Registry("activation")
        >>> _ = activations.register(abs, "magnitude", synonyms=("abs",))
        >>> activations["abs"](-2)
        2
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}
        self._synonyms: dict[str, str] = {}

    def register(self, entry: F, name: str, *, synonyms: tuple[str, ...] = ()) -> F:
        """Add ``entry`` under ``name``; a name that is taken by another entry is refused.

        A definition that is run again (a notebook's cell, a reloaded module) replaces its older self.
        """
        for key in (name, *synonyms):
            taken = self._synonyms.get(key.lower())
            if taken is not None and not _same_definition(self._entries[taken], entry):
                raise ArgumentError(
                    f"register: the {self.kind} name {key!r} is taken by {self._entries[taken]!r}. Choose another name."
                )
        self._entries[name] = entry  # type: ignore[assignment]  # F is T, kept narrow for decorators
        for key in (name, *synonyms):
            self._synonyms[key.lower()] = name
        return entry

    def __getitem__(self, name: str) -> T:
        """The entry called ``name``, or :class:`UnknownNameError` with the nearest names."""
        if not isinstance(name, str):
            raise ArgumentTypeError(
                f"{self.kind} must be given by name, object or function; received {type(name).__name__}."
            )
        key = self._synonyms.get(name.lower())
        if key is None:
            hint = did_you_mean(name, self._synonyms)
            raise UnknownNameError(
                f"{name!r} is not a known {self.kind}.{hint} Known: {', '.join(sorted(self._entries))}."
            )
        return self._entries[key]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._synonyms

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def name_of(self, entry: object) -> str | None:
        """The name under which ``entry`` is registered, or ``None``."""
        return next((name for name, known in self._entries.items() if known is entry), None)

    def items(self) -> list[tuple[str, T]]:
        """Name and entry, in alphabetical order."""
        return sorted(self._entries.items())


def _same_definition(old: Any, new: Any) -> bool:  # Any: classes and functions
    """Whether both come from one place in the source."""
    return old is new or all(
        getattr(old, part, None) is not None and getattr(old, part) == getattr(new, part, None)
        for part in ("__module__", "__qualname__")
    )


# One table for every class that may stand in a file: layers, losses, metrics, optimizers, initializers, ...
serializable: Registry[type[Any]] = Registry("class")
functions: Registry[Callable[..., Any]] = Registry("function")


def register_class(cls: type[T], name: str | None = None) -> type[T]:
    """Make a frozen dataclass loadable from files under its class name, or ``name`` (usable as a decorator).

    From then on calls with arguments that it does not have are refused with what to type instead.
    """
    serializable.register(cls, name or cls.__name__)
    return check_arguments(cls)


def register_function(function: Callable[..., Any], name: str | None = None) -> Callable[..., Any]:
    """Make ``function`` storable by name, so that models which use it can be saved and loaded."""
    return functions.register(function, name or function.__name__)


def to_config(value: Any) -> Any:  # Any: configs hold whatever JSON holds
    """Turn a registered frozen dataclass (nested ones too) into plain JSON values.

    Fields at their default are left out, so a config says what the user typed. A class whose fields are no
    plain values (a graph) brings its own ``__config__`` and ``__from_config__``.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [to_config(item) for item in value]
    if isinstance(value, Mapping):
        return {"$map": [[to_config(key), to_config(item)] for key, item in value.items()]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _class_config(value)
    if callable(value):
        return {"$function": _function_name(value)}
    raise ArgumentTypeError(f"save: a value of type {type(value).__name__} cannot be stored in a config.")


def _class_config(value: Any) -> dict[str, Any]:
    name = serializable.name_of(type(value))
    if name is None:
        raise ArgumentError(
            f"save: {type(value).__name__} is not registered, so a file could not name it. "
            "Decorate the class with @chainrule.register."
        )
    if hasattr(value, "__config__"):
        own: dict[str, Any] = value.__config__()
        return {"type": name} | own
    config: dict[str, Any] = {"type": name}
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if field.init and not _is_default(field, item):
            config[field.name] = to_config(item)
    return config


def _function_name(function: Callable[..., Any]) -> str:
    name = functions.name_of(function)
    if name is None:
        called = getattr(function, "__name__", repr(function))
        raise ArgumentError(
            f"save: the function {called!r} has no registered name, so a file could not name it. "
            f"Register it first: chainrule.register({called})."
        )
    return name


def from_config(config: Any) -> Any:  # Any: see to_config
    """Build what :func:`to_config` described; only registered names are followed."""
    if isinstance(config, list):
        return tuple(from_config(item) for item in config)
    if not isinstance(config, dict):
        return config
    if set(config) == {"$function"}:
        return _known(functions, config["$function"])
    if set(config) == {"$map"}:
        return {from_config(key): from_config(item) for key, item in config["$map"]}
    cls = _known(serializable, config.get("type"))
    if hasattr(cls, "__from_config__"):
        return cls.__from_config__(config)
    fields = {field.name for field in dataclasses.fields(cls) if field.init}
    arguments = {key: from_config(item) for key, item in config.items() if key != "type"}
    unknown = sorted(set(arguments) - fields)
    if unknown:
        raise FormatError(
            f"{config['type']}: unknown field {unknown[0]!r} in the file.{did_you_mean(unknown[0], fields)} "
            "The file was made by another release, or is damaged."
        )
    try:
        return cls(**arguments)
    except TypeError as error:
        raise FormatError(f"{config['type']}: the file's fields do not fit the class ({error}).") from error


def _known(registry: Registry[Any], name: Any) -> Any:
    if not isinstance(name, str) or name not in registry:
        hint = did_you_mean(name, registry) if isinstance(name, str) else ""
        raise FormatError(
            f"the file names the {registry.kind} {name!r}, which is not registered.{hint} "
            "If it is your own, import and register it before loading."
        )
    return registry[name]


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default is not dataclasses.MISSING:
        return type(value) is type(field.default) and bool(value == field.default)
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return False


def register(entry: Any) -> Any:  # Any: a class or a function, returned unchanged
    """Make your own class (a layer, loss, metric, ...) or function storable by its name; usable as a decorator.

    Example:
        >>> @register
        ... def cubed(x):
        ...     return x**3
        >>> to_config(cubed)
        {'$function': 'cubed'}
    """
    return register_class(entry) if isinstance(entry, type) else register_function(entry)
