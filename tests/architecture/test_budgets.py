"""Files, functions and signatures stay within the budgets of the style guide."""

import ast

import pytest

FILE_LINES, TEST_FILE_LINES, BODY_LINES, POSITIONAL, NESTING = 400, 600, 40, 5, 3
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.With, ast.AsyncWith, ast.Match)


def functions_of(source):
    return [node for node in ast.walk(source.tree) if isinstance(node, _FUNCTIONS)]


def body_lines(function):
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return function.end_lineno - body[0].lineno + 1 if body else 0


def positional_count(function):
    names = [argument.arg for argument in function.args.posonlyargs + function.args.args]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def nesting(node, depth=0):
    """How deep blocks stand in one another; ``elif`` and nested functions do not add a level."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deeper = isinstance(child, _BLOCKS) and not is_elif
        deepest = max(deepest, nesting(child, depth + deeper))
    return deepest


def violations_of(source):
    lines = source.text.count("\n")
    if lines > FILE_LINES:
        yield f"{source.shown}: {lines} lines, at most {FILE_LINES}"
    for function in functions_of(source):
        where = f"{source.shown}:{function.lineno} {function.name}"
        if body_lines(function) > BODY_LINES:
            yield f"{where}: a body of {body_lines(function)} lines, at most {BODY_LINES}"
        if positional_count(function) > POSITIONAL:
            yield f"{where}: {positional_count(function)} positional parameters, at most {POSITIONAL}"
        if nesting(function) > NESTING:
            yield f"{where}: blocks nest {nesting(function)} deep, at most {NESTING}"


def test_sources_keep_the_budgets(sources, report):
    report([line for source in sources for line in violations_of(source)], "budgets of the style guide")


def test_test_files_keep_the_budget(root, report):
    sizes = {file: file.read_text().count("\n") for file in sorted((root / "tests").rglob("*.py"))}
    report([f"{file}: {size} lines" for file, size in sizes.items() if size > TEST_FILE_LINES], "one concept a file")


def test_file_names_say_what_is_in_them(sources, report):
    vague = {"utils", "util", "misc", "helpers", "common", "tools"}
    report([source.shown for source in sources if source.path.stem.strip("_") in vague], "no drawers for odds and ends")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\n" * 401, "401 lines"),
        ("def f():\n" + "    x = 1\n" * 41, "41 lines"),
        ("def f(a, b, c, d, e, g): pass", "6 positional"),
        ("def f():\n if a:\n  for b in c:\n   with d:\n    while e: pass", "4 deep"),
    ],
)
def test_the_rule_finds(snippet, text, expected):
    (line,) = violations_of(snippet(text))
    assert expected in line


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    '''Long.\n" + "    text\n" * 90 + "    '''\n    return 1\n",
        "def f(self, a, b, c, d, e, *, g, h, i): pass",
        "def f():\n if a: pass\n elif b: pass\n elif c: pass\n elif d: pass\n elif e:\n  if g:\n   if h: pass",
    ],
)
def test_the_rule_lets_pass(snippet, text):
    assert not list(violations_of(snippet(text)))
