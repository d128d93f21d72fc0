"""The tables of the report, as HTML with escaped texts."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

from chainrule.report.data import Column, Estimate, Metric, Score


def pairs_table(pairs: Mapping[str, object]) -> str:
    """Two columns: names and values.

    Example:
        >>> pairs_table({"seed": 0}).count("<tr>")
        1
    """
    rows = "".join(
        f'<tr><th scope="row">{html.escape(str(name))}</th><td>{html.escape(str(value))}</td></tr>'
        for name, value in pairs.items()
    )
    return f'<div class="scroll"><table class="pairs"><tbody>{rows}</tbody></table></div>'


def columns_table(columns: Sequence[Column]) -> str:
    """What each column of the data was taken for, and why."""
    head = _head(("column", "kind", "!missing", "!different", "values", "why"))
    rows = []
    for column in columns:
        role = "" if column.role == "input" else f' <span class="tag">{html.escape(column.role)}</span>'
        unique = "" if column.unique is None else f"{column.unique:,}"
        missing = f"{column.missing:,}" if column.missing else "–"
        rows.append(
            f'<tr><th scope="row">{html.escape(column.name)}{role}</th><td>{html.escape(column.kind)}</td>'
            f'<td class="n">{missing}</td><td class="n">{unique}</td><td>{html.escape(column.values)}</td>'
            f'<td class="soft">{html.escape(column.reason)}</td></tr>'
        )
    return _scroll(head, rows, "Columns of the data")


def scores_table(metrics: Sequence[Metric], scores: Sequence[Score]) -> str:
    """Models by row, metrics by column; the best value of each column is marked (ties all are)."""
    if not metrics or not scores:
        return ""
    head = _head(("model", *(f"!{metric.name} {'↑' if metric.higher_is_better else '↓'}" for metric in metrics)))
    largest = {metric.name: _largest(metric, scores) for metric in metrics}
    best = {metric.name: _best(metric, scores, largest[metric.name]) for metric in metrics}
    rows = []
    for score in scores:
        cells = "".join(
            _cell(score.values.get(metric.name), best[metric.name], largest[metric.name]) for metric in metrics
        )
        kind = ' class="ours"' if score.is_ours else ""
        rows.append(f'<tr{kind}><th scope="row">{html.escape(score.model)}</th>{cells}</tr>')
    note = '<p class="soft">↑ higher is better, ↓ lower is better; ★ the best of the column.</p>'
    return _scroll(head, rows, "Results by model") + note


def number(value: float, largest: float = 0.0) -> str:
    """Three decimals for small numbers, thousands for large ones.

    Args:
        value: the number.
        largest: the largest size among the numbers it stands beside; what is tiny only beside these is 0.000.

    Example:
        >>> number(0.90312), number(51234.7), number(1e-6), number(float("nan"))
        ('0.903', '51,235', '1e-06', '–')
        >>> number(-9e-5, largest=0.7)
        '0.000'
    """
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    if size < 0.0005 and largest >= 0.001:
        return "0.000"
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.3f}" if size >= 0.001 or size == 0 else f"{value:.3g}"


def _value(entry: float | Estimate | None) -> float:
    if entry is None:
        return math.nan
    return entry.value if isinstance(entry, Estimate) else float(entry)


def _largest(metric: Metric, scores: Sequence[Score]) -> float:
    sizes = [abs(_value(score.values.get(metric.name))) for score in scores]
    return max((size for size in sizes if math.isfinite(size)), default=0.0)


def _best(metric: Metric, scores: Sequence[Score], largest: float) -> str | None:
    """The best value as it is shown, so that what looks equal is marked alike."""
    values = [value for score in scores if math.isfinite(value := _value(score.values.get(metric.name)))]
    if len(values) < 2:
        return None
    return number(max(values) if metric.higher_is_better else min(values), largest)


def _cell(entry: float | Estimate | None, best: str | None, largest: float) -> str:
    shown = number(_value(entry), largest)
    extra = ""
    if isinstance(entry, Estimate):
        if entry.low is not None and entry.high is not None:
            extra = f'<span class="range">{number(entry.low, largest)} to {number(entry.high, largest)}</span>'
        elif entry.spread is not None:
            extra = f'<span class="range">± {number(entry.spread)}</span>'
    if shown == best:
        shown = f'<span class="best">★ {shown}</span>'
    return f'<td class="n">{shown}{extra}</td>'


def _head(names: Sequence[str]) -> str:
    cells = "".join(
        f'<th scope="col"{" class=" + chr(34) + "n" + chr(34) if name.startswith("!") else ""}>'
        f"{html.escape(name.removeprefix('!'))}</th>"
        for name in names
    )
    return f"<thead><tr>{cells}</tr></thead>"


def _scroll(head: str, rows: Sequence[str], name: str) -> str:
    body = "\n".join(rows)
    return (
        f'<div class="scroll wide" role="region" tabindex="0" aria-label="{name}"><table>{head}\n<tbody>{body}</tbody>'
        "</table></div>\n"
    )
