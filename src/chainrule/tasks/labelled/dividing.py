"""Labelled examples divided: given parts kept, classes in equal shares, equal examples on one side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from chainrule._base.errors import DataError
from chainrule._base.wording import counted
from chainrule.data import Finding, Split, imbalance_note, split
from chainrule.tasks.labelled.job import Options

PARTS = ("train", "validation", "test")
LEAST = 3  # examples of a class: one for each part


def divide(
    labels: np.ndarray,
    classes: Sequence[str],
    options: Options,
    *,
    source: str,
    units: np.ndarray | None = None,
    given: Mapping[str, np.ndarray] | None = None,
) -> tuple[Split, tuple[Finding, ...]]:
    """Training, validation and test rows, and what to know of copies across them.

    Args:
        labels: class numbers.
        classes: their names.
        options: shares and seed.
        source: name of the data, for messages.
        units: a number per example, equal for equal examples, which stay on one side as far as no given part
            divides them.
        given: parts that the source divides itself: ``train`` with ``test``, ``validation`` or both. What is missing is
            taken from the training rows.

    Raises:
        DataError: a class has too few examples, or none in a given part to train on.

    Example:
        >>> labels = np.array([0, 1] * 10)
        >>> parts, findings = divide(labels, ("a", "b"), Options("fit_images"), source="pets")
        >>> parts.sizes, parts.how, findings
        ({'train': 12, 'validation': 4, 'test': 4}, 'stratified', ())
        >>> halves = {"train": np.arange(10), "test": np.arange(10, 20)}
        >>> parts, _ = divide(labels, ("a", "b"), Options("fit_images"), source="pets", given=halves)
        >>> parts.sizes, parts.how
        ({'train': 8, 'validation': 2, 'test': 10}, 'test as given, validation stratified')
    """
    units = np.arange(labels.size) if units is None else units
    given = {part: rows for part, rows in (given or {}).items() if rows.size}
    parts = _parts(labels, units, options, given) if len(given) > 1 else _split(labels, classes, options, units, source)
    missing = np.setdiff1d(np.arange(len(classes)), labels[parts.train])
    if missing.size:
        raise DataError(
            f"{source}: the class {classes[int(missing[0])]!r} has no example to train on. Add examples, or leave the "
            "class out."
        )
    return parts, (*_copies(units, parts), *_contradictions(labels, units))


def split_words(
    parts: Split, options: Options, unit: tuple[str, str], counts: Mapping[str, int] | None = None
) -> list[str]:
    """How the examples are divided and, with ``counts`` of the classes, whether they are balanced, a line each."""
    sizes = parts.sizes
    lines = [
        f"Split ({parts.how}, seed {options.seed}): {counted(sizes['train'], *unit)} to train, "
        f"{sizes['validation']:,} to decide when to stop, {sizes['test']:,} to judge once at the end."
    ]
    if counts and (note := imbalance_note(counts)):
        note = note.replace(" rows,", f" {unit[1]},")
        remedies = {
            "none": f" All {unit[1]} count alike; --balance weights changes that.",
            "weights": " Each class counts alike in the loss.",
        }
        treated = remedies.get(options.balance, f" Training {unit[1]} are {options.balance}d.")
        lines.append(note[:1].upper() + note[1:] + treated)
    return lines


def _split(labels: np.ndarray, classes: Sequence[str], options: Options, units: np.ndarray, source: str) -> Split:
    counts = np.bincount(labels, minlength=len(classes))
    rare = [f"{name!r} ({count})" for name, count in zip(classes, counts, strict=True) if count < LEAST]
    if rare:
        raise DataError(
            f"{source}: at least {LEAST} examples of each class are needed (for training, validation and test); fewer "
            f"are there of {', '.join(rare[:10])}. Add examples, or leave these classes out."
        )
    different = np.bincount(np.unique(np.stack([units, labels]), axis=1)[1], minlength=len(classes))
    alike = [f"{name!r} ({few} among {count})" for name, few, count in zip(classes, different, counts, strict=True)]
    if (different < LEAST).any():
        listed = ", ".join(one for one, few in zip(alike, different, strict=True) if few < LEAST)
        raise DataError(
            f"{source}: at least {LEAST} different examples of each class are needed, since equal ones are kept in one "
            f"part; fewer are there of {listed}. Add examples that differ, or leave these classes out."
        )
    made = split(
        labels.size,
        validation=options.validation,
        test=options.test,
        stratify=labels,
        groups=units,
        seed=options.seed,
    )
    return Split(made.train, made.validation, made.test, f"stratified{_kept(units)}")


def _parts(labels: np.ndarray, units: np.ndarray, options: Options, given: dict[str, np.ndarray]) -> Split:
    """The given parts, and those that are missing taken from the training rows."""
    found = {part: np.sort(given[part]) for part in PARTS if part in given}
    order = np.random.default_rng(options.seed)
    missing = [part for part in PARTS if part not in found]
    if not missing:
        return Split(order.permutation(found["train"]), found["validation"], found["test"], "as given")
    (part,) = missing
    rows, share = found["train"], options.validation if part == "validation" else options.test
    made = split(rows.size, validation=share, test=0.0, stratify=labels[rows], groups=units[rows], seed=options.seed)
    found |= {"train": rows[made.train], part: rows[made.validation]}
    kept = "test" if part == "validation" else "validation"
    return Split(found["train"], found["validation"], found["test"], f"{kept} as given, {part} stratified")


def _kept(units: np.ndarray) -> str:
    num_copies = units.size - np.unique(units).size
    return f", {counted(num_copies, 'copy', 'copies')} kept together" if num_copies else ""


def _copies(units: np.ndarray, parts: Split) -> tuple[Finding, ...]:
    held_out = np.concatenate([parts.validation, parts.test])
    num_twins = int(np.isin(units[held_out], units[parts.train]).sum())
    if not num_twins:
        return ()
    message = counted(
        num_twins,
        "validation or test example is an exact copy of a training example.",
        "validation and test examples are exact copies of training examples.",
    )
    return (Finding("duplicates", None, message, "Scores are a little too good; remove the copies from one side."),)


def _contradictions(labels: np.ndarray, units: np.ndarray) -> tuple[Finding, ...]:
    """Equal examples of different classes: at most one of the labels can be right."""
    pairs = np.unique(np.stack([units, labels]), axis=1)[0]
    different, classes = np.unique(pairs, return_counts=True)
    number = int(np.isin(units, different[classes > 1]).sum())
    if not number:
        return ()
    message = f"{number:,} examples have an exact copy in another class."
    return (Finding("duplicates", None, message, "No network can tell these apart; correct their classes."),)
