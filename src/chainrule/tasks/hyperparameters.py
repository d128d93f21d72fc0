"""What all tasks' hyperparameters share: a frozen dataclass whose fields can be changed by name, also from text."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from chainrule._base.errors import ArgumentError, did_you_mean


@dataclass(frozen=True)
class Hyperparameters:
    """Base of a task's settings; ``--set name=value`` changes one field.

    Example:
        >>> @dataclass(frozen=True)
        ... class Small(Hyperparameters):
        ...     width: int = 8
        ...     dropout: float = 0.5
        >>> Small().replaced({"dropout": "0.1"})
        Small(width=8, dropout=0.1)
    """

    def replaced(self, changes: Mapping[str, Any]) -> Self:  # Any: values, or text from a command line
        """These settings with ``changes``; text is read as the field's type.

        Raises:
            ArgumentError: no such field (with the nearest), or a value that does not fit it.
        """
        known = {field.name: field for field in dataclasses.fields(self)}
        values = {}
        for name, value in changes.items():
            if name not in known:
                raise ArgumentError(
                    f"--set: {name!r} is no hyperparameter of this task.{_suggestion(name, known)} Known: "
                    f"{', '.join(known)}."
                )
            values[name] = _parsed(name, value, type(getattr(self, name)))
        return dataclasses.replace(self, **values)

    def rows(self) -> dict[str, object]:
        """Name and value of every field, for printing."""
        return dataclasses.asdict(self)


def _suggestion(name: str, known: Collection[str]) -> str:
    """The nearest name, or the one that other programs call so."""
    other = next((own for own in _OTHERS.get(name.lower(), ()) if own in known), None)
    return did_you_mean(name, known) if other is None else f" Did you mean {other!r}?"


# what hyperparameters are called elsewhere, and here (in some task)
_OTHERS = {
    "lr": ("learning_rate",),
    "eta": ("learning_rate",),
    "rate": ("learning_rate",),
    "wd": ("weight_decay",),
    "l2": ("weight_decay",),
    "bs": ("batch_size",),
    "batch": ("batch_size",),
    "epoch": ("epochs",),
    "n_epochs": ("epochs",),
    "max_epochs": ("epochs",),
    "hidden": ("width", "units"),
    "units": ("width",),
    "filters": ("width",),
    "layers": ("depth",),
    "num_layers": ("depth",),
    "drop": ("dropout",),
    "opt": ("optimizer",),
    "arch": ("network", "model"),
    "model": ("network",),
    "max_len": ("max_length",),
    "vocab": ("max_vocabulary",),
    "vocab_size": ("max_vocabulary",),
    "ngrams": ("phrases",),
    "embedding_dim": ("embedding",),
}


def _parsed(name: str, value: Any, kind: type) -> Any:  # Any: see Hyperparameters.replaced
    if not isinstance(value, str) or kind is str:
        return value
    try:
        if kind is bool:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[value.lower()]
        return kind(value)
    except (KeyError, ValueError):
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise ArgumentError(f"--set {name}: must be {wanted}; received {value!r}.") from None
