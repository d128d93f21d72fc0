"""Small pictures of two kinds: a bright square in the upper half, or in the lower half."""

import numpy as np
import pytest
from PIL import Image

from chainrule.tasks import fit_images


def squares(count=90, seed=0, size=(12, 10), channels=3):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3 % 2  # twice as many low ones
    pixels = rng.integers(0, 90, (count, *size, channels))
    for row, label in enumerate(labels):
        top, left = (1 if label else 6) + rng.integers(0, 2), rng.integers(1, 5)
        pixels[row, top : top + 4, left : left + 4] += 140
    return pixels.astype(np.uint8), np.where(labels, "high", "low")


def plant(folder, pixels, names):
    for number, (image, name) in enumerate(zip(pixels, names, strict=True)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name / f"{number:03}.png")
    return folder


@pytest.fixture(scope="session")
def pets(tmp_path_factory):
    """A folder with a folder for each class."""
    return plant(tmp_path_factory.mktemp("data") / "pets", *squares())


QUICK = {"width": 8, "network": "plain", "augment": "none", "dropout": 0.0, "learning_rate": 0.01}


@pytest.fixture(scope="session")
def finished(pets, tmp_path_factory):
    """A run on that folder, trained once for all tests that only look at it."""
    run = tmp_path_factory.mktemp("runs") / "pets"
    return fit_images(pets, run=run, epochs=12, batch_size=16, settings=QUICK, verbose=0, test=0.25)
