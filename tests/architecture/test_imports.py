"""Who may import whom: one floor above another, brothers apart, no cycle, and nothing imported late."""

import ast
import graphlib
import sys

import pytest

_BASE = {"_base", "errors"}
_OPS = _BASE | {"ops"}
_PARTS = _OPS | {"initializers", "regularizers", "constraints", "activations", "core"}
_TRAINING = _PARTS | {"layers", "losses", "metrics", "optimizers", "data"}
_MODELS = _TRAINING | {"train", "checkpoint"}
_INSIGHT = _MODELS | {"models"}
_TASKS = _INSIGHT | {"diagnose", "explain", "figures", "surgery", "report", "datasets"}
_DOORS = _TASKS | {"tasks", "tuning", "serving", "exchange", "estimators"}

MAY_IMPORT = {
    "_base": set(),
    "errors": _BASE,
    **dict.fromkeys(("ops", "data", "checkpoint"), _BASE),
    "datasets": _BASE | {"data"},  # a data set is a file and the table that is read from it
    **dict.fromkeys(("initializers", "regularizers", "constraints", "activations"), _OPS),
    "core": _OPS | {"initializers", "regularizers", "constraints"},
    **dict.fromkeys(("layers", "losses", "metrics", "optimizers"), _PARTS),
    "train": _TRAINING,
    "models": _MODELS,
    **dict.fromkeys(("diagnose", "explain", "figures", "surgery"), _INSIGHT),
    "report": _BASE | {"figures"},
    **dict.fromkeys(("tasks", "tuning", "serving", "exchange", "estimators"), _TASKS),
    **dict.fromkeys(("cli", "studio"), _DOORS),
}
# the half of _base without JAX; all that data may use
LIGHT = {"arguments", "errors", "checks", "registry", "optional", "partition", "wording"}
LONGEST_CHAIN = 11


