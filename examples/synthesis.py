"""Text to audio: an LSTM learns from recordings how the keys of a telephone sound, and dials any number.

Each key is two tones at once, one of its row and one of its column. The network is never told which: it hears noisy
recordings, is shown each key for one moment only, and must give the loudness of every pitch from its memory.

    python examples/synthesis.py 0123456789 number.wav
"""

from __future__ import annotations

import sys
import wave

import numpy as np

import chainrule as cr
from chainrule.layers import LSTM, Dense, Embedding, Input

KEYS = "123456789*0#"
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)  # Hz
RATE = 8000  # samples a second
FRAME = 160  # samples: 20 ms
SOUND, KEY = 5, 8  # frames in which a key sounds, and frames until the next one
PITCHES = np.arange(650, 1550, 50)  # Hz: what the network hears and plays


def record(number: str, rng: np.random.Generator) -> np.ndarray:
    """A telephone's waveform, with noise on the line."""
    time = np.arange(SOUND * FRAME) / RATE
    silence = np.zeros((KEY - SOUND) * FRAME)
    tones = [(ROWS[KEYS.index(key) // 3], COLUMNS[KEYS.index(key) % 3]) for key in number]
    parts = [np.append(np.sin(2 * np.pi * np.outer(pair, time)).sum(axis=0), silence) for pair in tones]
    return np.concatenate(parts) + rng.normal(0, 0.05, len(number) * KEY * FRAME)


def listen(sound: np.ndarray) -> np.ndarray:
    """How loud each pitch is in each frame, ``[frames, pitches]``: the size of its Fourier coefficient."""
    waves = np.exp(-2j * np.pi * np.outer(np.arange(FRAME) / RATE, PITCHES))
    return np.abs(sound.reshape(-1, FRAME) @ waves).astype(np.float32) * 2 / FRAME


def play(loudness: np.ndarray) -> np.ndarray:
    """The waveform: one sine wave for each pitch, as loud as said, added up."""
    time = np.arange(len(loudness) * FRAME) / RATE
    return np.sum(np.repeat(loudness, FRAME, axis=0) * np.sin(2 * np.pi * np.outer(time, PITCHES)), axis=1)


def moments(number: str) -> np.ndarray:
    """The number of each key in the first of its frames, 0 in the others."""
    return np.array([[1 + KEYS.index(key)] + [0] * (KEY - 1) for key in number]).ravel()


def main(number: str = "0123456789", path: str | None = None) -> None:
    """Learn from 300 recordings of six keys, and dial; the sound is written if there is a path."""
    rng = np.random.default_rng(0)
    recorded = ["".join(rng.choice(list(KEYS), 6)) for _ in range(300)]
    x = np.stack([moments(keys) for keys in recorded])
    y = np.stack([listen(record(keys, rng)) for keys in recorded])
    codes = Input(None, dtype="int32")
    memory = LSTM(48, return_sequences=True)(Embedding(1 + len(KEYS), 16)(codes))
    model = cr.Model(codes, Dense(len(PITCHES))(memory), seed=0)
    model.compile(cr.optimizers.Adam(0.01), "mse")
    model.fit(x, y, epochs=40, verbose=0)

    loudness, wanted = np.maximum(model.predict(moments(number)[None])[0], 0), listen(record(number, rng))
    for key, heard in zip(number, loudness[SOUND // 2 :: KEY], strict=True):
        low, high = sorted(PITCHES[heard.argsort()[-2:]].tolist())
        print(f"{key}: loudest at {low} and {high} Hz")
    print(f"The loudness is off by {np.abs(loudness - wanted).mean() / wanted.mean():.1%} from a new recording.")
    if path is not None:
        sound = play(loudness)
        with wave.open(path, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((sound / np.abs(sound).max() * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
