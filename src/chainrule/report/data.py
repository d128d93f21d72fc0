"""What a report shows, as plain values. Nothing here knows of models, and every text is untrusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from matplotlib.figure import Figure

from chainrule._base.checks import check_choice
from chainrule.report.readings import READINGS
from chainrule.report.texts import MarkedText


class VerdictLike(Protocol):
    """What the report reads of a verdict; ``chainrule.diagnose.Verdict`` fits."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def action(self) -> str: ...  # noqa: D102
    @property
    def numbers(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def flags(self) -> Sequence[str]: ...  # noqa: D102


@dataclass(frozen=True)
class Column:
    """One column of the data: what it is taken for, and why."""

    name: str
    kind: str
    reason: str = ""
    missing: int = 0
    unique: int | None = None
    values: str = ""  # a range, or the most frequent values
    role: str = "input"


@dataclass(frozen=True)
class Metric:
    """A column of the table of results."""

    name: str
    explanation: str = ""
    higher_is_better: bool = True


@dataclass(frozen=True)
class Estimate:
    """A number with what is known of its uncertainty: an interval, or a spread (±)."""

    value: float
    low: float | None = None
    high: float | None = None
    spread: float | None = None


@dataclass(frozen=True)
class Score:
    """A row of the table of results: a model and its values by metric name."""

    model: str
    values: Mapping[str, float | Estimate]
    is_ours: bool = False


@dataclass(frozen=True)
class OperatingPoint:
    """The threshold in use and what it costs, as shares between 0 and 1."""

    threshold: float
    sensitivity: float
    specificity: float
    positive: str
    precision: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Finding:
    """Something found in the data, such as a leak."""

    text: str
    action: str = ""
    severity: Literal["error", "warning", "note"] = "warning"


@dataclass(frozen=True, eq=False)
class ReportFigure:
    """A figure and its place: ``kind`` gives section, title and the sentence on how to read it.

    Args:
        kind: a key of ``chainrule.report.READINGS``.
        figure: what a function of ``chainrule.figures`` returned.
        reading: a sentence instead of the standard one.
    """

    kind: str
    figure: Figure
    reading: str | None = None

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, READINGS, "ReportFigure")


@dataclass(frozen=True, eq=False)
class ReportData:
    """All that a report shows. Whatever is left out is not mentioned in the page.

    Args:
        title: the page's heading.
        task: one sentence: what is predicted, from what, and how the answer is scored.
        data: one sentence on the file: name, rows, columns.
        columns: the columns as they were understood.
        notes: what was found and what was done about it, in plain words.
        split: part -> rows, drawn as a bar.
        metrics: columns of the table of results.
        scores: rows of the table of results; ours and the baselines, on the same test rows.
        scores_note: a sentence under that table (which rows, how the intervals were made).
        operating_point: threshold, sensitivity, specificity.
        figures: the figures, in any order.
        texts: texts with the words marked that their answers hang on.
        leaks: findings of the leak scan; an empty sequence says that none was found, ``None`` that none was run.
        verdict: the judgement from the learning curves.
        hyperparameters: name -> value of every setting that was used.
        model_summary: the model as text, in a fixed-width font.
        command: the exact command, or the Python lines.
        versions: package -> version.
        seed: the one seed.
        data_sha256: of the data file.
        files: what -> path, of what the run wrote.
        created: date and time, as text.
        examples: what the examples are called: ``"rows"``, ``"images"``.
    """

    title: str
    task: str = ""
    data: str = ""
    columns: Sequence[Column] = ()
    notes: Sequence[str] = ()
    split: Mapping[str, int] = field(default_factory=dict)
    metrics: Sequence[Metric] = ()
    scores: Sequence[Score] = ()
    scores_note: str = ""
    operating_point: OperatingPoint | None = None
    figures: Sequence[ReportFigure] = ()
    texts: Sequence[MarkedText] = ()
    leaks: Sequence[Finding] | None = None
    verdict: VerdictLike | None = None
    hyperparameters: Mapping[str, object] = field(default_factory=dict)
    model_summary: str = ""
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    data_sha256: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    examples: str = "rows"
