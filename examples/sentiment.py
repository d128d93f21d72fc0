"""Text to category: reviews that praise and reviews that complain, where "not" turns a word's meaning round.

The same on the command line, with a file of your own: ``chainrule fit reviews.csv --target opinion``.
"""

from __future__ import annotations

import tempfile

from chainrule.tasks import fit_text

THINGS = ["film", "plot", "cast", "music", "ending", "book", "story", "song"]
GOOD, BAD = ["fine", "great", "moving", "clever", "charming"], ["dull", "awful", "boring", "clumsy", "silly"]
STRAIGHT = ("the {} was {}", "i found the {} really {}", "what a {} it was so {}", "everybody says the {} is {}")
TURNED = ("the {} was not {}", "i never found the {} {}", "nobody says the {} is {}", "the {} was not at all {}")
ASKED = ("the acting was never dull", "so charming", "nobody was clever", "the plot was really not at all awful")
SETTINGS = {"model": "lstm", "bag": False, "units": 16, "embedding": 16, "dropout": 0.2, "learning_rate": 0.01}


def reviews() -> dict[str, list[str]]:
    """All sentences of the patterns, and their opinions."""
    texts, opinions = [], []
    for words, straight, turned in ((GOOD, "praise", "complaint"), (BAD, "complaint", "praise")):
        for patterns, opinion in ((STRAIGHT, straight), (TURNED, turned)):
            made = [pattern.format(thing, word) for thing in THINGS for word in words for pattern in patterns]
            texts += made
            opinions += [opinion] * len(made)
    return {"text": texts, "opinion": opinions}


def main() -> None:
    """Learn from most sentences, judge the others, and answer new ones."""
    with tempfile.TemporaryDirectory() as folder:
        options = {"epochs": 20, "batch_size": 16, "early_stop": False, "report": False, "verbose": 0}
        run = fit_text(reviews(), target="opinion", run=folder, settings=SETTINGS, **options)
        print(f"{run.facts['split']['test']} test sentences: accuracy {run.metrics['accuracy']:.3f}")
        print(f"logistic regression on words and pairs: {run.baselines['linear']['accuracy']:.3f}")
        for text, opinion in zip(ASKED, run.predict(list(ASKED))["predicted opinion"], strict=True):
            print(f"{text}: {opinion}")


if __name__ == "__main__":
    main()
