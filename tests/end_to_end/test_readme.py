"""Every command and every Python line of the README runs."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.S)


@pytest.mark.filterwarnings("default")  # predicting for the training file notes rare values, as it should
def test_python_examples_run_and_print_what_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "\n".join(body for language, body in BLOCKS if language == "python")
    assert text.count(">>>") > 10
    test = doctest.DocTestParser().get_doctest(text, {}, "README", "README.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    failures = []
    runner.run(test, out=failures.append)
    assert not runner.failures, "".join(failures)


def shell_lines():
    for language, body in BLOCKS:
        if language == "sh":
            yield from (line for line in body.splitlines() if line and not line.startswith("#"))


def test_the_first_two_commands_are_make_demo_and_make_test():
    """They are run by continuous integration (.ci/run), which a test cannot do from inside itself."""
    lines = list(shell_lines())
    assert lines[:2] == ["make demo", "make test"]
    ci = (ROOT / ".ci" / "run").read_text()
    assert re.search(r"^make .*demo", ci, flags=re.M)
    assert "scripts/test" in ci or "make test" in ci


def pictures(folder):
    """Two kinds of pictures, bright above and bright below, and three more to answer for."""
    rng = np.random.default_rng(0)
    for number in range(63):
        kind = number % 2
        pixels = rng.integers(0, 60, (12, 12)).astype(np.uint8)
        pixels[6 * kind : 6 * kind + 6] += 150
        place = folder / ("pets" if number < 60 else "new-pictures") / (("cat", "dog")[kind] if number < 60 else "")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number}.png")


def reviews(path):
    rng = np.random.default_rng(0)
    words = (["dull", "slow", "weak", "cold"], ["fine", "warm", "moving", "clever"])
    lines = ["review,stars"]
    for number in range(120):
        chosen = rng.permutation(words[number % 2])[:2]
        lines.append(f"a {chosen[0]} film with a {chosen[1]} heart number {number},{1 + 4 * (number % 2)}")
    path.write_text("\n".join(lines) + "\n")


def test_shell_commands_run(tmp_path):
    """In order, in an empty folder that holds the files they name."""
    commands = [line for line in shell_lines() if not line.startswith(("make", "pip", "git", "cd"))]
    assert len(commands) >= 3
    heart = (ROOT / "src/chainrule/datasets/heart.csv").read_text()
    (tmp_path / "heart.csv").write_text(heart)
    rows = heart.splitlines()
    for name, part in (("new.csv", rows[5:15]), ("other-hospital.csv", rows[100:160])):
        (tmp_path / name).write_text("\n".join([rows[0], *part]) + "\n")
    pictures(tmp_path)
    reviews(tmp_path / "reviews.csv")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command in commands:
        done = subprocess.run(
            shlex.split(command), cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
        if done.returncode:
            pytest.fail(f"{command}\n{done.stdout}\n{done.stderr}")


def test_files_that_are_linked_exist():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    missing = [link for link in links if not link.startswith("http") and not (ROOT / link).exists()]
    assert missing == []
