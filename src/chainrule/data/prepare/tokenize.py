"""Texts as integers: words or characters, numbered by a vocabulary that training texts alone decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl

from chainrule._base.checks import check_choice, check_int, check_positive_int
from chainrule._base.errors import ArgumentTypeError, DataError
from chainrule._base.registry import register_class

Level = Literal["word", "char"]
LEVELS: tuple[Level, ...] = ("word", "char")
PADDING, UNKNOWN = 0, 1
RESERVED = 2  # numbers below belong to no token of the vocabulary
LEAST_LENGTH = 8

# Characters that are not seen: directions of writing (they can turn a line round), zero-width blanks, soft hyphens.
_UNSEEN = "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
_PATTERNS: dict[Level, str] = {"word": r"\w+|[^\w\s]", "char": r"(?s)."}
_COVERED = 0.99  # share of the training texts that are read whole


@dataclass(frozen=True, eq=False)
class Encoded:
    """Texts as a rectangle of token numbers.

    Args:
        ids: int32 [texts, length]; 0 is padding (at the end), 1 an unknown token.
        lengths: tokens of each text, before any cut.
        unknown: unknown tokens of each text, before any cut.
    """

    ids: np.ndarray = field(repr=False)
    lengths: np.ndarray = field(repr=False)
    unknown: np.ndarray = field(repr=False)

    @property
    def unknown_share(self) -> float:
        """Share of all tokens that the vocabulary does not hold."""
        return float(self.unknown.sum() / max(int(self.lengths.sum()), 1))

    @property
    def num_cut(self) -> int:
        """Texts longer than the rectangle, read up to its length."""
        return int((self.lengths > self.ids.shape[1]).sum())


@dataclass(frozen=True)
class Tokenizer:
    r"""What a text is cut into, and how its vocabulary and length are chosen from training texts.

    A word is a run of letters and digits, or one sign of punctuation, in lower case: ``don't`` is ``don ' t``.
    Characters keep their case, so that a text can be read back from its numbers. In both cases the text is first put
    into Unicode's normal form C (a letter and its accent are one character), and invisible signs that change the
    direction of writing or take no room are left out.

    Texts of all lengths are padded to **one** length, so that a network is compiled once: the number of tokens that
    99 % of the training texts do not exceed, at most ``max_length``. Longer texts are cut at their end.

    Args:
        level: ``"word"`` or ``"char"``.
        max_vocabulary: most different tokens; the rarest are left out first.
        min_count: how often a token must occur in the training texts; rarer ones count as unknown.
        max_length: most tokens of a padded text.

    Example:
        >>> fitted = Tokenizer(min_count=1).fit(["A film, a film!", "no film"])
        >>> fitted.vocabulary, fitted.length
        (('film', 'a', '!', ',', 'no'), 8)
        >>> fitted.encode(["No good film"]).ids.tolist()
        [[6, 1, 2, 0, 0, 0, 0, 0]]
    """

    level: Level = "word"
    max_vocabulary: int = 30_000
    min_count: int = 1
    max_length: int = 400

    def __post_init__(self) -> None:
        check_choice("level", self.level, LEVELS, self)
        for name in ("max_vocabulary", "min_count"):
            check_positive_int(name, getattr(self, name), self)
        check_int("max_length", self.max_length, self, minimum=LEAST_LENGTH)

    def fit(self, texts: Iterable[str]) -> FittedTokenizer:
        """Learn vocabulary and length; give the training texts alone.

        Raises:
            DataError: no text has a single token.
        """
        tokens = _tokens(as_series(texts), self.level)
        lengths = tokens.list.len().to_numpy()
        counts = tokens.alias("token").explode().drop_nulls().value_counts(sort=False)
        if not counts.height:
            raise DataError(
                f"Tokenizer: the training texts must hold at least one {self.level}; {lengths.size} texts hold none. "
                "Give texts that are not empty."
            )
        kept = counts.filter(pl.col("count") >= self.min_count).sort(["count", "token"], descending=[True, False])
        length = int(np.ceil(np.quantile(lengths, _COVERED)))
        return FittedTokenizer(
            self.level,
            tuple(kept["token"].head(self.max_vocabulary).to_list()),
            min(max(length, LEAST_LENGTH), self.max_length),
        )


@register_class
@dataclass(frozen=True)
class FittedTokenizer:
    """A tokenizer with its vocabulary, as it is saved with a model.

    Args:
        level: ``"word"`` or ``"char"``.
        vocabulary: tokens, the most frequent first; the first one has the number 2.
        length: tokens of a padded text.

    Example:
        >>> fitted = Tokenizer("char").fit(["abba", "cab"])
        >>> fitted.decode(fitted.encode(["cabbx"]).ids[0])
        'cabb\ufffd'
    """

    level: Level
    vocabulary: tuple[str, ...]
    length: int

    @property
    def size(self) -> int:
        """Different numbers that :meth:`encode` can give: the vocabulary, padding and unknown."""
        return len(self.vocabulary) + RESERVED

    def encode(self, texts: Iterable[str]) -> Encoded:
        """Token numbers, padded or cut to ``length``."""
        tokens = _tokens(as_series(texts), self.level)
        lengths = tokens.list.len().to_numpy().astype(np.int64)
        flat = tokens.explode(empty_as_null=False, keep_nulls=False)
        codes = self._numbers(flat)
        ids = np.full((lengths.size, self.length), PADDING, np.int32)
        rows = np.repeat(np.arange(lengths.size), lengths)
        places = np.arange(codes.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        is_kept = places < self.length
        ids[rows[is_kept], places[is_kept]] = codes[is_kept]
        unknown = np.bincount(rows[codes == UNKNOWN], minlength=lengths.size)
        return Encoded(ids, lengths, unknown)

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """The text of one row of numbers; unknown tokens read as U+FFFD, words are parted by blanks."""
        names = ("", "\ufffd", *self.vocabulary)
        real = [names[int(number)] for number in np.asarray(ids) if number != PADDING]
        return ("" if self.level == "char" else " ").join(real)

    def spans(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """The normalised text as it was written, and where in it each token begins and ends (without a cut).

        Example:
            >>> Tokenizer().fit(["fine"]).spans("Fine, fine.")
            ('Fine, fine.', [(0, 4), (4, 5), (6, 10), (10, 11)])
        """
        series = as_series([text])
        shown, searched = (str(normalise(series, lower)[0]) for lower in (False, self.level == "word"))
        if len(shown) != len(searched):  # some letters change their number with their case
            shown = searched
        found, start = [], 0
        for token in _tokens(series, self.level)[0]:
            start = searched.index(token, start)
            found.append((start, start + len(token)))
            start += len(token)
        return shown, found

    def _numbers(self, tokens: pl.Series) -> np.ndarray:
        if not self.vocabulary or not tokens.len():
            return np.full(tokens.len(), UNKNOWN, np.int32)
        numbers = pl.Series(range(RESERVED, self.size), dtype=pl.Int32)
        known = pl.Series(self.vocabulary, dtype=pl.String)
        codes = tokens.replace_strict(known, numbers, default=UNKNOWN, return_dtype=pl.Int32)
        array: np.ndarray = codes.to_numpy()
        return array


def normalise(texts: pl.Series, lower: bool) -> pl.Series:  # noqa: FBT001 - one private use
    """Unicode's normal form C without invisible signs; a text that is missing is empty."""
    plain = texts.fill_null("").str.normalize("NFC").str.replace_all(_UNSEEN, "")
    return plain.str.to_lowercase() if lower else plain


def as_series(texts: Iterable[str]) -> pl.Series:
    """Texts as a column of strings.

    Raises:
        DataError: a text holds half of a surrogate pair, which is no character.
        ArgumentTypeError: something else than texts.
    """
    if isinstance(texts, pl.Series) and texts.dtype == pl.String:
        return texts
    if isinstance(texts, str):
        raise ArgumentTypeError("texts: expected several texts; received one. Put it into a list.")
    several = list(texts)
    for number, text in enumerate(several, start=1):
        if text is not None and not isinstance(text, str):
            raise ArgumentTypeError(f"texts: text {number} must be a str; received {type(text).__name__}.")
        if text is not None and any("\ud800" <= letter <= "\udfff" for letter in text):
            raise DataError(
                f"text {number}: it holds half of a surrogate pair, which is no character. Decode the file as UTF-8 "
                "with errors='replace', or correct it."
            )
    return pl.Series("text", several, dtype=pl.String)


def _tokens(texts: pl.Series, level: Level) -> pl.Series:
    """The tokens of each text, as lists of strings."""
    return normalise(texts, level == "word").str.extract_all(_PATTERNS[level])
