import json
import sys

from chainrule.cli.output import bold, print_json, table


def test_columns_are_aligned_without_trailing_blanks():
    assert table(["a", "bbb"], [["cc", "d"], ["e", "ffff"]]) == "a   bbb\ncc  d\ne   ffff"


def test_json_is_plain(capsys):
    print_json({"x": float("nan"), "y": (1, 2), "ü": "é"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"x": None, "y": [1, 2], "ü": "é"}


def test_bold_only_on_a_terminal_and_without_no_color(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert bold("good") == "\x1b[1mgood\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert bold("good") == "good"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert bold("good") == "good"
