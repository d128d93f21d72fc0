import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from chainrule.tasks.text.baseline import counts_of, fit_tf_idf, inverse_frequencies, tf_idf

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, 40)
IDS = np.where(RNG.uniform(size=(40, 6)) < 0.5, LABELS[:, None] + 2, RNG.integers(2, 9, (40, 6))).astype(np.int32)
IDS[::3, 4:] = 0
IDS[1, 0] = 1  # unknown


def as_texts(ids):
    return [" ".join(f"w{number}" for number in row if number > 1) for row in ids]


def test_tf_idf_is_scikit_learns():
    vectorizer = TfidfVectorizer(vocabulary=[f"w{number}" for number in range(9)])
    expected = vectorizer.fit_transform(as_texts(IDS)).toarray()
    counts = counts_of(IDS, 9)
    found = tf_idf(counts, inverse_frequencies(counts))
    np.testing.assert_allclose(found @ np.eye(9), expected, rtol=1e-12)
    np.testing.assert_allclose(found.T @ np.eye(40), expected.T, rtol=1e-12)


def test_the_classifier_is_scikit_learns():
    """The minimum is the same; both stop when the loss hardly moves."""
    vectorizer = TfidfVectorizer(vocabulary=[f"w{number}" for number in range(9)])
    x = vectorizer.fit_transform(as_texts(IDS[:30]))
    oracle = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit(x, LABELS[:30])
    answer = fit_tf_idf(IDS[:30], LABELS[:30], 9, 3)
    expected = oracle.predict_proba(vectorizer.transform(as_texts(IDS[30:])))
    np.testing.assert_allclose(answer(IDS[30:]), expected, atol=2e-3)


def test_a_text_of_unknown_words_gets_the_bias():
    answer = fit_tf_idf(IDS, LABELS, 9, 3)(np.array([[1, 0, 0, 0, 0, 0]]))
    assert np.isfinite(answer).all()
    np.testing.assert_allclose(answer.sum(), 1)
