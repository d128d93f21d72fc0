"""Make docs/capabilities.md: which capability is done, under which public name, and which test shows it.

A capability is done when the docstring of a test names its number (``C24``). Run ``python scripts/capabilities.py``
to write the table, and ``python scripts/capabilities.py --check`` to see whether it is current.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "docs" / "capabilities.toml"
TABLE = ROOT / "docs" / "capabilities.md"
_NUMBER = re.compile(r"\bC(\d{1,3})\b")
_HEAD = """# Capabilities

{done} of {total} capabilities are done: a public name does it and a test shows it. A row that says *not yet* is open.
This table is made by `python scripts/capabilities.py` from `docs/capabilities.toml` and the tests' docstrings; a test
fails when it is not current.

| C | what | public name | test |
|---|---|---|---|
"""


class Row(NamedTuple):
    """One capability: its number, what it is, the public name, and the tests that name its number."""

    number: int
    what: str
    name: str
    tests: tuple[str, ...]


def tests_by_number() -> dict[int, list[str]]:
    """Which tests name which capability in their docstring, as ``tests/…/test_x.py::test_name``."""
    found: dict[int, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for number in sorted({int(text) for text in _NUMBER.findall(ast.get_docstring(node) or "")}):
                    found.setdefault(number, []).append(f"{path.relative_to(ROOT).as_posix()}::{node.name}")
    return found


def rows() -> list[Row]:
    """All capabilities in order."""
    table = tomllib.loads(SOURCE.read_text(encoding="utf-8"))["capabilities"]
    tests = tests_by_number()
    return [Row(int(key), what, name, tuple(tests.get(int(key), ()))) for key, (what, name) in table.items()]


def render(listed: list[Row]) -> str:
    """The Markdown of the table."""
    lines = []
    for row in listed:
        name = f"`{row.name}`" if row.tests and row.name else "not yet"
        more = f" and {len(row.tests) - 1} more" if len(row.tests) > 1 else ""
        test = f"`{row.tests[0]}`{more}" if row.tests else "not yet"
        lines.append(f"| {row.number} | {row.what} | {name} | {test} |\n")
    done = sum(bool(row.tests and row.name) for row in listed)
    return _HEAD.format(done=done, total=len(listed)) + "".join(lines)


def main() -> int:
    """Write the table, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="only say whether the table is current")
    check = parser.parse_args().check
    listed = rows()
    text = render(listed)
    if not check:
        TABLE.write_text(text, encoding="utf-8")
    elif not TABLE.exists() or TABLE.read_text(encoding="utf-8") != text:
        print("docs/capabilities.md is not current. Type: python scripts/capabilities.py", file=sys.stderr)
        return 1
    done = [row for row in listed if row.tests and row.name]
    print(f"{len(done)} of {len(listed)} capabilities are done")
    nameless = [f"C{row.number}" for row in listed if row.tests and not row.name]
    if nameless:
        print("tested, but without a public name in docs/capabilities.toml: " + ", ".join(nameless), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
