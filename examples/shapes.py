"""From a folder of images to answers: circles and squares, drawn, learned, judged, and asked again.

The same on the command line: ``chainrule fit shapes/`` and ``chainrule predict RUN new/``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from chainrule.tasks import fit_images, load_run

SIDE = 16  # pixels
SHAPES = ("circle", "square")


def draw(folder: Path, count: int, seed: int) -> Path:
    """``folder/circle/000.png`` and so on: shapes of random size, place and grey on noise."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        name = SHAPES[number % 2]
        image = Image.fromarray(rng.integers(0, 60, (SIDE, SIDE)).astype(np.uint8))
        left, top = rng.integers(0, 6, 2).tolist()
        size = int(rng.integers(7, 10))
        box = (left, top, left + size, top + size)
        pen = ImageDraw.Draw(image)
        (pen.ellipse if name == "circle" else pen.rectangle)(box, fill=int(rng.integers(120, 256)))
        (folder / name).mkdir(parents=True, exist_ok=True)
        image.save(folder / name / f"{number:03}.png")
    return folder


def main() -> None:
    """Draw, fit, and answer for new drawings with the saved model alone."""
    with tempfile.TemporaryDirectory() as scratch:
        shapes = draw(Path(scratch) / "shapes", 300, seed=0)
        run = fit_images(shapes, run=Path(scratch) / "run", epochs=10, settings={"width": 8}, report=False, verbose=0)
        print(f"{run.facts['split']['test']} test images: accuracy {run.metrics['accuracy']:.3f}")
        print(f"logistic regression on the pixels: {run.baselines['linear']['accuracy']:.3f}")
        print(f"verdict: {run.verdict}")
        answers = load_run(run.folder).predict(draw(Path(scratch) / "new", 6, seed=1))
        for image, answer in answers.select("image", "predicted label").iter_rows():
            print(f"{image}: {answer}")


if __name__ == "__main__":
    main()
