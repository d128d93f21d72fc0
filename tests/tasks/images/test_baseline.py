import numpy as np

from chainrule.tasks.images.baseline import PixelBaseline


def test_large_images_are_averaged_and_the_answers_are_probabilities():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    pixels = rng.integers(0, 60, (60, 70, 40, 1)) + (60 * labels)[:, None, None, None]
    baseline = PixelBaseline(pixels.astype(np.uint8), labels, 3)
    assert baseline.factor == 3  # ceil(70 / 32)
    assert baseline.words == "logistic regression on the pixels (23 x 13)"
    answer = baseline(np.arange(40))
    chances = answer(np.arange(40, 60))
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert (chances.argmax(axis=1) == labels[40:]).mean() > 0.9
