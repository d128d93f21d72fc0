"""The facts of a labelled run: plain values that travel in the model, in ``metrics.json`` and in the model card."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chainrule.models import summarize
from chainrule.tasks.labelled.job import Job, Options
from chainrule.tasks.labelled.judging import MEASURE, TASK, Judgement
from chainrule.tasks.provenance import sha256, versions
from chainrule.tasks.run_folder import plain
from chainrule.tasks.verdicts import recorded
from chainrule.tasks.watched import Trained


def collect_facts(
    job: Job,
    options: Options,
    judgement: Judgement,
    trained: Trained,
    *,
    notes: list[str],
    command: str,
    now: datetime,
) -> dict[str, Any]:  # Any: plain JSON values
    """Everything worth keeping about a run; the names are those of the table task wherever they mean the same."""
    history = trained.history
    named = zip(job.classes, judgement.by_class(), strict=True)
    facts = {
        "created": now.isoformat(timespec="seconds"),
        "status": trained.status,
        "command": command,
        "seed": options.seed,
        "kind": job.kind,
        "examples": job.unit[1],
        "data": {
            "source": job.source,
            "rows": len(job.labels),
            "sha256": sha256(job.path) if job.path is not None else None,
        },
        "task": TASK,
        "target": job.target,
        "loss": job.model.loss.name if hasattr(job.model.loss, "name") else type(job.model.loss).__name__,
        "measure": MEASURE,
        "split": {"how": job.split.how, **job.split.sizes},
        "balance": options.balance,
        "config": job.settings.rows(),
        "baseline": job.baseline_is,
        "scores": {"test": judgement.test, "validation": judgement.validation},
        "interval": judgement.intervals,
        "classes": [{"class": name, **numbers} for name, numbers in named],
        "confusion": judgement.confusion,
        "epochs": len(history),
        "best_epoch": history.best_epoch,
        "stop_reason": history.stop_reason,
        "verdict": recorded(judgement.verdict),
        "notes": notes,
        "summary": str(summarize(job.model.graph)),
        "versions": versions(),
    }
    kept: dict[str, Any] = plain(facts)
    return kept
