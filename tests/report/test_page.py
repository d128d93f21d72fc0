import html.parser
import os
import stat

import pytest

from chainrule import figures
from chainrule._base.errors import ArgumentError, CheckpointError
from chainrule.diagnose import diagnose
from chainrule.report import (
    READINGS,
    Column,
    Estimate,
    Finding,
    Metric,
    OperatingPoint,
    ReportData,
    ReportFigure,
    Score,
    render,
    write,
)

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</style><script>alert(1)</script>",
    "</pre></title><iframe src=//evil.example>",
    "javascript:alert(1)",
]
FLAGGED = diagnose({"loss": [0.6, 0.2], "val_loss": [0.6, 0.25]}, baseline=0.69, validation_rows=5)
VOID = {"meta", "img", "br", "link", "input"}


class Reader(html.parser.HTMLParser):
    """Collects what a browser would see, and checks that elements nest."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.open, self.ids, self.texts = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def full(word="age"):
    return ReportData(
        title=word,
        task=word,
        data=word,
        columns=[Column(word, word, word, 3, 7, word), Column(f"{word} 2", "number", role=word)],
        notes=[word],
        split={f"training {word}": 6, "test": 2},
        metrics=[Metric(f"AUC {word}", word), Metric("log loss", higher_is_better=False)],
        scores=[
            Score(word, {f"AUC {word}": Estimate(0.9, 0.8, 0.95), "log loss": 0.31}, is_ours=True),
            Score("majority", {f"AUC {word}": 0.5, "log loss": Estimate(0.69, spread=0.01)}),
        ],
        scores_note=word,
        operating_point=OperatingPoint(0.42, 0.89, 0.8, word, 0.75, word),
        figures=[
            ReportFigure("class_counts", figures.class_counts([word, "other"], [3, 4])),
            ReportFigure("learning_curves", figures.learning_curves([2, 1], [2, 1.5], metric_name=word)),
            ReportFigure("confusion_matrix", figures.confusion_matrix([[1, 2], [3, 4]], [word, "b"]), word),
            ReportFigure("permutation_importance", figures.permutation_importance([word, "b"], [1, 2])),
        ],
        leaks=[Finding(word, word, "error")],
        verdict=FLAGGED,
        hyperparameters={word: word, "batch size": 32},
        model_summary=word,
        command=word,
        versions={word: word},
        seed=17,
        data_sha256="ab12",
        files={word: word},
        created=word,
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_texts_from_data_never_become_elements_or_attributes(payload):
    clean, hostile = read(render(full())), read(render(full(payload)))
    assert set(hostile.tags) == set(clean.tags)
    assert not {"script", "img", "iframe", "object", "embed", "form"} & set(hostile.tags)
    assert not [name for _, name, _ in hostile.attributes if name.startswith("on")]
    assert {value for _, name, value in hostile.attributes if name == "href"} == {
        value for _, name, value in clean.attributes if name == "href"
    } or all(value.startswith("#") for _, name, value in hostile.attributes if name == "href")
    assert any(payload in text for text in hostile.texts)


def test_the_page_asks_for_nothing_outside_itself():
    page = render(full())
    reader = read(page)
    policy = next(value for _, name, value in reader.attributes if name == "content" and "default-src" in value)
    assert "default-src 'none'" in policy
    assert "script-src" not in policy  # falls back to 'none'
    assert "url(" not in page.split("<style>")[1].split("</style>")[0]
    for tag, name, value in reader.attributes:
        if name in ("src", "href", "xlink:href", "data", "action"):
            assert value.startswith("#"), (tag, name, value)


def test_identifiers_are_unique_and_every_link_arrives():
    reader = read(render(full()))
    assert len(reader.ids) == len(set(reader.ids))
    targets = {value[1:] for _, name, value in reader.attributes if name in ("href", "xlink:href")}
    assert targets <= set(reader.ids)


def test_headings_tables_and_figures_can_be_read_aloud():
    reader = read(render(full()))
    assert reader.tags.count("h1") == 1
    assert ("html", "lang", "en") in reader.attributes
    headers = [attribute for attribute in reader.attributes if attribute[0] == "th" and attribute[1] == "scope"]
    assert len(headers) == reader.tags.count("th")
    names = [value for tag, name, value in reader.attributes if tag == "svg" and name == "aria-label"]
    assert len(names) == reader.tags.count("svg") == 5  # four figures and the split bar
    assert all(names)


def test_every_figure_stands_with_a_sentence_on_how_to_read_it():
    reader = read(render(full()))
    text = " ".join(reader.texts)
    assert reader.tags.count("figcaption") == 5
    assert READINGS["learning_curves"].text in text
    assert READINGS["confusion_matrix"].text not in text  # replaced by the caller's own sentence


def test_each_reading_is_a_plain_sentence():
    for kind, reading in READINGS.items():
        assert reading.text.endswith("."), kind
        assert 40 < len(reading.text) < 320, kind


def test_an_unknown_kind_of_figure_is_refused():
    with pytest.raises(ArgumentError, match="Did you mean 'roc_curve'"):
        ReportFigure("roc_curv", figures.class_counts(["a"], [1]))


def test_the_facts_are_in_the_page():
    """C155: the settings used are in a table; the command, seed, versions and checksum to do it again."""
    text = " ".join(read(render(full("heart"))).texts)
    for fact in ("batch size", "32", "0.42", "89%", "80%", "75%", "seed", "17", "ab12", FLAGGED.action, "± 0.010"):
        assert fact in text, fact
    assert "small validation" in text
    assert "0.800 to 0.950" in text


def test_an_empty_report_has_a_title_and_no_empty_sections():
    reader = read(render(ReportData(title="Nothing yet")))
    assert "section" not in reader.tags
    assert reader.tags.count("h1") == 1


def test_no_leak_found_is_said_and_no_scan_is_not():
    assert "found none" in render(ReportData(title="t", leaks=[]))
    assert "Leaks" not in render(ReportData(title="t"))


def test_the_same_report_gives_the_same_page():
    assert render(full()) == render(full())


def test_write_replaces_the_file_whole_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    assert write(full("é\ud800"), path) == path
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(CheckpointError, match="No space left"):
        write(ReportData(title="new"), path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="absent"):
        write(ReportData(title="t"), tmp_path / "absent" / "report.html")


def test_percent_signs_stay_with_their_numbers_and_commands_as_they_are():
    page = render(ReportData(title="t", scores_note="x", notes=["96 % of rows"], command="echo 96 % 5"))
    assert "96\u00a0% of rows" in page
    assert "echo 96 % 5" in page


def test_the_moment_is_told_to_the_minute():
    assert ">2026-11-21 06:54<" in render(ReportData(title="t", created="2026-11-21T06:54:31"))
    assert ">yesterday<" in render(ReportData(title="t", created="yesterday"))


def test_options_stay_whole_and_are_still_escaped():
    page = render(ReportData(title="t", notes=["use --group ticket", "--<b>"]))
    assert 'use <span class="option">--group</span> ticket' in page
    assert "<li>--&lt;b&gt;</li>" in page


def test_what_stands_elsewhere_is_no_note_too():
    leak = Finding("Column 'id' looks like an identifier.", "It is not used.")
    page = render(ReportData(title="t", data="a.csv: 7 rows.", notes=["a.csv: 7 rows.", "Loss: mse."], leaks=[leak]))
    assert page.count("a.csv: 7 rows.") == page.count("Loss: mse.") == 1
    both = ["Column 'id' looks like an identifier. It is not used."]
    assert render(ReportData(title="t", notes=both, leaks=[leak])).count("looks like an identifier") == 1
