"""Leaks in texts: copies across the split, and single words that give the class away."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl

from chainrule.data import Finding
from chainrule.data.prepare.tokenize import UNKNOWN, FittedTokenizer
from chainrule.tasks.words import printable

_MIN_TEXTS = 20  # with the word
_PURE = 0.99  # share of the texts with the word that are of one class
_TELLS = 0.3  # share of the class's texts that have the word
_CHANCE = 1e-6


def copies(texts: pl.Series) -> np.ndarray:
    """A number per text, equal for texts that differ in nothing but case, blanks and punctuation.

    Example:
        >>> copies(pl.Series(["A film!", "a  film", "A filmy"])).tolist()
        [0, 0, 1]
    """
    letters = texts.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    bare = pl.DataFrame({"bare": letters, "whole": texts.str.strip_chars()}).with_row_index("row")
    kept = pl.when(pl.col("bare") == "").then(pl.col("whole")).otherwise(pl.col("bare"))  # signs alone: as they are
    first = bare.select(pl.col("row").min().over(kept)).to_series().to_numpy()
    return np.unique(first, return_inverse=True)[1]


def deciding_tokens(
    ids: np.ndarray, labels: np.ndarray, classes: Sequence[str], tokenizer: FittedTokenizer
) -> tuple[Finding, ...]:
    """Words that nearly only one class has, and that a good part of its texts has: a label left in the text, perhaps.

    Args:
        ids: [texts, length] tokens of the training texts.
        labels: their class numbers.
        classes: names.
        tokenizer: names the tokens.
    """
    num_classes, size = len(classes), tokenizer.size
    rows = np.repeat(np.arange(len(ids)), ids.shape[1])
    texts, tokens = np.divmod(np.unique(rows * size + ids.ravel()), size)
    counts = np.bincount(labels[texts] * size + tokens, minlength=num_classes * size).reshape(num_classes, size)
    counts[:, : UNKNOWN + 1] = 0
    totals, sizes = counts.sum(axis=0), np.bincount(labels, minlength=num_classes)
    label = counts.argmax(axis=0)
    own = counts[label, np.arange(size)]
    shares = sizes / len(labels)
    suspected = (own >= _MIN_TEXTS) & (own >= _PURE * totals) & (own >= _TELLS * sizes[label])
    suspected &= totals * np.log(shares[label]) < math.log(_CHANCE)
    chosen = np.flatnonzero(suspected)
    chosen = chosen[np.argsort(-own[chosen], kind="stable")][:5]
    return tuple(
        Finding(
            "proxy",
            None,
            f"the {'word' if tokenizer.level == 'word' else 'character'} "
            f"{printable(tokenizer.decode([int(token)]))!r} stands in {own[token] / sizes[label[token]]:.0%} of the "
            f"training texts of the class {printable(classes[label[token]])!r} and in "
            f"{counted_others(int(totals[token] - own[token]))}.",
            "If it was put there with the label, remove it from the texts.",
        )
        for token in chosen.tolist()
    )


def counted_others(number: int) -> str:
    """How many texts of other classes have a word, in words."""
    return f"{number:,} of the others" if number else "none of the others"
