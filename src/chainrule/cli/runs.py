"""``chainrule runs``: the runs in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from chainrule._base.errors import DataError
from chainrule.cli.output import print_json, table
from chainrule.tasks.words import shown, verdict_title

_EXAMPLE = """\b
Example:
  chainrule runs
"""


@click.command(epilog=_EXAMPLE, short_help="List the runs in a folder.")
@click.argument("folder", type=click.Path(), default="runs")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def runs(folder: str, as_json: bool) -> None:  # noqa: FBT001 - a flag
    """List the runs in FOLDER (by default runs), oldest first."""
    if not Path(folder).is_dir():
        raise DataError(
            f"{folder}: there is no such folder of runs. Name one, or make a run: chainrule fit FILE -t COL."
        )
    found = [_described(path.parent) for path in sorted(Path(folder).glob("*/config.json"))]
    if as_json:
        print_json(found)
        return
    names = ("run", "status", "data", "target", "score", "verdict")
    click.echo(table(names, [[str(item[name] or "–") for name in names] for item in found]))


def _described(folder: Path) -> dict[str, Any]:  # Any: JSON values
    config, facts = _read(folder / "config.json"), _read(folder / "metrics.json")
    target = config.get("question", {}).get("target")
    measure = facts.get("measure")
    verdict = facts.get("verdict")
    value = facts.get("scores", {}).get("test", {}).get("network", {}).get(measure)
    return {
        "run": str(folder),
        "status": config.get("status"),
        "data": config.get("data"),
        "target": ", ".join(target) if isinstance(target, list) else target,
        "score": f"{measure} {shown(value)}" if measure else None,
        "verdict": "".join(verdict_title(verdict)) if verdict else None,
    }


def _read(path: Path) -> dict[str, Any]:  # Any: JSON values
    """The JSON object at ``path``; an absent or damaged file counts as empty, since the others are to be listed."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
