"""Audio to text: Morse code, as a noisy waveform of unknown pitch and speed, is read by a network.

The waveform becomes loudness over time and pitch (a spectrogram). A network of causal convolutions
listens and says at every moment which letter has just ended, or none; the letters in their order are the text.
"""

from __future__ import annotations

import difflib
import itertools

import numpy as np

import chainrule as cr
from chainrule.layers import Conv1D, Dense, Input

MORSE = ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
CODES = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", MORSE.split(), strict=True))
LETTERS = " " + "".join(CODES)  # none, and the letters
RATE = 4000  # samples a second
FRAME = 120  # samples: 30 ms, so that pitches are told apart in steps of 33 Hz
STEPS = 400  # frames of a training example
EPOCHS = 30  # of 30 steps each: 240 examples, 8 at a time


def send(text: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The waveform, and for each of its frames the number of the letter that has just ended, 0 for none."""
    unit = int(rng.integers(250, 300))  # samples of a dot: 62 to 75 ms; a dash is three, a pause one, or three in all
    signs = {letter: CODES[letter].replace(".", "# ").replace("-", "### ") + letter * 2 for letter in text}
    line = "".join(signs[letter] for letter in text)
    samples = np.repeat(list(line), unit)
    samples = samples[: len(samples) // FRAME * FRAME]
    labels = [max(LETTERS.find(sign), 0) for sign in samples[FRAME // 2 :: FRAME]]
    tone = np.sin(2 * np.pi * rng.uniform(450, 950) * np.arange(len(samples)) / RATE)
    return tone * (samples == "#") + rng.normal(0, 0.1, len(samples)), np.array(labels)


def hear(wave: np.ndarray) -> np.ndarray:
    """Loudness of the pitches from 400 to 1,000 Hz in each frame, ``[frames, 19]``."""
    frames = wave.reshape(-1, FRAME) * np.hanning(FRAME)
    return np.log1p(np.abs(np.fft.rfft(frames, axis=1)))[:, 12:31].astype(np.float32)


def make_model() -> cr.Model:
    """Scores of the letters at each frame, from the 63 frames until then: each layer looks twice as far back."""
    x = heard = Input((None, 19))
    for distance in (1, 2, 4, 8, 16):
        x = Conv1D(32, 3, padding="causal", dilation_rate=distance, activation="relu")(x)
    return cr.Model(heard, Dense(len(LETTERS))(x), seed=0)


def read(model: cr.Model, wave: np.ndarray) -> str:
    """The text: two or more frames in a row with the same letter are that letter once."""
    codes = model.predict(hear(wave)[None])[0].argmax(axis=-1)
    return "".join(LETTERS[code] for code, run in itertools.groupby(codes) if code and len(list(run)) > 1)


def main() -> None:
    """Learn from random letters, read a message that was never heard."""
    rng = np.random.default_rng(0)
    sent = [send("".join(rng.choice(list(CODES), 20)), rng) for _ in range(240)]
    x, y = np.stack([hear(wave)[:STEPS] for wave, _ in sent]), np.stack([labels[:STEPS] for _, labels in sent])
    model = make_model()
    model.compile(cr.optimizers.Adam(cr.optimizers.CosineDecay(0.008, EPOCHS * 30)), "cross_entropy", ["accuracy"])
    model.fit(x, y, epochs=EPOCHS, batch_size=8, verbose=0)

    for text in ("SOS", "CHAINRULE", "WHATHATHGODWROUGHT"):
        print(f"{text} → {read(model, send(text, rng)[0])}")
    text = "".join(rng.choice(list(CODES), 200))
    answer = read(model, send(text, rng)[0])
    parts = difflib.SequenceMatcher(None, text, answer, autojunk=False).get_matching_blocks()
    print(f"{sum(part.size for part in parts) / max(len(text), len(answer)):.1%} of 200 random letters")


if __name__ == "__main__":
    main()
