"""The report of a table run: from judged arrays to the page's plain values and figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainrule import figures, metrics, report
from chainrule._base.wording import counted
from chainrule.data import describe
from chainrule.tasks.judgement import Judgement
from chainrule.tasks.material import Material
from chainrule.tasks.page_parts import (
    class_figures,
    comparison_figure,
    confusion_counts,
    interval_note,
    score_rows,
    training_figures,
)
from chainrule.tasks.scores import MEASURES
from chainrule.tasks.words import model_names
from chainrule.train import History


def build_page(
    material: Material,
    judgement: Judgement,
    history: History,
    facts: Mapping[str, Any],  # Any: plain JSON values
    files: Mapping[str, str],
) -> report.ReportData:
    """Everything the report shows."""
    task, target = material.encoder.task, _target_name(material)
    sizes = material.split.sizes
    return report.ReportData(
        title=f"{target} from {material.table.source}",
        task=f"Predicts {target} from {len(set(material.preparer.column_of_feature))} columns. "
        f"{material.target.reason[:1].upper()}{material.target.reason[1:]}. Judged by {facts['measure']}: "
        f"{MEASURES[task][1]}.",
        data=f"{material.table.source}: {counted(len(material.table), 'row', 'rows')}, "
        f"{counted(len(material.table.columns), 'column', 'columns')}.",
        columns=_columns(material),
        notes=[line.strip() for line in material.words if not line.startswith("  ")],
        split={"training": sizes["train"], "validation": sizes["validation"], "test": sizes["test"]},
        metrics=[report.Metric(m.name, m.meaning, m.higher_is_better) for m in MEASURES[task][0]],
        scores=score_rows(judgement.test, judgement.intervals, task, facts["measure"]),
        scores_note=f"All on the same {counted(sizes['test'], 'test row', 'test rows')}, opened once, after "
        f"everything was decided. {interval_note(judgement.intervals, facts['measure'])}",
        operating_point=_operating_point(material, judgement),
        figures=[*training_figures(history), *_result_figures(material, judgement, facts)],
        leaks=[report.Finding(f.message[:1].upper() + f.message[1:], f.action) for f in material.findings],
        verdict=judgement.choice.verdict,
        hyperparameters=facts["config"],
        command=facts["command"],
        versions=facts["versions"],
        seed=facts["seed"],
        data_sha256=facts["data"]["sha256"] or "",
        files=files,
        created=facts["created"],
    )


def _target_name(material: Material) -> str:
    return material.encoder.expression or ", ".join(material.encoder.columns)


def _columns(material: Material) -> list[report.Column]:
    roles = dict.fromkeys(material.preparer.not_features, "not used")
    roles |= dict.fromkeys((name for name, _ in material.preparer.dropped), "left out")
    roles |= dict.fromkeys(material.encoder.columns, "target")
    values = {name: text for name, _, text, _ in describe(material.schema)}
    return [
        report.Column(
            name=column.name,
            kind=column.kind,
            reason=column.reason,
            missing=column.missing,
            unique=column.unique,
            values=values[column.name],
            role=roles.get(column.name, "input"),
        )
        for column in material.schema.columns
    ]


def _operating_point(material: Material, judgement: Judgement) -> report.OperatingPoint | None:
    if material.encoder.task != "binary":
        return None
    scores = judgement.test["network"]
    answers = judgement.predictions["network"] >= judgement.threshold
    return report.OperatingPoint(
        threshold=judgement.threshold,
        sensitivity=scores["sensitivity"],
        specificity=scores["specificity"],
        positive=material.encoder.classes[1],
        precision=float(judgement.targets[answers].mean()) if answers.any() else None,
        reason="It was chosen on the validation rows, where it makes the mean of both shares largest.",
    )


def _result_figures(
    material: Material, judgement: Judgement, facts: Mapping[str, Any]
) -> list[report.ReportFigure]:  # Any: JSON values
    task, measure = material.encoder.task, facts["measure"]
    shown = [comparison_figure(judgement.test, judgement.intervals, task, measure)]
    match task:
        case "binary":
            shown += _binary_figures(material, judgement)
        case "multiclass":
            answers = judgement.predictions["network"].argmax(axis=1)
            classes = material.encoder.classes
            shown += class_figures(classes, confusion_counts(answers, judgement.targets, len(classes)))
        case "regression":
            shown += _regression_figures(material, judgement)
    importance = judgement.choice.importance
    if importance is not None:
        drawn = figures.permutation_importance(
            importance.columns,
            importance.mean,
            importance.spread,
            metric=measure,
            higher_is_better=MEASURES[task][0][0].higher_is_better,
        )
        shown.append(report.ReportFigure("permutation_importance", drawn))
    return shown


def _binary_figures(material: Material, judgement: Judgement) -> list[report.ReportFigure]:
    p, truth = judgement.predictions["network"], judgement.targets
    if truth.min() == truth.max():
        return []
    calibration = metrics.calibration_curve(p, truth, num_bins=5 if len(p) < 200 else 10, strategy="quantile")
    groups = {label: p[truth == number] for number, label in enumerate(material.encoder.classes)}
    counts = metrics.confusion_matrix(p >= judgement.threshold, truth == 1, num_classes=2)
    spread = figures.histogram(
        groups,
        title="Predicted probabilities",
        name=f"probability of {material.encoder.classes[1]}",
        threshold=judgement.threshold,
    )
    return [
        *_ranking_figures(judgement),
        report.ReportFigure("calibration_curve", figures.calibration_curve(*calibration)),
        report.ReportFigure("confusion_matrix", figures.confusion_matrix(counts, material.encoder.classes)),
        report.ReportFigure("prediction_histogram", spread),
    ]


def _ranking_figures(judgement: Judgement) -> list[report.ReportFigure]:
    """ROC and precision-recall curves of the network and, thinner, of the linear model."""
    truth, scores, other = judgement.targets, judgement.test["network"], model_names("binary")["linear"]
    roc, roc_other = (metrics.roc_curve(judgement.predictions[key], truth) for key in ("network", "linear"))
    pr, pr_other = (metrics.precision_recall_curve(judgement.predictions[key], truth) for key in ("network", "linear"))
    roc_figure = figures.roc_curve(
        roc.false_positive_rate,
        roc.true_positive_rate,
        area=scores["roc_auc"],
        operating_point=(1 - scores["specificity"], scores["sensitivity"]),
        others={other: (roc_other.false_positive_rate, roc_other.true_positive_rate)},
    )
    pr_figure = figures.precision_recall_curve(
        pr.recall,
        pr.precision,
        average_precision=scores["average_precision"],
        prevalence=float(truth.mean()),
        others={other: (pr_other.recall, pr_other.precision)},
    )
    return [report.ReportFigure("roc_curve", roc_figure), report.ReportFigure("precision_recall_curve", pr_figure)]


def _regression_figures(material: Material, judgement: Judgement) -> list[report.ReportFigure]:
    predictions, name = judgement.predictions["network"], material.encoder.columns[0]
    return [
        report.ReportFigure(
            "predicted_vs_actual", figures.predicted_vs_actual(predictions, judgement.targets, name=name)
        ),
        report.ReportFigure("residuals", figures.residuals(predictions, judgement.targets, name=name)),
    ]
