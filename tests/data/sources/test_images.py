"""T-D4, T-D8: images of all kinds of sources become one array with classes; what cannot be read is named or counted."""

import gzip
import json
import os
import sys
import zipfile

import numpy as np
import polars as pl
import pyarrow.parquet
import pytest
from PIL import Image

from chainrule.data.sources import equal_images, is_image_source, read_images
from chainrule.data.sources.image_decoding import Header
from chainrule.data.sources.image_loading import common_size
from chainrule.errors import ArgumentError, ArgumentTypeError, DataError

CAT, DOG = np.full((4, 6, 3), (200, 10, 30), np.uint8), np.full((4, 6, 3), (5, 100, 250), np.uint8)
TREE = {"cat/1.png": CAT, "cat/2.png": CAT // 2, "dog/1.png": DOG, "dog/old/2.png": DOG // 2}


def plant(folder, tree):
    for name, pixels in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder


def packed(path, tree, tmp_path):
    plant(tmp_path / "loose", tree)
    with zipfile.ZipFile(path, "w") as file:
        for name in tree:
            file.write(tmp_path / "loose" / name, name)
    return path


def idx(array):
    sizes = b"".join(int(size).to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def check_tree(found):
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0, 0, 1, 1]
    np.testing.assert_array_equal(found.pixels, np.stack([CAT, CAT // 2, DOG, DOG // 2]))


def test_a_folder_for_each_class(tmp_path):
    plant(tmp_path, TREE)
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / ".hidden.png").write_bytes(b"")
    found = read_images(tmp_path)
    check_tree(found)
    assert found.names == tuple(TREE)
    assert found.parts == {}
    assert found.notes[1:] == ("1 file is no image and was left out.",)


@pytest.mark.parametrize("top", ["", "pets/", "a/b/"])
def test_a_zip_file_of_such_a_folder(tmp_path, top):
    check_tree(
        read_images(packed(tmp_path / "pets.zip", {top + name: pixels for name, pixels in TREE.items()}, tmp_path))
    )


def test_parts_that_the_source_gives(tmp_path):
    tree = {f"{part}/{name}": pixels for part in ("train", "Test", "valid") for name, pixels in TREE.items()}
    found = read_images(plant(tmp_path, tree))
    assert {part: rows.size for part, rows in found.parts.items()} == {"test": 4, "train": 4, "validation": 4}
    assert [found.names[row] for row in found.parts["train"]] == [f"train/{name}" for name in TREE]
    assert found.labels.tolist() == [0, 0, 1, 1] * 3


@pytest.mark.parametrize("inside", ["train/", ""])
def test_zip_files_of_parts_side_by_side(tmp_path, inside):
    packed(tmp_path / "train.zip", {inside + name: pixels for name, pixels in TREE.items()}, tmp_path / "1")
    packed(tmp_path / "test.zip", {"cat/9.png": CAT, "dog/9.png": DOG}, tmp_path / "2")
    (tmp_path / "sets").mkdir()
    for name in ("train.zip", "test.zip"):
        (tmp_path / name).rename(tmp_path / "sets" / name)
    found = read_images(tmp_path / "sets")
    assert {part: rows.size for part, rows in found.parts.items()} == {"test": 2, "train": 4}
    assert found.names[0] == "test/cat/9.png"


def test_a_class_may_be_called_like_a_part(tmp_path):
    found = read_images(plant(tmp_path, {"test/1.png": CAT, "train/1.png": DOG}))
    assert found.classes == ("test", "train")
    assert found.parts == {}


@pytest.mark.parametrize("packs", [False, True])
def test_idx_pairs(tmp_path, packs):
    greys, labels = np.arange(60, dtype=np.uint8).reshape(5, 3, 4), np.array([7, 0, 7, 10, 0], np.uint8)
    for prefix, rows in (("train", slice(0, 3)), ("t10k", slice(3, 5))):
        for what, axes, array in (("images", 3, greys), ("labels", 1, labels)):
            data = idx(array[rows])
            name = f"{prefix}-{what}-idx{axes}-ubyte" + (".gz" if packs else "")
            (tmp_path / name).write_bytes(gzip.compress(data) if packs else data)
    found = read_images(tmp_path)
    np.testing.assert_array_equal(found.pixels, greys[..., None])
    assert found.classes == ("0", "7", "10")
    assert found.labels.tolist() == [1, 0, 1, 2, 0]
    assert {part: rows.tolist() for part, rows in found.parts.items()} == {"train": [0, 1, 2], "test": [3, 4]}
    one = tmp_path / ("t10k-images-idx3-ubyte" + (".gz" if packs else ""))
    np.testing.assert_array_equal(read_images(one, labelled=False).pixels, greys[3:, ..., None])
    assert read_images(one).classes == ("0", "10")


def test_npz_and_memory(tmp_path):
    x, y = np.arange(48, dtype=np.uint8).reshape(4, 2, 2, 3), np.array([[3], [1], [3], [1]])
    np.savez_compressed(tmp_path / "a.npz", x_train=x[:3], y_train=y[:3], x_test=x[3:], y_test=y[3:], extra=np.zeros(2))
    found = read_images(tmp_path / "a.npz")
    np.testing.assert_array_equal(found.pixels, x)
    assert found.labels.tolist() == [1, 0, 1, 0]
    assert found.parts["test"].tolist() == [3]
    assert read_images({"x": x, "y": y}).labels.tolist() == [1, 0, 1, 0]
    assert read_images((x, ["b", "a", "b", "a"])).classes == ("a", "b")
    assert read_images(x, labelled=False).labels is None


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[[0.0, 1.0]]]), [0, 255]),
        (np.array([[[0.0, 254.6]]]), [0, 255]),
        (np.array([[[3, 200]]], np.int64), [3, 200]),
        (np.array([[[True, False]]]), [255, 0]),
    ],
)
def test_numbers_of_other_types_become_bytes(array, expected):
    assert read_images(array, labelled=False).pixels.ravel().tolist() == expected


