"""The public surface: a short, fixed list of names at the top, and every public name documented with an example."""

import doctest
import importlib
import inspect
import subprocess
import sys

import pytest

import chainrule

# A name here is a promise. Add one on purpose; remove one with an entry in CHANGELOG.md.
GOLDEN = [
    "Block",
    "Callback",
    "Context",
    "EarlyStopping",
    "Graph",
    "History",
    "Input",
    "Layer",
    "Model",
    "ReduceLROnPlateau",
    "Sequential",
    "StopOnConvergence",
    "Variables",
    "activations",
    "constraints",
    "errors",
    "explain",
    "gradient_descent",
    "initializers",
    "layers",
    "load",
    "losses",
    "make_train_step",
    "metrics",
    "mlp",
    "models",
    "ops",
    "optimizers",
    "register",
    "regularizers",
]
ROOMS = ("activations", "constraints", "initializers", "layers", "losses", "metrics", "optimizers", "regularizers")

WITH_EXAMPLES = ("layers", "losses", "metrics", "ops", "optimizers", "models.zoo")


def test_the_top_names_are_the_agreed_ones():
    added, gone = sorted(set(chainrule.__all__) - set(GOLDEN)), sorted(set(GOLDEN) - set(chainrule.__all__))
    assert not added, f"new public names: {added}; if meant, add them to GOLDEN in this test"
    assert not gone, f"public names that are gone: {gone}"


def test_the_top_is_short_sorted_and_real():
    names = list(chainrule.__all__)
    assert names == sorted(set(names))
    assert len(names) <= 40
    assert [name for name in names if not hasattr(chainrule, name)] == []


def public_objects(room):
    module = importlib.import_module(f"chainrule.{room}")
    names = getattr(module, "__all__", None)
    home = "chainrule." if names else f"chainrule.{room}"  # without __all__, what the file defines itself
    for name in names or [name for name in vars(module) if not name.startswith("_")]:
        item = getattr(module, name)
        ours = str(getattr(item, "__module__", "")).startswith(home)
        if ours and (inspect.isclass(item) or inspect.isfunction(item)):
            yield f"chainrule.{room}.{name}", item


def needs_no_example(item):
    """Bases are shown by their subclasses, records (named tuples) by the functions that return them."""
    return inspect.isclass(item) and (
        inspect.isabstract(item) or getattr(item, "_is_protocol", False) or issubclass(item, tuple)
    )


def documentation_problem(item, *, wants_example=True):
    text = inspect.getdoc(item) if not inspect.isclass(item) else item.__doc__
    if not text or text.startswith(f"{item.__name__}("):  # dataclasses make a docstring of their signature
        return "has no docstring"
    if not wants_example or needs_no_example(item):
        return None
    examples = doctest.DocTestParser().get_examples(text)
    if not examples:
        return "has no example that runs as a doctest"
    if not any(example.want for example in examples):
        return "has an example that prints nothing"
    return None


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_documented(room, report):
    """A docstring everywhere; in the four rooms that users build models from, an example that prints something."""
    found = list(public_objects(room))
    assert found, f"chainrule.{room} has no public names"
    wants_example = room in WITH_EXAMPLES
    problems = [(name, documentation_problem(item, wants_example=wants_example)) for name, item in found]
    report([f"{name} {problem}" for name, problem in problems if problem], "every public name is documented")


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_for_users_declare_their_names(room):
    assert getattr(importlib.import_module(f"chainrule.{room}"), "__all__", None), f"chainrule.{room} has no __all__"


def test_what_is_declared_exists_once(sources, report):
    problems = []
    for source in (source for source in sources if source.path.stem != "__main__"):
        module = importlib.import_module(source.module)
        names = getattr(module, "__all__", [])
        problems += [
            f"{source.shown}: {name!r} in __all__ does not exist" for name in names if not hasattr(module, name)
        ]
        problems += [
            f"{source.shown}: {name!r} stands twice in __all__" for name in set(names) if names.count(name) > 1
        ]
    report(problems, "__all__ holds the names that are there")


def test_importing_writes_nothing_and_opens_no_socket(tmp_path):
    """The audit hook sees every open for writing, every socket and every process of a plain import."""
    script = (
        "import sys, os\n"
        "seen = []\n"
        "def hook(event, arguments):\n"
        "    writes = event == 'open' and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)\n"
        "    if writes or event in ('socket.connect', 'socket.bind', 'subprocess.Popen', 'os.system', 'os.mkdir'):\n"
        "        seen.append((event, str(arguments)))\n"
        "import jax, numpy\n"
        "sys.addaudithook(hook)\n"
        "import chainrule\n"
        "late = [name for name in ('sklearn', 'pandas', 'matplotlib', 'optax', 'scipy.stats')\n"
        "        if name in sys.modules]\n"
        "print(repr((seen, late)))\n"
    )
    command = [sys.executable, "-B", "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "([], [])", "import chainrule must stay light and quiet"


def test_the_rule_finds_missing_documentation():
    def bare():
        pass

    def silent():
        """Has an example.

        >>> x = 1
        """

    def good():
        """Has an example.

        >>> 1 + 1
        2
        """

    assert [documentation_problem(item) is None for item in (bare, silent, good)] == [False, False, True]
