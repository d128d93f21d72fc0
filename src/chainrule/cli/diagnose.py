"""``chainrule diagnose``: the verdict on a run's training, with its numbers."""

from __future__ import annotations

import click

from chainrule.cli.output import bold, print_json, table
from chainrule.diagnose import MEANINGS
from chainrule.tasks import load_run
from chainrule.tasks.words import verdict_title

_EXAMPLE = """\b
Example:
  chainrule diagnose runs/heart-20260101-120000
"""


@click.command(epilog=_EXAMPLE, short_help="Judge a training; say what to do next.")
@click.argument("run", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def diagnose(run: str, as_json: bool) -> None:  # noqa: FBT001 - a flag
    """Say whether the training of RUN under-fits, over-fits or is good, why, and what to do next."""
    facts = load_run(run).facts
    verdict = facts["verdict"]
    if as_json:
        print_json({"verdict": verdict, "epochs": facts["epochs"], "stop_reason": facts["stop_reason"]})
    elif verdict is None:
        click.echo("Verdict: none, since not one epoch was finished.")
    else:
        name, flags = verdict_title(verdict)
        click.echo(f"Verdict: {bold(name)}{flags}\n{verdict['reason']}\n")
        rows = [
            [key.replace("_", " "), f"{value:.4g}", MEANINGS.get(key, "")]
            for key, value in verdict["numbers"].items()
            if value is not None
        ]
        click.echo(table(["number", "value", "meaning"], rows))
        click.echo(f"\nTraining ended: {facts['stop_reason']}.\nNext: {verdict['action']}")
