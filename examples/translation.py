"""Text to text: English numbers become German ones, by an encoder and a decoder with attention.

English is read word by word, German is written letter by letter, and the order changes on the way: twenty one is
einundzwanzig, one-and-twenty. Most numbers below a thousand are learned; the others are asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import chainrule as cr
from chainrule.models import generate, zoo

VALUES = [*range(1, 20), *range(20, 100, 10)]
ENGLISH = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
ENGLISH += "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
GERMAN = "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
GERMAN += "achtzehn neunzehn zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"
IN_ENGLISH = dict(zip(VALUES, ENGLISH.split(), strict=True))
IN_GERMAN = dict(zip(VALUES, GERMAN.split(), strict=True))
START = ">"  # what the decoder is given before the first letter


def places(number: int) -> tuple[int, int, int]:
    """Hundreds, tens (20 to 90) and the rest: ``421`` -> ``(4, 20, 1)``."""
    hundreds, rest = divmod(number, 100)
    tens = rest // 10 * 10 if rest >= 20 else 0
    return hundreds, tens, rest - tens


def english(number: int) -> str:
    """``421`` -> ``four hundred twenty one``."""
    hundreds, tens, ones = places(number)
    words = [IN_ENGLISH[hundreds], "hundred"] if hundreds else []
    return " ".join([*words, *(IN_ENGLISH[part] for part in (tens, ones) if part)])


def german(number: int) -> str:
    """``421`` -> ``vierhunderteinundzwanzig``."""
    hundreds, tens, ones = places(number)
    text = f"{IN_GERMAN[hundreds]}hundert" if hundreds else ""
    text += IN_GERMAN.get(ones, "") + ("und" if ones and tens else "") + IN_GERMAN.get(tens, "")
    return text + ("s" if ones == 1 and not tens else "")


def encode(texts: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> np.ndarray:
    """Words or letters by their numbers from 1, each text followed by 0 up to one place beyond the longest."""
    codes = np.zeros((len(texts), 1 + max(map(len, texts))), np.int32)
    for row, text in zip(codes, texts, strict=True):
        row[: len(text)] = [1 + vocabulary.index(part) for part in text]
    return codes


def main() -> None:
    """Learn 700 numbers, translate the other 299."""
    numbers = np.random.default_rng(0).permutation(np.arange(1, 1000)).tolist()
    sources, targets = [english(number).split() for number in numbers], [START + german(number) for number in numbers]
    words, letters = sorted({word for text in sources for word in text}), sorted(set("".join(targets)))
    source, target = encode(sources, words), encode(targets, letters)
    model = zoo.seq2seq_attention(1 + len(words), 1 + len(letters), source_length=source.shape[1], width=16, units=64)
    model.compile(cr.optimizers.Adam(0.01), "cross_entropy", ["accuracy"])
    model.fit([source[:700], target[:700, :-1]], target[:700, 1:], epochs=30, verbose=0, until="loss<0.002")

    start = np.full((len(numbers) - 700, 1), 1 + letters.index(START))
    made = generate(model, start, target.shape[1] - 1, context=[source[700:]], end=0)
    answers = ["".join(letters[code - 1] for code in row if code) for row in made]
    right = [answer == german(number) for answer, number in zip(answers, numbers[700:], strict=True)]
    for number, answer in zip(numbers[700:708], answers[:8], strict=True):
        print(f"{english(number)} → {answer}")
    print(f"{np.mean(right):.1%} of {len(right)} numbers that were not learned are right to the last letter")


if __name__ == "__main__":
    main()
