"""Phrases: neighbouring tokens that occur together, numbered after the tokens themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule._base.checks import check_number, check_positive_int
from chainrule._base.registry import register_class
from chainrule.data.prepare.tokenize import UNKNOWN

LONGEST_PHRASE = 5


@dataclass(frozen=True)
class Phrases:
    """Which runs of two, three, ... tokens are worth a number of their own.

    A run counts if all its tokens are known and it occurs ``min_count`` times in the training texts; of too many the
    most frequent are kept. Numbers are looked up, not hashed: with a few thousand texts, phrases that share a number by
    chance cost more than phrases give.

    Args:
        longest: most tokens of a phrase; 1 for none.
        min_count: how often a phrase must occur.
        most: phrases of each length.

    Example:
        >>> ids = np.array([[2, 3, 4, 0], [2, 3, 2, 3]], np.int32)
        >>> fitted = Phrases(2, min_count=3).fit(ids, first=5)
        >>> fitted.size, fitted.encode(ids)[:, 1].tolist()
        (6, [[5, 0, 0, 0], [5, 0, 5, 0]])
    """

    longest: int = 2
    min_count: int = 2
    most: int = 100_000

    def __post_init__(self) -> None:
        for name in ("longest", "min_count", "most"):
            check_positive_int(name, getattr(self, name), self)
        check_number("longest", self.longest, self, at_most=LONGEST_PHRASE)

    def fit(self, ids: np.ndarray, *, first: int) -> FittedPhrases:
        """Learn the phrases of the training texts.

        Args:
            ids: int32 [texts, length], as a tokenizer gives them.
            first: the number of the first phrase: the tokenizer's ``size``.
        """
        found = FittedPhrases(first, ())
        for _ in range(self.longest - 1):
            keys = found.next_keys(ids)
            different, counts = np.unique(keys[keys >= 0], return_counts=True)
            different, counts = different[counts >= self.min_count], counts[counts >= self.min_count]
            kept = np.sort(different[np.argsort(-counts, kind="stable")[: self.most]])
            found = FittedPhrases(first, (*found.keys, tuple(kept.tolist())))
        return found


@register_class
@dataclass(frozen=True)
class FittedPhrases:
    """Known phrases, as they are saved with a model.

    Args:
        first: the number of the first phrase.
        keys: for each length from 2, in order: number of the run before its last token times ``first``, plus the last.
    """

    first: int
    keys: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> int:
        """Different numbers of tokens and phrases together."""
        return self.first + sum(map(len, self.keys))

    def encode(self, ids: np.ndarray) -> np.ndarray:
        """Numbers of the phrases that begin at each place: int32 [texts, 1 + lengths of phrases, length].

        The first plane is ``ids`` itself; in the others 0 stands where no known phrase begins.
        """
        planes, runs = [ids], _known(ids)
        for span in range(1, len(self.keys) + 1):
            runs = self._longer(runs, ids, span)
            planes.append(runs.astype(np.int32))
        return np.stack(planes, axis=1)

    def next_keys(self, ids: np.ndarray) -> np.ndarray:
        """The keys of runs one token longer than the longest known phrase; -1 where there is none."""
        runs = _known(ids)
        for span in range(1, len(self.keys) + 1):
            runs = self._longer(runs, ids, span)
        return self._keys(runs, ids, len(self.keys) + 1)

    def _longer(self, runs: np.ndarray, ids: np.ndarray, span: int) -> np.ndarray:
        """Numbers of the phrases made of ``runs`` of ``span`` tokens and the token that follows."""
        first = self.first + sum(map(len, self.keys[: span - 1]))
        return _numbers(self._keys(runs, ids, span), np.array(self.keys[span - 1], np.int64), first)

    def _keys(self, runs: np.ndarray, ids: np.ndarray, span: int) -> np.ndarray:
        last = np.zeros_like(ids)
        last[:, :-span] = ids[:, span:]
        return np.where((runs > 0) & (last > UNKNOWN), runs * self.first + last, -1)


def _known(ids: np.ndarray) -> np.ndarray:
    """``ids`` with 0 for unknown tokens, wide enough for keys."""
    return np.where(ids > UNKNOWN, ids, 0).astype(np.int64)


def _numbers(keys: np.ndarray, known: np.ndarray, first: int) -> np.ndarray:
    """``first`` plus the place of each key among the sorted known ones; 0 for others."""
    if not known.size:
        return np.zeros(keys.shape, np.int64)
    place = np.minimum(np.searchsorted(known, keys), known.size - 1)
    return np.where(known[place] == keys, first + place, 0)
