"""T-D4: unusual and hostile image files get the stated treatment or an error that names the file."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from chainrule.data.sources.image_decoding import MOST_PIXELS, decode, read_header, resample
from chainrule.errors import DataError

COLOURS = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[0, 0, 0], [255, 255, 255], [10, 20, 30]]], np.uint8)
GREYS = np.array([[0, 128, 255], [7, 70, 200]], np.uint8)


def encoded(image, kind="PNG", **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pixels(data, channels=3, size=(2, 3)):
    return decode(data, "a.png", size=size, channels=channels)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, raw, *, depth=8, colour=0):
    """A PNG file made by hand, so that its header can say anything."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_keep_every_pixel(kind):
    np.testing.assert_array_equal(pixels(encoded(COLOURS, kind)), COLOURS)
    np.testing.assert_array_equal(pixels(encoded(GREYS, kind), channels=1)[..., 0], GREYS)


def test_a_file_made_by_hand_is_read_as_written():
    raw = b"".join(b"\0" + row.tobytes() for row in GREYS)
    np.testing.assert_array_equal(pixels(png(3, 2, raw), channels=1)[..., 0], GREYS)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_keep_pixels_nearly(kind):
    smooth = np.tile(np.linspace(0, 255, 16).astype(np.uint8), (16, 1))
    found = pixels(encoded(smooth, kind, quality=95), channels=1, size=(16, 16))[..., 0]
    assert np.abs(found.astype(int) - smooth).max() <= 8  # quality 95 rounds each coefficient by a few levels


def test_palette_becomes_colours():
    image = Image.fromarray(COLOURS).convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    np.testing.assert_array_equal(pixels(encoded(image)), np.asarray(image.convert("RGB")))
    np.testing.assert_array_equal(pixels(encoded(image, "GIF")), COLOURS)


def test_single_bits_become_black_and_white():
    bits = np.array([[True, False, True], [False, False, True]])
    np.testing.assert_array_equal(pixels(encoded(Image.fromarray(bits)), channels=1)[..., 0], bits * 255)


def test_sixteen_bits_are_scaled():
    values = np.array([[0, 257, 65535], [128 * 257, 1000, 40000]], np.uint16)
    expected = np.round(values / 257)
    np.testing.assert_array_equal(pixels(encoded(Image.fromarray(values)), channels=1)[..., 0], expected)
    assert read_header(encoded(Image.fromarray(values)), "a.png").is_grey


def test_cmyk_becomes_colours():
    # pure cyan, magenta and yellow ink, black, nothing
    ink = np.zeros((2, 3, 4), np.uint8)
    ink[0, 0, 0] = ink[0, 1, 1] = ink[0, 2, 2] = ink[1, 0, 3] = 255
    expected = [[[0, 255, 255], [255, 0, 255], [255, 255, 0]], [[0, 0, 0], [255, 255, 255], [255, 255, 255]]]
    np.testing.assert_array_equal(pixels(encoded(Image.fromarray(ink, "CMYK"), "TIFF")), expected)


def test_what_is_transparent_lies_over_white():
    clear = np.dstack([COLOURS, np.array([[255, 0, 128], [255, 0, 255]], np.uint8)])
    alpha = clear[..., 3:] / 255
    expected = np.round(COLOURS * alpha + 255 * (1 - alpha))
    found = pixels(encoded(clear))
    assert np.abs(found - expected).max() <= 1  # integer arithmetic rounds once more
    assert read_header(encoded(clear), "a.png").is_clear


def test_grey_with_alpha_stays_grey():
    both = np.dstack([GREYS, np.full_like(GREYS, 255)])
    data = encoded(Image.fromarray(both, "LA"))
    assert read_header(data, "a.png").is_grey
    np.testing.assert_array_equal(pixels(data, channels=1)[..., 0], GREYS)


@pytest.mark.parametrize(("mark", "turn"), [(3, 2), (6, 3), (8, 1)])
def test_the_orientation_mark_is_applied(mark, turn):
    exif = Image.Exif()
    exif[0x0112] = mark
    data = encoded(COLOURS, exif=exif)
    expected = np.rot90(COLOURS, turn)
    header = read_header(data, "a.png")
    assert (header.height, header.width) == expected.shape[:2]
    np.testing.assert_array_equal(pixels(data, size=expected.shape[:2]), expected)


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Image.fromarray(np.full((2, 3, 3), value, np.uint8)) for value in (0, 120, 255)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read_header(data, "a.gif").is_animated
    np.testing.assert_array_equal(pixels(data), 0)


def test_another_size_averages_what_a_pixel_covers():
    checks = np.indices((8, 8)).sum(axis=0) % 2 * 255
    small = resample(checks.astype(np.uint8)[..., None], (2, 2))
    assert np.abs(small.astype(int) - 127.5).max() <= 1
    large = np.repeat(np.repeat(np.array([[0, 200]]), 4, axis=0), 4, axis=1).astype(np.uint8)
    found = pixels(encoded(large), channels=1, size=(1, 2))[0, :, 0]
    assert found[0] < 40  # a bilinear filter reaches half a new pixel over the edge
    assert found[1] > 160


def test_a_large_jpeg_is_the_small_one_it_shows():
    gradient = np.tile(np.linspace(0, 255, 512), (512, 1)).astype(np.uint8)
    found = pixels(encoded(gradient, "JPEG", quality=90), channels=1, size=(8, 8))[..., 0]
    expected = gradient.reshape(8, 64, 8, 64).mean(axis=(1, 3))
    assert np.abs(found - expected).max() < 6  # the filter is wider than the block; the edges lean inwards by 3 levels


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty", b"", "the file is empty"),
        ("text", b"no image at all, just words", "expected an image"),
        ("svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "expected an image"),
        ("eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "expected an image"),
        ("head", b"\x89PNG\r\n\x1a\n", "damaged|expected an image"),
        ("bomb", png(60_000, 60_000, b"\0"), r"pixels"),
        ("long", png(MOST_PIXELS + 1, 1, b"\0"), r"expected at most 64,000,000 pixels"),
        ("none", png(0, 5, b""), "damaged|no pixels|expected an image"),
        ("half", png(300, 300, bytes(300 * 301))[:-40], "damaged"),
    ],
)
def test_what_cannot_be_read_is_named(name, data, message):
    with pytest.raises(DataError, match=message) as caught:
        decode(data, "cats/7.png", size=(2, 2), channels=3)
    assert str(caught.value).startswith("cats/7.png: ")


def shape_or_message(data):
    try:
        return decode(data, "x", size=(9, 11), channels=3, most_pixels=100_000).shape
    except DataError as error:
        return str(error)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_every_cut_and_many_flipped_bytes_give_an_image_or_a_named_error(kind):
    noise = np.random.default_rng(0).integers(0, 256, (9, 11, 3)).astype(np.uint8)
    whole = encoded(noise, kind)
    rng = np.random.default_rng(1)
    damaged = [whole[:end] for end in range(0, len(whole) - 2, max(1, len(whole) // 60))]
    for _ in range(120):
        flipped = bytearray(whole)
        flipped[rng.integers(len(flipped))] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(flipped))
    found = [shape_or_message(data) for data in damaged]
    refused = [outcome for outcome in found if outcome != (9, 11, 3)]
    assert len(refused) > 10
    assert all(str(outcome).startswith("x: ") for outcome in refused)


def test_fractions_have_no_scale():
    data = encoded(Image.fromarray(np.zeros((2, 3), np.float32)), "TIFF")
    with pytest.raises(DataError, match="unknown scale"):
        pixels(data)
