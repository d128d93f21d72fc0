"""A random number to text: an LSTM that learned a rhyme letter by letter writes on, and a seed decides what.

The rhyme, "This is the house that Jack built", was printed in 1755. After "This is" it has eleven ways to go on.
"""

from __future__ import annotations

import numpy as np

import chainrule as cr
from chainrule.layers import LSTM, Dense, Embedding, Input
from chainrule.models import generate

LINES = """the farmer sowing his corn, that kept
the cock that crowed in the morn, that waked
the priest all shaven and shorn, that married
the man all tattered and torn, that kissed
the maiden all forlorn, that milked
the cow with the crumpled horn, that tossed
the dog, that worried
the cat, that killed
the rat, that ate
the malt, that lay in
the house that Jack built.""".splitlines()
VERSES = ["\n".join(["This is", *LINES[-count:]]) + "\n" for count in range(1, len(LINES) + 1)]
LETTERS = sorted(set("".join(VERSES)))
WINDOW = 100  # letters of one training example
TEMPERATURE = 0.5  # below 1, likely letters become likelier


def encode(text: str) -> np.ndarray:
    """The numbers of its letters."""
    return np.array([LETTERS.index(letter) for letter in text])


def make_model() -> cr.Model:
    """From the letters so far to scores of the next one, at every place."""
    letters = Input(None, dtype="int32")
    memory = LSTM(96, return_sequences=True)(Embedding(len(LETTERS), 16)(letters))
    return cr.Model(letters, Dense(len(LETTERS))(memory), seed=0)


def write(model: cr.Model, seed: int, length: int = 150) -> str:
    """What follows "This is" for this seed."""
    made = generate(model, encode("This is\n")[None], length, temperature=TEMPERATURE, seed=seed)
    return "".join(LETTERS[code] for code in made[0])


def main() -> None:
    """Learn the rhyme, and write by four seeds."""
    rhyme = encode("".join(np.random.default_rng(0).permutation(VERSES * 3)))
    windows = np.lib.stride_tricks.sliding_window_view(rhyme, WINDOW + 1)[::15]
    model = make_model()
    model.compile(cr.optimizers.Adam(0.01), "cross_entropy", ["accuracy"])
    model.fit(windows[:, :-1], windows[:, 1:], epochs=20, verbose=0)

    known = []
    for seed in range(4):
        text = write(model, seed)
        lines = text.splitlines()[:-1]  # the last one is cut
        known += [line in LINES or line == "This is" for line in lines]
        print(f"Seed {seed}\n  " + "\n  ".join(lines))
    print(f"{np.mean(known):.0%} of {len(known)} lines are the rhyme's")


if __name__ == "__main__":
    main()
