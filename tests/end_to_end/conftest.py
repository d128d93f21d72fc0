"""One fitted run of the heart table, shared by all tests that only look at it."""

import os
import subprocess
import sys

import pytest

from chainrule import datasets
from chainrule.tasks import fit_table

HEART = datasets.path("heart.csv")


@pytest.fixture(autouse=True)
def no_cache_of_the_users(monkeypatch):
    monkeypatch.setenv("CHAINRULE_CACHE", "off")


@pytest.fixture(scope="session")
def heart(tmp_path_factory):
    """A finished run with the default settings, but at most 40 epochs."""
    folder = tmp_path_factory.mktemp("runs") / "heart"
    return fit_table(HEART, "disease", run=folder, epochs=40, verbose=0, command="chainrule fit heart.csv -t disease")


@pytest.fixture
def chainrule(tmp_path):
    """The real command in a process and a folder of its own."""

    def start(*arguments, **options):
        environment = os.environ | {"CHAINRULE_CACHE": "off"}
        command = [sys.executable, "-m", "chainrule.cli", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes, **options)

    return start
