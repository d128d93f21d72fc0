"""The report of a run: one self-contained HTML page, from plain values and figures."""

from chainrule.report.data import (
    Column,
    Estimate,
    Finding,
    Metric,
    OperatingPoint,
    ReportData,
    ReportFigure,
    Score,
    VerdictLike,
)
from chainrule.report.page import render, write
from chainrule.report.readings import READINGS
from chainrule.report.texts import MarkedText

__all__ = [
    "READINGS",
    "Column",
    "Estimate",
    "Finding",
    "MarkedText",
    "Metric",
    "OperatingPoint",
    "ReportData",
    "ReportFigure",
    "Score",
    "VerdictLike",
    "render",
    "write",
]
