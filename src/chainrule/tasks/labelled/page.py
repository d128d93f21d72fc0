"""The report of a labelled run: the parts that images and text share, with room for the figures of the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chainrule import figures, report
from chainrule._base.wording import counted
from chainrule.tasks.labelled.job import Job
from chainrule.tasks.labelled.judging import MEASURE, TASK, Judgement
from chainrule.tasks.page_parts import (
    class_figures,
    comparison_figure,
    interval_note,
    score_rows,
    training_figures,
)
from chainrule.tasks.scores import MEASURES
from chainrule.tasks.watched import Trained
from chainrule.tasks.words import asked, class_number, title


def build_page(
    job: Job,
    judgement: Judgement,
    trained: Trained,
    facts: Mapping[str, Any],  # Any: plain JSON values
    files: Mapping[str, str],
) -> report.ReportData:
    """Everything the report shows."""
    sizes, unit = job.split.sizes, job.unit
    note = interval_note(judgement.intervals, MEASURE).replace(" rows", f" {unit[1]}")
    own = job.figures(judgement, trained) if job.figures is not None else []
    classes = class_number(len(job.classes))
    return report.ReportData(
        title=title(job.target, unit[1], job.source),
        task=f"Predicts {asked(job.target)} of {_one(unit)}: {classes}. Judged by {MEASURE}: {MEASURES[TASK][1]}.",
        data=f"{job.source}: {counted(len(job.labels), *unit)}, {classes}.",
        notes=[line.strip() for line in facts["notes"]],
        split={"training": sizes["train"], "validation": sizes["validation"], "test": sizes["test"]},
        metrics=[report.Metric(m.name, _meaning(m.meaning, unit), m.higher_is_better) for m in MEASURES[TASK][0]],
        scores=score_rows(judgement.test, judgement.intervals, TASK, MEASURE),
        scores_note=f"All on the same {counted(sizes['test'], *unit)} of the test part, opened once, after everything "
        f"was decided. {note} The linear model is {job.baseline_is}.",
        figures=[*_figures(job, judgement, trained), *own],
        texts=job.texts(judgement) if job.texts is not None else (),
        leaks=[report.Finding(f.message[:1].upper() + f.message[1:], f.action) for f in job.findings],
        verdict=judgement.verdict,
        hyperparameters=facts["config"],
        model_summary=facts["summary"],
        command=facts["command"],
        versions=facts["versions"],
        seed=facts["seed"],
        data_sha256=facts["data"]["sha256"] or "",
        files=files,
        created=facts["created"],
        examples=unit[1],
    )


def _one(unit: tuple[str, str]) -> str:
    return f"{'an' if unit[0][0] in 'aeiou' else 'a'} {unit[0]}"


def _meaning(text: str, unit: tuple[str, str]) -> str:
    """What a metric means, of these examples instead of rows."""
    return text.replace("a row", _one(unit)).replace(" row", f" {unit[0]}")


def _figures(job: Job, judgement: Judgement, trained: Trained) -> Sequence[report.ReportFigure]:
    return [
        report.ReportFigure(
            "class_counts", figures.class_counts(list(job.classes), list(job.counts().values()), unit=job.unit[1])
        ),
        *training_figures(trained.history),
        comparison_figure(judgement.test, judgement.intervals, TASK, MEASURE),
        *class_figures(job.classes, judgement.confusion),
    ]
