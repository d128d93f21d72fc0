"""What to type next, and what to make of a linear model that does as well."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from chainrule.tasks.material import Material, Question
from chainrule.tasks.scores import Scores, main_measure
from chainrule.tasks.words import model_names, printable, shown

LEAKS = ("proxy", "missingness")  # findings of columns that give the target away
_MANY_EPOCHS = 1_000  # early stopping ends them when nothing improves


def leaking_columns(material: Material) -> tuple[str, ...]:
    """The columns the model uses although the scan says that they give the target away."""
    used = set(material.preparer.column_of_feature)
    found = [finding.column for finding in material.findings if finding.kind in LEAKS and finding.column in used]
    return tuple(dict.fromkeys(name for name in found if name is not None))


def next_actions(
    material: Material, question: Question, *, command: str, path: Path | None, folder: Path
) -> dict[str, str]:
    """The next thing to type, for each verdict and flag."""
    config = material.config
    if not repeated(command):
        command = shlex.join(["chainrule", "fit", str(path or "FILE"), *_options("--target", question.target)])
    again = repeated(command)
    drop = shlex.join(_options("--drop", leaking_columns(material)))
    return {
        "under-fit": f"{again} --set width={2 * config.width} --set depth={config.depth + 1}",
        "over-fit": f"{again} --set width={max(4, config.width // 4)} --set dropout={max(config.dropout, 0.5):g}",
        "good": f"chainrule predict {shlex.quote(str(folder))} new.csv -o answers.csv",
        "unlikely": f"{repeated(command, '--seed')} --seed {question.seed + 1}  # does it hold on another split? "
        "then look for leaks",
        "diverged": f"{again} --set learning_rate={config.learning_rate / 10:g}",
        "not converged": f"{repeated(command, '--epochs')} --epochs {max(_MANY_EPOCHS, 2 * config.epochs)}",
        "possible leak": printable(f"{again} {drop}"),
    }


def repeated(command: str, *changed: str) -> str:
    """``command`` without its folder and the options to be changed; empty if it is none of ``chainrule fit``.

    Example:
        >>> repeated("chainrule fit heart.csv --target 'num>0' --epochs 9 --seed 1 --run=runs/a", "--epochs")
        "chainrule fit heart.csv --target 'num>0' --seed 1"
    """
    if not command.startswith("chainrule fit "):
        return ""
    kept, words, left_out = [], iter(shlex.split(command)), ("--run", *changed)
    for word in words:
        if word in left_out:
            next(words, None)
        elif word.partition("=")[0] not in left_out:
            kept.append(word)
    return shlex.join(kept)


def comparison(task: str, test: dict[str, Scores], interval: tuple[float, float] | None) -> str:
    """A sentence if the linear model does as well on the test rows; empty otherwise.

    Either counts as better only if its lead is more than half the length of the network's 95 % interval.

    Args:
        task: the task.
        test: scores on the test rows, by model.
        interval: of the network's first metric; without it any lead counts.

    Example:
        >>> test = {"network": {"roc_auc": 0.890}, "linear": {"roc_auc": 0.891}}
        >>> comparison("binary", test, (0.8, 0.95))  # doctest: +ELLIPSIS
        'On the test rows logistic regression does as well (0.891 against 0.890): prefer it for its simplicity, ...
    """
    measure = main_measure(task)  # type: ignore[arg-type]  # a task, as stored
    network, linear = test["network"][measure.name], test["linear"][measure.name]
    lead = (network - linear) * (1 if measure.higher_is_better else -1)
    if not lead <= ((interval[1] - interval[0]) / 2 if interval else 0.0):  # also where a score is undefined
        return ""
    name, pair = model_names(task)["linear"], f"({shown(linear)} against {shown(network)})"
    advice = "prefer it for its simplicity, or collect more rows."
    if interval and lead < -(interval[1] - interval[0]) / 2:
        return f"On the test rows {name} does better {pair}: {advice}"
    if lead <= 0:
        return f"On the test rows {name} does as well {pair}: {advice}"
    return f"On the test rows {name} does as well within chance {pair}: {advice}"


def _options(option: str, values: str | Sequence[str]) -> list[str]:
    return [word for value in ([values] if isinstance(values, str) else values) for word in (option, value)]