def test_channels_that_come_first_are_put_last():
    x = np.arange(2 * 3 * 5 * 7, dtype=np.uint8).reshape(2, 3, 5, 7)
    np.testing.assert_array_equal(read_images(x, labelled=False).pixels, x.transpose(0, 2, 3, 1))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((3, 784)), "expected images"),
        (np.zeros((3, 4, 5, 2)), "expected images"),
        (np.zeros((0, 4, 5)), "expected images"),
        (np.full((3, 4, 5), -1), "between 0 and 255"),
        (np.full((3, 4, 5), 256), "between 0 and 255"),
        (np.full((3, 4, 5), np.nan), "between 0 and 255"),
        (np.full((3, 4, 5), "a"), "between 0 and 255"),
    ],
)
def test_arrays_that_are_no_images(x, message):
    with pytest.raises(DataError, match=message):
        read_images(x, labelled=False)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ({"x": np.zeros((2, 3, 3))}, DataError, "x has no labels"),
        ({"pictures": 1}, DataError, "expected images under x and y"),
        ((np.zeros((2, 3, 3)), [1, 2, 3]), DataError, "one class for each of the 2 images"),
        ((np.zeros((2, 3, 3)), [0.5, 1]), DataError, "one class for each"),
        ((np.zeros((2, 3, 3)), [1, 1]), DataError, "two classes or more"),
        (7, ArgumentTypeError, "expected a path"),
        ("nowhere", DataError, "no such file or folder"),
    ],
)
def test_sources_that_cannot_be_used(source, error, message):
    with pytest.raises(error, match=message):
        read_images(source)


def test_npz_files_that_cannot_be_trusted(tmp_path):
    np.savez(tmp_path / "objects.npz", x=np.array([{"a": 1}], object), y=[1])
    with pytest.raises(DataError, match="Python objects"):
        read_images(tmp_path / "objects.npz")
    np.savez(tmp_path / "bomb.npz", x=np.zeros((2, 3, 3)), y=[0, 1])
    with zipfile.ZipFile(tmp_path / "bomb.npz") as file:
        honest = file.read("x.npy")
    for shape, message in ((b"(9,99,99)", "announces 705,672 bytes; 272 are stored"), (b"(9, 9, 9,", "not an array")):
        with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as file:
            file.writestr("x.npy", honest.replace(b"(2, 3, 3)", shape))
        with pytest.raises(DataError, match=message):
            read_images(tmp_path / "bomb.npz")
    (tmp_path / "words.npz").write_text("words")
    with pytest.raises(DataError, match=r"words\.npz"):
        read_images(tmp_path / "words.npz")


def encoded(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "one.png")
    return (tmp_path / "one.png").read_bytes()