def room_of(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def inner_room_of(module, modules):
    """The room, or the package inside it (``tasks.text``), whose reader follows a chain of files."""
    parts = module.split(".")
    inner = ".".join(parts[:3])
    return ".".join(parts[1:3]) if any(other.startswith(f"{inner}.") for other in modules) else room_of(module)


def imports_of(source, modules, *, at_run_time=False):
    """Pairs of an imported module of ours (or a foreign one's full name) and the line."""
    skipped = _for_annotations_only(source.tree) if at_run_time else set()
    for node in ast.walk(source.tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield (full if full in modules else base) if not node.level else "a relative import", node.lineno


def _for_annotations_only(tree):
    """What stands under ``if TYPE_CHECKING``: such an import is a dependency, but never runs."""
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return {inner for test in tests for part in test.body for inner in ast.walk(part)}


def direction_violations(sources):
    modules = {source.module for source in sources}
    for source in sources:
        room = room_of(source.module)
        if room in ("", "__main__"):
            continue
        if room not in MAY_IMPORT:
            yield f"{source.shown}: the room {room!r} has no place in the import table of this test"
            continue
        for target, line in imports_of(source, modules):
            problem = _problem(source, room, target)
            if problem:
                yield f"{source.shown}:{line} imports {target}: {problem}"


def _problem(source, room, target):
    if target == "a relative import":
        return "write the full name"
    top, *_ = target.split(".")
    if top == "ctypes" and source.shown != "src/chainrule/ops/native.py":
        return "only ops/native.py touches native libraries"
    light = room == "data" or (room == "_base" and source.path.stem in LIGHT)
    if top in ("jax", "jaxlib") and light:
        return "data and the light half of _base are free of JAX"
    if top != "chainrule":
        return None
    other = room_of(target)
    if not other:
        return "the package's root imports everything, so this is a cycle"
    if other == room:
        if light and room == "_base" and target.rsplit(".", 1)[1] not in LIGHT:
            return f"the light half of _base is {sorted(LIGHT)}"
        return None
    if other not in MAY_IMPORT[room]:
        return f"{room} may import only {sorted(MAY_IMPORT[room])}"
    if room == "data" and other == "_base" and target.split(".")[2:3] not in [[name] for name in LIGHT]:
        return f"data may use only the light half of _base: {sorted(LIGHT)}"
    return None


def test_imports_run_downwards(sources, report):
    report(list(direction_violations(sources)), "imports follow the table of rooms (docs/ARCHITECTURE.md)")


@pytest.mark.parametrize(
    ("room", "text"),
    [
        ("losses", "from chainrule.metrics import accuracy"),
        ("layers", "import chainrule.train.loop"),
        ("layers", "from chainrule import models"),
        ("layers", "from chainrule import Model"),
        ("data", "import jax.numpy as jnp"),
        ("data", "from chainrule._base.tree import flatten"),
        ("data", "from chainrule._base import tree"),
        ("checkpoint", "from chainrule.layers import Dense"),
        ("layers", "from . import dense"),
        ("train", "import ctypes"),
        ("_base", "from chainrule.core import layer"),
        ("unheard_of", "import os"),
    ],
)
def test_the_rule_finds_a_wrong_direction(sources, snippet, room, text):
    own = snippet(text, room)
    assert [line for line in direction_violations([*sources, own]) if own.shown in line]


def graph_of(sources):
    modules = {source.module for source in sources} - {"chainrule"}
    return {
        source.module: {target for target, _ in imports_of(source, modules, at_run_time=True) if target in modules}
        - {source.module}
        for source in sources
        if source.module in modules
    }


def longest_chain(graph):
    """The longest path, as a list of modules; CycleError if there is a cycle."""
    best = {}
    for module in graphlib.TopologicalSorter(graph).static_order():
        below = max((best[target] for target in graph.get(module, ())), key=len, default=[])
        best[module] = [module, *below]
    return max(best.values(), key=len)


def test_there_is_no_import_cycle(sources):
    try:
        longest_chain(graph_of(sources))
    except graphlib.CycleError as error:
        pytest.fail("import cycle: " + " -> ".join(error.args[1]))


def test_no_room_holds_a_long_chain(sources):
    """Between rooms the table above bounds the chain; inside a room, or a package in it, a reader follows few files."""
    graph = graph_of(sources)
    rooms = {module: inner_room_of(module, graph) for module in graph}
    for room in sorted(set(rooms.values())):
        inside = {
            module: {target for target in targets if rooms[target] == room}
            for module, targets in graph.items()
            if rooms[module] == room
        }
        chain = longest_chain(inside)
        assert len(chain) <= LONGEST_CHAIN, f"{len(chain)} files in a chain: " + " -> ".join(chain)


def test_the_rule_finds_cycles_and_measures_chains():
    assert longest_chain({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == ["a", "b", "c"]
    with pytest.raises(graphlib.CycleError):
        longest_chain({"a": {"b"}, "b": {"a"}})


def late_imports(source):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    for function in (node for node in ast.walk(source.tree) if isinstance(node, functions)):
        for node in ast.walk(function):
            call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "__import__"
            if isinstance(node, ast.Import | ast.ImportFrom) or call:
                yield f"{source.shown}:{node.lineno} imports inside {getattr(function, 'name', 'a lambda')}"


def test_no_import_inside_a_function(sources, snippet, report):
    assert list(late_imports(snippet("def f():\n    if x:\n        import os\n")))
    violations = [line for source in sources for line in late_imports(source)]
    report(violations, "imports stand at the top; optional third parties come through _base/optional.py")


def test_only_optional_imports_by_name(sources, report):
    violations = [
        f"{source.shown}:{line} imports importlib"
        for source in sources
        for target, line in imports_of(source, set())
        if target in ("importlib", "importlib.util") and source.shown != "src/chainrule/_base/optional.py"
    ]
    report(violations, "only _base/optional.py imports by name; versions come from importlib.metadata")


def test_importing_the_package_needs_no_optional_third_party(sources, report):
    """Everything imported at the top of a file is the standard library or a declared dependency."""
    known = {
        "chainrule",
        "jax",
        "ml_dtypes",
        "numpy",
        "polars",
        "narwhals",
        "matplotlib",
        "click",
        "rich",
        "__future__",
    }
    violations = [
        f"{source.shown}:{line} imports {target}"
        for source in sources
        for target, line in imports_of(source, {other.module for other in sources})
        if target.split(".")[0] not in known | sys.stdlib_module_names and target != "a relative import"
    ]
    report(violations, "other third parties (scikit-learn, Optax, ...) are imported late, through _base/optional.py")
