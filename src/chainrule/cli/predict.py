"""``chainrule predict``: answers for new rows, from a run alone."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from chainrule._base.errors import ArgumentError
from chainrule._base.wording import counted
from chainrule.cli.literal import is_literal
from chainrule.cli.on_bad import ON_BAD, bad_option
from chainrule.cli.output import print_json, rounded, say
from chainrule.tasks import load_run
from chainrule.tasks.run_folder import write_whole

_EXAMPLE = """\b
Example:
  chainrule predict runs/heart-20260101-120000 new.csv -o answers.csv
  chainrule predict runs/pets-20260101-120000 photos/ -o answers.csv --on-bad skip
  chainrule predict runs/reviews-20260101-120000 "so fine a film"
"""


@click.command(epilog=_EXAMPLE, short_help="Answer for each row or image of a new source.")
@click.argument("run", type=click.Path())
@click.argument("file", type=click.Path())
@click.option("--output", "-o", metavar="OUT", help="CSV file to write; without it, or with -, to stdout.")
@ON_BAD
@click.option("--json", "as_json", is_flag=True, help="Print the answers as JSON rows.")
@click.option("--quiet", "-q", is_flag=True, help="No messages.")
def predict(run: str, file: str, *, output: str | None, on_bad: str | None, as_json: bool, quiet: bool) -> None:
    """Answer for each row of FILE, in its order, with the model of RUN (a run folder or a model.chainrule).

    FILE is a table, or for a model of images a folder, zip file, array file or a single image, for a model of texts
    also a plain file with one text a line, or a text itself ("so fine a film"). Columns of a table are found by name:
    their order does not matter and further ones are ignored, except that those which name rows are written beside the
    answers. A missing column is an error.

    Numbers are written with six significant digits; --json prints all of them.
    """
    if output not in (None, "-") and not Path(str(output)).parent.is_dir():
        raise ArgumentError(f"--output: the folder {Path(str(output)).parent} is not there. Make it, or name another.")
    loaded = load_run(run)
    source = [file] if is_literal(loaded, file, quiet=quiet) else file
    answers = loaded.predictor.answer(source, **bad_option(loaded, on_bad))
    for note in () if quiet else answers.notes:
        say(f"note: {note}")
    if as_json:
        print_json(answers.frame.to_dicts())
    elif output in (None, "-"):
        click.echo(rounded(answers.frame).write_csv(), nl=False)
    else:
        _write(rounded(answers.frame), Path(str(output)))
        if not quiet:
            say(f"{counted(len(answers.frame), 'row', 'rows')} written to {output}")


def _write(frame: pl.DataFrame, path: Path) -> None:
    write_whole(path, frame.write_csv(separator="\t" if path.suffix.lower() == ".tsv" else ","))