def test_parquet_with_a_column_of_images(tmp_path):
    images = [encoded(tmp_path, pixels) for pixels in TREE.values()]
    frame = pl.DataFrame(
        {"image": [{"bytes": data, "path": None} for data in images], "label": [0, 0, 1, 1], "id": range(4)}
    )
    table = frame.to_arrow()
    names = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    pyarrow.parquet.write_table(
        table.replace_schema_metadata({"huggingface": json.dumps(names)}), tmp_path / "a.parquet"
    )
    found = read_images(tmp_path / "a.parquet")
    check_tree(found)
    assert found.target == "label"
    assert found.names[2] == "a.parquet: row 3"
    plain = pl.DataFrame({"img": images, "kind": ["cat", "cat", "dog", "dog"], "id": range(4)})
    plain.write_parquet(tmp_path / "b.parquet")
    check_tree(read_images(tmp_path / "b.parquet", target="kind"))
    with pytest.raises(DataError, match="Name it with --target; the columns are: kind, id"):
        read_images(tmp_path / "b.parquet")
    with pytest.raises(DataError, match="Did you mean 'kind'"):
        read_images(tmp_path / "b.parquet", target="kinds")
    assert read_images(tmp_path / "b.parquet", labelled=False).labels is None
    plain.with_columns(kind=pl.Series(["cat", None, "dog", "dog"])).write_parquet(tmp_path / "c.parquet")
    with pytest.raises(DataError, match="row 2: the class is missing"):
        read_images(tmp_path / "c.parquet", target="kind")
    plain.with_columns(img=pl.Series([images[0], None, *images[2:]])).write_parquet(tmp_path / "d.parquet")
    with pytest.raises(DataError, match=r"d\.parquet: row 2: the file is empty"):
        read_images(tmp_path / "d.parquet", target="kind")


def test_bad_files_are_named_or_counted(tmp_path):
    plant(tmp_path, TREE)
    (tmp_path / "cat" / "0.png").write_bytes(b"words")
    whole = (tmp_path / "dog" / "1.png").read_bytes()
    (tmp_path / "dog" / "9.png").write_bytes(whole[:-30])
    with pytest.raises(
        DataError, match=r"2 of 6 files cannot:\n  cat/0\.png: expected an image.*\n  dog/9\.png: the ima"
    ):
        read_images(tmp_path)
    with pytest.raises(DataError, match=r"left out with --on-bad skip \(in Python on_bad='skip'\)"):
        read_images(tmp_path)
    found = read_images(tmp_path, on_bad="skip")
    check_tree(found)
    assert [(one.place, one.name) for one in found.left_out] == [(0, "cat/0.png"), (4, "dog/9.png")]
    _, note = found.notes
    assert note.startswith("2 files were left out: cat/0.png: expected an image")
    assert "dog/9.png: the image is damaged" in note
    for name in TREE:
        (tmp_path / name).write_bytes(b"words")
    with pytest.raises(DataError, match="expected an image") as raised:
        read_images(tmp_path, on_bad="skip")
    lines = str(raised.value).splitlines()
    assert lines[0].endswith("6 of 6 files cannot:")
    assert [line.split(":")[0] for line in lines[1:6]] == [
        f"  {name}.png" for name in ("cat/0", "cat/1", "cat/2", "dog/1", "dog/9")
    ]
    assert lines[6] == "  ... and 1 more"
    with pytest.raises(DataError, match=r"^0\.png: expected an image"):
        read_images(tmp_path / "cat" / "0.png", labelled=False)


def test_small_classes_are_told_with_the_files_that_cannot_be_read(tmp_path):
    plant(tmp_path, {**TREE, "lonely/1.png": CAT, "top.png": CAT})
    (tmp_path / "cat" / "0.png").write_bytes(b"words")
    with pytest.raises(DataError, match=r"1 of 6 files cannot:\n  cat/0\.png") as raised:
        read_images(tmp_path, least=2)
    assert str(raised.value).endswith("\nBesides, these classes have fewer than 2 images: 'lonely' (1).")
    with pytest.raises(DataError, match="1 of 6") as raised:
        read_images(tmp_path)
    assert "Besides" not in str(raised.value)


def test_folders_within_a_class_are_told(tmp_path):
    (note,) = read_images(plant(tmp_path, TREE)).notes
    assert note.startswith("Folders within a class's folder (old) belong to that class")
    deep = {f"{top}/{name}": CAT for top in ("animals", "things") for name in ("b/1.png", "a/1.png", "a/2.png")}
    found = read_images(plant(tmp_path / "deep", deep))
    assert found.classes == ("animals", "things")
    assert "(a, b)" in found.notes[0]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no file names that are no text")
def test_names_that_are_no_ascii_or_no_text(tmp_path):
    plant(tmp_path, {"Äpfel/größe 😀.png": CAT, "日本/1.png": DOG})
    strange = os.fsencode(tmp_path) + b"/\xff\xfe"
    os.mkdir(strange)
    (tmp_path / "Äpfel" / "größe 😀.png").rename(os.fsdecode(strange + b"/a\x80.png"))
    found = read_images(tmp_path)
    assert found.classes == ("日本", "\ufffd\ufffd")
    assert found.names == ("日本/1.png", "\ufffd\ufffd/a\ufffd.png")


