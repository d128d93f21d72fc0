import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB

from chainrule.errors import ArgumentError
from chainrule.tasks.text.network import build_network, compile_network, log_ratios, start_bag
from chainrule.tasks.text.settings import MODELS, TextSettings, default_settings

SMALL = {"embedding": 6, "filters": 5, "units": 4, "windows": "2,3", "dropout": 0.3}
RNG = np.random.default_rng(0)
IDS = RNG.integers(1, 11, (4, 2, 9)).astype(np.int32)
IDS[:, 1] += np.where(IDS[:, 1] > 1, 9, 0)  # phrases are numbered from 11
for _row, _length in enumerate((9, 4, 1, 0)):
    IDS[_row, :, _length:] = 0


def network(model, **changes):
    settings = TextSettings(**{**SMALL, "model": model, **changes})
    built = build_network(settings, 11, 9, 3, seed=1)
    weights = {path: RNG.normal(0.2, 0.5, value.shape) for path, value in built.get_weights().items()}
    built.set_weights(weights)
    return built, settings


@pytest.mark.parametrize("model", MODELS)
def test_answers_do_not_depend_on_padding(model):
    """C194: results are independent of how far texts are padded."""
    built, _ = network(model)
    answers = built.predict(IDS)
    assert answers.shape == (4, 3)
    longer = np.concatenate([IDS, np.zeros((4, 2, 7), np.int32)], axis=2)
    np.testing.assert_allclose(built.predict(longer), answers, rtol=1e-5, atol=1e-5)  # sums in another order
    np.testing.assert_allclose(built.predict(IDS[1:2, :, :4]), answers[1:2], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_one_compilation_serves_texts_of_all_lengths(model):
    built, settings = network(model)
    compile_network(built, settings)
    for length in (9, 5, 2):
        texts = IDS.copy()
        texts[:, :, length:] = 0
        built.fit(texts, np.array([0, 1, 2, 0]), epochs=2, batch_size=3, verbose=0)
    assert built.engine._chunk._cache_size() == 1


def test_the_answer_is_the_mean_of_the_branches():
    built, _ = network("average")
    found = built.intermediate(IDS)
    np.testing.assert_allclose(found["answer"], (found["average"] + found["bag"]) / 2, rtol=1e-5)
    alone, _ = network("average", bag=False)
    assert "bag" not in alone.graph.layers
    assert list(network("bag")[0].graph.layers)[-2:] == ["bag", "answer"]


def test_log_ratios_are_those_of_naive_bayes():
    """The difference of scikit-learn's log-probabilities of words that are there or not, for two classes."""
    texts, labels = ["a b b", "b c", "a a c", "d"], np.array([0, 1, 0, 1])
    vectorizer = CountVectorizer(binary=True, token_pattern=r"\w")
    counts = vectorizer.fit_transform(texts).toarray()
    shares = MultinomialNB(alpha=1.0).fit(counts, labels).feature_log_prob_
    expected = shares[1] - shares[0]
    numbers = vectorizer.vocabulary_
    inputs = np.array([[numbers[word] + 1 for word in text.split()] + [0] * (3 - len(text.split())) for text in texts])
    found = log_ratios(inputs, labels, 6, 2)
    np.testing.assert_allclose(found[1:5, 1], expected, rtol=1e-6)
    np.testing.assert_allclose(found[:, 0], -found[:, 1], atol=1e-6)
    assert found[0].tolist() == found[5].tolist() == [0, 0]


def test_the_bag_starts_silent_and_learns_along_its_ratios():
    built, settings = network("bag")
    built = build_network(settings, 11, 9, 3, seed=1)
    compile_network(built, settings)
    labels = np.array([0, 1, 2, 0])
    start_bag(built, IDS, labels)
    np.testing.assert_array_equal(built.predict(IDS), 0)
    np.testing.assert_allclose(built.get_weights()["bag/scale"], 5 * log_ratios(IDS, labels, 20, 3), rtol=1e-6)
    built.fit(IDS, labels, epochs=3, batch_size=4, verbose=0)
    untold = np.flatnonzero(built.get_weights()["bag/scale"][:, 0] == 0)
    assert (built.get_weights()["bag/kernel"][untold, 0] == 0).all()
    assert np.abs(built.get_weights()["bag/kernel"]).max() > 0


def test_settings_are_checked():
    with pytest.raises(ArgumentError, match="Did you mean 'lstm'"):
        TextSettings(model="lstn")
    with pytest.raises(ArgumentError, match="windows must be widths between 1 and 8"):
        TextSettings(windows="3,40")
    with pytest.raises(ArgumentError, match="phrases"):
        TextSettings(phrases=9)
    with pytest.raises(ArgumentError, match="level must be one of"):
        TextSettings(level="syllable")
    assert default_settings("char").level == "char"
