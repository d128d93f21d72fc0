"""The package's sources, parsed once for every rule."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file of the package."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def shown(self):
        return str(self.path.relative_to(ROOT))

    @property
    def module(self):
        """``chainrule.layers.dense``; a package's ``__init__`` bears the package's name."""
        parts = self.path.relative_to(ROOT / "src").with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def sources():
    files = sorted((ROOT / "src" / "chainrule").rglob("*.py"))
    return [Source(file, text, ast.parse(text)) for file in files for text in [file.read_text()]]


@pytest.fixture(scope="session")
def snippet():
    """Make a source from a piece of text, to show that a rule finds what it forbids."""

    def make(text, room="layers"):
        return Source(ROOT / "src" / "chainrule" / room / "snippet.py", text, ast.parse(text))

    return make


@pytest.fixture(scope="session")
def report():
    """Fail with one line a violation."""

    def fail_with(violations, rule):
        assert not violations, f"{rule}\n  " + "\n  ".join(violations)

    return fail_with
