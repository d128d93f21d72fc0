"""The classical baseline for texts: logistic regression on TF-IDF of words and phrases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from chainrule.data.prepare.tokenize import UNKNOWN
from chainrule.tasks.softmax import fit_softmax

Answer = Callable[[np.ndarray], np.ndarray]  # inputs -> probabilities [texts, classes]
_MOST_TOKENS = 5_000_000  # of the training texts together, padding included


@dataclass(frozen=True, eq=False)
class Sparse:
    """Rows of few numbers: ``rows``, ``columns`` and ``values`` of the cells that are not 0, in the order of rows."""

    rows: np.ndarray = field(repr=False)
    columns: np.ndarray = field(repr=False)
    values: np.ndarray = field(repr=False)
    shape: tuple[int, int]

    @property
    def T(self) -> Sparse:
        """Rows and columns exchanged."""
        return Sparse(self.columns, self.rows, self.values, (self.shape[1], self.shape[0]))

    def __matmul__(self, other: np.ndarray, /) -> np.ndarray:
        """``self @ other``: [rows, outputs]."""
        outputs = [
            np.bincount(self.rows, self.values * column[self.columns], minlength=self.shape[0]) for column in other.T
        ]
        return np.stack(outputs, axis=1)


def counts_of(inputs: np.ndarray, size: int) -> Sparse:
    """How often each token or phrase occurs in each text; padding and unknown tokens do not count.

    Args:
        inputs: [texts, ...] numbers.
        size: different numbers.
    """
    flat = inputs.reshape(len(inputs), -1).astype(np.int64)
    is_real = flat > UNKNOWN
    cells = (np.arange(len(flat))[:, None] * size + flat)[is_real]
    different, counts = np.unique(cells, return_counts=True)
    rows, columns = np.divmod(different, size)
    return Sparse(rows, columns, counts.astype(np.float64), (len(flat), size))


def inverse_frequencies(counts: Sparse) -> np.ndarray:
    """``ln((1 + texts) / (1 + texts with the token)) + 1``, as scikit-learn's."""
    texts = np.bincount(counts.columns, minlength=counts.shape[1])
    frequencies: np.ndarray = np.log((1 + counts.shape[0]) / (1 + texts)) + 1
    return frequencies


def tf_idf(counts: Sparse, frequencies: np.ndarray) -> Sparse:
    """Counts times inverse frequencies, each text divided by its length.

    Example:
        >>> counts = counts_of(np.array([[2, 3, 3, 0]]), 4)
        >>> np.round(tf_idf(counts, np.ones(4)).values, 3).tolist()
        [0.447, 0.894]
    """
    values = counts.values * frequencies[counts.columns]
    length = np.sqrt(np.bincount(counts.rows, values**2, minlength=counts.shape[0]))
    return Sparse(counts.rows, counts.columns, values / length[counts.rows], counts.shape)


def fit_tf_idf(inputs: np.ndarray, labels: np.ndarray, size: int, num_classes: int) -> Answer:
    """Fit on the given texts (a part of them, if they are very many); inputs of others -> [texts, classes].

    The penalty is scikit-learn's default, ``C=1``.
    """
    affordable = max(1, _MOST_TOKENS // max(int(np.prod(inputs.shape[1:])), 1))
    inputs, labels = inputs[:affordable], labels[:affordable]
    counts = counts_of(inputs, size)
    frequencies = inverse_frequencies(counts)
    model = fit_softmax(tf_idf(counts, frequencies), labels, num_classes)

    def answer(asked: np.ndarray) -> np.ndarray:
        return model.predict(tf_idf(counts_of(asked, size), frequencies))

    return answer
