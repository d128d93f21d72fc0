"""One fitted run of the heart table, shared by all tests that only look at it."""

import os
import subprocess
import sys

import jax
import pytest

from chainrule import datasets
from chainrule.tasks import fit_table

CACHE = {  # compiled programs shared by the processes that tests start
    "CHAINRULE_CACHE": "off",
    "JAX_COMPILATION_CACHE_DIR": str(jax.config.jax_compilation_cache_dir),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
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
def processes():
    """The environment of the processes that tests start."""
    return os.environ | CACHE


@pytest.fixture
def chainrule(tmp_path, processes):
    """The real command in a process and a folder of its own."""

    def start(*arguments, **options):
        command = [sys.executable, "-m", "chainrule.cli", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=tmp_path, env=processes, **pipes, **options)

    return start
