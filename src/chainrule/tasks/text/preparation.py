"""From raw texts to the network's input: the tokenizer, the phrases and where texts stand, saved with the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from chainrule._base.errors import DataError
from chainrule._base.registry import register_class
from chainrule._base.wording import counted
from chainrule.data import TargetEncoder
from chainrule.data.prepare.tokenize import Encoded, FittedTokenizer, Tokenizer
from chainrule.data.prepare.tokenize_phrases import FittedPhrases, Phrases
from chainrule.data.sources.text import Texts, read_texts, texts_of
from chainrule.tasks.labelled import Prepared
from chainrule.tasks.text.settings import TextSettings

# control characters but tab, line feed and carriage return; embeddings, overrides and isolates of direction
_STEERING = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
_MORE_UNKNOWN = 0.1  # share of unknown tokens above that of the validation texts which is said


@register_class
@dataclass(frozen=True)
class TextPreparation:
    """What turns texts into numbers; fitted on the training texts alone.

    Args:
        tokenizer: words or characters and their numbers.
        phrases: known runs of tokens.
        text: the column of texts, if training read a table.
        target: the column of classes, if training read a table.
        expression: a comparison that makes the classes, as ``stars>3``.
        encoding: of files.
        identifiers: columns of a table that tell rows apart, which stand beside the answers.
        unknown: share of the validation texts' tokens that the vocabulary does not hold.
    """

    tokenizer: FittedTokenizer
    phrases: FittedPhrases
    text: str | None = None
    target: str | None = None
    expression: str | None = None
    encoding: str = "utf-8"
    identifiers: tuple[str, ...] = ()
    unknown: float = 0.0

    @property
    def unit(self) -> str:
        """What tokens are, in the plural."""
        return "words" if self.tokenizer.level == "word" else "characters"

    def encode(self, texts: pl.Series | Sequence[str]) -> tuple[np.ndarray, Encoded]:
        """The network's input [texts, phrases, length], and the encoded texts it was made of."""
        encoded = self.tokenizer.encode(texts)
        return self.phrases.encode(encoded.ids), encoded

    def prepare(self, source: Any) -> Prepared:  # Any: see chainrule.tasks.text.fit_text; or texts in memory
        """Texts without their classes: of a table, of a plain file with one text a line, of a folder, or of a list."""
        return self._prepared(self.read(source))

    def read(self, source: Any) -> Texts:  # Any: as in prepare
        """The texts of such a source as they stand there."""
        if isinstance(source, pl.Series) or _are_texts(source):
            return texts_of(source)
        return read_texts(source, text=self.text, encoding=self.encoding)

    def prepare_labelled(self, source: Any, classes: Sequence[str]) -> tuple[Prepared, np.ndarray]:  # Any: as above
        """Texts and their class numbers.

        Raises:
            DataError: there are no classes, or one that training did not know; names the line.
        """
        texts = read_texts(source, text=self.text, target=self.target, encoding=self.encoding)
        if texts.target is None:
            raise DataError(
                f"{texts.table.source}: it holds texts without classes. Give a table with a column of classes, or a "
                "plain file or folder for each class."
            )
        encoder = TargetEncoder((texts.target,), "multiclass", tuple(classes), self.expression)
        return self._prepared(texts), encoder.encode(texts.table)

    def _prepared(self, texts: Texts) -> Prepared:
        inputs, encoded = self.encode(texts.values)
        return Prepared(inputs, shown_of(texts, self.identifiers), (*texts.notes, *self._notes(encoded)))

    def _notes(self, encoded: Encoded) -> list[str]:
        notes = []
        if num_empty := int((encoded.lengths == 0).sum()):
            notes.append(
                counted(num_empty, "text is empty", "texts are empty") + ": answered by the classes' shares alone."
            )
        if encoded.num_cut:
            notes.append(
                f"{counted(encoded.num_cut, 'text was', 'texts were')} cut after {encoded.ids.shape[1]} {self.unit}, "
                "as in training."
            )
        if encoded.unknown_share > self.unknown + _MORE_UNKNOWN:
            notes.append(
                f"{encoded.unknown_share:.0%} of the {self.unit} are unknown to the model, against {self.unknown:.0%} "
                "of the validation texts it was judged by: expect worse answers."
            )
        return notes


def shown_of(texts: Texts, identifiers: Sequence[str]) -> pl.DataFrame:
    """The columns that say which text a row is: those of ``identifiers`` that are there, its place, the text."""
    place = texts.shown.with_columns(harmless(texts.values))
    kept = [name for name in identifiers if name in texts.table.columns and name not in place.columns]
    return place.with_columns(texts.table.frame.select(kept).get_columns()).select(*kept, *place.columns)


def harmless(values: pl.Series) -> pl.Series:
    r"""The texts whole, as the column ``text`` of answers; only what could steer a terminal becomes ``?``.

    These are control characters and those that turn the direction of writing. Line ends and tabs stay.

    Example:
        >>> harmless(pl.Series(["fine,\r\n\tso\u00a0fine", "\x1b[2J"])).to_list()
        ['fine,\r\n\tso\xa0fine', '?[2J']
    """
    return values.cast(pl.String).str.replace_all(_STEERING, "?").alias("text")


def fit_preparation(texts: pl.Series, settings: TextSettings, **place: Any) -> TextPreparation:  # Any: its fields
    """Learn vocabulary, length and phrases from the training texts.

    Args:
        texts: the training texts.
        settings: hyperparameters.
        place: ``text``, ``target``, ``expression`` and ``encoding`` of :class:`TextPreparation`.
    """
    tokenizer = Tokenizer(
        settings.level,  # type: ignore[arg-type]  # checked by TextSettings
        settings.max_vocabulary,
        settings.min_count if len(texts) >= _FEW_TEXTS else 1,
        settings.max_length,
    ).fit(texts)
    ids = tokenizer.encode(texts).ids
    phrases = Phrases(settings.phrases, settings.min_count).fit(ids, first=tokenizer.size)
    return TextPreparation(tokenizer, phrases, **place)


_FEW_TEXTS = 100  # below, every word counts


def _are_texts(source: Any) -> bool:  # Any: see TextPreparation.prepare
    return isinstance(source, list | tuple) and all(isinstance(one, str) for one in source)
