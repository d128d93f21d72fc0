"""A text typed where a file may stand: which of the two is meant."""

from __future__ import annotations

import os

from chainrule._base.errors import DataError
from chainrule.cli.output import say
from chainrule.tasks import FinishedRun

_SHOWN = 60  # characters of a text in a message


def is_literal(loaded: FinishedRun, source: str, *, quiet: bool = False) -> bool:
    """Whether ``source`` is a text for a model of texts, not a path: no such file, and it does not look like one.

    A note says so.

    Raises:
        DataError: there is no such file, but it looks like the name of one.
    """
    if loaded.facts.get("kind") != "text" or os.path.exists(source):  # Path.exists fails on long texts
        return False
    if any(letter.isspace() for letter in source.strip()) or not any(letter in source for letter in "./\\"):
        if not quiet:
            say(f"note: there is no file called {source[:_SHOWN]!r}, so it was read as a text.")
        return True
    raise DataError(
        f"{source}: there is no such file. Check the path. To ask about a text itself that is one word with a sign, "
        "put it into a file, one text a line."
    )
