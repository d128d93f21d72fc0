"""The report: one HTML file that opens anywhere, without network, scripts or outside files.

Every text that comes from data is escaped. Should one ever slip through, the page's own policy forbids scripts,
outside images and requests of any kind.
"""

from __future__ import annotations

import html
import os
import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from chainrule._base.errors import CheckpointError
from chainrule.figures import split_bar, svg
from chainrule.report.data import Finding, OperatingPoint, ReportData, ReportFigure, VerdictLike
from chainrule.report.readings import READINGS
from chainrule.report.tables import columns_table, pairs_table, scores_table
from chainrule.report.texts import marked_texts

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
STYLE = (files("chainrule.report") / "style.css").read_text(encoding="utf-8")

SEVERITY_WORDS = {"error": "Problem", "warning": "Warning", "note": "Note"}


def render(report: ReportData) -> str:
    """Return the page as text.

    Example:
        >>> page = render(ReportData(title="Heart <disease>", task="Predicts disease from 13 columns."))
        >>> "<h1>Heart &lt;disease&gt;</h1>" in page, "<script" in page
        (True, False)
    """
    sections = [
        ("verdict", "Verdict", _verdict(report.verdict)),
        ("results", f"Results on {_text(report.examples)} never used before", _results(report)),
        ("columns", "What the model relies on", _figures(report, "columns") + marked_texts(report.texts)),
        ("training", "Training", _figures(report, "training")),
        ("data", "The data", _data(report)),
        ("model", "The model", _model(report)),
        ("reproduce", "To do it again", _reproduce(report)),
    ]
    shown = [entry for entry in sections if entry[2]]
    links = "".join(f'<a href="#{key}">{name}</a>' for key, name, _ in shown)
    body = "\n".join(
        _section(key, name, content, report.verdict if key == "verdict" else None) for key, name, content in shown
    )
    created = f'<p class="soft">{_text(_moment(report.created))}</p>' if report.created else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{_text(report.title)}</title>
