import numpy as np
import pytest

from chainrule.tasks.text import fit_text

GOOD = ["fine", "bright", "moving", "warm"]
BAD = ["dull", "stale", "weak", "cold"]
OTHER = ["film", "story", "cast", "ending", "music", "scene", "plot", "a", "the", "with"]


def make_reviews(rows=160, seed=0):
    """Sentences of indifferent words with two telling words each; every tenth tells the wrong way."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for row in range(rows):
        label = row % 2
        told = label if row % 10 else 1 - label
        words = [*rng.choice(OTHER, 3 + row % 5), *rng.choice(GOOD if told else BAD, 2)]
        texts.append(" ".join(rng.permutation(words)) + f" , no {row} .")
        labels.append(("bad", "good")[label])
    return {"review": texts, "verdict": labels}


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A run on made-up reviews, trained once for all tests that only look at it."""
    return fit_text(
        make_reviews(), target="verdict", run=tmp_path_factory.mktemp("runs") / "reviews", epochs=6, verbose=0,
        settings={"embedding": 8},
    )  # fmt: skip


@pytest.fixture(scope="session")
def reviews():
    """What makes reviews: (rows, seed) -> a table."""
    return make_reviews
