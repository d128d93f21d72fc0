"""The model card: one page of Markdown that goes with the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainrule._base.wording import counted
from chainrule.tasks.scores import MEASURES
from chainrule.tasks.words import asked, class_number, model_names, shown, title, verdict_title, worsening


def model_card(facts: Mapping[str, Any]) -> str:  # Any: plain JSON values
    """What the model is for, what it was made of, how good it is, and where not to use it.

    References:
        Mitchell et al., "Model cards for model reporting", 2019, https://arxiv.org/abs/1810.03993.
    """
    data, split, task = facts["data"], facts["split"], facts["task"]
    is_table = "columns" in data
    unit = ("test row", "test rows") if is_table else ("test example", f"test {facts['examples']}")
    lines = [
        f"# Model card: {_cell(_title(facts))}",
        "",
        f"Made {facts['created']} by chainrule {facts['versions']['chainrule']}; status: {facts['status']}.",
        "",
        "## What it does",
        "",
        f"Predicts {_purpose(facts)}. Loss: {facts['loss']}.",
        "",
        *_data(facts),
        "## How good it is",
        "",
        f"On {counted(split['test'], *unit)} that were opened once, after everything was decided:",
        "",
        *_table(facts, task),
        "",
        *_threshold(facts, task),
        *_verdict(facts["verdict"]),
        *_importance(facts),
        *_classes(facts),
        *_limits(facts),
        *_again(facts),
    ]
    return "\n".join(lines) + "\n"


def _title(facts: Mapping[str, Any]) -> str:
    source = facts["data"]["source"]
    if "columns" in facts["data"]:
        return f"{_targets(facts)} from {source}"
    return title(facts["target"], facts["examples"], source)


def _purpose(facts: Mapping[str, Any]) -> str:
    """What is predicted, of what kind it is, and for what."""
    if "columns" in facts["data"]:
        return f"{_cell(_targets(facts))} ({facts['task']}) for one row of a table with the columns it was trained on"
    kind = class_number(len(facts["classes"]))
    return f"{_cell(asked(facts['target']))} ({kind}) for {facts['examples']} like those it was trained on"


def _targets(facts: Mapping[str, Any]) -> str:
    return facts["target"] if isinstance(facts["target"], str) else ", ".join(facts["target"])


def _data(facts: Mapping[str, Any]) -> list[str]:
    data, split = facts["data"], facts["split"]
    if "columns" in data:
        size = f"{counted(data['rows'], 'row', 'rows')}, {counted(data['columns'], 'column', 'columns')}"
    else:
        size = f"{data['rows']:,} {facts['examples']}, {class_number(len(facts['classes']))}"
    seed = "" if facts.get("time") else f", seed {facts['seed']}"  # a split by time draws nothing
    return [
        "## Data",
        "",
        f"{_cell(data['source'])}: {size}, SHA-256 {data['sha256']}. "
        f"Split ({split['how']}{seed}): {split['train']:,} training, {split['validation']:,} "
        f"validation, {split['test']:,} test {facts.get('examples', 'rows')}.",
        "",
        *(f"- {_cell(note.strip())}" for note in facts["notes"]),
        "",
    ]


def _again(facts: Mapping[str, Any]) -> list[str]:
    return [
        "## To do it again",
        "",
        f"    {' '.join(facts['command'].split())}",
        "",
        "Settings: " + ", ".join(f"{name}={value}" for name, value in facts["config"].items()) + ".",
        "",
        "Versions: " + ", ".join(f"{name} {value}" for name, value in facts["versions"].items()) + ".",
    ]


def _table(facts: Mapping[str, Any], task: str) -> list[str]:
    names, scores = model_names(task), facts["scores"]["test"]
    lines = ["| metric | " + " | ".join(names.values()) + " |", "|---|" + "---|" * len(names)]
    for measure in MEASURES[task][0]:  # type: ignore[index]  # a task, as stored
        cells = [shown(scores[key].get(measure.name)) for key in names]
        lines.append(f"| {measure.name} | " + " | ".join(cells) + " |")
    return lines


def _threshold(facts: Mapping[str, Any], task: str) -> list[str]:
    if task != "binary":
        return []
    return [f"Threshold {facts['threshold']:.3g}, chosen on the validation rows.", ""]


def _verdict(verdict: Mapping[str, Any] | None) -> list[str]:
    if not verdict:
        return []
    name, flags = verdict_title(verdict)
    lines = [f"Verdict of the learning curves: **{name}**{flags}. {verdict['reason']}", ""]
    return [*lines, f"To do first: `{verdict['action']}`", ""] if "possible leak" in verdict["flags"] else lines


def _importance(facts: Mapping[str, Any]) -> list[str]:
    if not facts.get("importance"):
        return []
    top = [f"{_cell(name)} ({shown(mean)})" for name, mean, _ in facts["importance"][:8]]
    return [f"It relies most on: {', '.join(top)} ({worsening(facts['task'])} when shuffled).", ""]


def _classes(facts: Mapping[str, Any]) -> list[str]:
    """Recall and precision of each class, for tasks that record them."""
    if not facts.get("classes"):
        return []
    lines = ["| class | examples | recall | precision |", "|---|---|---|---|"]
    for found in facts["classes"]:
        numbers = f"{found['examples']:,} | {shown(found['recall'])} | {shown(found['precision'])}"
        lines.append(f"| {_cell(found['class'])} | {numbers} |")
    return [*lines, ""]


def _limits(facts: Mapping[str, Any]) -> list[str]:
    seen = "rows like those of its table; for other places, times or kinds of rows"
    if "columns" not in facts["data"]:
        seen = f"{facts['examples']} like those it was trained on; for other sources or times"
    causes = ["- Importance says what the model relies on, not what causes the outcome."]
    return [
        "## Limits",
        "",
        f"- It has only seen {seen}, measure anew.",
        *(causes if facts.get("importance") else []),
        "- No fairness analysis was made: compare the scores of the groups that matter before relying on it.",
        "",
    ]


def _cell(text: str) -> str:
    """Text from a file, on one line and without Markdown's own signs."""
    return "".join("\\" + c if c in "\\`*_[]<>|#" else c for c in " ".join(str(text).split()))
