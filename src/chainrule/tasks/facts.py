"""The facts of a run: plain values that travel in the model, in ``metrics.json`` and in the model card."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.tasks.judgement import Judgement
from chainrule.tasks.material import Material, Question
from chainrule.tasks.network import LOSSES
from chainrule.tasks.provenance import sha256, versions
from chainrule.tasks.run_folder import plain
from chainrule.tasks.scores import main_measure
from chainrule.tasks.verdicts import recorded
from chainrule.train import History


def collect_facts(
    material: Material,
    question: Question,
    judgement: Judgement,
    history: History,
    *,
    path: Path | None,
    command: str,
    status: str,
    now: datetime,
) -> dict[str, Any]:  # Any: plain JSON values
    """Everything worth keeping about a run, as plain JSON values."""
    task, choice = material.encoder.task, judgement.choice
    facts = {
        "created": now.isoformat(timespec="seconds"),
        "status": status,
        "command": command,
        "seed": question.seed,
        "data": {
            "source": material.table.source,
            "rows": len(material.table),
            "columns": len(material.table.columns),
            "sha256": sha256(path) if path is not None else None,
        },
        "task": task,
        "target": question.target,
        "loss": LOSSES[task][0],
        "measure": main_measure(task).name,
        "split": {"how": material.split.how, **material.split.sizes},
        "time": question.time,
        "balance": question.balance,
        "config": material.config.rows(),
        "scores": {"test": judgement.test, "validation": choice.scores},
        "interval": judgement.intervals,
        "threshold": judgement.threshold,
        "epochs": len(history),
        "best_epoch": history.best_epoch,
        "stop_reason": history.stop_reason,
        "verdict": recorded(choice.verdict),
        "importance": choice.importance and choice.importance.ranked(),
        "coefficients": _coefficients(material, judgement),
        "notes": material.words,
        "versions": versions(),
    }
    kept: dict[str, Any] = plain(facts)
    return kept


def _coefficients(material: Material, judgement: Judgement) -> list[dict[str, Any]] | None:  # Any: JSON values
    """The linear model's coefficients with 95 % intervals, largest first; for one output only."""
    linear = judgement.linear
    names = [name for name in material.preparer.feature_names if " bin " not in name]
    if linear.weights.shape != (len(names), 1):
        return None
    low, high = linear.interval()
    order = np.argsort(-np.abs(linear.weights[:, 0]))[:30]
    return [{"feature": names[i], "value": linear.weights[i, 0], "low": low[i, 0], "high": high[i, 0]} for i in order]
