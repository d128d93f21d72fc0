"""docs/capabilities.md is current, and every row that it calls done has its test and its public name."""

import importlib
import importlib.util
from types import ModuleType

import click
import pytest


@pytest.fixture(scope="module")
def capabilities(root):
    spec = importlib.util.spec_from_file_location("capabilities", root / "scripts" / "capabilities.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def resolve(name):
    """The object called ``chainrule.room.name.attribute``, or the command called ``chainrule fit``."""
    if " " in name:
        command = importlib.import_module("chainrule.cli.main").chainrule
        return command.get_command(click.Context(command), name.split()[1])
    found, *rest = name.split(".")
    target = importlib.import_module(found)
    for part in rest:
        found = f"{found}.{part}"
        is_submodule = isinstance(target, ModuleType) and not hasattr(target, part)
        target = importlib.import_module(found) if is_submodule else getattr(target, part)
    return target


def test_the_table_is_current(capabilities):
    text = capabilities.render(capabilities.rows())
    assert capabilities.TABLE.read_text() == text, "type: python scripts/capabilities.py"


def test_all_288_are_listed_once(capabilities):
    assert [row.number for row in capabilities.rows()] == list(range(1, 289))
    assert len({row.what for row in capabilities.rows()}) == 288


def test_every_done_row_has_a_public_name_that_exists(capabilities, report):
    problems = []
    for row in capabilities.rows():
        if row.tests and not row.name:
            problems.append(f"C{row.number} ({row.what}): tested, but docs/capabilities.toml gives no public name")
        elif row.tests:
            try:
                assert resolve(row.name) is not None
            except (ImportError, AttributeError, AssertionError) as error:
                problems.append(f"C{row.number}: {row.name} does not exist ({error})")
            if any(part.startswith("_") for part in row.name.split(".")):
                problems.append(f"C{row.number}: {row.name} is not public")
    report(problems, "every row that is done has a public name")


def test_the_scan_finds_tests_by_number(capabilities):
    """The scan sees this very docstring, which names no capability, and the tests of the model file, which do."""
    found = capabilities.tests_by_number()
    assert "tests/checkpoint/test_format.py::test_round_trip_keeps_names_bits_and_config" in found[54]
    assert not any("test_the_scan" in test for tests in found.values() for test in tests)
    assert max(found) <= 288
