"""The baseline of images: logistic regression on the pixels, scaled down where there are many."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from chainrule.tasks.labelled.job import Answering
from chainrule.tasks.scores import log_loss
from chainrule.tasks.softmax import SoftmaxModel, fit_softmax

_LARGEST_SIDE = 32
_MOST_NUMBERS = 40_000_000  # pixels that are fitted: 160 MB, and some seconds
_PENALTIES = (30.0, 300.0, 3_000.0)
_ITERATIONS = 60
_AT_ONCE = 4_096  # images of one prediction


@dataclass(frozen=True, eq=False)
class PixelBaseline:
    """Fits logistic regression on given rows of images.

    Args:
        pixels: uint8 [n, height, width, channels].
        labels: class numbers.
        num_classes: number of classes.
    """

    pixels: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    num_classes: int

    @property
    def factor(self) -> int:
        """So many pixels each way are averaged into one."""
        return math.ceil(max(int(side) for side in self.pixels.shape[1:3]) / _LARGEST_SIDE)

    @property
    def words(self) -> str:
        """The baseline in words."""
        height, width = (side // self.factor for side in self.pixels.shape[1:3])
        return f"logistic regression on the pixels ({height} x {width})"

    def __call__(self, rows: np.ndarray) -> Answering:
        """Fit on ``rows`` (a part of them, if they are very many) and return what answers for rows."""
        width = math.prod(self._features(rows[:1]).shape)
        rows = rows[: max(_MOST_NUMBERS // width, 1)]
        features = self._features(rows)
        mean, scale = features.mean(axis=0), float(features.std()) or 1.0
        model = self._fitted((features - mean) / scale, self.labels[rows])

        def answer(asked: np.ndarray) -> np.ndarray:
            blocks = [asked[start : start + _AT_ONCE] for start in range(0, asked.size, _AT_ONCE)]
            return np.concatenate([model.predict((self._features(block) - mean) / scale) for block in blocks])

        return answer

    def _fitted(self, features: np.ndarray, labels: np.ndarray) -> SoftmaxModel:
        """With the penalty that does best on a tenth of these rows: neighbouring pixels say the same, so it matters."""
        cut = max(1, len(labels) // 10)

        def loss(l2: float) -> float:
            model = fit_softmax(features[cut:], labels[cut:], self.num_classes, l2=l2, iterations=_ITERATIONS)
            return log_loss(model.predict(features[:cut]), labels[:cut])

        best = min(_PENALTIES, key=loss) if len(labels) > cut else _PENALTIES[0]
        return fit_softmax(features, labels, self.num_classes, l2=best, iterations=_ITERATIONS)

    def _features(self, rows: np.ndarray) -> np.ndarray:
        """Means over ``factor × factor`` pixels, in float32: [rows, features]; what is left at the edge is dropped."""
        step = self.factor
        pixels = self.pixels[rows].astype(np.float32) / 255
        n, height, width, channels = pixels.shape
        if step > 1:
            pixels = pixels[:, : height // step * step, : width // step * step]
            pixels = pixels.reshape(n, height // step, step, width // step, step, channels).mean(axis=(2, 4))
        flat: np.ndarray = pixels.reshape(n, -1)
        return flat
