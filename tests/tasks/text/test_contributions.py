import numpy as np
import polars as pl
import pytest

from chainrule.data.prepare.tokenize import Tokenizer
from chainrule.data.prepare.tokenize_phrases import Phrases
from chainrule.errors import ArgumentTypeError
from chainrule.tasks.labelled import LabelledPredictor
from chainrule.tasks.text.contributions import explain_answer, explain_texts, telling_words
from chainrule.tasks.text.preparation import TextPreparation

TEXTS = ["good Film !", "bad film", "a good good film , so bad", ""]
TOKENS = Tokenizer().fit(TEXTS)
PAIRS = Phrases(2, min_count=1).fit(TOKENS.encode(TEXTS).ids, first=TOKENS.size)
PREPARATION = TextPreparation(TOKENS, PAIRS)
VOICES = {"good": 1.5, "bad": -2.0, "film": 0.25}


def answer(inputs):
    """A linear model: log-odds of class 1 are the sum of the words' voices, plus 0.5 for the pair "good film"."""
    voice = np.zeros(PAIRS.size)
    for word, value in VOICES.items():
        voice[TOKENS.vocabulary.index(word) + 2] = value
    pair = PREPARATION.encode(["good film"])[0][0, 1, 0]
    voice[pair] = 0.5
    p = 1 / (1 + np.exp(-voice[inputs].sum(axis=(1, 2))))
    return np.stack([1 - p, p], axis=1)


def test_a_contribution_is_what_the_word_and_its_pairs_add():
    first, second, third, empty = explain_texts(TEXTS, PREPARATION, answer)
    assert first.text == "good Film !"
    assert first.answer == 1
    words = dict(first.words())
    assert words["good"] == pytest.approx(1.5 + 0.5)
    assert words["Film"] == pytest.approx(0.25 + 0.5)
    assert words["!"] == pytest.approx(0)
    assert (second.answer, dict(second.words())["bad"]) == (0, pytest.approx(2.0))  # it speaks for class 0
    assert dict(second.words())["film"] == pytest.approx(-0.25)
    # Without "so" nothing changes; without one "good" the other still stands beside "film".
    assert [round(value, 6) for _, value in third.words()] == [0, 1.5, 1.5, 0.75, 0, 0, -2.0]
    assert empty.words() == []
    np.testing.assert_allclose(empty.probabilities, 0.5)


def test_cut_texts_are_explained_as_far_as_they_were_read():
    long = explain_texts(["good " * 30], PREPARATION, answer)[0]
    assert len(long.spans) == len(long.contributions) == TOKENS.length


def test_telling_words_are_ranked_by_class():
    explained = explain_texts(TEXTS * 2, PREPARATION, answer)
    against, favour = telling_words(explained, 2, least=2, most=2)
    assert against[0] == ("bad", pytest.approx(2.0), 4)
    assert [word for word, *_ in favour] == ["good", "film"]
    assert telling_words(explained, 2, least=9, most=2) == [[], []]


def test_only_models_of_texts_can_be_asked():
    other = LabelledPredictor(None, None, ("a", "b"), "label", "images")
    with pytest.raises(ArgumentTypeError, match="must be one of texts; received one of images"):
        explain_answer(other, "a text")


def test_preparation_of_a_series_and_a_list_agree():
    by_list, by_series = PREPARATION.prepare(TEXTS), PREPARATION.prepare(pl.Series(TEXTS))
    np.testing.assert_array_equal(by_list.inputs, by_series.inputs)
    assert by_list.shown.columns == ["row", "text"]
