import numpy as np
import pytest
from matplotlib.image import AxesImage
from matplotlib.text import Text

from chainrule.tasks.images.figures import occlusion_sheet
from chainrule.tasks.images.occlusion import Occlusion, occlusion

from .conftest import squares


class CornerReader:
    """Answers by the brightness of the four pixels in the middle of the upper left quarter alone."""

    def raw(self, images):
        bright = images[:, 2:4, 2:4].mean(axis=(1, 2, 3)) / 255
        return np.column_stack([1 - bright, bright])


def test_the_spot_that_decides_is_found():
    image = np.full((10, 15, 3), 20, np.uint8)
    image[1:5, 1:5] = 250
    found = occlusion(CornerReader(), image)
    assert found.answer == 1
    assert found.probability == pytest.approx(250 / 255)
    row, column = np.unravel_index(found.heat.argmax(), found.heat.shape)
    assert (row, column) in {(r, c) for r in range(2, 4) for c in range(2, 4)}
    np.testing.assert_allclose(found.heat[7:, 8:], 0, atol=1e-12)
    # patches of 3 pixels, beside each other by one; those that cover all four pixels lower the mean brightness to the
    # image's mean colour
    mean = np.round(image.mean(axis=(0, 1)))[0]
    assert found.heat.max() <= (250 - mean) / 255 + 1e-9


@pytest.mark.parametrize("shape", [(4, 4, 1), (7, 3, 3), (28, 28, 1)])
def test_every_pixel_is_covered(shape):
    heat = occlusion(CornerReader(), np.full(shape, 90, np.uint8)).heat
    assert heat.shape == shape[:2]
    assert np.isfinite(heat).all()
    np.testing.assert_allclose(heat, 0, atol=1e-12)  # a spot of the mean colour changes nothing


def test_a_fall_that_rounds_to_nothing_is_not_drawn():
    image = np.full((6, 6, 1), 90, np.uint8)
    for fall, caption, is_grey in ((0.004, "no one spot\nmatters", True), (0.3, "at most −30%", False)):
        heat = np.zeros((6, 6))
        heat[2, 3] = fall
        sheet = occlusion_sheet([Occlusion(image, 0, 0.9, heat)], ["a", "b"])
        shown = [np.asarray(drawn.get_array(), float) for drawn in sheet.findobj(AxesImage)]
        assert all(pixels.ndim == 2 or np.ptp(pixels[..., :3], axis=2).max() == 0 for pixels in shown) == is_grey
        texts = {text.get_text() for text in sheet.findobj(Text)}
        assert texts >= {"a", "90%", *caption.split("\n")}  # whole: nothing is cut off


def test_a_trained_network_looks_at_the_square(finished):
    pixels, _ = squares(6, seed=8)
    for image in pixels:
        found = occlusion(finished.predictor, image)
        if found.heat.max() < 0.05:
            continue  # so sure that no single spot changes anything
        bright = image.mean(axis=2) > 130
        assert found.heat[bright].mean() > found.heat[~bright].mean()
