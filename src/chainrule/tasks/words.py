"""Small words that the command line, the report and the model card share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainrule.tasks.scores import main_measure


def model_names(task: str) -> dict[str, str]:
    """What the three models are called in tables."""
    if task == "regression":
        return {"network": "model", "linear": "linear regression", "guess": "mean"}
    return {"network": "model", "linear": "logistic regression", "guess": "majority"}


def shown(value: float | None) -> str:
    """A score as it is printed: three or four digits that matter.

    Example:
        >>> [shown(value) for value in (0.90312, 51234.7, 12.345, None)]
        ['0.903', '51,235', '12.35', '–']
    """
    if value is None or value != value:  # NaN differs from itself
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}"


def worsening(task: str) -> str:
    """What shuffling a column does to the metric that counts first.

    Example:
        >>> worsening("binary"), worsening("regression")
        ('fall of roc_auc', 'rise of rmse')
    """
    measure = main_measure(task)  # type: ignore[arg-type]  # a task, as stored
    return f"{'fall' if measure.higher_is_better else 'rise'} of {measure.name}"


def asked(target: str) -> str:
    """What is predicted of labelled examples, in a sentence; files and folders give the classes no name but "label".

    Example:
        >>> asked("liked"), asked("label")
        ("'liked'", 'the class')
    """
    return "the class" if target == "label" else repr(target)


def title(target: str, examples: str, source: str) -> str:
    """The heading of a run on labelled examples.

    Example:
        >>> title("liked", "texts", "reviews.csv"), title("label", "images", "pets")
        ('liked of the texts in reviews.csv', 'classes of the images in pets')
    """
    return f"{'classes' if target == 'label' else target} of the {examples} in {source}"


def class_number(number: int) -> str:
    """How many classes there are, in words.

    Example:
        >>> class_number(2), class_number(10)
        ('two classes', '10 classes')
    """
    return "two classes" if number == 2 else f"{number:,} classes"


def verdict_title(verdict: Mapping[str, Any]) -> tuple[str, str]:  # Any: JSON values
    """The verdict's name, and its flags in brackets.

    Example:
        >>> verdict_title({"name": "good", "flags": ["possible leak"]})
        ('good', ' [possible leak]')
    """
    flags = verdict.get("flags")
    return str(verdict["name"]), f" [{', '.join(flags)}]" if flags else ""


def printable(text: str) -> str:
    r"""``text`` without control characters, which in a column's name could steer the terminal.

    Example:
        >>> printable("a\x1b[2Jb")
        'a?[2Jb'
    """
    return "".join(c if c.isprintable() else "?" for c in text)
