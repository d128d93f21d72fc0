"""SECURITY.md states the limits that the code has."""

import re

from chainrule.checkpoint import header, plain


def test_the_table_of_limits_is_the_codes(root):
    rows = dict(re.findall(r"^\| ([^|]+) \| (\d+)[^|]* \|", (root / "SECURITY.md").read_text(), re.MULTILINE))
    assert rows == {
        "header of a model file": str(header.MAX_HEADER_BYTES >> 20),
        "lists and objects in a header": str(header.MAX_BRACKETS),
        "levels of a config": str(plain.MAX_DEPTH),
        "length of a tensor's name": str(header.MAX_NAME),
        "axes of a tensor": str(header.MAX_DIMENSIONS),
    }
