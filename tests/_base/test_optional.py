"""An absent third party gives one message with the command that installs it."""

import math

import pytest

from chainrule._base.errors import MissingDependencyError
from chainrule._base.optional import optional_import


def test_a_present_module_is_returned():
    assert optional_import("math", purpose="arithmetic") is math


@pytest.mark.parametrize(
    ("more", "command"),
    [
        ({}, "pip install 'no_such_module'"),
        ({"package": "no-such-package"}, "pip install 'no-such-package'"),
        ({"extra": "audio"}, r"pip install 'chainrule\[audio\]'"),
    ],
)
def test_an_absent_module_says_what_for_and_how_to_install(more, command):
    with pytest.raises(MissingDependencyError, match=rf"^reading sound needs the package .*{command}\.$"):
        optional_import("no_such_module.sub", purpose="reading sound", **more)
