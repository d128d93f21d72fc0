"""Text, sound, categories and random numbers, one into the other: the examples learn what they say.

Each is run once, and its answers are held against what is known without the example.
"""

import re
import runpy
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs an example as the command line does; its names, and what it printed."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        names = runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return names, capsys.readouterr().out

    return run


def share(output, after):
    """The percentage printed before ``after``, as a share."""
    return float(re.search(rf"([\d.]+)% {after}", output)[1]) / 100


def test_translation_from_text_to_text(run):
    """C193: numbers that were not learned are translated, the order of their parts turned round."""
    _, output = run("translation.py")
    assert "eight hundred eighty six → achthundertsechsundachtzig\n" in output
    assert "nine hundred one → neunhunderteins\n" in output
    assert share(output, "of 299 numbers that were not learned") > 0.9


def test_recognition_from_audio_to_text(run):
    """C193: Morse code in noise is read, letter by letter."""
    _, output = run("recognition.py")
    assert "CHAINRULE → CHAINRULE\n" in output
    assert share(output, "of 200 random letters") > 0.9


def test_synthesis_from_text_to_audio(run, tmp_path):
    """C193: the two strongest tones of each key in the file are the telephone's."""
    run("synthesis.py", "5908#", tmp_path / "number.wav")
    with wave.open(str(tmp_path / "number.wav")) as file:
        assert file.getframerate() == 8000
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    heard = []
    for part in sound.reshape(5, -1):  # 0.1 s of tones, then 0.06 s of silence
        assert np.abs(part[-320:]).mean() < 0.1 * np.abs(part[160:640]).mean()
        loudness = np.abs(np.fft.rfft(part[:800]))  # one number for every 10 Hz
        heard.append((10 * int(loudness[:105].argmax()), 10 * int(105 + loudness[105:].argmax())))
    expected = [(770, 1336), (852, 1477), (941, 1336), (852, 1336), (941, 1477)]
    np.testing.assert_allclose(heard, expected, atol=30)  # played in steps of 50 Hz; neighbours are 70 apart


def test_sentiment_from_text_to_a_category(run):
    """C193 C191: sentences that were not learned are judged, although "not" turns them round."""
    _, output = run("sentiment.py")
    assert float(re.search(r"accuracy ([\d.]+)", output)[1]) > 0.95
    assert "the acting was never dull: praise\n" in output
    assert "nobody was clever: complaint\n" in output


def test_generator_from_a_random_number_to_text(run):
    """C193 C210: each seed its own lines, and almost all of them the rhyme's."""
    names, output = run("generator.py")
    assert share(output, "of .* lines are the rhyme's") > 0.8
    texts = [text.splitlines()[1:] for text in output.split("Seed ")[1:]]
    assert len({text[0] for text in texts}) > 1
    lines = [line.strip() for text in texts for line in text if line.startswith("  ")]
    assert np.mean([line in names["LINES"] or line == "This is" for line in lines]) > 0.8
