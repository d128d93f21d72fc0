"""What a task does with the verdict of the learning curves: completes it, and records it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chainrule.diagnose import Verdict


def compared(verdict: Verdict | None, sentence: str) -> Verdict | None:
    """The verdict with a sentence on a simpler model, where the verdict leaves room for one.

    Example:
        >>> good = Verdict("good", {}, "It learns.", "predict")
        >>> compared(good, "A line does as well.").reason
        'It learns. A line does as well.'
    """
    if verdict is None or not sentence or verdict.name == "diverged" or "possible leak" in verdict.flags:
        return verdict
    return replace(verdict, reason=f"{verdict.reason} {sentence}")


def recorded(verdict: Verdict | None) -> dict[str, Any] | None:  # Any: JSON values
    """The verdict as plain values."""
    if verdict is None:
        return None
    return {
        "name": verdict.name,
        "reason": verdict.reason,
        "action": verdict.action,
        "flags": verdict.flags,
        "numbers": dict(verdict.numbers),
    }