<style>
{STYLE}</style>
</head>
<body>
<main>
<header>
<h1>{_text(report.title)}</h1>
{_paragraph(report.task, "lead")}{created}
<nav aria-label="Sections">{links}</nav>
</header>
{body}
</main>
</body>
</html>
"""


def write(report: ReportData, path: str | Path) -> Path:
    """Render ``report`` into ``path``: whole or not at all, never half.

    Raises:
        CheckpointError: the file cannot be written; a file that was there stays as it was.

    Example:
        >>> folder = Path(tempfile.mkdtemp())
        >>> write(ReportData(title="Heart disease"), folder / "report.html").read_text(encoding="utf-8")[:15]
        '<!DOCTYPE html>'
    """
    path = Path(path)
    content = render(report).encode("utf-8", errors="replace")
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    except OSError as error:
        raise CheckpointError(_write_message(path, error)) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except OSError as error:
        Path(beside).unlink(missing_ok=True)
        raise CheckpointError(_write_message(path, error)) from error
    return path


def _write_message(path: Path, error: OSError) -> str:
    return (
        f"report: the file {str(path)!r} must be writable; received {error.strerror or error}. "
        "Choose another folder, or free some space."
    )


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)


def _prose(value: object) -> str:
    """Escaped text in which percent signs stay on the line of their numbers, and options stay whole."""
    text = re.sub(r"(?<=\d) %", "\u00a0%", _text(value))
    return re.sub(r"(?<!\S)--\w[\w-]*", r'<span class="option">\g<0></span>', text)


def _moment(created: str) -> str:
    """``2026-11-21T06:54:30`` as ``2026-11-21 06:54``; other texts as they are."""
    try:
        return datetime.fromisoformat(created).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return created


def _paragraph(text: str, kind: str = "") -> str:
    if not text:
        return ""
    return f'<p class="{kind}">{_prose(text)}</p>' if kind else f"<p>{_prose(text)}</p>"


def _section(key: str, name: str, content: str, verdict: VerdictLike | None) -> str:
    known = ("good", "over-fit", "under-fit", "unlikely", "diverged")
    kind = "" if verdict is None else f' class="verdict {verdict.name if verdict.name in known else ""}"'
    head = f'<h2 id="{key}-title">{name}</h2>'
    return f'<section id="{key}"{kind} aria-labelledby="{key}-title">\n{head}\n{content}</section>'


def _verdict(verdict: VerdictLike | None) -> str:
    if verdict is None:
        return ""
    flags = "".join(f'<span class="tag">{_text(flag)}</span>' for flag in verdict.flags)
    reason = verdict.reason[:1].upper() + verdict.reason[1:]
    numbers = pairs_table({key.replace("_", " "): f"{value:.4g}" for key, value in verdict.numbers.items()})
    return (
        f'<p class="lead"><b>{_text(verdict.name[:1].upper() + verdict.name[1:])}</b>{flags}</p>\n'
        f"{_paragraph(reason)}\n<h3>Next step</h3>\n"
        f'<pre class="wrap" aria-label="Line to type">{_text(verdict.action)}</pre>\n'
        f"<details><summary>The numbers behind the verdict</summary>{numbers}</details>\n"
    )


def _results(report: ReportData) -> str:
    parts = [scores_table(report.metrics, report.scores)]
    parts.append(_paragraph(report.scores_note, "soft") if report.scores else "")
    explained = [metric for metric in report.metrics if metric.explanation]
    if explained and report.scores:
        items = "".join(f"<li><b>{_text(m.name)}</b>: {_prose(m.explanation)}</li>" for m in explained)
        parts.append(f'<details><summary>What these numbers mean</summary><ul class="soft">{items}</ul></details>')
    parts += [_operating_point(report.operating_point), _figures(report, "results")]
    return "\n".join(part for part in parts if part)


def _operating_point(point: OperatingPoint | None) -> str:
    if point is None:
        return ""
    precision = ""
    if point.precision is not None:
        precision = f" When it says “{_text(point.positive)}”, it is right {point.precision:.0%} of the time."
    return (
        f"<h3>The threshold</h3>\n<p>The model answers “{_text(point.positive)}” when its probability reaches "
        f"<b>{point.threshold:.3g}</b>. It then finds <b>{point.sensitivity:.0%}</b> of the rows that are "
        f"“{_text(point.positive)}” (sensitivity) and leaves <b>{point.specificity:.0%}</b> of the others alone "
        f"(specificity).{precision} {_prose(point.reason)}</p>"
    )


def _figures(report: ReportData, section: str) -> str:
    chosen = [(index, f) for index, f in enumerate(report.figures) if READINGS[f.kind].section == section]
    if not chosen:
        return ""
    return '<div class="figures">\n' + "\n".join(_figure(f, index) for index, f in chosen) + "\n</div>\n"


def _figure(figure: ReportFigure, index: int) -> str:
    standard = READINGS[figure.kind]
    drawn = svg(figure.figure, prefix=f"figure{index}", title=standard.title)
    reading = standard.text if figure.reading is None else figure.reading
    return (
        f'<figure><div class="card">{drawn}</div>\n'
        f"<figcaption><b>{_text(standard.title)}.</b> {_prose(reading)}</figcaption></figure>"
    )


def _data(report: ReportData) -> str:
    parts = [_paragraph(report.data)]
    said = {report.data, *(f"{finding.text} {finding.action}" for finding in report.leaks or ())}
    notes = [note for note in report.notes if note not in said]  # what has its own place stands only there
    if notes:
        items = "".join(f"<li>{_prose(note)}</li>" for note in notes)
        parts.append(f"<h3>What was found, and what was done</h3>\n<ul>{items}</ul>")
    parts.append(_leaks(report.leaks, report.examples))
    if report.split:
        drawn = svg(split_bar(report.split), prefix="split", title="Rows in each part")
        parts.append(
            f'<h3>How the {_text(report.examples)} were divided</h3>\n<figure><div class="card">{drawn}</div>\n'
            f"<figcaption>The model learns from the training {_text(report.examples)}; the validation "
            f"{_text(report.examples)} decide when to stop; the test {_text(report.examples)} are looked at once, at "
            "the end.</figcaption></figure>"
        )
    parts.append(_figures(report, "data"))
    if report.columns:
        parts.append("<h3>Columns</h3>\n" + columns_table(report.columns))
    return "\n".join(part for part in parts if part)


def _leaks(leaks: Sequence[Finding] | None, examples: str) -> str:
    if leaks is None:
        return ""
    if not leaks:
        what = "rows or columns that give the answer away" if examples == "rows" else "copies in several parts"
        return f"<h3>Leaks</h3>\n<p>The scan for leaks ({what}) found none.</p>"
    items = "".join(
        f'<li><span class="{finding.severity}">{SEVERITY_WORDS[finding.severity]}.</span> {_prose(finding.text)} '
        f"{_prose(finding.action)}</li>"
        for finding in leaks
    )
    return f"<h3>Leaks</h3>\n<ul>{items}</ul>"


def _model(report: ReportData) -> str:
    parts = []
    if report.hyperparameters:
        parts.append("<h3>Settings</h3>\n" + pairs_table(report.hyperparameters))
    if report.model_summary:
        parts.append(f"<h3>Layers</h3>\n<pre>{_text(report.model_summary)}</pre>")
    return "\n".join(parts)


def _reproduce(report: ReportData) -> str:
    parts = []
    if report.command:
        parts.append(f'<pre class="wrap" aria-label="Command">{_text(report.command)}</pre>')
    facts: dict[str, object] = {}
    if report.seed is not None:
        facts["seed"] = report.seed
    if report.data_sha256:
        facts["data, SHA-256"] = report.data_sha256
    facts.update(report.versions)
    facts.update(report.files)
    if facts:
        parts.append(pairs_table(facts))
    return "\n".join(parts)
