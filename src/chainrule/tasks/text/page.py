"""The report's parts about texts: telling words, and the most wrong answers with their words marked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from chainrule import figures, report
from chainrule.data import Split
from chainrule.data.sources.text import Texts
from chainrule.models import Model
from chainrule.tasks.labelled import Judgement
from chainrule.tasks.linear import softmax
from chainrule.tasks.text.contributions import Answer, Explained, explain_texts, telling_words
from chainrule.tasks.text.preparation import TextPreparation

_VERSIONS = 6_000  # of validation texts with a word left out; some seconds
_MOST_TEXTS = 300
_LEAST_PLACES = 3
_MOST_WRONG = 6
_MOST_RIGHT = 3
_AT_ONCE = 512


def answering(model: Model) -> Answer:
    """The network's probabilities for its input."""
    return lambda inputs: softmax(np.asarray(model.predict(inputs, batch_size=_AT_ONCE), np.float64))


def word_figures(
    values: pl.Series, parts: Split, classes: Sequence[str], preparation: TextPreparation, model: Model
) -> list[report.ReportFigure]:
    """The words that speak most for each class, measured on validation texts."""
    rows = _affordable(parts.validation, values, preparation)
    explained = explain_texts(values[rows].to_list(), preparation, answering(model)) if rows.size else []
    words = telling_words(explained, len(classes), least=_LEAST_PLACES, most=8 if len(classes) < 4 else 4)
    shown = {label: [(word, value) for word, value, _ in own] for label, own in zip(classes, words, strict=True)}
    if not any(shown.values()):
        return []
    return [report.ReportFigure("telling_words", figures.telling_words(shown))]


def wrong_texts(
    judgement: Judgement, texts: Texts, classes: Sequence[str], preparation: TextPreparation, model: Model
) -> list[report.MarkedText]:
    """The surest wrong answers on the test texts, then some of the surest right ones, with their words marked."""
    sure = judgement.probabilities["network"].max(axis=1)
    right = np.flatnonzero(judgement.answers == judgement.labels)
    chosen = [judgement.most_wrong(_MOST_WRONG), right[np.argsort(-sure[right], kind="stable")][:_MOST_RIGHT]]
    places = np.concatenate(chosen)
    if not places.size:
        return []
    rows = judgement.rows[places]
    explained = explain_texts(texts.values[rows].to_list(), preparation, answering(model))
    return [
        marked_text(one, classes, truth=classes[judgement.labels[place]], where=texts.where(int(row)))
        for one, place, row in zip(explained, places, rows, strict=True)
    ]


def marked_text(
    one: Explained, classes: Sequence[str], *, truth: str | None = None, where: str = ""
) -> report.MarkedText:
    """An explained text as the report shows it."""
    spans = [(begin, end, float(value)) for (begin, end), value in zip(one.spans, one.contributions, strict=True)]
    return report.MarkedText(one.text, spans, classes[one.answer], float(one.probabilities[one.answer]), truth, where)


def _affordable(rows: np.ndarray, values: pl.Series, preparation: TextPreparation) -> np.ndarray:
    """As many of ``rows`` as can be asked again without each of their words."""
    rows = rows[:_MOST_TEXTS]
    lengths = np.minimum(preparation.tokenizer.encode(values[rows]).lengths, preparation.tokenizer.length)
    return rows[np.cumsum(lengths + 1) <= _VERSIONS]
