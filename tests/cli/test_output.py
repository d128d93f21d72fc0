import json
import sys

import polars as pl

from chainrule.cli.output import bold, print_json, rounded, say, table


def test_columns_are_aligned_without_trailing_blanks():
    assert table(["a", "bbb"], [["cc", "d"], ["e", "ffff"]]) == "a   bbb\ncc  d\ne   ffff"


def test_decimals_have_six_significant_digits_and_all_else_is_left():
    frame = pl.DataFrame({"p": [1 / 3, None, 2e-9 / 3], "n": [12345678, 1, 2], "s": ["0.123456789", "b", "c"]})
    assert rounded(frame).write_csv() == "p,n,s\n0.333333,12345678,0.123456789\n,1,b\n6.66667e-10,2,c\n"
    assert frame["p"][0] == 1 / 3


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


def test_messages_cannot_steer_the_terminal(capsys):
    say("a\x1b[2Jb\u202ec: größe\n  d\r")
    assert capsys.readouterr().err == "a?[2Jb?c: größe\n  d?\n"
