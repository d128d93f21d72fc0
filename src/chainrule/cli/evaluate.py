"""``chainrule evaluate``: the scores of a run's model on a table that has the target."""

from __future__ import annotations

import click

from chainrule.cli.on_bad import ON_BAD, bad_option
from chainrule.cli.output import print_json, say, table
from chainrule.tasks import load_run
from chainrule.tasks.words import shown

_EXAMPLE = """\b
Example:
  chainrule evaluate runs/heart-20260101-120000 other-hospital.csv
"""


@click.command(epilog=_EXAMPLE, short_help="Score a model on a source with the target.")
@click.argument("run", type=click.Path())
@click.argument("file", type=click.Path())
@ON_BAD
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
def evaluate(run: str, file: str, on_bad: str | None, as_json: bool) -> None:  # noqa: FBT001 - a flag
    """Score the model of RUN on FILE: a table with the target's column, or images in a folder for each class."""
    loaded = load_run(run)
    scores = loaded.predictor.evaluate(file, **bad_option(loaded, on_bad))
    for note in loaded.evaluation_notes(file):
        say(f"note: {note}")
    if as_json:
        print_json(scores)
    else:
        click.echo(table(["metric", "value"], [[name, shown(value)] for name, value in scores.items()]))
