"""Words that agree with numbers."""

from __future__ import annotations


def counted(count: int, one: str, many: str) -> str:
    """The number and the words that agree with it.

    Example:
        >>> counted(1, "value was", "values were"), counted(1200, "value was", "values were")
        ('1 value was', '1,200 values were')
    """
    return f"{count:,} {one if count == 1 else many}"
