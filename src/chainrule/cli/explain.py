"""``chainrule explain``: what a run's model relies on."""

from __future__ import annotations

from typing import Any

import click

from chainrule.cli.output import print_json, table
from chainrule.models import summarize
from chainrule.tasks import load_run
from chainrule.tasks.words import model_names, shown, worsening

_EXAMPLE = """\b
Example:
  chainrule explain runs/heart-20260101-120000
"""


@click.command(epilog=_EXAMPLE, short_help="Show what a model relies on.")
@click.argument("run", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def explain(run: str, as_json: bool) -> None:  # noqa: FBT001 - a flag
    """Show which columns the model of RUN relies on, the linear model's coefficients, and the layers.

    Importance is how much worse the answers on validation rows get when a column's values are shuffled. It says what
    this model relies on, not what causes the outcome.
    """
    loaded = load_run(run)
    facts = loaded.facts
    if as_json:
        print_json({name: facts[name] for name in ("measure", "importance", "coefficients")})
        return
    if facts["importance"]:
        rows = [[name, shown(mean), shown(spread)] for name, mean, spread in facts["importance"]]
        click.echo(table(["column", worsening(facts["task"]), "±"], rows))
    linear = model_names(facts["task"])["linear"]
    if not facts["coefficients"]:
        click.echo(f"\nCoefficients of the {linear} are shown for a single output only; this model has several.")
    else:
        click.echo(f"\nCoefficients of the {linear} (standardised, 95 % interval):")
        click.echo(table(["feature", "coefficient", "from", "to"], [_row(item) for item in facts["coefficients"]]))
    click.echo(f"\n{summarize(loaded.predictor.model.graph)}")


def _row(item: dict[str, Any]) -> list[str]:  # Any: JSON values
    return [item["feature"], shown(item["value"]), shown(item["low"]), shown(item["high"])]
