"""What must not stand in the package: code from data, private JAX, messages that are tuples, TODOs without an issue."""

import ast
import re

import pytest

MODULES = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle", "yaml"}
CALLS = {"eval", "exec", "compile", "__import__"}
DOTTED = {"os.system", "os.popen", "jnp.load", "deserialize_and_load", "subprocess.getoutput"}
_TODO = re.compile(r"\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\))")


def dotted(node):
    """``a.b.c`` of a name or attribute, or an empty string."""
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else node.attr
    return node.id if isinstance(node, ast.Name) else ""


def violations_of(source):
    for node in ast.walk(source.tree):
        for problem in (_import_problem(node), _call_problem(node), _raise_problem(node)):
            if problem:
                yield f"{source.shown}:{node.lineno}: {problem}"
    for number, line in enumerate(source.text.splitlines(), 1):
        if _TODO.search(line):
            yield f"{source.shown}:{number}: a TODO without an issue; write TODO(#12), or do it"


def _import_problem(node):
    names = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module or ""]
    elif isinstance(node, ast.Attribute):
        names = [dotted(node)] if dotted(node).startswith("jax._src") else []
    for name in names:
        if name.split(".")[0] in MODULES:
            return f"imports {name}, which can run code from data"
        if name.startswith("jax._src"):
            return "uses jax._src, which changes without notice"
    return None


def _call_problem(node):
    if not isinstance(node, ast.Call):
        return None
    name = dotted(node.func)
    if name in CALLS or any(name == banned or name.endswith("." + banned) for banned in DOTTED):
        return f"calls {name}"
    for keyword in node.keywords:
        safe = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        if keyword.arg in ("allow_pickle", "shell") and not safe:
            return f"calls {name} with {keyword.arg} other than False"
    return None


def _is_text(node):
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _raise_problem(node):
    if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
        return None
    texts = [argument for argument in node.exc.args if _is_text(argument)]
    if len(texts) > 1:
        return f"raises {dotted(node.exc.func)} with {len(texts)} texts: a comma has made a tuple of the message"
    own = dotted(node.exc.func).endswith("Error") and not node.exc.args
    return f"raises {dotted(node.exc.func)} without a message" if own else None


def test_nothing_forbidden_stands_in_the_package(sources, report):
    report([line for source in sources for line in violations_of(source)], "forbidden in the package")


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "import marshal as m",
        "import yaml",
        "eval('1')",
        "exec(code)",
        "compile(code, '', 'exec')",
        "os.system('ls')",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "subprocess.run(command, shell=True)",
        "from jax._src import core",
        "import jax._src.core",
        "from jax import _src",
        "jax._src.core.Tracer",
        "jax.experimental.serialize_executable.deserialize_and_load(x)",
        "raise ValueError('a', 'b')",
        "raise ValueError(f'a {b}', 'c' + d)",
        "raise ShapeError()",
        "x = 1  # TODO do it",
        "# FIXME",
    ],
)
def test_the_rule_finds(snippet, text):
    assert list(violations_of(snippet(text)))


@pytest.mark.parametrize(
    "text",
    [
        "import re\npattern = re.compile('x')",
        "np.load(path, allow_pickle=False)",
        "raise OSError(errno.ENOSPC, 'no space')",
        "raise ValueError('a' 'b')",
        "raise NotImplementedError",
        "x = 1  # TODO(#12) do it",
        "model.compile(optimizer)",
        "mask.load(path)",
    ],
)
def test_the_rule_lets_pass(snippet, text):
    assert not list(violations_of(snippet(text)))
