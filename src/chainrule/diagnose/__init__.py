"""What went wrong, what went well, and what to do next."""

from chainrule.diagnose.verdict import ACTIONS, Verdict, diagnose

__all__ = [
    "ACTIONS",
    "Verdict",
    "diagnose",
]
