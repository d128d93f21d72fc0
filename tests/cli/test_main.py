import dataclasses
import re
import signal
import subprocess
import sys
from typing import get_args

import click
import pytest

from chainrule import datasets
from chainrule.cli.main import chainrule, run
from chainrule.data import ColumnKind
from chainrule.errors import DataError
from chainrule.tasks import TableConfig

COMMANDS = ("fit", "predict", "evaluate", "explain", "diagnose", "runs", "devices")


def test_every_command_has_help_with_an_example(capsys):
    assert set(chainrule.commands) == set(COMMANDS)
    for name in COMMANDS:
        assert run([name, "--help"]) == 0
        text = capsys.readouterr().out
        assert f"chainrule {name}" in text
        assert "Example" in text


def test_help_names_every_hyperparameter_and_kind_and_cuts_no_summary(capsys):
    assert run(["fit", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for name in [*(field.name for field in dataclasses.fields(TableConfig)), *get_args(ColumnKind)]:
        assert re.search(rf"\b{name}\b[,.]", text), name
    assert text.count("default: by the number of rows") == 2
    assert run(["--help"]) == 0
    assert "..." not in capsys.readouterr().out.partition("Commands:")[2]


def test_version_goes_to_stdout(capsys):
    assert run(["--version"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("chainrule 0.")
    assert not err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fti"], "fit"),
        (["fit", "x.csv"], "no such file"),
        (["fit", str(datasets.path("heart.csv"))], "--target"),
        (["fit", "x.csv", "--traget", "y"], "--target"),
        (["fit", "x.csv", "--target", "y", "--epochs", "many"], "many"),
    ],
)
def test_a_mistyped_command_line_is_status_2(arguments, words, capsys):
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert not out
    assert words in err
    assert "Traceback" not in err


def raising(error):
    @click.command("fail")
    def fail():
        raise error

    return fail


@pytest.fixture
def command(monkeypatch):
    def add(error):
        monkeypatch.setitem(chainrule.commands, "fail", raising(error))
        return ["fail"]

    return add


def test_the_users_mistakes_are_status_2_in_one_message(command, capsys):
    assert run(command(DataError("heart.csv: line 5: no number."))) == 2
    assert capsys.readouterr().err == "error: heart.csv: line 5: no number.\n"


def test_our_faults_are_status_1_and_say_how_to_see_more(command, capsys, monkeypatch):
    monkeypatch.delenv("CHAINRULE_DEBUG", raising=False)
    assert run(command(ZeroDivisionError("oops"))) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError: oops" in err
    assert "CHAINRULE_DEBUG=1" in err
    assert "Traceback" not in err
    monkeypatch.setenv("CHAINRULE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run(command(ZeroDivisionError("oops")))


def test_ctrl_c_is_status_130_and_sigterm_143(monkeypatch, capsys):
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):

        @click.command("fail")
        def fail(number=number):
            signal.raise_signal(number)

        monkeypatch.setitem(chainrule.commands, "fail", fail)
        assert run(["fail"]) == status
    assert "stopped" in capsys.readouterr().err


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    run(["--version"])
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_console_script_exits_with_the_status_and_prints_everything():
    """In a process of its own: the script ends it at once, after flushing what was printed."""
    done = subprocess.run([sys.executable, "-m", "chainrule.cli", "fti"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "fti" in done.stderr
    done = subprocess.run(
        [sys.executable, "-m", "chainrule.cli", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "predict" in done.stdout