def test_images_in_no_class_s_folder(tmp_path):
    """A few are left out with a note; where most lie so, the folder is laid out otherwise."""
    plant(tmp_path, {**TREE, "stray.png": CAT})
    found = read_images(tmp_path)
    check_tree(found)
    assert found.notes[0] == "1 image lies in no class's folder and was left out (stray.png)."
    assert len(read_images(tmp_path, labelled=False)) == 5
    parts = {f"set/{part}/{name}/1.png": CAT for part in ("train", "test") for name in ("a", "b")}
    found = read_images(plant(tmp_path / "parts", {**parts, "top.png": CAT, "set/train/low.png": CAT}))
    assert found.names == tuple(sorted(parts))
    assert found.notes == ("2 images lie in no class's folder and were left out (set/train/low.png, top.png).",)
    loose = {"a/1.png": CAT, "b/1.png": DOG, **{f"{number}.png": CAT for number in range(3)}}
    with pytest.raises(DataError, match=r"0\.png: the image lies in no class's folder"):
        read_images(plant(tmp_path / "loose", loose))
    assert read_images(tmp_path / "stray.png", labelled=False).pixels.shape == (1, 4, 6, 3)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        read_images(tmp_path / "none")


def test_sizes_and_channels(tmp_path):
    plant(
        tmp_path, {"a/1.png": CAT, "a/2.png": np.zeros((20, 30), np.uint8), "b/1.png": np.full((40, 50), 99, np.uint8)}
    )
    found = read_images(tmp_path)
    assert found.pixels.shape == (3, 24, 32, 3)  # medians 20 and 30, to multiples of 8
    assert "(4 x 6 to 40 x 50 pixels, height x width) were stretched to 24 x 32" in found.notes[0]
    np.testing.assert_array_equal(found.pixels[2], 99)
    assert read_images(tmp_path, size=(5, 7), channels=1).pixels.shape == (3, 5, 7, 1)
    assert read_images(tmp_path, size=9).pixels.shape == (3, 9, 9, 3)
    greys = read_images(tmp_path, size=9, channels=1).pixels[0]
    np.testing.assert_allclose(greys, np.round(CAT[0, 0] @ [0.299, 0.587, 0.114]), atol=1)  # integer weights of luma
    assert read_images((np.zeros((2, 4, 6), np.uint8), [0, 1]), size=8, channels=3).pixels.shape == (2, 8, 8, 3)
    with pytest.raises(ArgumentError, match="channels must be 1 or 3"):
        read_images(tmp_path, channels=2)
    with pytest.raises(ArgumentError, match="size must be"):
        read_images(tmp_path, size=(1, 2, 3))


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [([(96, 96)] * 3, (96, 96)), ([(97, 30)] * 3, (96, 32)), ([(1000, 500)], (96, 48)), ([(3, 3), (5, 900)], (8, 96))],
)
def test_the_rule_for_sizes(sizes, expected):
    found, _ = common_size([Header(*size) for size in sizes], None)
    assert found == expected


def test_equal_images_have_equal_numbers():
    pixels = np.zeros((5, 2, 3, 1), np.uint8)
    pixels[1, 1, 2, 0] = pixels[3, 1, 2, 0] = 1
    pixels[4, 0, 0, 0] = 1
    assert equal_images(pixels).tolist() == [0, 1, 0, 1, 2]


def test_what_is_a_source_of_images(tmp_path):
    plant(tmp_path / "pets", TREE)
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "table.parquet")
    pl.DataFrame({"a": [b"1"]}).write_parquet(tmp_path / "images.parquet")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("words")
    plant(tmp_path / "texts", {"a/1.png": CAT})  # one image among two texts
    (tmp_path / "texts" / "a" / "1.txt").write_text("words")
    plant(tmp_path / "captions", {"a/1.png": CAT})
    (tmp_path / "captions" / "a" / "1.txt").write_text("words")
    known = {
        "captions": True,
        "pets": True,
        "table.parquet": False,
        "images.parquet": True,
        "texts": False,
        "x.csv": False,
        "x.zip": True,
    }
    assert {name: is_image_source(tmp_path / name) for name in known} == known
    assert not is_image_source(np.zeros(3))


@pytest.mark.parametrize(
    ("name", "shape"), [("fashion_mnist", (70_000, 28, 28, 1)), ("cifar10_small", (12_000, 32, 32, 3))]
)
def test_the_shared_sets(shared_data, name, shape):
    found = read_images(shared_data / name)
    assert found.pixels.shape == shape
    assert np.bincount(found.labels).tolist() == [shape[0] // 10] * 10
    assert set(found.parts) == {"train", "test"}
    if name == "fashion_mnist":  # published: mean 0.2860, standard deviation 0.3530 of the training pixels
        train = found.pixels[found.parts["train"]] / 255
        assert (round(train.mean(), 4), round(train.std(), 4)) == (0.2860, 0.3530)
