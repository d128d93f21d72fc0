"""How results are printed: aligned columns, JSON, a little bold on terminals."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
import polars as pl

from chainrule.tasks.run_folder import plain
from chainrule.tasks.words import printable


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns under a head.

    Example:
        >>> print(table(["metric", "model"], [["roc_auc", "0.903"]]))
        metric   model
        roc_auc  0.903
    """
    everything = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in everything) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in everything]
    return "\n".join(line.rstrip() for line in lines)


def rounded(frame: pl.DataFrame, digits: int = 6) -> pl.DataFrame:
    """``frame`` with ``digits`` significant digits in its columns of decimals: more say nothing to a reader.

    Example:
        >>> rounded(pl.DataFrame({"price": [123456.789, 0.1234567891]}))["price"].to_list()
        [123457.0, 0.123457]
    """
    columns = [column for column in frame.columns if frame.schema[column].is_float()]
    return frame.with_columns(
        pl.Series(name, [None if x is None else float(f"{x:.{digits}g}") for x in frame[name]], pl.Float64)
        for name in columns
    )


def print_json(values: Mapping[str, Any] | Sequence[Any]) -> None:  # Any: JSON values
    """Print plain values as JSON on stdout."""
    click.echo(json.dumps(plain(values), indent=2, ensure_ascii=False, allow_nan=False))


def bold(text: str) -> str:
    """``text`` in bold, on a terminal and unless ``NO_COLOR`` is set."""
    return click.style(text, bold=True) if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def say(line: str) -> None:
    """A message, on stderr; what could steer the terminal (in the name of a file, say) is not printed as it is."""
    click.echo("\n".join(printable(part) for part in line.split("\n")), err=True)
