"""T-A5, T-A7: decoded images are kept whole or not at all; whatever is not sound or not current is decoded anew."""

import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from chainrule.data.sources import image_cache, image_loading, read_images
from chainrule.errors import DataError


@pytest.fixture
def pets(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(6):
        path = tmp_path / "pets" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (5, 4, 3)).astype(np.uint8)).save(path)
    return tmp_path / "pets"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(image_cache, "WORTH_SECONDS", 0.0)
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files that were decoded."""
    names, real = [], image_loading.decode
    monkeypatch.setattr(
        image_loading, "decode", lambda data, name, **how: names.append(name) or real(data, name, **how)
    )
    return names


def test_a_second_reading_decodes_nothing_and_says_so(pets, cache, decoded):
    plain = read_images(pets)
    assert not list(cache.iterdir())
    first = read_images(pets, cache=cache)
    assert first.notes[-1].startswith("Decoding the images took 0 s; they are kept in ")
    assert [path.suffix for path in cache.iterdir()] == [".npz"]
    decoded.clear()
    second = read_images(pets, cache=cache)
    assert decoded == []
    assert second.notes == (*plain.notes, second.notes[-1])
    assert second.notes[-1].startswith("The decoded images were taken from the cache ")
    np.testing.assert_array_equal(second.pixels, plain.pixels)
    assert (second.labels.tolist(), second.names) == (plain.labels.tolist(), plain.names)


def test_what_changes_the_pixels_is_decoded_anew(pets, cache, decoded):
    read_images(pets, cache=cache)
    for size, channels in ((3, None), (None, 1)):
        decoded.clear()
        found = read_images(pets, size=size, channels=channels, cache=cache)
        assert len(decoded) == 6
        assert found.pixels.shape == ((6, 3, 3, 3) if size else (6, 5, 4, 1))
    black = np.zeros((5, 4, 3), np.uint8)
    before = (pets / "a" / "0.png").stat()
    Image.fromarray(black).save(pets / "a" / "0.png")
    os.utime(pets / "a" / "0.png", ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    np.testing.assert_array_equal(read_images(pets, cache=cache).pixels[0], black)
    (pets / "a" / "2.png").rename(pets / "b" / "9.png")
    assert read_images(pets, cache=cache).labels.tolist() == [0, 0, 1, 1, 1, 1]


def test_a_folder_that_is_another_of_the_same_names_is_another(pets, cache, tmp_path):
    read_images(pets, cache=cache)
    other = tmp_path / "other" / "pets"
    for path in pets.rglob("*.png"):
        copy = other / path.relative_to(pets)
        copy.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((5, 4, 3), 7, np.uint8)).save(copy)
        os.utime(copy, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    assert (read_images(other, cache=cache).pixels == 7).all()


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "shape", "objects", "folder"])
def test_a_damaged_cache_is_as_good_as_none(pets, cache, decoded, harm):
    plain = read_images(pets, cache=cache)
    (path,) = cache.iterdir()
    data = path.read_bytes()
    at = data.index(plain.pixels.tobytes()[:20])
    match harm:
        case "cut":
            path.write_bytes(data[:-40])
        case "flip":
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        case "empty":
            path.write_bytes(b"")
        case "shape":
            np.savez(path, pixels=plain.pixels[:5], notes=np.array(["x"]))
        case "objects":
            np.savez(path, pixels=plain.pixels, notes=np.array([{}], object))
        case "folder":
            path.unlink()
            path.mkdir()
    decoded.clear()
    np.testing.assert_array_equal(read_images(pets, cache=cache).pixels, plain.pixels)
    assert len(decoded) == 6


def test_zip_files_are_kept_too_and_a_new_one_is_decoded(pets, cache, decoded, tmp_path):
    def pack(names):
        with zipfile.ZipFile(tmp_path / "pets.zip", "w") as file:
            for name in names:
                file.write(pets / name, name)

    pack(["a/0.png", "b/1.png"])
    first = read_images(tmp_path / "pets.zip", cache=cache)
    decoded.clear()
    np.testing.assert_array_equal(read_images(tmp_path / "pets.zip", cache=cache).pixels, first.pixels)
    assert decoded == []
    pack(["a/2.png", "b/1.png", "b/3.png"])
    assert len(read_images(tmp_path / "pets.zip", cache=cache)) == 3
    assert len(decoded) == 3


def test_nothing_is_kept_where_files_are_left_out_or_decoding_is_quick(pets, cache, monkeypatch):
    (pets / "a" / "bad.png").write_bytes(b"words")
    read_images(pets, on_bad="skip", cache=cache)
    with pytest.raises(DataError):
        read_images(pets, cache=cache)
    (pets / "a" / "bad.png").unlink()
    monkeypatch.setattr(image_cache, "WORTH_SECONDS", 60.0)
    assert not read_images(pets, cache=cache).notes
    assert not list(cache.iterdir())


def test_a_cache_that_cannot_be_written_is_none(pets, cache):
    cache.rmdir()
    assert not read_images(pets, cache=cache).notes
    cache.write_text("a file")
    assert len(read_images(pets, cache=cache)) == 6


def test_the_sets_used_longest_ago_go_first(pets, cache, monkeypatch):
    sizes = [2, 3, 4]
    for place, size in enumerate(sizes):
        known = set(cache.iterdir())
        read_images(pets, size=size, cache=cache)
        (path,) = set(cache.iterdir()) - known
        os.utime(path, (place, place))
        sizes[place] = path
    read_images(pets, size=2, cache=cache)  # used now
    kept = sum(path.stat().st_size for path in cache.iterdir())
    monkeypatch.setattr(image_cache, "MOST_BYTES", kept)
    read_images(pets, size=5, cache=cache)
    assert sizes[0].exists()
    assert not sizes[1].exists()
    assert len(list(cache.iterdir())) == 3 or not sizes[2].exists()
    assert sum(path.stat().st_size for path in cache.iterdir()) <= kept
    monkeypatch.setattr(image_cache, "MOST_BYTES", 100)
    assert not read_images(pets, size=7, cache=cache).notes[-1].startswith("Decoding"), "too large to be kept"
