"""``chainrule fit``: a table, images or texts in, a run folder out."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path
from typing import Any

import click

from chainrule._base.errors import ChainruleError
from chainrule.cli.fit_kinds import fit_source
from chainrule.cli.output import bold, print_json, table
from chainrule.data.schema import KINDS
from chainrule.tasks import FinishedRun, ImageConfig, TableConfig, TextSettings
from chainrule.tasks.scores import MEASURES
from chainrule.tasks.words import model_names, shown, verdict_title

_EXAMPLE = """\b
Examples:
  chainrule fit heart.csv --target disease
  chainrule fit housing.csv --target price --drop id --epochs 50 --set dropout=0.2
  chainrule fit visits.csv --target "days>30" --group patient --json
  chainrule fit pets/ --augment flip        (a folder of images for each class)
  chainrule fit reviews.csv --text review --target stars
"""


_SETTINGS = ". ".join(
    f"{kind}: {', '.join(field.name for field in dataclasses.fields(config))}"
    for kind, config in (("tables", TableConfig), ("Images", ImageConfig), ("Texts", TextSettings))
)
_OWNERS = "fit_table|TableConfig|read_target|fit_images|ImageConfig|read_images|fit_text|TextSettings|Tokenizer"
_TYPED = (  # messages that do not read "owner: argument must ..."
    (r"^fit_\w+: (validation) and (test) ", r"--\1 and --\2: "),
    (r"^fit_table: (group) and (time) ", r"--\1 and --\2: "),
    (r"^fit_table: balance='(\w+)' ", r"--balance \1: "),
    (r"^infer_schema: kinds\['(.*?)'\] ", r"--kind \1: "),
    (r"^read_images: (size) must ", r"--\1: must "),
    (r"^infer_schema: column '(.*?)' ", r"--kind \1: "),
)
_BY_ROWS = "default: by the number of rows"


@click.command(epilog=_EXAMPLE, short_help="Train on a table, images or texts: data in, judged model out.")
@click.argument("file", metavar="SOURCE", type=click.Path())
@click.option(
    "--target",
    "-t",
    multiple=True,
    metavar="COL",
    help="Column to predict, or a question such as 'num>0'; several make a multi-label task. Folders need none.",
)
@click.option(
    "--task", metavar="NAME", help="binary, multiclass, multilabel, regression, images or text, if not inferred."
)
@click.option("--run", "folder", metavar="DIR", help="Folder to write; default runs/<data>-<time>.")
@click.option("--epochs", type=int, metavar="N", help=f"Most passes over the training rows; {_BY_ROWS}.")
@click.option("--batch-size", type=int, metavar="N", help=f"Rows of one step; {_BY_ROWS}.")
@click.option("--seed", type=int, default=0, show_default=True, help="The one seed.")
@click.option("--validation", type=float, help="Share that decides when to stop; default 0.2, of images 0.1.")
@click.option("--test", type=float, help="Share that judges, once; default 0.2.")
@click.option("--group", metavar="COL", help="Rows of one group stay on one side.")
@click.option("--time", metavar="COL", help="Train on the earliest rows, test on the latest.")
@click.option(
    "--balance", metavar="HOW", default="none", show_default=True, help="none, weights, undersample or oversample."
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help=f"A hyperparameter: {_SETTINGS}.")
@click.option("--kind", "kinds", multiple=True, metavar="COL=KIND", help=f"What a column is: {', '.join(KINDS)}.")
@click.option("--drop", multiple=True, metavar="COL", help="Leave a column out.")
@click.option("--size", metavar="PIXELS", help="Images: side, or HEIGHTxWIDTH, to which they are stretched.")
@click.option("--augment", metavar="HOW", help="Images: none, shift, flip or strong; default: by size and colours.")
@click.option("--on-bad", metavar="HOW", help="Images: error or skip, where a file cannot be read; default: error.")
@click.option("--text", metavar="COL", help="Texts: the column that holds them, if several might.")
@click.option("--level", metavar="NAME", help="Texts: word or char; default: word.")
@click.option("--encoding", metavar="NAME", help="Texts: encoding of plain files; default: utf-8.")
@click.option("--no-early-stop", is_flag=True, help="Train all epochs; the best weights are kept all the same.")
@click.option("--report/--no-report", default=True, show_default=True, help="Write report.html.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="No messages, no progress.")
@click.pass_context
def fit(context: click.Context, /, file: str, as_json: bool, **options: Any) -> int:  # noqa: FBT001 - Any: click's values
    """Read SOURCE, train a network on it, judge it beside simpler models, and save everything.

    SOURCE is a table (CSV, TSV, Parquet, Excel), or images: a folder or zip file with a folder for each class (also
    below train and test), IDX files, .npz, or Parquet with a column of images. Texts are a column of a table, or a
    folder with a plain file of one text a line, or a folder of .txt files, for each class.
    """
    try:
        run = fit_source(file, options, shlex.join(["chainrule", *context.obj["arguments"]]))
    except ChainruleError as error:
        error.args = (_as_typed(str(error), options),)
        raise
    if as_json:
        print_json(_as_json(run))
    else:
        click.echo(_as_text(run))
    return 0 if run.status == "finished" else int(context.obj["interrupts"].status)


def _as_typed(message: str, options: dict[str, Any]) -> str:  # Any: click's values
    """``message`` with the option's name instead of the Python argument's."""
    for pattern, typed in _TYPED:
        message = re.sub(pattern, typed, message)
    if not (found := re.match(rf"(?:{_OWNERS}): (\w+) must ", message)):
        return message
    name = found[1]
    option = f"--{name.replace('_', '-')}" if options.get(name) is not None else f"--set {name}"
    return f"{option}: must {message[found.end() :]}"


def _files(run: FinishedRun) -> dict[str, str]:
    wanted = {"run": run.folder, "model": run.folder / "model.chainrule", "report": run.folder / "report.html"}
    return {name: str(path) for name, path in wanted.items() if Path(path).exists()}


def _as_json(run: FinishedRun) -> dict[str, Any]:  # Any: JSON values
    kept = ("status", "task", "measure", "seed", "split", "interval", "threshold", "epochs", "best_epoch", "verdict")
    kept_of_classes = ("kind", "classes", "confusion")
    return {
        **_files(run),
        "metrics": run.metrics,
        "baselines": run.baselines,
        **{name: run.facts[name] for name in (*kept, *kept_of_classes) if name in run.facts},
        "config": run.facts["config"],
    }


def _as_text(run: FinishedRun) -> str:
    facts, examples = run.facts, run.facts.get("examples", "rows")
    names, scores = model_names(facts["task"]), facts["scores"]["test"]
    rows = [
        [measure.name, *(shown(scores[key].get(measure.name)) for key in names)]
        for measure in MEASURES[facts["task"]][0]
    ]
    lines = [
        f"On {facts['split']['test']:,} test {examples}:",
        table(["metric", *names.values()], rows),
    ]
    if "network" in facts["interval"]:
        low, high = facts["interval"]["network"]
        lines.append(f"95 % interval of {facts['measure']}: {shown(low)} to {shown(high)}")
    else:
        lines.append(f"95 % interval of {facts['measure']}: cannot be estimated from these test {examples}")
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
