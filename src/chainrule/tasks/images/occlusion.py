"""Where in an image an answer comes from: cover a spot, and see how much less sure the network is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from chainrule.tasks.labelled import LabelledPredictor

_PATCHES = 5  # patches that lie side by side along the longer side; they overlap by half


@dataclass(frozen=True, eq=False)
class Occlusion:
    """What covering the spots of an image does to the answer.

    Args:
        image: uint8 [height, width, channels], as the network takes it.
        answer: number of the class that is answered.
        probability: of that class, nothing covered.
        heat: [height, width]: by how much the probability falls when a pixel is covered, on average over the patches
            that cover it; negative where covering helps.
    """

    image: np.ndarray = field(repr=False)
    answer: int
    probability: float
    heat: np.ndarray = field(repr=False)


def occlusion(predictor: LabelledPredictor, image: np.ndarray) -> Occlusion:
    """Cover one spot of ``image`` after another with its mean colour, and ask the network each time.

    It needs nothing but answers, so it holds for any network; but it only shows spots that matter alone: where either
    of two spots would do, covering one changes little.

    Args:
        predictor: the network.
        image: uint8 [height, width, channels], in the network's size.

    References:
        Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2013,
        https://arxiv.org/abs/1311.2901, section 4.2.
    """
    height, width = image.shape[:2]
    side = max(2, round(max(height, width) / _PATCHES))
    spots = [(top, left) for top in _starts(height, side) for left in _starts(width, side)]
    covered = np.repeat(image[None], len(spots) + 1, axis=0)
    for number, (top, left) in enumerate(spots, start=1):
        covered[number, top : top + side, left : left + side] = image.mean(axis=(0, 1)).round()
    chances = predictor.raw(covered)
    answer = int(chances[0].argmax())
    falls, times = np.zeros((height, width)), np.zeros((height, width))
    for (top, left), chance in zip(spots, chances[1:, answer], strict=True):
        falls[top : top + side, left : left + side] += chances[0, answer] - chance
        times[top : top + side, left : left + side] += 1
    return Occlusion(image, answer, float(chances[0, answer]), falls / times)


def _starts(size: int, side: int) -> list[int]:
    """Where patches begin, so that every pixel is covered."""
    last = max(size - side, 0)
    return sorted({*range(0, last, max(side // 2, 1)), last})
