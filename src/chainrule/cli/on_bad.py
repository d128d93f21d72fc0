"""``--on-bad``: what ``predict``, ``evaluate`` and ``explain`` do with image files that cannot be read."""

from __future__ import annotations

import click

from chainrule._base.errors import ArgumentError
from chainrule.tasks import FinishedRun

ON_BAD = click.option(
    "--on-bad",
    type=click.Choice(["error", "skip"]),
    help="Images: skip leaves out files that cannot be read, and says which; default: error.",
)


def bad_option(loaded: FinishedRun, on_bad: str | None) -> dict[str, str]:
    """The option for :class:`~chainrule.tasks.LabelledPredictor`; none where it was not given.

    Raises:
        ArgumentError: the model is none of images.
    """
    if on_bad is None:
        return {}
    if (kind := loaded.facts.get("kind", "table")) != "images":
        raise ArgumentError(
            f"--on-bad: is an option for models of images; received a model of {kind}. Leave it out; a file that "
            "cannot be read is always an error here."
        )
    return {"on_bad": on_bad}
