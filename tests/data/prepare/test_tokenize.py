import time
import unicodedata

import numpy as np
import polars as pl
import pytest

from chainrule._base.registry import from_config, to_config
from chainrule.data.prepare.tokenize import PADDING, UNKNOWN, Tokenizer
from chainrule.errors import ArgumentError, ArgumentTypeError, DataError

TEXTS = ["The cat sat; the cat ran.", "A dog sat!", "don't, dog", ""]


def words(text):
    """An independent cut into words and signs: one sign after another."""
    found, run = [], ""
    for letter in unicodedata.normalize("NFC", text).lower():
        if letter.isalnum() or letter == "_":
            run += letter
            continue
        found += [run] if run else []
        found += [] if letter.isspace() else [letter]
        run = ""
    return found + ([run] if run else [])


def test_words_are_numbered_by_frequency_then_alphabet():
    fitted = Tokenizer().fit(TEXTS)
    counts = {}
    for text in TEXTS:
        for word in words(text):
            counts[word] = counts.get(word, 0) + 1
    expected = sorted(counts, key=lambda word: (-counts[word], word))
    assert list(fitted.vocabulary) == expected
    numbers = {word: place + 2 for place, word in enumerate(expected)}
    encoded = fitted.encode([*TEXTS, "The zebra"])
    for row, text in zip(encoded.ids, [*TEXTS, "The zebra"], strict=True):
        real = [numbers.get(word, UNKNOWN) for word in words(text)]
        assert row.tolist() == real + [PADDING] * (fitted.length - len(real))
    assert encoded.unknown.tolist() == [0, 0, 0, 0, 1]
    assert encoded.unknown_share == pytest.approx(1 / encoded.lengths.sum())


def test_rare_words_and_a_full_vocabulary_are_unknown():
    assert set(Tokenizer(min_count=2).fit(TEXTS).vocabulary) == {"the", "cat", "sat", "dog"}
    assert Tokenizer(max_vocabulary=2).fit(TEXTS).vocabulary == ("cat", "dog")
    assert Tokenizer(max_vocabulary=1).fit(TEXTS).encode(["cat dog"]).ids[0, :3].tolist() == [2, UNKNOWN, PADDING]


def test_only_training_texts_make_the_vocabulary():
    fitted = Tokenizer().fit(["one two"])
    assert fitted.encode(["one three"]).ids[0, :2].tolist() == [2, UNKNOWN]
    assert "three" not in fitted.vocabulary


def test_one_length_holds_99_of_100_texts_and_no_more_than_the_limit():
    texts = ["w " * (10 + place % 5) for place in range(99)] + ["w " * 300]
    assert Tokenizer().fit(texts).length == 17  # ceil of the 99 % quantile: 14 + 0.01 * (300 - 14)
    assert Tokenizer(max_length=12).fit(texts).length == 12
    assert Tokenizer().fit(["w"]).length == 8
    encoded = Tokenizer(max_length=12).fit(texts).encode(texts)
    assert encoded.ids.shape == (100, 12)
    assert encoded.num_cut == sum(10 + place % 5 > 12 for place in range(99)) + 1
    assert encoded.lengths[-1] == 300


@pytest.mark.parametrize(
    "text",
    ["Zoë's café: 3 × 4 = 12\n\tend", "日本語 です", "e\u0301 and \u00e9", "👩‍🚀 ok", "CR\r\nLF", "\u0130stanbul"],
)
def test_characters_are_reversible(text):
    fitted = Tokenizer("char").fit([text])
    assert fitted.decode(fitted.encode([text]).ids[0]) == unicodedata.normalize("NFC", text)


def test_words_read_back_with_blanks():
    fitted = Tokenizer().fit(TEXTS)
    assert fitted.decode(fitted.encode(["The CAT flew!"]).ids[0]) == "the cat \ufffd !"


def test_accents_written_in_two_ways_are_one_word():
    fitted = Tokenizer().fit(["caf\u00e9"])
    assert fitted.encode(["cafe\u0301", "CAFÉ"]).ids[:, 0].tolist() == [2, 2]


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200b", "\ufeff", "\u00ad", "\u200f"])
def test_unseen_signs_cannot_hide_a_word(sign):
    """T-D6: signs that turn the direction of writing, or take no room, are left out before words are counted."""
    fitted = Tokenizer().fit(["good film"])
    assert fitted.encode([f"go{sign}od film"]).ids[0, :3].tolist() == fitted.encode(["good film"]).ids[0, :3].tolist()
    shown, spans = fitted.spans(f"go{sign}od")
    assert (shown, spans) == ("good", [(0, 4)])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Fine,  FINE don't", ["Fine", ",", "FINE", "don", "'", "t"]),
        ("\u0130 x", ["i\u0307", "x"]),  # its small form has two characters, so the text is shown in small letters
        ("", []),
        ("a\u0301b!c", ["\u00e1b", "!", "c"]),
    ],
)
def test_spans_cover_the_tokens(text, tokens):
    shown, spans = Tokenizer().fit(["fine"]).spans(text)
    assert [shown[begin:end] for begin, end in spans] == tokens


def test_empty_texts_and_empty_lists():
    fitted = Tokenizer().fit(TEXTS)
    assert (fitted.encode(["", " \t", None]).ids == PADDING).all()
    assert fitted.encode([]).ids.shape == (0, fitted.length)
    assert fitted.spans("") == ("", [])


def test_a_series_is_taken_as_it_is_and_the_input_is_not_changed():
    texts = pl.Series("review", ["One two", None])
    assert Tokenizer().fit(texts).encode(texts).lengths.tolist() == [2, 0]
    assert texts.to_list() == ["One two", None]


def test_saved_without_code_and_equal_when_loaded():
    fitted = Tokenizer("char", min_count=2).fit(["<b>'\"\\ \u2028", "<b>'\"\\ \u2028"])
    loaded = from_config(to_config(fitted))
    assert loaded == fitted
    assert np.array_equal(loaded.encode(TEXTS).ids, fitted.encode(TEXTS).ids)


def test_errors_name_what_is_wrong():
    with pytest.raises(DataError, match="text 2: it holds half of a surrogate pair"):
        Tokenizer().fit(["fine", "a\ud800b"])
    with pytest.raises(ArgumentTypeError, match="text 2 must be a str; received int"):
        Tokenizer().fit(["fine", 3])
    with pytest.raises(ArgumentTypeError, match="expected several texts"):
        Tokenizer().fit("fine")
    with pytest.raises(DataError, match="at least one word; 2 texts hold none"):
        Tokenizer().fit(["", "  "])
    with pytest.raises(ArgumentError, match=r"level must be one of .*Did you mean 'word'"):
        Tokenizer("words")
    with pytest.raises(ArgumentError, match="max_length must be an integer of at least 8"):
        Tokenizer(max_length=7)


def test_many_texts_take_little_time():
    """Thirty thousand texts of twenty words: half a second; a loop over words in Python takes twenty times as long."""
    rng = np.random.default_rng(0)
    names = np.array([f"w{number}" for number in range(20_000)])
    texts = pl.Series([" ".join(row) for row in names[rng.integers(0, 20_000, (30_000, 20))]])
    began = time.process_time()
    encoded = Tokenizer().fit(texts).encode(texts)
    assert time.process_time() - began < 5
    assert encoded.ids.shape == (30_000, 20)
    assert encoded.unknown_share == 0
