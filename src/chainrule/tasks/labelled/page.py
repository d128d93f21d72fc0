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
    return report.ReportData(
        title=f"{job.target} from {job.source}",
        task=f"Predicts the {job.target} of {unit[1]}: {len(job.classes)} classes. Judged by {MEASURE}: "
        f"{MEASURES[TASK][1]}.",
        data=f"{job.source}: {counted(len(job.labels), *unit)}, {len(job.classes)} classes.",
        notes=[line.strip() for line in facts["notes"]],
        split={"training": sizes["train"], "validation": sizes["validation"], "test": sizes["test"]},
        metrics=[report.Metric(m.name, m.meaning, m.higher_is_better) for m in MEASURES[TASK][0]],
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


def _figures(job: Job, judgement: Judgement, trained: Trained) -> Sequence[report.ReportFigure]:
    return [
        report.ReportFigure(
            "class_counts", figures.class_counts(list(job.classes), list(job.counts().values()), unit=job.unit[1])
        ),
        *training_figures(trained.history),
        comparison_figure(judgement.test, judgement.intervals, TASK, MEASURE),
        *class_figures(job.classes, judgement.confusion),
    ]
