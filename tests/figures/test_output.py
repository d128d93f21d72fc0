import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from chainrule import figures
from chainrule._base.errors import ArgumentError

MAKE = (
    "from chainrule import figures; import sys;"
    "sys.stdout.write(figures.svg(figures.learning_curves([3, 2, 1], [3, 2, 2], best_epoch=2)))"
)


def sample():
    return figures.learning_curves([3, 2, 1], [3, 2, 2], best_epoch=2)


def test_the_same_figure_gives_the_same_text_in_another_process():
    other = subprocess.run([sys.executable, "-c", MAKE], check=True, capture_output=True, encoding="utf-8").stdout
    assert figures.svg(sample()) == other


def test_svg_is_one_well_formed_element_with_text_as_text():
    text = figures.svg(sample(), title='<b> & "quoted"')
    root = ET.fromstring(text)
    assert root.tag.endswith("svg")
    assert root.attrib["aria-label"] == '<b> & "quoted"'
    words = {node.text for node in root.iter() if node.tag.endswith("text")}
    assert {"best: epoch 2", "epoch", "Loss"} <= words


def test_svg_reaches_nothing_outside_itself():
    text = figures.svg(sample(), prefix="one")
    assert "<style" not in text
    assert "<metadata" not in text
    assert set(re.findall(r' id="([^"]+?)-', text)) == {"one"}
    ids = set(re.findall(r' id="([^"]+)"', text))
    assert set(re.findall(r"url\(#([^)]+)\)", text)) | set(re.findall(r'href="#([^"]+)"', text)) == ids
    assert len(text) < 12_000


def test_prefixes_keep_the_identifiers_of_two_figures_apart():
    ids = [set(re.findall(r' id="([^"]+)"', figures.svg(sample(), prefix=prefix))) for prefix in ("a", "b")]
    assert ids[0]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a $b$ $", r"\$\frac{", ' id="q" 1.23456']
)
def test_names_are_drawn_as_they_are(name):
    text = figures.svg(figures.class_counts([name, "other"], [3, 1]))
    assert "<script" not in text
    assert "<img" not in text
    words = [node.text for node in ET.fromstring(text).iter() if node.tag.endswith("text")]
    whole = " ".join(name.split())
    assert any(word == whole or (word.endswith("…") and whole.startswith(word[:-1])) for word in words if word)


def test_scripts_the_font_lacks_give_no_warning():
    assert "心臓病" in figures.svg(figures.class_counts(["心臓病", "없음"], [3, 1]))


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("PDF", b"%PDF")])
def test_save_writes_the_kind_that_the_name_says(tmp_path, ending, start):
    path = figures.save(sample(), tmp_path / f"curve.{ending}")
    assert path.read_bytes().startswith(start)


def test_saved_files_are_the_same_each_time(tmp_path):
    one, two = (figures.save(sample(), tmp_path / f"{i}.svg").read_bytes() for i in range(2))
    assert one == two


def test_an_unknown_ending_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ArgumentError, match="'png', 'svg', 'pdf'"):
        figures.save(sample(), tmp_path / "curve.jpg")
    assert not list(tmp_path.iterdir())
