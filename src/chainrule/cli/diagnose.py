"""``chainrule diagnose``: the verdict on a run's training, with its numbers."""

from __future__ import annotations

import click

from chainrule.cli.output import bold, print_json, table
from chainrule.tasks import load_run

_EXAMPLE = """\b
Example:
  chainrule diagnose runs/heart-20260101-120000
"""


@click.command(epilog=_EXAMPLE)
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
        click.echo(f"Verdict: {bold(verdict['name'])}\n{verdict['reason']}\n")
        rows = [
            [name.replace("_", " "), f"{value:.4g}"] for name, value in verdict["numbers"].items() if value is not None
        ]
        click.echo(table(["number", "value"], rows))
        click.echo(f"\nTraining ended: {facts['stop_reason']}.\nNext: {verdict['action']}")
