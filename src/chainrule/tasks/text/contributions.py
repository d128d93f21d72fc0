"""Which words an answer hangs on: what changes when each of them is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule._base.errors import ArgumentTypeError, DataError
from chainrule.data.prepare.tokenize import PADDING
from chainrule.tasks.labelled import LabelledPredictor
from chainrule.tasks.text.preparation import TextPreparation

Answer = Callable[[np.ndarray], np.ndarray]  # the network's input -> probabilities [texts, classes]
_CLIP = 1e-7  # of probabilities: a contribution is at most 32


@dataclass(frozen=True, eq=False)
class Explained:
    """A text, the answer, and what each of its words had to do with it.

    Args:
        text: the text as it is shown: normalised, not cut.
        probabilities: of all classes.
        answer: number of the likeliest class.
        spans: where each token that was read begins and ends in ``text``.
        contributions: by how much the log-odds of ``answer`` fall when the token is left out, one per span; positive:
            the token speaks for the answer.
    """

    text: str
    probabilities: np.ndarray = field(repr=False)
    answer: int
    spans: tuple[tuple[int, int], ...] = field(repr=False)
    contributions: np.ndarray = field(repr=False)

    def words(self) -> list[tuple[str, float]]:
        """Each token as it stands in the text, with its contribution."""
        return [
            (self.text[begin:end], float(value))
            for (begin, end), value in zip(self.spans, self.contributions, strict=True)
        ]


def explain_texts(texts: Sequence[str], preparation: TextPreparation, answer: Answer) -> list[Explained]:
    """Leave each token of each text out in turn and ask the network again.

    Exact for this network, whatever it is, and the same for every kind; gradients times inputs are cheaper but say what
    a tiny change of a vector would do, which no reader can make. All versions of a text go through the network in
    batches of one shape.

    Args:
        texts: the texts.
        preparation: makes the network's input.
        answer: the network's probabilities.
    """
    encoded = preparation.tokenizer.encode(list(texts))
    lengths = np.minimum(encoded.lengths, encoded.ids.shape[1])
    versions = np.concatenate([_versions(row, int(size)) for row, size in zip(encoded.ids, lengths, strict=True)])
    found = answer(preparation.phrases.encode(versions))
    explained, start = [], 0
    for text, size in zip(texts, lengths.tolist(), strict=True):
        own = found[start : start + size + 1]
        number = int(own[0].argmax())
        odds = _log_odds(own[:, number])
        shown, spans = preparation.tokenizer.spans(text)
        explained.append(Explained(shown, own[0], number, tuple(spans[:size]), odds[0] - odds[1:]))
        start += size + 1
    return explained


def explain_answer(predictor: LabelledPredictor, text: str) -> Explained:
    """The answer of a trained model of texts to one text, and what each of its words had to do with it.

    Args:
        predictor: ``run.predictor`` of a run of :func:`chainrule.tasks.fit_text`.
        text: the text.

    Raises:
        ArgumentTypeError: the model is none of texts.
    """
    return explain_source(predictor, [text], most=1)[0][0]


def explain_source(
    predictor: LabelledPredictor,
    source: Any,  # Any: as in TextPreparation.prepare
    *,
    most: int,
) -> tuple[list[Explained], list[str]]:
    """The same for the first texts of a source, and where each of all its texts stands: ``new.csv: line 7``.

    Args:
        predictor: ``run.predictor`` of a run of :func:`chainrule.tasks.fit_text`.
        source: a table, a file with one text a line, a folder, or a list of texts.
        most: texts to explain.

    Raises:
        ArgumentTypeError: the model is none of texts.
        DataError: the source holds no text.
    """
    if not isinstance(predictor.preparation, TextPreparation):
        raise ArgumentTypeError(
            f"explain_answer: the model must be one of texts; received one of {predictor.kind}. Pass a run of fit_text."
        )
    texts = predictor.preparation.read(source)
    if not len(texts):
        raise DataError(f"{texts.table.source}: it holds no text. Give a text on each line.")
    first = texts.values.head(most).to_list()
    places = [texts.where(row) for row in range(len(texts))]
    return explain_texts(first, predictor.preparation, predictor.raw), places


def telling_words(
    explained: Sequence[Explained], num_classes: int, *, least: int, most: int
) -> list[list[tuple[str, float, int]]]:
    """For each class the words that speak for it most, as word, mean contribution to it, and number of places.

    A word that speaks against the answer speaks for the other class where there are two; with more classes only what
    speaks for an answer counts.

    Args:
        explained: answers of the network.
        num_classes: number of classes.
        least: places that a word must have.
        most: words of each class.
    """
    found = [(one.answer, word.lower(), value) for one in explained for word, value in one.words()]
    if num_classes == 2:
        found += [(1 - answer, word, -value) for answer, word, value in found]
    ranked = []
    for label in range(num_classes):
        words: dict[str, list[float]] = {}
        for _, word, value in (entry for entry in found if entry[0] == label):
            words.setdefault(word, []).append(value)
        means = [(word, float(np.mean(v)), len(v)) for word, v in words.items() if len(v) >= least and np.mean(v) > 0]
        ranked.append(sorted(means, key=lambda entry: (-entry[1], entry[0]))[:most])
    return ranked


def _versions(ids: np.ndarray, size: int) -> np.ndarray:
    """The text itself, then the text without its first token, without its second, ...: [size + 1, length]."""
    versions = np.tile(ids, (size + 1, 1))
    for left_out in range(size):
        versions[left_out + 1, left_out:-1] = ids[left_out + 1 :]
        versions[left_out + 1, -1] = PADDING
    return versions


def _log_odds(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, _CLIP, 1 - _CLIP)
    odds: np.ndarray = np.log(p) - np.log1p(-p)
    return odds
