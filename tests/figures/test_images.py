import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from chainrule import figures
from chainrule.errors import ArgumentError, ShapeError


def embedded(figure):
    """The pictures inside a figure's SVG, decoded, by size."""
    found = re.findall(r'data:image/png;base64,\s*([^"]+)"', figures.svg(figure))
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")) for text in found]


def test_images_are_shown_with_their_own_pixels_and_in_order():
    images = [np.full((4, 4, 3), value, np.uint8) for value in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    shown = embedded(figures.image_grid(images, ["a", "b", "c"]))
    assert [tuple(picture[0, 0]) for picture in shown] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


def test_greys_are_shown_as_they_are():
    grey = np.array([[0, 100], [200, 255]], np.uint8)
    (shown,) = embedded(figures.image_grid([grey]))
    side = len(shown) // 2
    np.testing.assert_array_equal(shown[::side, ::side, 0], grey)


def test_captions_of_several_lines_and_hostile_names_stay_text():
    figure = figures.image_grid([np.zeros((3, 3))], ["$a_b$ 5%\nis <b>"])
    assert [text.get_text() for text in figure.axes[0].texts] == [r"\$a_b\$ 5%", "is <b>"]
    assert "<b>" not in figures.svg(figure)


def test_sheet_and_examples_name_everything():
    image = np.zeros((5, 7, 1), np.uint8)
    sheet = figures.augmentation_sheet(image, {f"way {n}": image for n in range(7)})
    assert len(sheet.axes[0].images) == 8
    many = figures.class_examples({f"class {n}": [image] * 2 for n in range(20)}, most=3)
    texts = [text.get_text() for text in many.axes[0].texts]
    assert texts == ["class 0", "class 1", "class 2", "Examples of each class (first 3 of 20)"]
    assert len(many.axes[0].images) == 6


def test_wrong_shapes_are_named():
    with pytest.raises(ShapeError, match=r"an image must be \[height, width\]"):
        figures.image_grid([np.zeros((2, 3, 4))])
    with pytest.raises(ShapeError, match="lengths must be equal"):
        figures.image_grid([np.zeros((2, 3))], ["a", "b"])
    with pytest.raises(ArgumentError, match="at least one"):
        figures.image_grid([])
