"""What ``chainrule fit`` does with each kind of source: which options it has, and which function it calls.

A kind is one entry of :data:`KINDS`; the command finds it by ``--task`` or by looking at the source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule._base.errors import ArgumentError, DataError
from chainrule._base.user_cache import private_folder
from chainrule.data import is_image_source
from chainrule.data.sources.contents import TABLE_ENDINGS, contents_of
from chainrule.data.sources.text import looks_like_text
from chainrule.tasks import FinishedRun, fit_images, fit_table, fit_text

Values = dict[str, Any]  # Any: click's values

_NAMED = 5  # files in a message
_SIZE = re.compile(r"(\d+)(?:x(\d+))?")


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    Args:
        name: as ``--task`` may say it, and as messages do.
        fit: (source, values of the options that all kinds share, all values) -> run.
        finds: (source, all values) -> whether it looks like this kind.
        own: options that only some kinds have and this one does.
    """

    name: str
    fit: Callable[[str, Values, Values], FinishedRun]
    finds: Callable[[str, Values], bool]
    own: frozenset[str]


def pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    """``("a=1", "b=2")`` as a mapping; the last sign of equality divides, since column names may hold one.

    Example:
        >>> pairs("--set", ("width=8", "dropout=0.1"))
        {'width': '8', 'dropout': '0.1'}
    """
    made = {}
    for text in given:
        name, sign, value = text.rpartition("=")
        if not sign or not name or not value:
            raise ArgumentError(f"{option}: must read NAME=VALUE; received {text!r}.")
        made[name.strip()] = value.strip()
    return made


def kind_of(source: str, options: Values) -> Kind:
    """The kind that ``--task`` names, or that ``source`` looks like; a table where nothing else fits."""
    task = options["task"]
    if task is not None:
        return KINDS.get(task, KINDS["table"])
    return next((kind for kind in KINDS.values() if kind.finds(source, options)), KINDS["table"])


def fit_source(source: str, options: Values, command: str) -> FinishedRun:
    """Run the task that fits the source.

    Raises:
        ArgumentError: an option was given that this kind of source has no use for.
    """
    kind = kind_of(source, options)
    for name in sorted({name for other in KINDS.values() for name in other.own} - kind.own):
        if options[name] not in (None, ()) and not (name == "task" and options[name] in KINDS):
            others = [other.name for other in KINDS.values() if name in other.own]
            raise ArgumentError(
                f"--{_OPTION.get(name, name).replace('_', '-')}: is an option for {' and '.join(others)}; {source} is "
                f"taken for {kind.name}. Leave it out, or name the kind of source with --task."
            )
    shared = {
        "run": options["folder"],
        "seed": options["seed"],
        "epochs": options["epochs"],
        "batch_size": options["batch_size"],
        "balance": options["balance"],
        "early_stop": not options["no_early_stop"],
        "settings": pairs("--set", options["settings"]),
        "report": options["report"],
        "verbose": 0 if options["quiet"] else 1,
        "command": command,
    }
    shared |= {name: options[name] for name in ("validation", "test") if options[name] is not None}
    try:
        return kind.fit(source, shared, options)
    except DataError as error:
        if hint := _other_kind(source, kind, options):
            error.args = (f"{error} {hint}",)
        raise


def _other_kind(source: str, kind: Kind, options: Values) -> str:
    """What to type where a folder of both images and texts may have been taken for the wrong kind; else empty."""
    if options["task"] is not None or kind.name == "table" or not Path(source).is_dir():
        return ""
    held, other = contents_of(Path(source)), "text" if kind.name == "images" else "images"
    if not (held.images and held.texts):
        return ""
    return f"The folder holds {held} and was taken for {kind.name}: add --task {other} if the others are meant."


def _fit_table(source: str, shared: Values, options: Values) -> FinishedRun:
    if options["task"] is None and Path(source).is_dir():
        raise DataError(_no_examples(Path(source)))
    if not options["target"]:
        raise ArgumentError(
            f"--target: name the column of {source} to predict, as in: chainrule fit {source} --target price"
        )
    return fit_table(
        source,
        options["target"][0] if len(options["target"]) == 1 else options["target"],
        task=None if options["task"] == "table" else options["task"],
        group=options["group"],
        time=options["time"],
        kinds=pairs("--kind", options["kinds"]),  # type: ignore[arg-type]  # checked where kinds are known
        drop=options["drop"],
        **shared,
    )


def _no_examples(folder: Path) -> str:
    """Why a folder can be taken neither for images nor for texts."""
    names = sorted(path.name for path in folder.iterdir())
    held = "an empty folder" if not names else "one with " + ", ".join(names[:_NAMED]) + ", ..." * (len(names) > _NAMED)
    tables = [name for name in names if (folder / name).is_file() and Path(name).suffix.lower() in TABLE_ENDINGS]
    if tables:
        return (
            f"{folder}: this is a folder; expected a table, or a folder of images or texts; received {held}. Name a "
            f"table, as in: chainrule fit {folder / tables[0]} --target COLUMN"
        )
    return (
        f"{folder}: expected a folder with a folder of images or of .txt files for each class; received {held}. Check "
        "the path, or put the examples of each class into a folder of its own."
    )


def _fit_images(source: str, shared: Values, options: Values) -> FinishedRun:
    if len(options["target"]) > 1:
        raise ArgumentError(f"--target: images have one column of classes; received {len(options['target'])}.")
    return fit_images(
        source,
        target=options["target"][0] if options["target"] else None,
        size=_size(options["size"]),
        augment=options["augment"] or "auto",
        on_bad=options["on_bad"] or "error",
        cache=private_folder("images"),
        **shared,
    )


def _fit_text(source: str, shared: Values, options: Values) -> FinishedRun:
    if len(options["target"]) > 1:
        raise ArgumentError(f"--target: texts have one column of classes; received {len(options['target'])}.")
    own = {name: options[name] for name in ("level", "encoding") if options[name] is not None}
    target = options["target"][0] if options["target"] else None
    return fit_text(source, target=target, text=options["text"], **own, **shared)


def _is_text(source: str, options: Values) -> bool:
    """Texts asked for by their own options, a folder of plain files, or a table with no other feature."""
    if any(options[name] is not None for name in ("text", "level", "encoding")):
        return True
    tabular = ("group", "time", "kinds", "drop")
    if len(options["target"]) > 1 or any(options[name] not in (None, ()) for name in tabular):
        return False
    return looks_like_text(source, options["target"][0] if options["target"] else None)


def _size(text: str | None) -> tuple[int, int] | None:
    """``32`` or ``32x48`` (height x width)."""
    if text is None:
        return None
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ArgumentError(f"--size: must read 32 or 32x48 (height x width, pixels); received {text!r}.")
    return int(match[1]), int(match[2] or match[1])


_OPTION = {"kinds": "kind"}  # names of options that differ from those of their values
KINDS: Mapping[str, Kind] = {
    "images": Kind(
        "images", _fit_images, lambda source, _: is_image_source(source), frozenset({"size", "augment", "on_bad"})
    ),
    "text": Kind("text", _fit_text, _is_text, frozenset({"text", "level", "encoding"})),
    "table": Kind(
        "table", _fit_table, lambda _source, _options: False, frozenset({"task", "group", "time", "kinds", "drop"})
    ),
}
