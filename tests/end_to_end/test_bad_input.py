"""Every kind of unusable table through the real command: status 2, one message that helps, nothing left behind."""

import numpy as np
import polars as pl
import pytest

from chainrule import datasets
from chainrule.cli.main import run

ROWS = "".join(f"{n % 7},{n * 0.5},{'ab'[n % 2]}\n" for n in range(40))

CASES = {
    "empty file": (b"", ["empty (0 bytes)"]),
    "header only": (b"x,y,t\n", ["t.csv"]),
    "ragged rows": (f"x,y,t\n{ROWS}1,2,3,4,5\n".encode(), ["line 42"]),
    "undecodable bytes": (b"x,y,t\n1,2,a\n\x00\x01\x02\xff\xfe\x00\n" * 20, ["t.csv"]),
    "duplicate names": (f"x,x,t\n{ROWS}".encode(), ["'x'"]),
    "one class": (b"x,y,t\n" + b"".join(b"%d,%d,a\n" % (n, n * n) for n in range(30)), ["'t'", "single value"]),
    "all missing": (b"x,y,t\n" + b",,a\n,,b\n" * 15, ["no column is left"]),
    "inf": (f"x,y,t\n{ROWS}inf,1,a\n".encode(), ["line 42", "'x'", "inf"]),
    "target not there": (f"x,y,tt\n{ROWS}".encode(), ["Did you mean 'tt'"]),
    "target all missing": (b"x,y,t\n" + b"1,2,\n3,4,\n" * 20, ["'t'", "missing in all"]),
    "rare class": (f"x,y,t\n{ROWS}3,4,c\n".encode(), ["'c' (1)"]),
    "text target": (b"x,t\n" + b"".join(b"%d,name%d\n" % (n % 5, n) for n in range(40)), ["'t'", "different values"]),
    "too few rows": (b"x,t\n1.5,2.5\n2,3\n3,4.1\n4,5\n5,6\n", ["too few"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_table_that_cannot_be_used_is_status_2_and_leaves_nothing(name, tmp_path, capsys, monkeypatch):
    content, words = CASES[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_bytes(content)
    assert run(["fit", "t.csv", "--target", "t", "--run", "out"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err, err
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothere.csv", "-t", "disease"], "there is no such file"),
        ([".", "-t", "disease"], "this is a folder"),
        (["heart.csv", "-t", "desease"], "Did you mean 'disease'"),
        (["heart.csv", "-t", "disease", "--set", "widht=3"], "Did you mean 'width'"),
        (["heart.csv", "-t", "disease", "--set", "width"], "NAME=VALUE"),
        (["heart.csv", "-t", "disease", "--kind", "cp=categry"], "Did you mean 'category'"),
        (["heart.csv", "-t", "disease", "--kind", "cp=categry"], "error: --kind cp: must be one of"),
        (["heart.csv", "-t", "disease", "--kind", "thal=date"], "error: --kind thal: "),
        (["heart.csv", "-t", "disease", "--epochs", "0"], "error: --epochs: must be"),
        (["heart.csv", "-t", "disease", "--batch-size", "0"], "error: --batch-size: must be"),
        (["heart.csv", "-t", "disease", "--set", "dropout=1"], "error: --set dropout: must be"),
        (["heart.csv", "-t", "disease", "--test", "0"], "error: --test: must be"),
        (["heart.csv", "-t", "disease", "--validation", "1.5"], "error: --validation: must be"),
        (["heart.csv", "-t", "disease", "--validation", "0.9"], "error: --validation and --test: must leave"),
        (["heart.csv", "-t", "disease", "--balance", "weight"], "error: --balance: must be one of"),
        (["heart.csv", "-t", "age", "--balance", "weights"], "error: --balance weights: is for classes"),
        (["heart.csv", "-t", "disease", "--group", "cp", "--time", "age"], "error: --group and --time: exclude"),
        (["heart.csv", "-t", "disease", "--task", "binray"], "error: --task: must be one of"),
        (["heart.csv", "-t", "disease", "--kind", "thall=category"], "Did you mean 'thal'"),
        (["heart.csv", "-t", "disease", "--drop", "slop"], "Did you mean 'slope'"),
        (["heart.csv", "-t", "disease", "--task", "binray"], "Did you mean 'binary'"),
        (["heart.csv", "-t", "disease", "--balance", "weight"], "Did you mean 'weights'"),
        (["heart.csv", "-t", "disease", "--epochs", "0"], "at least 1"),
        (["heart.csv", "-t", "disease", "--validation", "0.9"], "Lower one"),
        (["heart.csv", "-t", "age", "-t", "sex"], "must each hold 0 or 1"),
        (["heart.csv", "-t", "disease", "--run", "full"], "holds files"),
    ],
)
def test_a_wrong_option_is_status_2_with_what_to_type(arguments, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "heart.csv").write_bytes(datasets.path("heart.csv").read_bytes())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.bin").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    assert run(["fit", *arguments]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert words in err, err
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before


def test_the_real_command_prints_no_traceback(chainrule, tmp_path):
    (tmp_path / "t.csv").write_text("x,y,t\n")
    process = chainrule("fit", "t.csv", "--target", "t")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert not out
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.slow
def test_a_million_rows_are_fitted(tmp_path, capsys):
    """10⁶ rows and 10 columns in bounded time: 120 s on two busy cores, most of it reading and training."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1_000_000, 10)).astype(np.float32).round(3)
    y = np.where(x[:, 0] + x[:, 1] * x[:, 2] + rng.normal(size=len(x)) > 0, "yes", "no")
    pl.DataFrame(x).with_columns(y=pl.Series(y)).write_csv(tmp_path / "big.csv")
    arguments = ["fit", str(tmp_path / "big.csv"), "-t", "y", "--run", str(tmp_path / "run"), "--epochs", "1", "-q"]
    assert run(arguments) == 0
    assert "roc_auc" in capsys.readouterr().out
