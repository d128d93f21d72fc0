"""Random changes of images: what they are when they are certain, how often they happen, and that inference is still."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from chainrule import layers
from chainrule.core import Context, Input, Variables
from chainrule.errors import ArgumentError, GraphError, ShapeError

X = np.random.default_rng(0).uniform(size=(6, 5, 7, 2)).astype("float32")
ALL = {
    "flip": layers.RandomFlip(),
    "translation": layers.RandomTranslation(0.3, 0.3),
    "rotation": layers.RandomRotation(0.2),
    "zoom": layers.RandomZoom(0.3),
    "brightness": layers.RandomBrightness(0.3, (0, 1)),
    "contrast": layers.RandomContrast(0.3, (0, 1)),
    "crop": layers.RandomCrop(5, 7, padding=2),
    "erasing": layers.RandomErasing((1, 1), value_range=(0, 1)),
}


def changed(layer, x=X, seed=0):
    context = Context(training=True, key=jax.random.key(seed))
    return np.asarray(layer.apply(Variables({}, {}), jnp.asarray(x), context=context)[0])


@pytest.mark.parametrize("name", ALL)
def test_training_changes_each_image_by_its_own_draw_and_inference_none(name):
    """C141: scaled, translated, rotated, mirrored, brighter, more contrast; and cropped, erased."""
    layer = ALL[name]
    same = np.repeat(X[:1], 24, axis=0)
    found = changed(layer, same)
    assert found.shape == same.shape
    assert len(np.unique(found.reshape(24, -1), axis=0)) >= (4 if name == "flip" else 10)
    np.testing.assert_array_equal(found, changed(layer, same))
    assert not np.array_equal(found, changed(layer, same, seed=1))
    still = layer.apply(Variables({}, {}), jnp.asarray(X), context=Context())[0]
    np.testing.assert_array_equal(still, X)
    with pytest.raises(GraphError, match="needs a random key"):
        layer.apply(Variables({}, {}), jnp.asarray(X), context=Context(training=True))


@pytest.mark.parametrize("name", ALL)
def test_bytes_become_floats_in_training_and_inference(name):
    byte = (255 * X).astype(np.uint8)
    assert changed(ALL[name], byte).dtype == np.float32
    assert ALL[name].apply(Variables({}, {}), byte, context=Context())[0].dtype == np.float32


@pytest.mark.parametrize(
    ("mode", "ways"), [("horizontal", (0,)), ("vertical", (1,)), ("horizontal_and_vertical", (0, 1))]
)
def test_flips_happen_half_the_time_each_way(mode, ways):
    same = np.repeat(X[:1], 4000, axis=0)
    found = changed(layers.RandomFlip(mode), same)
    forms = {(i, j): X[0, :: -1 if j else 1, :: -1 if i else 1] for i in (0, 1) for j in (0, 1)}
    shares = {form: np.mean((found == image).all(axis=(1, 2, 3))) for form, image in forms.items()}
    for form, share in shares.items():
        allowed = all(way in ways for way in (0, 1) if form[way])
        # the share of 4,000 draws has a standard deviation below 0.008
        assert share == pytest.approx(0.5 ** len(ways) if allowed else 0, abs=0.04)


def test_translation_by_whole_pixels_moves_down_and_right():
    found = changed(layers.RandomTranslation((0.4, 0.4), (2 / 7, 2 / 7), "constant", fill_value=9.0))
    np.testing.assert_allclose(found[:, 2:, 2:], X[:, :-2, :-2], atol=1e-5)
    np.testing.assert_allclose(found[:, :2], 9, atol=1e-5)
    np.testing.assert_allclose(found[:, :, :2], 9, atol=1e-5)


def test_translation_stays_within_its_range():
    ramp = np.broadcast_to(np.arange(40.0)[:, None, None], (500, 40, 3, 1)).astype("float32")
    down = 20 - changed(layers.RandomTranslation((-0.1, 0.2), 0.0), ramp)[:, 20, 0, 0]
    assert -4 <= down.min() < -3.5
    assert 7.5 < down.max() <= 8


@pytest.mark.parametrize(("turns", "quarter"), [(0.25, 1), (0.5, 2), (-0.25, 3)])
def test_rotation_by_quarters_is_exact_and_counter_clockwise(turns, quarter):
    square = X[:, :, 1:6]
    found = changed(layers.RandomRotation((turns, turns)), square)
    np.testing.assert_allclose(found, np.rot90(square, quarter, axes=(1, 2)), atol=2e-6)


def test_rotation_agrees_with_scipy():
    found = changed(layers.RandomRotation((0.07, 0.07), "constant"))
    expected = ndimage.rotate(X, 0.07 * 360, axes=(2, 1), reshape=False, order=1, mode="grid-constant")
    opposite = ndimage.rotate(X, -0.07 * 360, axes=(2, 1), reshape=False, order=1, mode="grid-constant")
    error = min(np.abs(found - expected).max(), np.abs(found - opposite).max())
    assert error < 2e-5  # the direction is tested above


def test_zoom_out_shrinks_about_the_middle():
    found = changed(layers.RandomZoom((1.0, 1.0), (0.0, 0.0), "constant"))
    np.testing.assert_allclose(found[:, 2], X[:, 2], atol=1e-6)
    np.testing.assert_allclose(found[:, 1], X[:, 0], atol=1e-6)
    np.testing.assert_allclose(found[:, 0], 0, atol=1e-6)
    kept = changed(layers.RandomZoom((1.0, 1.0)))
    np.testing.assert_allclose(kept[:, 1, 2], X[:, 0, 1], atol=1e-6)  # both sides alike


def test_crop_cuts_whole_windows_from_everywhere():
    numbered = np.arange(35, dtype="float32").reshape(1, 5, 7, 1)
    found = changed(layers.RandomCrop(3, 4), np.repeat(numbered, 400, axis=0))[..., 0]
    corners = found[:, 0, 0]
    assert sorted(set(corners.tolist())) == [row * 7.0 + column for row in range(3) for column in range(4)]
    np.testing.assert_array_equal(found - corners[:, None, None], np.broadcast_to(
        7 * np.arange(3.0)[:, None] + np.arange(4.0), (400, 3, 4)))  # fmt: skip
    middle = layers.RandomCrop(3, 4).apply(Variables({}, {}), jnp.asarray(X), context=Context())[0]
    np.testing.assert_array_equal(middle, X[:, 1:4, 1:5])
    padded = changed(layers.RandomCrop(5, 7, padding=2), np.ones((300, 5, 7, 1)))
    assert padded.min() == 0
    assert padded.sum(axis=(1, 2, 3)).min() == 15  # of 5 x 7 pixels, 3 x 5 stay when shifted by 2 both ways
    with pytest.raises(ShapeError, match="the window must fit"):
        layers.RandomCrop(6, 7)(Input((5, 7, 1)))


def test_brightness_adds_one_number_and_stays_in_range():
    found = changed(layers.RandomBrightness((0.25, 0.25), (0, 1)))
    np.testing.assert_allclose(found, np.clip(X + 0.25, 0, 1), atol=1e-6)
    drawn = changed(layers.RandomBrightness(0.2), np.full((500, 1, 1, 1), 100.0))  # of values from 0 to 255
    assert 100 - 51 <= drawn.min() < 55
    assert 145 < drawn.max() <= 151


def test_contrast_stretches_about_the_mean_of_each_channel():
    found = changed(layers.RandomContrast((0.0, 0.0), (0, 1)))
    np.testing.assert_allclose(found, X, atol=1e-6)
    mean = X.mean(axis=(1, 2), keepdims=True)
    found = changed(layers.RandomContrast((0.5, 0.0), (-9, 9)))
    ratio = (found - mean) / np.where(np.abs(X - mean) < 1e-3, np.nan, X - mean)
    spread = np.nanmax(ratio, axis=(1, 2, 3)) - np.nanmin(ratio, axis=(1, 2, 3))
    assert spread.max() < 1e-2  # one factor an image; division by small differences magnifies rounding
    assert np.nanmin(ratio) + 1e-2 >= 0.5
    assert np.nanmax(ratio) <= 1 + 1e-2


def test_erasing_blots_out_one_rectangle_of_the_stated_area():
    ones = np.ones((400, 20, 30, 2), "float32")
    found = changed(layers.RandomErasing((1, 1), (0.25, 0.25), fill_value=0.0), ones)
    blots = found[..., 0] == 0
    np.testing.assert_array_equal(blots, found[..., 1] == 0)
    for blot in blots[:50]:
        rows, columns = blot.any(axis=1), blot.any(axis=0)
        np.testing.assert_array_equal(blot, rows[:, None] & columns[None, :])
        assert rows.sum() in (10, 11)  # half of each side, wherever it begins
        assert columns.sum() in (15, 16)
    assert changed(layers.RandomErasing((0, 0)), ones).min() == 1
    erased = (changed(layers.RandomErasing(1.0, fill_value=0.0), ones) == 0).any(axis=(1, 2, 3)).mean()
    assert erased == pytest.approx(0.5, abs=0.12)  # a chance drawn from (0, 1); five standard deviations of 400 draws


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.RandomFlip("sideways"), "mode must be one of"),
        (lambda: layers.RandomTranslation(0.1, (0.3, 0.1)), "width_factor must give the lower end first"),
        (lambda: layers.RandomTranslation(0.1, 0.1, "mirror"), "fill_mode must be one of"),
        (lambda: layers.RandomZoom(-1.0), "height_factor"),
        (lambda: layers.RandomZoom((-1.0, 0.0)), "height_factor must be a finite number above -1"),
        (lambda: layers.RandomRotation((0.1, 0.2, 0.3)), "factor must be a number or a pair"),
        (lambda: layers.RandomRotation(float("nan")), "factor"),
        (lambda: layers.RandomContrast(-0.1), "factor must be a finite number at least 0"),
        (lambda: layers.RandomBrightness(0.1, (1, 0)), "value_range must be"),
        (lambda: layers.RandomErasing(1.5), "factor must be a finite number at most 1"),
        (lambda: layers.RandomErasing(1.0, (0.5, 1.5)), "scale must be a finite number at most 1"),
        (lambda: layers.RandomCrop(0, 3), "height must be"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
