import numpy as np
import pandas as pd
import polars as pl
import pytest

from chainrule.data.sources import text as texts_module
from chainrule.data.sources.text import looks_like_text, read_texts, texts_of
from chainrule.errors import DataError

ROWS = {"review": ["a fine film", "not so fine", None], "stars": [5, 2, 4]}


def test_a_table_of_any_kind_gives_the_same_texts(tmp_path):
    frame = pl.DataFrame(ROWS)
    frame.write_csv(tmp_path / "a.csv")
    frame.write_csv(tmp_path / "a.tsv", separator="\t")
    frame.write_parquet(tmp_path / "a.parquet")
    for source in (ROWS, frame, pd.DataFrame(ROWS), *(tmp_path / f"a.{end}" for end in ("csv", "tsv", "parquet"))):
        texts = read_texts(source, target="stars")
        assert texts.values.to_list() == ["a fine film", "not so fine", ""]
        assert (texts.text, texts.target) == ("review", "stars")
    assert read_texts(tmp_path / "a.csv", target="stars").where(1) == "a.csv: line 3"
    assert read_texts(tmp_path / "a.parquet", target="stars").where(1) == "a.parquet: row 2"


def test_a_comparison_names_its_column():
    assert read_texts(ROWS, target="stars>3").target == "stars"


def test_the_column_of_texts_is_found_or_asked_for():
    two = ROWS | {"title": ["one of these", "another of these", "the third one"]}
    with pytest.raises(DataError, match=r"one column of texts is needed; these may be: 'review', 'title'.*--text COL"):
        read_texts(two, target="stars")
    assert read_texts(two, target="stars", text="title").text == "title"
    with pytest.raises(DataError, match="must hold text; 'stars' holds numbers or dates"):
        read_texts(two, text="stars")
    with pytest.raises(DataError, match="must hold text; 'review' holds the classes"):
        read_texts(two, text="review", target="review")
    with pytest.raises(DataError, match="Did you mean 'review'"):
        read_texts(two, text="reviw", target="stars")
    with pytest.raises(DataError, match="no column holds text"):
        read_texts({"a": [1, 2], "b": [3, 4]}, target="b")
    short = {"word": ["fine", "dull"], "label": ["p", "n"]}
    assert read_texts(short, target="label").text == "word"  # the only one with text, however short


def test_files_of_one_text_a_line(tmp_path):
    (tmp_path / "rt.pos").write_bytes("gut\r\nschön\r\n".encode())
    (tmp_path / "rt.neg").write_bytes(b"bad")
    texts = read_texts(tmp_path)
    assert texts.table.column("label").to_list() == ["neg", "pos", "pos"]
    assert texts.values.to_list() == ["bad", "gut", "schön"]
    assert texts.where(2) == "rt.pos: line 2"
    assert texts.shown.columns == ["file", "line"]
    both = read_texts([tmp_path / "rt.pos", tmp_path / "rt.neg"])
    assert both.table.column("label").to_list() == ["pos", "pos", "neg"]
    alone = read_texts(tmp_path / "rt.pos")
    assert (alone.target, alone.where(1)) == (None, "rt.pos: line 2")


def test_folders_with_parts(tmp_path):
    for number, name in enumerate(("train/a/1.txt", "train/b/1.txt", "test/a/1.txt", "test/b/2.txt")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(f"first line\nof text {number}", encoding="utf-8")
    texts = read_texts(tmp_path)
    assert texts.where(0) == "test/a/1.txt:".rstrip(":")
    assert texts.values[0] == "first line\nof text 2"
    assert {part: rows.tolist() for part, rows in texts.parts.items()} == {"test": [0, 1], "train": [2, 3]}
    fewer = texts.take(np.array([3, 0]))
    assert {part: rows.tolist() for part, rows in fewer.parts.items()} == {"test": [1], "train": [0]}
    assert fewer.where(1) == "test/a/1.txt"


def test_a_folder_with_a_single_text_says_where_it_stands(tmp_path):
    (tmp_path / "pos").mkdir()
    (tmp_path / "pos" / "1.txt").write_text("a fine film")
    (tmp_path / "pos" / "1.png").write_bytes(b"x")
    texts = read_texts(tmp_path)
    assert texts.shown.to_dict(as_series=False) == {"file": ["pos/1.txt"]}
    assert texts.where(0) == "pos/1.txt"


def test_empty_texts_are_left_out_with_a_note():
    texts = read_texts({"t": ["one two three", " \t", None, "and four"], "y": [0, 1, 0, 1]}, text="t", target="y")
    kept = texts.without_empty()
    assert kept.values.to_list() == ["one two three", "and four"]
    assert kept.notes[-1] == "2 texts are empty and were left out (the first: table: row 2)."
    assert kept.without_empty() is kept
    assert (texts.num_left_out, kept.num_left_out) == (0, 2)


def test_what_no_text_holds_is_named(monkeypatch):
    """T-D6: NUL, halves of surrogate pairs and endless texts in tables and data frames."""
    with pytest.raises(DataError, match="table: row 2: the text holds a NUL"):
        read_texts({"t": ["one two three", "a\0b c d"], "y": [0, 1]}, target="y")
    with pytest.raises(DataError, match="half of a surrogate pair"):
        read_texts({"t": ["one two three", "a\ud800b c d"], "y": [0, 1]}, target="y")
    monkeypatch.setattr(texts_module, "MAX_CHARACTERS", 12)
    with pytest.raises(DataError, match="table: row 2: the text has 14 characters; at most 12"):
        read_texts({"t": ["one two", "a text too long"[:14]], "y": [0, 1]}, text="t", target="y")


def test_texts_in_memory():
    texts = texts_of(["one", None, "two"])
    assert texts.values.to_list() == ["one", "", "two"]
    assert texts.where(2) == "texts: row 3"


def test_nothing_to_read(tmp_path):
    (tmp_path / "a.x").write_text("")
    (tmp_path / "a.y").write_text("")
    with pytest.raises(DataError, match="the files hold no text"):
        read_texts(tmp_path)


def test_a_table_is_taken_for_texts_if_running_text_is_its_only_feature(tmp_path):
    rows = {"note": [f"case number {n} of many" for n in range(30)], "ill": [0, 1] * 15, "id": list(range(30))}
    assert looks_like_text(rows, "ill")
    assert looks_like_text(rows, "ill>0")
    assert not looks_like_text(rows | {"age": [20 + n % 7 for n in range(30)]}, "ill")
    assert not looks_like_text({"x": [1.5, 2.5] * 15, "y": [0, 1] * 15}, "y")
    (tmp_path / "a.pos").write_text("x")
    assert not looks_like_text(tmp_path, None)  # one file is no classes
    (tmp_path / "a.neg").write_text("x")
    assert looks_like_text(tmp_path, None)
    (tmp_path / "b").mkdir()
    for name in ("cat.png", "dog.png"):
        (tmp_path / "b" / name).write_bytes(b"x")
    assert not looks_like_text(tmp_path / "b", None)
