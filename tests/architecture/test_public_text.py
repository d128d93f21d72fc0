"""Nothing in the repository speaks of the machine on which it was written."""

import re
import subprocess

import pytest

# Written in two parts, so that this file does not find itself.
_PATHS = (
    r"(?<![\w.])/" + "work/",
    "/" + r"root/(?!\.)",
    "/" + r"home/(?!user\b|you\b)\w",
    "/" + r"Users/\w",
    r"[A-Z]:\\\\?" + "Users",
    r"\.pyenv" + "/versions",
)
MACHINE = re.compile("|".join(_PATHS))
TEXT = {"", ".py", ".md", ".toml", ".txt", ".cfg", ".yml", ".json", ".csv", ".html", ".svg", ".cc", ".h", ".sh"}
LIST_FILES = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")


def tracked_files(root):
    listed = subprocess.run(LIST_FILES, cwd=root, capture_output=True, check=False)
    if listed.returncode:  # an unpacked source archive has no git
        return [path for path in root.rglob("*") if path.is_file() and not {".venv", ".git"} & set(path.parts)]
    return [root / name for name in listed.stdout.decode().split("\0") if name]


def test_no_path_of_a_machine_stands_in_the_repository(root, report):
    violations = [
        f"{file.relative_to(root)}:{number}: {found[0]}"
        for file in tracked_files(root)
        if file.suffix in TEXT and file.is_file()
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if (found := MACHINE.search(line))
    ]
    report(violations, "no paths of a machine in the repository")


@pytest.mark.parametrize("path", ["/" + "work/main", "/" + "home/ann/x", "see /" + "Users/ann", "C:\\" + "Users\\ann"])
def test_the_rule_finds(path):
    assert MACHINE.search(path)


@pytest.mark.parametrize("text", ["framework/main", "https://example.org/" + "work/x", "/home/you/model"])
def test_the_rule_lets_pass(text):
    assert not MACHINE.search(text)
