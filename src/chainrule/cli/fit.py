"""``chainrule fit``: a table in, a run folder out."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path
from typing import Any

import click

from chainrule._base.errors import ArgumentError, ChainruleError
from chainrule._base.wording import counted
from chainrule.cli.output import bold, print_json, table
from chainrule.data.schema import KINDS
from chainrule.tasks import TableConfig, TableRun, fit_table
from chainrule.tasks.scores import MEASURES
from chainrule.tasks.words import model_names, shown, verdict_title

_EXAMPLE = """\b
Examples:
  chainrule fit heart.csv --target disease
  chainrule fit housing.csv --target price --drop id --epochs 50 --set dropout=0.2
  chainrule fit visits.csv --target "days>30" --group patient --json
"""


_SETTINGS = ", ".join(field.name for field in dataclasses.fields(TableConfig))
_TYPED = (  # messages that do not read "owner: argument must ..."
    (r"^fit_table: (validation) and (test) ", r"--\1 and --\2: "),
    (r"^fit_table: (group) and (time) ", r"--\1 and --\2: "),
    (r"^fit_table: balance='(\w+)' ", r"--balance \1: "),
    (r"^infer_schema: kinds\['(.*?)'\] ", r"--kind \1: "),
    (r"^infer_schema: column '(.*?)' ", r"--kind \1: "),
)
_BY_ROWS = "default: by the number of rows"


@click.command(epilog=_EXAMPLE, short_help="Train on a table: file in, judged model out.")
@click.argument("file", type=click.Path())
@click.option(
    "--target",
    "-t",
    multiple=True,
    required=True,
    metavar="COL",
    help="Column to predict, or a question such as 'num>0'; several make a multi-label task.",
)
@click.option("--task", metavar="NAME", help="binary, multiclass, multilabel or regression, if not to be inferred.")
@click.option("--run", "folder", metavar="DIR", help="Folder to write; default runs/<data>-<time>.")
@click.option("--epochs", type=int, metavar="N", help=f"Most passes over the training rows; {_BY_ROWS}.")
@click.option("--batch-size", type=int, metavar="N", help=f"Rows of one step; {_BY_ROWS}.")
@click.option("--seed", type=int, default=0, show_default=True, help="The one seed.")
@click.option("--validation", type=float, default=0.2, show_default=True, help="Share that decides when to stop.")
@click.option("--test", type=float, default=0.2, show_default=True, help="Share that judges, once.")
@click.option("--group", metavar="COL", help="Rows of one group stay on one side.")
@click.option("--time", metavar="COL", help="Train on the earliest rows, test on the latest.")
@click.option(
    "--balance", metavar="HOW", default="none", show_default=True, help="none, weights, undersample or oversample."
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help=f"A hyperparameter: {_SETTINGS}.")
@click.option("--kind", "kinds", multiple=True, metavar="COL=KIND", help=f"What a column is: {', '.join(KINDS)}.")
@click.option("--drop", multiple=True, metavar="COL", help="Leave a column out.")
@click.option("--no-early-stop", is_flag=True, help="Train all epochs; the best weights are kept all the same.")
@click.option("--report/--no-report", default=True, show_default=True, help="Write report.html.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="No messages, no progress.")
@click.pass_context
def fit(context: click.Context, /, file: str, as_json: bool, **options: Any) -> int:  # noqa: FBT001 - Any: click's values
    """Read FILE, train a network to predict COL, judge it beside simpler models, and save everything."""
    try:
        run = _fitted(file, options, shlex.join(["chainrule", *context.obj["arguments"]]))
    except ChainruleError as error:
        error.args = (_as_typed(str(error), options),)
        raise
    if as_json:
        print_json(_as_json(run))
    else:
        click.echo(_as_text(run))
    return 0 if run.status == "finished" else int(context.obj["interrupts"].status)


def _fitted(file: str, options: dict[str, Any], command: str) -> TableRun:  # Any: click's values
    return fit_table(
        file,
        options["target"][0] if len(options["target"]) == 1 else options["target"],
        run=options["folder"],
        seed=options["seed"],
        task=options["task"],
        epochs=options["epochs"],
        batch_size=options["batch_size"],
        validation=options["validation"],
        test=options["test"],
        group=options["group"],
        time=options["time"],
        balance=options["balance"],
        early_stop=not options["no_early_stop"],
        kinds=_pairs("--kind", options["kinds"]),  # type: ignore[arg-type]  # checked where kinds are known
        drop=options["drop"],
        settings=_pairs("--set", options["settings"]),
        report=options["report"],
        verbose=0 if options["quiet"] else 1,
        command=command,
    )


def _as_typed(message: str, options: dict[str, Any]) -> str:  # Any: click's values
    """``message`` with the option's name instead of the Python argument's."""
    for pattern, typed in _TYPED:
        message = re.sub(pattern, typed, message)
    if not (found := re.match(r"(?:fit_table|TableConfig|read_target): (\w+) must ", message)):
        return message
    name = found[1]
    option = f"--{name.replace('_', '-')}" if options.get(name) is not None else f"--set {name}"
    return f"{option}: must {message[found.end() :]}"


def _pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    """``("a=1", "b=2")`` as a mapping; the last sign of equality divides, since column names may hold one."""
    pairs = {}
    for text in given:
        name, sign, value = text.rpartition("=")
        if not sign or not name or not value:
            raise ArgumentError(f"{option}: must read NAME=VALUE; received {text!r}.")
        pairs[name.strip()] = value.strip()
    return pairs


def _files(run: TableRun) -> dict[str, str]:
    wanted = {"run": run.folder, "model": run.folder / "model.chainrule", "report": run.folder / "report.html"}
    return {name: str(path) for name, path in wanted.items() if Path(path).exists()}


def _as_json(run: TableRun) -> dict[str, Any]:  # Any: JSON values
    kept = ("status", "task", "measure", "seed", "split", "interval", "threshold", "epochs", "best_epoch", "verdict")
    return {
        **_files(run),
        "metrics": run.metrics,
        "baselines": run.baselines,
        **{name: run.facts[name] for name in kept},
        "config": run.facts["config"],
    }


def _as_text(run: TableRun) -> str:
    facts = run.facts
    names, scores = model_names(facts["task"]), facts["scores"]["test"]
    rows = [
        [measure.name, *(shown(scores[key].get(measure.name)) for key in names)]
        for measure in MEASURES[facts["task"]][0]
    ]
    lines = [
        f"On {counted(facts['split']['test'], 'test row', 'test rows')}:",
        table(["metric", *names.values()], rows),
    ]
    if "network" in facts["interval"]:
        low, high = facts["interval"]["network"]
        lines.append(f"95 % interval of {facts['measure']}: {shown(low)} to {shown(high)}")
    else:
        lines.append(f"95 % interval of {facts['measure']}: cannot be estimated from these test rows")
    lines += ["", _verdict_text(facts["verdict"]), "", *(f"{key:<7} {path}" for key, path in _files(run).items())]
    if run.status != "finished":
        lines.append(
            f"status  {run.status} ({facts['stop_reason']} in epoch {facts['epochs'] + 1}); what was learned is saved"
        )
    return "\n".join(lines)


def _verdict_text(verdict: dict[str, Any] | None) -> str:  # Any: JSON values
    if verdict is None:
        return "Verdict: none, since not one epoch was finished."
    name, flags = verdict_title(verdict)
    return f"Verdict: {bold(name)}{flags}\n{verdict['reason']}\nNext: {verdict['action']}"
