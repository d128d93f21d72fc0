import numpy as np
import polars as pl

from chainrule.data.prepare.tokenize import Tokenizer
from chainrule.tasks.text.leaks import copies, deciding_tokens


def test_copies_differ_in_nothing_but_case_blanks_and_punctuation():
    texts = ["It's fine.", "its fine", "IT S  fine!", "!!!", "???", "!!!", "ﬁne", "fine"]
    assert copies(pl.Series(texts)).tolist() == [0, 1, 0, 2, 3, 2, 4, 4]


def found(texts, labels):
    fitted = Tokenizer().fit(texts)
    return deciding_tokens(fitted.encode(texts).ids, np.array(labels), ("ham", "spam"), fitted)


def test_a_word_that_decides_is_named():
    texts = [f"LABEL0{label} text {number} word" for number, label in enumerate([0, 1] * 40)]
    findings = found(texts, [0, 1] * 40)
    assert [finding.message for finding in findings] == [
        "the word 'label00' stands in 100% of the training texts of the class 'ham' and in none of the others.",
        "the word 'label01' stands in 100% of the training texts of the class 'spam' and in none of the others.",
    ]


def test_honest_words_are_not_suspected():
    rng = np.random.default_rng(0)
    labels = [0, 1] * 60
    telling = ["money" if rng.uniform() < (0.8 if label else 0.05) else "meeting" for label in labels]
    assert not found([f"{word} {rng.integers(9)} today" for word in telling], labels)
    rare = ["secret sign" if number < 19 else f"w{number} w" for number in range(120)]  # too few texts to tell
    assert not found(rare, [0 if number < 60 else 1 for number in range(120)])
